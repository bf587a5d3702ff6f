"""Compares two sequences within bounds: what people can write must not keep the console busy for hours. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher
from typing import TypeVar

T = TypeVar("T", bound=Hashable)
Opcode = tuple[str, int, int, int, int]
"""``equal``, ``replace``, ``delete`` or ``insert``; start and end in the old sequence, start and end in the new one."""
MOST_PAIRS = 100_000
"""Items of one sequence that equal one of the other, pair by pair: of two texts of 316 equal lines. Our largest file
has 2500 with itself."""


def opcodes(old: Sequence[T], new: Sequence[T]) -> list[Opcode]:
    """Return what makes one sequence another.

    What both begin and end with is equal. Where the rest repeats a few items without end, all of it is a ``replace``:
    the comparison grows with the square of the repetitions.
    """
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    before, after = old[head : len(old) - tail], new[head : len(new) - tail]
    found: list[Opcode] = [("equal", 0, head, 0, head)] if head else []
    if before and after and _pairs(before, after) > MOST_PAIRS:
        found.append(("replace", head, head + len(before), head, head + len(after)))
    else:
        inner = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        found += [(tag, i1 + head, i2 + head, j1 + head, j2 + head) for tag, i1, i2, j1, j2 in inner]
    if tail:
        found.append(("equal", len(old) - tail, len(old), len(new) - tail, len(new)))
    return found


def _pairs(before: Sequence[T], after: Sequence[T]) -> int:
    counted = Counter(after)
    return sum(counted[item] for item in before)
