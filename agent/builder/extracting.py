"""Steps of a procedure made a procedure of their own, with a link to it in their place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent.builder import trees, yaml_edit
from agent.builder.errors import EditRefused
from agent.builder.locating import Files, file_of
from agent.builder.operations import ExtractOperation
from agent.builder.steps import falls_on, targets_of
from agent.builder.yaml_document import document
from agent.common.yaml_reader import KeyPath
from agent.dialog.model.model import END

_PLACEHOLDER = {"say": "placeholder"}


def extract(files: Files, operation: ExtractOperation) -> dict[str, str]:
    """Return the files with steps in a new procedure behind the old one.

    Raises :class:`EditRefused` where the steps are not one piece: entered elsewhere than at the first, or left to
    more than one step.
    """
    flow: KeyPath = ("flows", operation.flow)
    file = file_of(files, (*flow, "steps"))
    steps = trees.value_at(document(file, files[file]).data, (*flow, "steps"))
    first, last = operation.first, operation.last
    if (
        not isinstance(steps, list)
        or not all(isinstance(step, dict) for step in steps)
        or not (first <= last < len(steps))
    ):
        raise EditRefused("there are no such steps", "no_such_place")
    if any(_has(one, operation.name) for one in files.items()):
        raise EditRefused(f"flows.{operation.name} exists already", "taken")
    exit_to = _exit(steps, first, last)
    text = _new_flow(file, files[file], operation, first, last, exit_to)
    for place in reversed(range(first + 1, last + 1)):
        text = yaml_edit.remove(file, text, (*flow, "steps", place))
    link: dict[str, Any] = {"link": operation.name}
    if steps[first].get("id"):
        link = {"id": steps[first]["id"], **link}
    following = steps[last + 1].get("id") if last + 1 < len(steps) else END
    if exit_to is not None and exit_to not in ("", following):
        link["next"] = exit_to
    text = yaml_edit.insert(file, text, (*flow, "steps", first), link)
    return {**files, file: yaml_edit.remove(file, text, (*flow, "steps", first + 1))}


def _has(named: tuple[str, str], name: str) -> bool:
    try:
        data = document(*named).data
    except EditRefused:
        return False
    return isinstance(data, dict) and isinstance(data.get("flows"), dict) and name in data["flows"]


def _exit(steps: Sequence[dict[str, Any]], first: int, last: int) -> str | None:
    """Return the one step outside that the steps go on to: its id, ``end``, ``""`` for the following one.

    None where they go nowhere. Raises :class:`EditRefused` where it is more than one.
    """
    inside = {step["id"] for step in steps[first : last + 1] if step.get("id")}
    entry = steps[first].get("id")
    for place, step in enumerate(steps):
        if not first <= place <= last and (wrong := {name for _, name in targets_of(step)} & inside - {entry}):
            raise EditRefused(f"step {place + 1} goes to {sorted(wrong)[0]}, in the middle of them", "not_one_piece")
    exits = {name for step in steps[first : last + 1] for _, name in targets_of(step) if name not in inside}
    if falls_on(steps[last]):
        exits.add("")
    following = steps[last + 1].get("id") if last + 1 < len(steps) else END
    if following in exits and "" in exits:
        exits.discard("")
    if len(exits) > 1:
        told = " and ".join(name or "the following step" for name in sorted(exits))
        raise EditRefused(f"these steps go on to {told}: a procedure comes back to one place", "not_one_piece")
    return next(iter(exits), None)


def _new_flow(file: str, text: str, operation: ExtractOperation, first: int, last: int, exit_to: str | None) -> str:
    old: KeyPath = ("flows", operation.flow, "steps")
    new: KeyPath = ("flows", operation.name, "steps")
    names = list(trees.value_at(document(file, text).data, ("flows",)))
    behind = names[names.index(operation.flow) + 1 :]
    flow = {"description": operation.description, "steps": [_PLACEHOLDER]}
    text = yaml_edit.insert(file, text, new[:-1], flow, behind[0] if behind else None)
    for place in range(first, last + 1):
        step = trees.value_at(document(file, text).data, (*old, place))
        lines = yaml_edit.cut(file, text, (*old, place)) or []
        text = yaml_edit.paste(file, text, (*new, place - first), lines, step)
        for key, name in list(targets_of(step)):
            if exit_to and name == exit_to:
                text = yaml_edit.set_value(file, text, (*new, place - first, *key), END)
    return yaml_edit.remove(file, text, (*new, last - first + 1))
