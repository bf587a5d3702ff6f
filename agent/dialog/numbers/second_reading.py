"""Weighs a number that was heard against the same sound read as single digits and letters alone.

The turn's own grammar holds thousands of phrases beside the digits and may make words of some of them ("what is five oh
four four"); digits alone cannot be taken for words, but anything else is taken for digits. So the second reading counts
only where the first is much of the same number, and whenever the two differ the number is read back.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import replace

from agent.dialog.numbers.format import symbols_of
from agent.dialog.numbers.reading import NumberReading
from agent.languages.number_words import ZERO_OR_O, NumberWords

_LEAST_SHARED = 0.5
"""So much of a second reading must have been heard in the same order the first time."""
_MOST_OTHER_WORDS = 2
"""So many words that are no digits a misheard number may hold; more are a sentence."""
_CONFIDENCE = 0.5
_MOST_OTHERS = 3


def second_reading(
    heard: NumberReading | None,
    text: str,
    spelled: Sequence[str],
    read: Callable[[str], NumberReading],
    known: frozenset[str],
    vocabulary: NumberWords,
) -> NumberReading | None:
    """Return what ``text`` (read as ``heard``, None for no number) means beside its readings as symbols alone.

    ``read`` reads one text by the slot's format and check digit; ``known`` are the caller's own numbers, which come
    first. Where the first reading was whole it stays, and is asked about when the best reading of the same length
    is another; where it was not, the first whole reading is asked about that the text bears out. None for no number.
    """
    values = [reading.value for one in spelled if (reading := read(one)).value is not None and not reading.must_confirm]
    whole = list(dict.fromkeys(value for value in values if value is not None))
    if heard is not None and heard.value is not None:
        return heard if heard.value in known else _compared(heard, text, spelled, whole, vocabulary)
    if spelled and _symbols(spelled[0], vocabulary) == _symbols(text, vocabulary):
        return heard  # both heard the same: a part of a number, or one that is too long
    borne_out = [value for value in whole if _is_borne_out(value, text, vocabulary)]
    if not borne_out:
        return heard
    borne_out.sort(key=lambda value: value not in known)
    others = tuple(borne_out[1 : 1 + _MOST_OTHERS])
    return NumberReading(borne_out[0], True, _CONFIDENCE, others, must_confirm=True)


def _compared(
    heard: NumberReading, text: str, spelled: Sequence[str], whole: Sequence[str], vocabulary: NumberWords
) -> NumberReading:
    """Ask about a number read symbol by symbol where the best second reading is another number."""
    if heard.must_confirm or not whole or whole[0] == heard.value:
        return heard
    plain = all(_symbol(word, vocabulary) for word in text.split() if word not in vocabulary.fillers)
    # only the best reading speaks against it: the others are what it is less likely to have been
    is_best = _symbols(spelled[0], vocabulary) == _comparable(whole[0])
    if not plain or not is_best:
        return heard
    others = tuple(dict.fromkeys((whole[0], *heard.alternatives)))
    return replace(heard, must_confirm=True, confidence=_CONFIDENCE, alternatives=others, whole_without_doubt=False)


def _is_borne_out(value: str, text: str, vocabulary: NumberWords) -> bool:
    """Return whether most of a number stands in a text in the same order, beside a word or two that are none of it."""
    words = [word for word in text.split() if word not in vocabulary.fillers]
    symbols = [symbol for word in words if (symbol := _symbol(word, vocabulary))]
    if len(words) - len(symbols) > _MOST_OTHER_WORDS:
        return False
    wanted = _comparable(value)
    same = difflib.SequenceMatcher(a=wanted, b="".join(symbols), autojunk=False).get_matching_blocks()
    return sum(block.size for block in same) >= _LEAST_SHARED * len(wanted)


def _symbols(text: str, vocabulary: NumberWords) -> str:
    return "".join(_symbol(word, vocabulary) for word in text.split())


def _symbol(word: str, vocabulary: NumberWords) -> str:
    """Return the digit or letter a word is, ``""`` for others; a letter O is a zero here."""
    symbol = vocabulary.digits.get(word) or vocabulary.letter_words.get(word) or ""
    if not symbol and len(word) == 1 and word.isascii() and word.isalpha():
        symbol = word.upper()
    return symbol.replace(ZERO_OR_O, "0").replace("O", "0")


def _comparable(value: str) -> str:
    return symbols_of(value).replace("O", "0")


__all__ = ["second_reading"]
