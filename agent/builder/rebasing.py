"""Operations on files that are not those their editor saw: edited in the draft meanwhile, or by hand on disk. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.builder import trees
from agent.builder.applying import apply_operation
from agent.builder.draft import Draft, DraftConflict, DraftEntry
from agent.builder.errors import EditConflict, EditRefused
from agent.builder.locating import Files, file_of
from agent.builder.operations import (
    DuplicateOperation,
    ExtractOperation,
    HeadingOperation,
    InsertOperation,
    MoveOperation,
    Operation,
    RemoveOperation,
    SetOperation,
    operation_from,
    operation_json,
)
from agent.builder.patches import Patch, applied, patch_between, taken_back
from agent.builder.yaml_document import document
from agent.dialog.pack.pack_files import edition_of


@dataclass(frozen=True)
class Done:
    """Operations that were done together."""

    files: Mapping[str, str]
    operations: tuple[Mapping[str, Any], ...]
    """As JSON, with the places they were done at."""


@dataclass(frozen=True)
class NotDone:
    """An entry that could not be kept."""

    entry: DraftEntry
    conflict: EditConflict


def apply_all(
    now: Files,
    operations: Sequence[Operation],
    seen: Files | None = None,
    check: Callable[[Operation, Files, Files], str] = lambda operation, before, after: "",
) -> Done:
    """Do operations one after the other, all or none. ``seen`` are the files that their editor looked at.

    ``check`` returns why what an operation has made of the files is not allowed, ``""`` where it is. Places in lists
    move along with what others have added and removed since. Raises :class:`EditRefused`, :class:`EditConflict`.
    """
    view = seen if seen is not None and seen != now else None
    files: Files = now
    told: list[Mapping[str, Any]] = []
    for operation in operations:
        moved = operation if view is None else relocated(operation, view, files)
        after = apply_operation(files, moved)
        if refusal := check(moved, files, after):
            raise EditRefused(refusal, "not_allowed")
        files = after
        told.append(operation_json(moved))
        if view is not None:
            try:
                view = apply_operation(view, operation)
            except (EditRefused, EditConflict):
                view = None
    return Done(files, tuple(told))


def as_seen(view: Files, operations: Sequence[Operation]) -> dict[str, str] | None:
    """Return the files as the browser sees them after its own operations; None where it cannot be said."""
    try:
        return dict(apply_all(view, operations).files)
    except (EditRefused, EditConflict):
        return None


def relocated(operation: Operation, then: Files, now: Files) -> Operation:
    """Return an operation with the places that what it is about has now.

    Raises :class:`EditConflict` where an item of a list is gone.
    """
    try:
        match operation:
            case ExtractOperation():
                steps = ("flows", operation.flow, "steps")
                first, last = (
                    _moved((*steps, place), "", then, now)[-1] for place in (operation.first, operation.last)
                )
                return operation.model_copy(update={"first": first, "last": last})
            case InsertOperation():
                return _with(operation, "path", _moved(operation.path, operation.file, then, now, gap=True))
            case MoveOperation():
                moved = _with(operation, "path", _moved(operation.path, operation.file, then, now))
                if operation.to is None:
                    return moved
                to_file = operation.to_file or operation.file
                return _with(moved, "to", _moved(operation.to, to_file, then, now, gap=True))
            case SetOperation() | RemoveOperation() | DuplicateOperation() | HeadingOperation():
                return _with(operation, "path", _moved(operation.path, operation.file, then, now))
    except EditRefused as refusal:
        mine = getattr(operation, "value", None)
        raise EditConflict(refusal.message, mine, None) from refusal
    return operation


def _with(operation: Operation, name: str, path: Sequence[str | int]) -> Operation:
    return operation.model_copy(update={name: list(path)}) if list(path) != getattr(operation, name) else operation


def _moved(
    path: Sequence[str | int], told: str, then: Files, now: Files, *, gap: bool = False
) -> tuple[str | int, ...]:
    if all(isinstance(part, str) for part in path):
        return tuple(path)
    try:
        old_file = file_of(then, path, told, new=gap)
        new_file = file_of(now, path[:2], told)
        old, new = document(old_file, then[old_file]).data, document(new_file, now[new_file]).data
    except EditRefused:
        return tuple(path)  # it is told when the operation is done
    return trees.relocated(path, old, new, gap=gap)


def forced_on(operation: Mapping[str, Any], now: Files) -> dict[str, Any]:
    """Return an operation, as JSON says it, that does its work whatever stands there now."""
    forced = {key: value for key, value in operation.items() if key != "old"}
    match forced.get("op"):
        case "text" | "remove_file":
            forced["old"] = now.get(str(forced.get("file")), "")
        case "insert" if isinstance(forced["path"][-1], str) and _holds(now, forced):
            forced = {"op": "set", **{key: forced[key] for key in ("path", "value", "file") if key in forced}}
    return forced


def stands_now(operations: Sequence[Mapping[str, Any]], now: Files) -> Any:
    """Return the value that one operation with a value would write over; None where there is none, or several."""
    if len(operations) != 1 or operations[0].get("op") not in ("set", "insert"):
        return None
    path, told = operations[0]["path"], operations[0].get("file", "")
    try:
        file = file_of(now, path, told)
        data = document(file, now[file]).data
        return trees.value_at(data, trees.resolved(data, path))
    except EditRefused:
        return None


def _holds(now: Files, operation: Mapping[str, Any]) -> bool:
    try:
        file_of(now, operation["path"], operation.get("file", ""))
    except EditRefused:
        return False
    return True


def conflicts_of(lost: Sequence[NotDone], at: float) -> list[DraftConflict]:
    """Return what could not be kept on files edited by hand, as conflicts that have no number yet."""
    return [
        DraftConflict(
            0, one.entry.id, at, one.entry.who, one.entry.operations, f"edited by hand: {one.conflict.message}",
            one.conflict.mine, one.conflict.theirs,
        )
        for one in lost
        if one.entry.operations
    ]  # fmt: skip


def touches(draft: Draft, files: Files) -> bool:
    """Return whether other files underneath change anything for what was done in a draft."""
    base = draft.base_files()
    for entry in draft.entries:
        if any(base.get(file) != files.get(file) for file in entry.patch.files):
            return True
        if any(operation.get("op") in ("rename", "extract") for operation in entry.operations):
            return True
    return False


def rebased(draft: Draft, files: Files) -> tuple[Draft, list[NotDone]]:
    """Return the draft on other files underneath, and the entries that could not be kept there.

    Everything that was done is done again, in the same order, on the new files; what cannot be is dropped.
    """
    moved = replace(draft, base=edition_of(files), _base_files=dict(files), entries=())
    if not touches(draft, files):
        return replace(moved, entries=draft.entries), []
    old, new = draft.base_files(), dict(files)
    entries: list[DraftEntry] = []
    lost: list[NotDone] = []
    for entry in draft.entries:
        try:
            again = entry if entry.dropped else _done_again(entry, old, new, entries)
        except EditConflict as conflict:
            lost.append(NotDone(entry, conflict))
            again = replace(entry, patch=Patch(entry.seq, {}, of=entry.patch.of), dropped=True)
        old, new = applied(old, entry.patch), applied(new, again.patch)
        entries.append(again)
    return replace(moved, entries=tuple(entries)), lost


def continued(draft: Draft, seq: int) -> Draft:
    """Return a draft whose text as of an entry is in the files: it stands on that text, and has the entries since.

    What took an earlier entry back since, or did it again, becomes an edit of the files' text.
    """
    if seq == 0:
        return replace(draft, in_files=0)
    base = before = draft.text_at(seq)
    entries = []
    for entry in (one for one in draft.entries if one.seq > seq):
        after = applied(before, entry.patch)
        about_earlier = entry.patch.of is not None and entry.patch.of <= seq
        entries.append(_as_texts(entry, before, after) if about_earlier else entry)
        before = after
    return replace(draft, base=edition_of(base), _base_files=base, entries=tuple(entries), in_files=0)


def _as_texts(entry: DraftEntry, before: Files, after: Files) -> DraftEntry:
    operations = tuple(
        {"op": "text", "file": file, "old": before.get(file, ""), "value": after[file]}
        if file in after
        else {"op": "remove_file", "file": file, "old": before[file]}
        for file in entry.patch.files
    )
    return replace(entry, kind="edit", operations=operations, patch=replace(entry.patch, of=None))


def _done_again(entry: DraftEntry, old: Files, new: Files, before: Sequence[DraftEntry]) -> DraftEntry:
    if entry.patch.of is not None:
        target = next(one for one in before if one.seq == entry.patch.of)
        if target.dropped:
            return replace(entry, patch=Patch(entry.seq, {}, of=target.seq), dropped=True)
        later = [one.patch for one in before if one.seq > target.seq]
        return replace(entry, patch=taken_back(entry.seq, target.patch, later, new))
    operations = [operation_from(one) for one in entry.operations]
    try:
        done = apply_all(new, operations, old)
    except EditRefused as refusal:
        mine = entry.operations[-1].get("value") if entry.operations else None
        raise EditConflict(refusal.message, mine, None) from refusal
    return replace(entry, operations=done.operations, patch=patch_between(entry.seq, new, done.files))
