"""What would mend a finding, as operations: the near name that the linter knows, or taking out what nothing uses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.builder.jinja_names import filter_places, in_expression, replaced, variable_places
from agent.common.yaml_reader import YamlFinding, value_at
from agent.dialog.grammar.templates import suggestion_of

_WRONG_NAME = re.compile(r"(?:uses|uses the filter|slot or variable) '([^']+)'")
_UNUSED = ("no flow says this prompt", "no flow collects this slot", "nothing uses the variable")


@dataclass(frozen=True)
class Repair:
    """One thing that can be done about a finding."""

    words: str
    """What it does, for the button: "write 'which'"."""
    operations: tuple[Mapping[str, Any], ...]
    """As drafts take them."""

    def to_json(self) -> dict[str, Any]:
        """Return JSON-like data."""
        return {"words": self.words, "operations": [dict(operation) for operation in self.operations]}


def repair_of(finding: YamlFinding, tree: Any) -> Repair | None:
    """Return what would mend a finding; None where nobody but its author knows. ``tree`` is the data of its file."""
    if not finding.keys:
        return None
    holder = value_at(tree, finding.keys[:-1])
    last = finding.keys[-1]
    inside = range(len(holder)) if isinstance(holder, list) else holder if isinstance(holder, dict) else ()
    if last not in inside:
        return None
    value = holder[last]
    path = list(finding.keys)
    meant = suggestion_of(finding.message)
    if meant:
        return _renamed(finding, path, value, meant, holder)
    if any(finding.message.startswith(message) for message in _UNUSED):
        operation = {"op": "remove", "file": finding.file, "path": path, "old": value}
        return Repair(f"take '{last}' out", (operation,))
    return None


def _renamed(finding: YamlFinding, path: list[str | int], value: Any, meant: str, holder: Any) -> Repair | None:
    words, file = f"write '{meant}'", finding.file
    if isinstance(value, str) and f"'{value}'" in finding.message:
        return Repair(words, ({"op": "set", "file": file, "path": path, "value": meant, "old": value},))
    if isinstance(value, list) and (wrong := [item for item in value if f"'{item}'" in finding.message]):
        place = [*path, value.index(wrong[0])]
        return Repair(words, ({"op": "set", "file": file, "path": place, "value": meant, "old": wrong[0]},))
    text = _with_name(value, finding.message, meant) if isinstance(value, str) else None
    if text is not None:
        return Repair(words, ({"op": "set", "file": file, "path": path, "value": text, "old": value},))
    key = path[-1]
    if isinstance(holder, dict) and f"'{key}'" in finding.message and meant not in holder:
        insert = {"op": "insert", "file": file, "path": [*path[:-1], meant], "value": value, "before": key}
        return Repair(words, (insert, {"op": "remove", "file": file, "path": path, "old": value}))
    return None


def _with_name(value: str, message: str, meant: str) -> str | None:
    """Return a prompt or an expression with the name that is meant; None where it does not use the wrong one."""
    found = _WRONG_NAME.search(message)
    if found is None:
        return None
    wrong = found.group(1)

    def change(source: str) -> str:
        places = filter_places(source, wrong) if "filter" in message else variable_places(source, wrong)
        return replaced(source, places, wrong, meant)

    changed = change(value) if "{{" in value or "{%" in value else in_expression(value, change)
    return changed if changed != value else None
