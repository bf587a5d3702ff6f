"""Finds several things named in one answer ("both the jacket and the scarf"), without those that are denied. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from agent.dialog.grammar.choices import Option, unique_namings
from agent.languages.language import ChoiceWords

_NEAR = 3
"""So many words before a name a denial still belongs to it: "not the red lamp"."""


def named(tokens: Sequence[str], options: Sequence[Option], words: ChoiceWords, denials: frozenset[str]) -> list[str]:
    """Return the values of the options that a sentence names and does not deny, in the order of the sentence.

    A name inside a longer name of another option does not count; a name that fits several options neither.
    """
    ways = [(way, option.value) for option, own in unique_namings(options, words) for way in own]
    taken: set[int] = set()
    places: dict[str, int] = {}
    for way, value in sorted(ways, key=lambda one: -len(one[0])):
        for at in range(len(tokens) - len(way) + 1):
            place = set(range(at, at + len(way)))
            if tuple(tokens[at : at + len(way)]) != way or place & taken:
                continue
            taken |= place
            if not denials.intersection(_before(tokens, at, taken)):
                places[value] = min(at, places.get(value, at))
    return sorted(places, key=places.__getitem__)


def _before(tokens: Sequence[str], at: int, taken: set[int]) -> list[str]:
    """Return the few words before a name, back to the name before it."""
    near: list[str] = []
    for place in range(at - 1, max(-1, at - 1 - _NEAR), -1):
        if place in taken:
            break
        near.append(tokens[place])
    return near
