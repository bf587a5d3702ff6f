"""Weighs a code with letters that was heard against the same sound read as letters and digits alone.

Spelled letters are the part of a number that is heard worst: every fourth one is taken for another, most often for one
of the same sound ("t" for "p"). So a code is taken unasked only where it is one that exists or where its letters were
said by the alphabet; every other one is read back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from agent.dialog.numbers.format import NumberFormat, symbols_of
from agent.dialog.numbers.reading import NumberReading
from agent.dialog.numbers.spelling_alphabet import is_by_alphabet
from agent.dialog.numbers.spelling_distance import nearest_codes, spelling_distance
from agent.dialog.numbers.words import tokenise
from agent.languages.number_words import ZERO_OR_O, NumberWords

_LEAST_SYMBOLS = 0.5
"""So much of what was said must be letters and digits for it to be a code."""
_NEAR = 0.34
"""Distance for each symbol up to which a caller's own code may have been meant (docs/number-capture.md)."""
_LIKE_THE_FIRST = 0.5
"""Distance for each symbol up to which a second reading is the code of which the first heard no whole one."""
_CONFIDENCE = 0.5
_MOST_OTHERS = 30


def spelled_code(
    heard: NumberReading | None,
    text: str,
    spelled: Sequence[str],
    read: Callable[[str], NumberReading],
    known: frozenset[str],
    number_format: NumberFormat,
    vocabulary: NumberWords,
) -> NumberReading | None:
    """Return what ``text`` (read as ``heard``, None for no number) means beside its readings as single symbols.

    ``read`` reads one text by the slot's format and check digit; ``known`` are codes the caller may well mean. A code
    that is none of them is read back; the alternatives are its other readings, likeliest first. None for no code.
    """
    words = [word for word in tokenise(text, vocabulary) if word not in vocabulary.edge_fillers]
    said = heard if heard is not None and heard.value is not None else None
    if said is not None and said.value in known:
        return heard
    if is_by_alphabet(words, vocabulary, said.value if said is not None else None):
        return heard
    if said is None and not _is_spelling(words, vocabulary):
        return heard
    texts = [one for one in spelled if _symbols(one, vocabulary)]
    readings = [read(one) for one in texts]
    values = [one.value for one in readings if one.value is not None and not one.must_confirm]
    if said is None:
        values = [one for one in values if _is_like(_symbols(text, vocabulary), one, vocabulary)]
    if said is not None and said.value is not None:
        heard_well = not said.must_confirm and not all(_symbol(word, vocabulary) for word in words)
        # "double t" and "thirty five" are no single symbols: what the others make of them is worth less
        values = [said.value, *values] if heard_well else [*values, said.value, *said.alternatives]
    values = list(dict.fromkeys([*_own_codes(text, texts, known, number_format, vocabulary), *values]))
    if not values:
        return heard
    others = tuple(values[1 : 1 + _MOST_OTHERS])
    asked = NumberReading(values[0], True, _CONFIDENCE, others, must_confirm=True)
    return asked if said is None else replace(asked, in_a_sentence=said.in_a_sentence)


def _own_codes(
    text: str, texts: Sequence[str], known: frozenset[str], number_format: NumberFormat, vocabulary: NumberWords
) -> list[str]:
    """Return those of the caller's own codes that sound like what was heard, the nearest first."""
    readings = [_symbols(one, vocabulary) for one in (*texts, text)]
    if not number_format.has_digits:
        readings = [one.replace("0", "O") for one in readings]
    near = nearest_codes(list(dict.fromkeys(readings)), known, vocabulary, _NEAR)
    return [one.value for one in near]


def _is_like(heard: str, code: str, vocabulary: NumberWords) -> bool:
    most = _LIKE_THE_FIRST * len(symbols_of(code))
    return spelling_distance(heard, symbols_of(code), vocabulary, most) <= most


def _is_spelling(words: Sequence[str], vocabulary: NumberWords) -> bool:
    """Return whether a text that is no whole code is letters and digits for the most part."""
    symbols = sum(bool(_symbol(word, vocabulary)) for word in words)
    return symbols > 1 and symbols >= _LEAST_SYMBOLS * len(words)


def _symbols(text: str, vocabulary: NumberWords) -> str:
    return "".join(_symbol(word, vocabulary) for word in text.split())


def _symbol(word: str, vocabulary: NumberWords) -> str:
    """Return the digit or letter a word is, ``""`` for others."""
    symbol = vocabulary.digits.get(word) or vocabulary.letter_words.get(word) or ""
    if not symbol and len(word) == 1 and word.isascii() and word.isalpha():
        symbol = word.upper()
    return symbol.replace(ZERO_OR_O, "0")


__all__ = ["spelled_code"]
