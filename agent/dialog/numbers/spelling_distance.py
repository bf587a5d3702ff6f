"""How far a code that was heard is from one that exists: letters that sound alike cost less than others.

Over a telephone "b", "p", "t" and "d" are one sound to a recogniser, and short letters get lost or are heard twice. A
code that is known to exist can be found all the same: the one with the least distance to what was heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.dialog.numbers.format import symbols_of
from agent.languages.number_words import NumberWords

_ALIKE = 0.35
"""Cost of a letter for one of the same set of ``sound_alike``."""
_OTHER = 1.0
"""Cost of any other letter, and of a letter for a digit."""
_OTHER_DIGIT = 2.0
"""Cost of a digit for another one: digits are heard far better than letters."""
_LOST = 0.8
"""Cost of a symbol that was said and not heard."""
_EXTRA = 0.7
"""Cost of a symbol that was heard and not said."""
_LATER_READING = 0.02
"""Cost of each reading that the recogniser held for likelier."""
_EIGHT_OR_A = frozenset({"8A", "A8"})
_ZERO_OR_O = frozenset({"0O", "O0"})
_READINGS = 8
"""Readings compared: from there on they repeat one another (docs/number-capture.md)."""
_MOST_LONGER = 3
"""Codes that are longer or shorter by more are not compared."""


@dataclass(frozen=True)
class NearCode:
    """A code that exists, and how far it is from what was heard."""

    value: str
    """As it is written, separators included."""
    per_symbol: float
    """Distance for each symbol of the code: 0 for the same, 1 for all others."""


def spelling_distance(heard: str, meant: str, vocabulary: NumberWords, most: float = float("inf")) -> float:
    """Return what it costs to hear ``heard`` where ``meant`` was said, both as symbols without separators.

    Anything above ``most`` is infinite: the comparison ends there.
    """
    costs = [place * _LOST for place in range(len(meant) + 1)]
    for symbol in heard:
        before, costs = costs, [costs[0] + _EXTRA]
        for place, wanted in enumerate(meant):
            same = before[place] + _substitution(symbol, wanted, vocabulary)
            costs.append(min(same, before[place + 1] + _EXTRA, costs[place] + _LOST))
        if min(costs) > most:
            return float("inf")
    return costs[-1] if costs[-1] <= most else float("inf")


def nearest_codes(
    readings: Sequence[str], codes: Iterable[str], vocabulary: NumberWords, most_per_symbol: float
) -> tuple[NearCode, ...]:
    """Return those of ``codes`` that one of the ``readings`` (symbols, likeliest first) may be, the nearest first."""
    near: list[NearCode] = []
    for code in codes:
        meant = symbols_of(code).upper()
        best = most_per_symbol * len(meant)
        found = False
        for rank, heard in enumerate(readings[:_READINGS]):
            if not heard or abs(len(heard) - len(meant)) > _MOST_LONGER:
                continue
            cost = spelling_distance(heard, meant, vocabulary, best) + _LATER_READING * rank
            if cost <= best:
                best, found = cost, True
        if found:
            near.append(NearCode(code, best / len(meant)))
    return tuple(sorted(near, key=lambda one: (one.per_symbol, one.value)))


def _substitution(heard: str, meant: str, vocabulary: NumberWords) -> float:
    if heard == meant or heard + meant in _ZERO_OR_O:
        return 0.0
    if heard + meant in _EIGHT_OR_A or any(heard in group and meant in group for group in vocabulary.sound_alike):
        return _ALIKE
    return _OTHER_DIGIT if heard.isdigit() and meant.isdigit() else _OTHER


__all__ = ["NearCode", "nearest_codes", "spelling_distance"]
