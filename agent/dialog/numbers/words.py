"""The tokeniser for spoken and typed numbers, and the words a recogniser must know for a number format."""

from __future__ import annotations

import re

from agent.dialog.numbers.format import NumberFormat
from agent.languages.number_words import NumberWords

UNREADABLE = "…"
"""Stands for words beyond what a number can need: whatever holds it is no number."""

_CAPITALS = re.compile(r"(?<![A-Za-z0-9'])[A-Z]{2,3}(?![A-Za-z0-9'])")
"""A recogniser writes no capitals: these were typed, letter by letter."""
_HAS_DIGIT = re.compile(r"[0-9]")
_MAX_TOKENS = 64


def words_for(number_format: NumberFormat, vocabulary: NumberWords) -> tuple[str, ...]:
    """Return the words a recogniser must know to hear this format; each may follow any other."""
    return (*vocabulary.heard, *(vocabulary.heard_with_letters if number_format.has_letters else ()))


def symbol_words_for(number_format: NumberFormat, vocabulary: NumberWords) -> tuple[str, ...]:
    """Return the digits and the plain letters among :func:`words_for`.

    The words of the alphabet are none of them: beside "e" and "m" they are heard where nobody said them ("echo",
    "mike"), and where they are said they are heard well as it is.
    """
    digits = tuple(word for word in vocabulary.heard if word in vocabulary.digits)
    if not number_format.has_letters:
        return digits
    letters = (word for word in vocabulary.heard_with_letters if len(word) == 1)
    return (*(digits if number_format.has_digits else ()), *letters)


def tokenise(text: str, vocabulary: NumberWords) -> list[str]:
    """Split heard or typed text into lower-case words, single typed letters and digit runs. Never raises.

    A text of more words than any number needs ends with :data:`UNREADABLE`: a correction may stand in what was cut off.
    """
    if not text.isupper():
        words = vocabulary.capital_words
        text = _CAPITALS.sub(lambda found: found[0] if found[0].lower() in words else " ".join(found[0]), text)
    lowered = text.lower().replace("’", "'")
    if _HAS_DIGIT.search(lowered):
        ordinal, before = vocabulary.ordinal, vocabulary.words_before_digits
        lowered = vocabulary.typed.sub(lambda found: _typed(found, ordinal), lowered)
        lowered = vocabulary.typed_letters.sub(lambda found: _typed_letters(found, before), lowered)
    tokens = vocabulary.token.findall(lowered)
    return tokens if len(tokens) <= _MAX_TOKENS else [*tokens[:_MAX_TOKENS], UNREADABLE]


def _typed(found: re.Match[str], ordinal: re.Pattern[str]) -> str:
    if ordinal.fullmatch(found[0]):
        return UNREADABLE
    return " ".join(re.findall(r"[a-z]|[0-9]+", found[0]))


def _typed_letters(found: re.Match[str], words_before_digits: frozenset[str]) -> str:
    return found[1] if found[1] in words_before_digits else " ".join(found[1])
