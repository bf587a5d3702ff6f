"""Caller scripts as nodes that know their lines, and a reader of their keys that collects every mistake.

Not pydantic (tried): a step's shape depends on which key it has and what stands beside it, so its places in errors
are not the file's own, and every kind of error needs words and a line again, for no fewer lines.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.common import yaml_reader
from agent.common.yaml_reader import KeyPath, YamlSource
from agent.rehearsal.errors import ScriptError

_FLAGS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


@dataclass(frozen=True)
class ScriptScalar:
    """One value: ``no``, ``010`` and ``12:30`` are the text they look like."""

    text: str
    line: int


@dataclass(frozen=True)
class ScriptList:
    """A list."""

    nodes: tuple[Node, ...]
    line: int


@dataclass(frozen=True)
class ScriptMapping:
    """Keys and values in the order of the file; a key stands once."""

    entries: tuple[tuple[str, int, Node], ...]
    """(key, the key's line, value)."""
    line: int

    def get(self, key: str) -> Node | None:
        """Return the value of ``key``, or None."""
        return next((value for name, _, value in self.entries if name == key), None)


Node = ScriptScalar | ScriptList | ScriptMapping


def plain_value(node: Node) -> Any:
    """Return a node as dicts, lists and texts."""
    if isinstance(node, ScriptMapping):
        return {key: plain_value(value) for key, _, value in node.entries}
    return [plain_value(one) for one in node.nodes] if isinstance(node, ScriptList) else node.text


@dataclass
class ScriptProblems:
    """Collects every mistake of a file, so that its writer sees them all at once."""

    file: str
    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, problem: str) -> None:
        """Note a mistake at this line (1 = first)."""
        self.found.append((line, f"{self.file}:{line}: {problem}"))

    def raise_if_any(self) -> None:
        """Raise ScriptError with all mistakes in the order of the file."""
        if self.found:
            raise ScriptError([text for _, text in sorted(self.found, key=lambda item: item[0])])


def nearest(word: str, valid: Sequence[str]) -> str:
    """Return ``"; did you mean 'x'?"``, or the list of valid words when none is near."""
    close = difflib.get_close_matches(word, valid, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else f"; valid here: {', '.join(sorted(valid))}"


def parse(text: str, problems: ScriptProblems) -> Node:
    """Parse one YAML document. Raises ScriptError when it is empty or its YAML has mistakes, with all of those."""
    source = yaml_reader.read(problems.file, text)
    for finding in source.findings:
        what = f"{finding.path}: {finding.message}" if finding.path else finding.message
        problems.add(max(finding.line, 1), what)
    if source.data is None and not source.findings:
        problems.add(1, "the file is empty")
    problems.raise_if_any()
    return _node(source, source.data, ())


def _node(source: YamlSource, data: Any, path: KeyPath) -> Node:
    line = source.lines[path]
    if isinstance(data, dict):
        keys = ((key, (*path, key), value) for key, value in data.items())
        return ScriptMapping(tuple((key, source.lines[at], _node(source, value, at)) for key, at, value in keys), line)
    if isinstance(data, list):
        return ScriptList(tuple(_node(source, value, (*path, index)) for index, value in enumerate(data)), line)
    return ScriptScalar(data or "", line)


class ScriptFields:
    """Reads a mapping key by key; what nobody asked for is a mistake with the nearest valid key named."""

    def __init__(self, mapping: ScriptMapping, what: str, problems: ScriptProblems) -> None:
        self.line = mapping.line
        self._mapping = mapping
        self._what = what
        self._problems = problems
        self._asked: list[str] = []

    def node(self, key: str, *, required: bool = False) -> Node | None:
        """Return the raw value."""
        self._asked.append(key)
        value = self._mapping.get(key)
        if value is None and required:
            self._problems.add(self.line, f"{self._what} needs {key!r}")
        return value

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        """Return a single text."""
        value = self.node(key, required=required)
        if value is None:
            return default
        if not isinstance(value, ScriptScalar):
            self._problems.add(value.line, f"{key!r} must be one text, not a list or a mapping")
            return default
        if required and not value.text.strip():
            self._problems.add(value.line, f"{key!r} is empty")
        return value.text

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; a single text is a list of one."""
        value = self.node(key)
        if value is None:
            return ()
        if isinstance(value, ScriptScalar):
            return (value.text,)
        if isinstance(value, ScriptList):
            found = []
            for item in value.nodes:
                if isinstance(item, ScriptScalar):
                    found.append(item.text)
                else:
                    self._problems.add(item.line, f"each of {key!r} must be one text (quote it if it holds ': ')")
            return tuple(found)
        self._problems.add(value.line, f"{key!r} must be a text or a list of texts (quote a text that holds ': ')")
        return ()

    def number(self, key: str, default: float, lowest: float = -math.inf, highest: float = math.inf) -> float:
        """Return a number within bounds."""
        given = self.optional_number(key, lowest, highest)
        return default if given is None else given

    def optional_number(self, key: str, lowest: float = -math.inf, highest: float = math.inf) -> float | None:
        """Return a number within bounds, or None when the key is absent."""
        value = self.node(key)
        if value is None:
            return None
        try:
            number = float(value.text) if isinstance(value, ScriptScalar) else math.nan
        except ValueError:
            number = math.nan
        if math.isnan(number):
            self._problems.add(value.line, f"{key!r} must be a number")
            return None
        if not lowest <= number <= highest:
            self._problems.add(value.line, f"{key!r} must be between {lowest:g} and {highest:g}, not {number:g}")
            return None
        return number

    def numbers(self, key: str, lowest: float, highest: float) -> tuple[float, ...]:
        """Return a list of numbers within bounds; a single number is a list of one."""
        value = self.node(key)
        if value is None:
            return ()
        found = []
        for item in value.nodes if isinstance(value, ScriptList) else (value,):
            one = ScriptFields(ScriptMapping(((key, item.line, item),), item.line), self._what, self._problems)
            number = one.optional_number(key, lowest, highest)
            if number is not None:
                found.append(number)
        return tuple(found)

    def flag(self, key: str, default: bool) -> bool:
        """Return yes or no, in any of YAML's spellings."""
        value = self.node(key)
        if value is None:
            return default
        if isinstance(value, ScriptScalar) and value.text.lower() in _FLAGS:
            return _FLAGS[value.text.lower()]
        self._problems.add(value.line, f"{key!r} must be yes or no")
        return default

    def choice(self, key: str, valid: Sequence[str], default: str) -> str:
        """Return one of the valid words."""
        text = self.text(key, default)
        if text not in valid:
            value = self._mapping.get(key)
            self._problems.add(value.line if value else self.line, f"{key!r} cannot be {text!r}{nearest(text, valid)}")
            return default
        return text

    def done(self) -> None:
        """Report the keys that nobody asked for."""
        for key, line, _ in self._mapping.entries:
            if key not in self._asked:
                self._problems.add(line, f"{self._what} has no {key!r}{nearest(key, self._asked)}")
