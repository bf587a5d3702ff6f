"""Two changes of the same thing made one: lines of a text, items of a list, keys of a mapping. Pure."""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from typing import TypeVar

from agent.builder.comparing import opcodes
from agent.builder.trees import MISSING, Tree

T = TypeVar("T", bound=Hashable)


class CannotMerge(Exception):
    """Both have changed the same place, differently."""


def merged_text(old: str, mine: str, theirs: str) -> str:
    """Merge two changes of a text line by line. Raises :class:`CannotMerge`."""
    split = [text.splitlines(keepends=True) for text in (old, mine, theirs)]
    return "".join(merged_sequence(*split))


def merged_tree(old: Tree, mine: Tree, theirs: Tree) -> Tree:
    """Merge two changes of a value, key by key and item by item; :data:`MISSING` is nothing.

    Raises :class:`CannotMerge`.
    """
    if mine == theirs or old == theirs:
        return mine
    if old == mine:
        return theirs
    if isinstance(old, dict) and isinstance(mine, dict) and isinstance(theirs, dict):
        names = [*theirs, *(name for name in mine if name not in theirs)]
        merged = {name: merged_tree(*(one.get(name, MISSING) for one in (old, mine, theirs))) for name in names}
        return {name: value for name, value in merged.items() if value is not MISSING}
    if isinstance(old, list) and isinstance(mine, list) and isinstance(theirs, list):
        keyed = [[json.dumps(item, ensure_ascii=False) for item in one] for one in (old, mine, theirs)]
        return [json.loads(item) for item in merged_sequence(*keyed)]
    raise CannotMerge


def merged_sequence(old: Sequence[T], mine: Sequence[T], theirs: Sequence[T]) -> list[T]:
    """Merge two changes of a sequence. Raises :class:`CannotMerge` where both changed the same part of it.

    What both have added at the same place stands one after the other, theirs first.
    """
    merged: list[T] = []
    at = 0
    for start, end, my_part, their_part in _changes(old, mine, theirs):
        merged += old[at:start]
        was = list(old[start:end])
        if my_part == their_part or their_part == was:
            merged += my_part
        elif my_part == was:
            merged += their_part
        elif start == end:
            merged += [*their_part, *my_part]
        else:
            raise CannotMerge
        at = end
    return [*merged, *old[at:]]


def _changes(old: Sequence[T], mine: Sequence[T], theirs: Sequence[T]) -> list[tuple[int, int, list[T], list[T]]]:
    """Return the parts of the old sequence that either has changed, with what each has made of them."""
    hunks = sorted(
        [(i1, i2, "mine", list(mine[j1:j2])) for i1, i2, j1, j2 in hunks_between(old, mine)]
        + [(i1, i2, "theirs", list(theirs[j1:j2])) for i1, i2, j1, j2 in hunks_between(old, theirs)],
        key=lambda hunk: (hunk[0], hunk[1]),
    )
    groups: list[list[tuple[int, int, str, list[T]]]] = []
    reach = -1
    for hunk in hunks:
        start, end = hunk[0], hunk[1]
        meets = groups and (start < reach or (start == reach and _touches(groups[-1], start, end)))
        if meets:
            groups[-1].append(hunk)
        else:
            groups.append([hunk])
        reach = max(reach, end) if meets else end
    return [_of_group(old, group) for group in groups]


def _touches(group: Sequence[tuple[int, int, str, list[T]]], start: int, end: int) -> bool:
    """Return whether an insertion stands where another one does: both belong together."""
    return start == end and any(one[0] == one[1] == start for one in group)


def _of_group(old: Sequence[T], group: Sequence[tuple[int, int, str, list[T]]]) -> tuple[int, int, list[T], list[T]]:
    start, end = min(hunk[0] for hunk in group), max(hunk[1] for hunk in group)
    parts: dict[str, list[T]] = {}
    for who in ("mine", "theirs"):
        at, part = start, []
        for i1, i2, whose, items in group:
            if whose == who:
                part += [*old[at:i1], *items]
                at = i2
        parts[who] = [*part, *old[at:end]]
    return start, end, parts["mine"], parts["theirs"]


def hunks_between(old: Sequence[T], new: Sequence[T]) -> list[tuple[int, int, int, int]]:
    """Return the parts in which two sequences differ, as (start, end) in the old and (start, end) in the new one."""
    return [(i1, i2, j1, j2) for tag, i1, i2, j1, j2 in opcodes(old, new) if tag != "equal"]
