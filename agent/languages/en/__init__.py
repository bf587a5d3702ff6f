"""English, as callers in North America and Britain speak it."""

from __future__ import annotations

from agent.languages.en import wording
from agent.languages.en.choices import CHANGES, CHOICES
from agent.languages.en.days import name_day
from agent.languages.en.numbers import NUMBERS
from agent.languages.language import Language

STRAY_WORDS = frozenset(("a", "an", "the", "of", "and", "oh", "eh"))

LANGUAGE = Language(
    code="en",
    numbers=NUMBERS,
    days=name_day,
    choices=CHOICES,
    changes=CHANGES,
    spoken=wording,
    stray_words=STRAY_WORDS,
)
