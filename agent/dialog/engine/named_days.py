"""Finds the day a caller wants in a sentence, and leaves out the days the sentence refuses. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.dialog.grammar.choices import Option
from agent.languages.language import ChangeWords

_LITTLE = 1
"""Words that may stand between what leaves a day out and the day: "other than (on) Thursday"."""


def wanted_day(tokens: Sequence[str], days: Sequence[Option], words: ChangeWords) -> str:
    """Return the one day that is named and not refused; ``""`` for none, for several, and where a refusal is near.

    A sentence is judged part by part: "nobody's in on thursday, can you come on monday" wants Monday. A day named in
    a part with a denial, or left out by the word before it, is refused, and stays so wherever else it stands. So is one
    that another day is wanted for: "it comes on thursday, can you make it another day".
    """
    wanted: set[str] = set()
    refused: set[str] = {day for _, _, day in _named(tokens[: _other_day_at(tokens, words)], days)}
    for part in _parts(tokens, words.clauses):
        named = list(_named(part, days))
        out = {start for start, end, _ in named if _left_out(part, start, end, words)}
        before_day = {at for start in out for at in range(max(0, start - 1 - _LITTLE), start)}
        denied = any(word in words.denials and at not in before_day for at, word in enumerate(part))
        for start, _, day in named:
            (refused if denied or start in out else wanted).add(day)
    left = wanted - refused
    return left.pop() if len(left) == 1 else ""


def _other_day_at(tokens: Sequence[str], words: ChangeWords) -> int:
    """Return where another day is asked for, the last time; 0 for nowhere."""
    starts = (at for at in range(len(tokens)) for way in words.other_days if tuple(tokens[at : at + len(way)]) == way)
    return max(starts, default=0)


def _left_out(part: Sequence[str], start: int, end: int, words: ChangeWords) -> bool:
    """Return whether what stands right before a day leaves out that day alone: "not (on) Thursday".

    A word that also begins a new part does so only where nothing follows the day: "any day but Thursday".
    """
    for word in part[max(0, start - 1 - _LITTLE) : start]:
        if word in words.excluded_by and (word not in words.clauses or end == len(part)):
            return True
    return False


def _parts(tokens: Sequence[str], clauses: frozenset[str]) -> Iterator[Sequence[str]]:
    """Cut before every word that begins a new part; a word that leaves out the day behind it cuts nothing."""
    start = 0
    for at, word in enumerate(tokens):
        if at > start and word in clauses:
            yield tokens[start:at]
            start = at
    yield tokens[start:]


def _named(part: Sequence[str], days: Sequence[Option]) -> Iterator[tuple[int, int, str]]:
    """Yield where days begin and end, and which; a longer name wins over a shorter one inside it."""
    taken: set[int] = set()
    found = [
        (len(way), at, option.value)
        for option in days
        for way in option.phrases
        for at in range(len(part) - len(way) + 1)
        if tuple(part[at : at + len(way)]) == way
    ]
    for length, at, day in sorted(found, key=lambda one: (-one[0], one[1])):
        place = set(range(at, at + length))
        if not place & taken:
            taken |= place
            yield at, at + length, day
