"""The patterns of one language for corrections that name a position: "the last two are eight three"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

NOWHERE = re.compile(r"(?!)")
"""Matches nothing: for what a language does not say."""


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class PlaceWords:
    """Patterns over lower-case words with single spaces; ``(?P<part>...)`` is the number that belongs there."""

    several: re.Pattern[str] = NOWHERE
    """Groups ``end``, ``count``, perhaps ``kind``, ``part``: "last two digits are eight three"."""
    one: re.Pattern[str] = NOWHERE
    """Groups ``place``, ``kind``, ``part``: "third digit is five"."""
    counted: re.Pattern[str] = NOWHERE
    """The same the other way round: "digit three is five"."""
    ends: re.Pattern[str] = NOWHERE
    """"it ends in eight three"."""
    begins: re.Pattern[str] = NOWHERE
    at_the: re.Pattern[str] = NOWHERE
    """Groups ``part``, ``end``: "eight three at the end"."""
    area_code: re.Pattern[str] = NOWHERE
    letters: re.Pattern[str] = NOWHERE
    """"the letters are b d"."""
    swapped: re.Pattern[str] = NOWHERE
    """Group ``end`` or ``end_too``: "you swapped the last two"."""
    named: re.Pattern[str] = NOWHERE
    """Groups ``old``, ``new``: "the four is a five"."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """What ``count`` may be."""
    places: Mapping[str, int] = field(default_factory=dict)
    """What ``place`` may be -> its index; negative ones count from the end."""
    middles: frozenset[str] = frozenset()
    """Words for ``place`` that mean the middle."""
    firsts: frozenset[str] = frozenset()
    """Words for ``end`` that mean the first ones."""
    lasts: frozenset[str] = frozenset()
    """Words for ``end`` that mean the end: those of ``at_the`` and ``swapped``."""
    letter_kinds: frozenset[str] = frozenset()
    """Words for ``kind`` that mean letters."""
    digit_kinds: frozenset[str] = frozenset()
    """Words for ``kind`` that mean digits."""
