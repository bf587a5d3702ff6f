"""Which rights an operation on a draft needs, and what of a draft somebody sees. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.builder.errors import EditRefused
from agent.builder.formulas import is_rule
from agent.builder.locating import Files, readable
from agent.builder.operations import (
    DuplicateOperation,
    InsertOperation,
    MoveOperation,
    NewFileOperation,
    Operation,
    RemoveFileOperation,
    RemoveOperation,
    RenameOperation,
    SetOperation,
    TextOperation,
    operation_from,
)
from agent.builder.pack_texts import texts_below
from agent.builder.trees import Tree
from agent.console.rights import ConsolePerson, Right

_KNOWLEDGE = {"promotions": Right.PROMOTIONS, "answers": Right.ANSWERS}
_WHOLE_FILES = frozenset({Right.EDIT, Right.FORMULAS})


def refusal(person: ConsolePerson, operation: Operation) -> str:
    """Return why somebody may not do an operation, ``""`` where they may."""
    missing = sorted(right for right in rights_needed(operation) if not person.may(right))
    return _refused(missing[0]) if missing else ""


def _refused(right: Right) -> str:
    return f"You may not change this: it needs the right {right}. An admin can grant it."


@dataclass(frozen=True)
class PersonEdits:
    """What somebody may change in drafts; implements :class:`agent.builder.edit_requests.EditRights`."""

    person: ConsolePerson

    def refusal(self, operation: Operation) -> str:
        """Return why they may not do an operation, ``""`` where they may."""
        return refusal(self.person, operation)

    def refusal_of_result(self, operation: Operation, before: Files, after: Files) -> str:
        """Return why they may not write what a ``set`` has written: formulas and queues that stood nowhere before."""
        if not isinstance(operation, SetOperation) or self.person.may(Right.FORMULAS):
            return ""
        changed = [name for name in after if after[name] != before.get(name)]
        had = _guarded_in(before, changed)
        return _refused(Right.FORMULAS) if _guarded_in(after, changed) - had else ""


def _guarded_in(files: Files, names: Sequence[str]) -> set[tuple[str, str]]:
    held = readable({name: files[name] for name in names if name in files})
    return {one for _, data in held for one in _guarded((), data)}


def may_do(person: ConsolePerson, operations: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether somebody might do all of what was done."""
    try:
        return all(not refusal(person, operation_from(one)) for one in operations)
    except EditRefused:
        return False


def rights_needed(operation: Operation) -> frozenset[Right]:
    """Return the rights that an operation needs, all of them."""
    match operation:
        case RenameOperation(kind="service"):
            return frozenset({Right.EDIT, Right.FORMULAS})
        case TextOperation() | RemoveFileOperation():
            return _WHOLE_FILES
        case NewFileOperation():
            return frozenset({Right.EDIT, *_of_value((), operation.value, None)})
        case SetOperation():
            return _of_place(operation.path) | _of_value(operation.path, operation.value, operation.old)
        case InsertOperation():
            return _of_place(operation.path) | _of_value(operation.path, operation.value, None)
        case MoveOperation():
            return _of_place(operation.path) | _of_place(operation.to or operation.path)
        case RemoveOperation() | DuplicateOperation():
            return _of_place(operation.path)
    return frozenset({Right.EDIT})


def _of_place(path: Sequence[str | int]) -> frozenset[Right]:
    if path[0] == "knowledge" and len(path) > 2:
        return frozenset({_KNOWLEDGE.get(str(path[1]), Right.EDIT)})
    if path[0] == "services" or (path[0] == "flows" and "queue" in path[4:]):
        return frozenset({Right.EDIT, Right.FORMULAS})
    return frozenset({Right.EDIT})


def _of_value(path: Sequence[str | int], value: Tree, old: Tree) -> frozenset[Right]:
    """Return the right to write formulas where a value holds services, queues or formulas that the old one did not."""
    if not path and isinstance(value, dict) and "services" in value:
        return frozenset({Right.FORMULAS})
    had = set(_guarded(path, old))
    return frozenset({Right.FORMULAS}) if any(one not in had for one in _guarded(path, value)) else frozenset()


def _guarded(path: Sequence[str | int], value: Tree) -> Iterator[tuple[str, str]]:
    """Yield what only somebody with the right to formulas may write: formulas, and queues of hand-overs."""
    places: list[tuple[tuple[str | int, ...], Tree]] = [(tuple(path), value)]
    if not path:
        places = [((name,), one) for name, one in value.items()] if isinstance(value, dict) else []
    for place, one in places:
        for text in texts_below(place, one):
            if text.role == "expression" and not text.is_key and not is_rule(text.text):
                yield "formula", text.text
            if text.path[0] == "flows" and text.path[-1] == "queue" and not text.is_key:
                yield "queue", text.text


def reads_all(person: ConsolePerson) -> bool:
    """Return whether somebody sees whole procedures; shop staff see promotions and answers alone."""
    return person.may(Right.PROCEDURES) or person.may(Right.EDIT)


def visible_tree(person: ConsolePerson, data: Tree) -> Tree:
    """Return what somebody sees of what a file holds; None for nothing."""
    if reads_all(person):
        return data
    told = data.get("knowledge") if isinstance(data, dict) else None
    if not isinstance(told, dict):
        return None
    shown = {name: told[name] for name, right in _KNOWLEDGE.items() if name in told and person.may(right)}
    return {"knowledge": shown} if shown else None


def sees_path(person: ConsolePerson, path: Sequence[str | int]) -> bool:
    """Return whether somebody sees what stands at a path."""
    if reads_all(person):
        return True
    return len(path) > 1 and path[0] == "knowledge" and path[1] in _KNOWLEDGE and person.may(_KNOWLEDGE[str(path[1])])


def sees_operations(person: ConsolePerson, operations: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether somebody sees what was done: all of it is about what they see."""
    return reads_all(person) or may_do(person, operations)
