"""What a language has to bring: tables for number capture, names of days and choices, and the words of prompts."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.languages.carrier_words import Words
from agent.languages.number_words import NumberWords

DayNames = Callable[[dt.date, dt.date], Iterable[Words]]
"""Takes a day ahead and today; returns every way of naming that day, as lower-case words. Ways that a nearer day has
taken are left out by the caller."""


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class ChoiceWords:
    """How callers name one of several things."""

    by_place: Callable[[int, int], Iterable[Words]]
    """Takes the index of a thing and how many there are; returns "the first one", "number one", "the last one"."""
    word: re.Pattern[str] = re.compile("[a-z][a-z']*")
    """Finds the words of a name in lower case."""
    joints: frozenset[str] = frozenset()
    """What comes after one of these in a name is left out: "the case" for "Case for two bottles"."""
    stands_for_noun: str = ""
    """Stands for the last word of a name: "one" in "the brass one"."""
    leads: tuple[Words, ...] = ((),)
    """What may stand before a name."""
    in_sentence: str = "{name}"
    """The template of a name inside a longer sentence: ``[the] {name}``."""
    code: str = "~ {word} {number}"
    """The template of a code that is read out: ``{word}`` its letters, ``{number}`` its digits."""


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class ChangeWords:
    """How callers change their mind."""

    leads: frozenset[str] = frozenset()
    """Words people change their mind with; what follows them must be an answer as a whole."""
    denials: frozenset[str] = frozenset()
    """With one of these in a part of a sentence a day in it is one that does not suit."""
    clauses: frozenset[str] = frozenset()
    """Words that begin a new part of a sentence: "i'm away thursday, can you ..."."""
    joints: frozenset[str] = frozenset()
    """Words between two wishes in one sentence: "and", "also"."""
    contrasts: frozenset[str] = frozenset()
    """Words that begin a part of a sentence which is not the answer: "but", "because"."""
    glue: frozenset[str] = frozenset()
    """Little words that may stand behind a yes without saying anything new: "yes, have somebody do it"."""
    agreeing: frozenset[str] = frozenset()
    """Words that make a sentence which begins with a no a yes after all: "no problem", "no, go ahead"."""
    excluded_by: frozenset[str] = frozenset()
    """Words before a day, or before the little word it stands with, that leave it out: "any day but Thursday"."""
    other_days: tuple[tuple[str, ...], ...] = ()
    """Wordings for a day besides the one that was named before: "another day", "a different time"."""


class SpokenForms(Protocol):
    """How prompts say what the business systems hold; a module of the language's folder will do.

    Everything takes any value (text, numbers, ISO dates, None), never raises, and returns words a voice can say,
    bounded in length; what it does not understand is said as it stands.
    """

    def spoken_digits(self, number: object, groups: Sequence[int] | None = None) -> str:
        """Read a number out in groups: the filter ``groups``."""

    def day(self, value: object, today: dt.date) -> str:
        """Say a date as seen from today."""

    def clock(self, value: object) -> str:
        """Say a time of day."""

    def window(self, value: object) -> str:
        """Say a span of hours: ``09:00-12:00``."""

    def money(self, amount: object, currency: object = "USD") -> str:
        """Say an amount in an ISO 4217 currency."""

    def ordinal(self, value: object) -> str:
        """Say a place in a row."""

    def count(self, value: object, noun: str = "", plural: str = "") -> str:
        """Say how many."""

    def place(self, value: object) -> str:
        """Say a place as it stands in a carrier's data."""

    def listing(self, values: object, conjunction: str = ...) -> str:
        """Join a list."""

    def items(self, values: object) -> str:
        """Say an order's items: mappings with ``name`` and ``quantity``, or names."""

    def clean(self, text: object) -> str:
        """Make other systems' text speakable."""

    def makeup(self, shapes: Sequence[tuple[int, int, int]]) -> str:
        """Say what a number is made of: so many letters, digits, characters that may be either; a tuple a shape."""

    def enter(self, shape: str, letters: bool) -> str:
        """Say how a number is given whose shape these are the words of; without ``letters`` it can be keyed in."""


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Language:
    """One language: its tables, made once, and its functions. Immutable and shared by all packs that name it."""

    code: str
    """What a pack's ``language`` says: ``en``."""
    numbers: NumberWords
    days: DayNames
    choices: ChoiceWords
    changes: ChangeWords
    spoken: SpokenForms
    stray_words: frozenset[str] = frozenset()
    """Short words that a recogniser hears in noise, or a caller begins with, before or behind a whole sentence."""
