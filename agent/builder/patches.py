"""What an operation changed in the text of the files, and how to take it back after others have changed them too.

A patch holds, for each file, the characters that were replaced. All places count characters of the text before it.
Taking a patch back is a patch as well: ``of`` names the one it takes back, splice by splice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.builder.errors import EditConflict
from agent.builder.merging import hunks_between


@dataclass(frozen=True)
class Splice:
    """Characters of one file and what stands in their place."""

    start: int
    old: str
    new: str

    @property
    def end(self) -> int:
        """Behind the last character that is replaced."""
        return self.start + len(self.old)


@dataclass(frozen=True)
class Patch:
    """What one entry of a draft's log did to the text."""

    seq: int
    files: Mapping[str, Sequence[Splice]]
    """File -> splices that do not overlap, in the order of the text."""
    of: int | None = None
    """The entry that it takes back; None for an edit."""
    made: frozenset[str] = frozenset()
    """Files that were not there before; their text is in ``files``."""
    removed: frozenset[str] = field(default_factory=frozenset)
    """Files that are there no longer."""


def patch_between(seq: int, before: Mapping[str, str], after: Mapping[str, str]) -> Patch:
    """Return what differs between two states of the files."""
    changed = {
        file: splices_between(before.get(file, ""), after.get(file, ""))
        for file in sorted({*before, *after})
        if before.get(file) != after.get(file)
    }
    made, removed = frozenset(after.keys() - before.keys()), frozenset(before.keys() - after.keys())
    return Patch(seq, changed, made=made, removed=removed)


def splices_between(old: str, new: str) -> tuple[Splice, ...]:
    """Return the splices that make one text another: lines that differ, without what their ends have in common."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    places = [0]
    for line in before:
        places.append(places[-1] + len(line))
    found = []
    for i1, i2, j1, j2 in hunks_between(before, after):
        found.append(_trimmed(places[i1], "".join(before[i1:i2]), "".join(after[j1:j2])))
    return tuple(found)


def _trimmed(start: int, old: str, new: str) -> Splice:
    most = min(len(old), len(new))
    head = 0
    while head < most and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < most - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return Splice(start + head, old[head : len(old) - tail], new[head : len(new) - tail])


def applied(files: Mapping[str, str], patch: Patch) -> dict[str, str]:
    """Return the files after a patch that was made for exactly these."""
    result = dict(files)
    for file, splices in patch.files.items():
        text = result.get(file, "")
        for splice in reversed(splices):
            text = text[: splice.start] + splice.new + text[splice.end :]
        result[file] = text
    for file in patch.removed:
        result.pop(file, None)
    for file in patch.made:
        result.setdefault(file, "")
    return result


def inverted(patch: Patch) -> Patch:
    """Return the patch that leads back, for the state right after it."""
    files = {}
    for file, splices in patch.files.items():
        shift = 0
        back = []
        for splice in splices:
            back.append(Splice(splice.start + shift, splice.new, splice.old))
            shift += len(splice.new) - len(splice.old)
        files[file] = tuple(back)
    return Patch(patch.seq, files, of=patch.seq, made=patch.removed, removed=patch.made)


@dataclass
class _Point:
    """A place between two characters that is followed through patches."""

    at: int
    after_insertions: bool
    """Whether text that is inserted exactly here comes in front of the place."""
    met: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Patches that replaced text around or beside the place: splice, and characters from its start. When such a patch
    is taken back, the place is where it was."""
    lost_in: int | None = None
    """The patch that took away the text on both sides of the place."""


def taken_back(seq: int, patch: Patch, later: Sequence[Patch], files: Mapping[str, str]) -> Patch:
    """Return the patch that takes another one back, for the files as they are after ``later`` ones.

    Raises :class:`EditConflict` where the same text was changed since.
    """
    back: dict[str, tuple[Splice, ...]] = {}
    inverse = inverted(patch)
    if any(file not in files for file in patch.files if file not in patch.removed) or any(
        file in files for file in patch.removed
    ):
        raise EditConflict("a file of it has been made or removed since", None, None)
    for file, splices in inverse.files.items():
        text = files.get(file, "")
        moved = [_moved(splice, file, later) for splice in splices]
        for place, splice in zip(moved, splices, strict=True):
            if place is None or text[place : place + len(splice.old)] != splice.old:
                theirs = None if place is None else text[place : place + max(len(splice.old), 1)]
                raise EditConflict(f"{file} has been changed at the same place since", splice.new, theirs)
        back[file] = tuple(
            Splice(place, splice.old, splice.new)
            for place, splice in zip(moved, splices, strict=True)
            if place is not None
        )
        if any(one.end > other.start for one, other in zip(back[file], back[file][1:], strict=False)):
            raise EditConflict(f"{file} has been changed at the same place since", None, None)
    for file in inverse.removed:
        if files.get(file, "") != "".join(splice.new for splice in patch.files.get(file, ())):
            raise EditConflict(f"{file} has been changed since it was made", None, None)
    return Patch(seq, back, of=patch.seq, made=inverse.made, removed=inverse.removed)


def _moved(splice: Splice, file: str, later: Sequence[Patch]) -> int | None:
    """Return where a splice begins after later patches; None where its surroundings are gone."""
    start = _Point(splice.start, after_insertions=bool(splice.old))
    end = _Point(splice.end, after_insertions=False)
    for patch in later:
        for point in (start, end) if splice.old else (start,):
            _follow(point, file, patch)
    if start.lost_in is not None or end.lost_in is not None:
        return None
    return start.at


def _follow(point: _Point, file: str, patch: Patch) -> None:
    splices = patch.files.get(file, ())
    came_from = point.met.get(patch.of) if patch.of is not None else None
    if point.lost_in is None:
        _meet(point, splices, patch.seq)
    if came_from is not None and point.lost_in in (None, patch.of):
        index, offset = came_from
        point.at = splices[index].start + _shift(splices[:index]) + offset
        point.lost_in = None
    elif point.lost_in is None:
        _shift_point(point, splices, patch.seq)


def _meet(point: _Point, splices: Sequence[Splice], seq: int) -> None:
    for index, splice in enumerate(splices):
        if splice.start <= point.at <= splice.end:
            point.met[seq] = (index, point.at - splice.start)


def _shift_point(point: _Point, splices: Sequence[Splice], seq: int) -> None:
    before = []
    for splice in splices:
        if splice.start < point.at < splice.end:
            point.lost_in = seq
            return
        inserted_here = splice.start == splice.end == point.at and point.after_insertions
        if inserted_here or (splice.end <= point.at and splice.start < point.at):
            before.append(splice)
    point.at += _shift(before)


def _shift(splices: Sequence[Splice]) -> int:
    return sum(len(splice.new) - len(splice.old) for splice in splices)
