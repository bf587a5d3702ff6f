"""Find digits and spelled letters in a transcript, written or spoken, so that they can be redacted. Pure.

Only as clever as redaction needs: it may take a word too many into a run, never one too few. Understanding what
a caller's number is belongs to the dialog.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNIT_WORDS = ("zero oh o nought nil", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine niner")
_TEEN_WORDS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_PHONETIC_WORDS = (
    "alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november oscar papa"
    " quebec romeo sierra tango uniform victor whiskey whisky xray yankee zulu"
)
_LETTER_WORDS = (
    "eigh=A bee=B cee=C see=C dee=D ee=E eff=F gee=G jay=J kay=K el=L em=M en=N pee=P cue=Q ar=R ess=S tee=T"
    " vee=V ex=X zee=Z zed=Z"
)

_UNITS = {word: str(value) for value, words in enumerate(_UNIT_WORDS) for word in words.split()}
_TEENS = {word: str(value) for value, word in enumerate(_TEEN_WORDS.split(), start=10)}
_TENS = {word: str(value * 10) for value, word in enumerate(_TENS_WORDS.split(), start=2)}
_ZEROS = {"hundred": "00", "thousand": "000"}
_TIMES = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
_PHONETIC = {word: word[0].upper() for word in _PHONETIC_WORDS.split()}
_LETTER_NAMES = {pair[:-2]: pair[-1] for pair in _LETTER_WORDS.split()}
_PARTS = {**_UNITS, **_TEENS, **_TENS, **_ZEROS, **_PHONETIC, **_LETTER_NAMES}
"""Word -> the digits or the letter it stands for."""
_FILLERS = frozenset({"and", "uh", "um", "er", "erm", "then", "dash", "hyphen", "space", "point", "dot", "like"})


def words_of_digit(digit: str) -> tuple[str, ...]:
    """Return every word that may stand for a digit, alone or as a part of it ("seventeen" for 1 and 7).

    A text in which a number is spelled out has at least one of them for each of its digits.
    """
    units = _UNIT_WORDS[int(digit)].split()
    parts = [word for words in (_TEENS, _TENS, _ZEROS) for word, value in words.items() if digit in value]
    return (*units, *parts)


_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+")
_MAX_GAP_CHARS = 3
"""Between two parts of a run stand at most this many characters, none a letter or digit."""
_BREAKS = frozenset("?!;:=|/[]\n")


@dataclass(frozen=True)
class DigitRun:
    """Digits and letters given one after another."""

    start: int
    """Position in the text, in characters."""
    end: int
    code: str
    """Digits and upper-case letters, as understood."""
    digits: str
    """The digits of ``code`` only."""


class _Open:
    """A run that may still go on."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.end = start
        self.fillers = 0
        self._parts: list[str] = []
        self._tens = False  # the last part was "forty" and may take a unit in its last digit
        self._times = 1

    def take(self, word: str, part: str, end: int) -> None:
        self.end, self.fillers = end, 0
        if word in _TIMES:
            self._times = _TIMES[word]
            return
        if self._tens and self._times == 1 and word in _UNITS and part != "0":
            self._parts[-1] = self._parts[-1][0] + part
        else:
            self._parts.append(part * self._times)
        self._tens = word in _TENS and self._times == 1
        self._times = 1

    def close(self) -> DigitRun | None:
        code = "".join(self._parts)
        digits = "".join(character for character in code if character.isdecimal())
        # "i" and "a" are words, "see" is a verb: letters alone are a spelling only when several stand together.
        return DigitRun(self.start, self.end, code, digits) if digits or len(self._parts) >= 3 else None


def find_digit_runs(text: str) -> list[DigitRun]:
    """Return the runs of digits and spelled letters in the text, in order, not overlapping."""
    found: list[DigitRun | None] = []
    current: _Open | None = None
    for token in _TOKEN.finditer(text):
        word = token.group().lower()
        part = _part(word)
        if current is not None:
            gap = text[current.end : token.start()] if not current.fillers else ""
            if len(gap) > _MAX_GAP_CHARS or not _BREAKS.isdisjoint(gap):
                found.append(current.close())
                current = None
            elif part is None and word in _FILLERS and current.fillers < 2:
                current.fillers += 1
                continue
        if part is not None:
            current = current or _Open(token.start())
            current.take(word, part, token.end())
        elif current is not None:
            found.append(current.close())
            current = None
    if current is not None:
        found.append(current.close())
    return [run for run in found if run is not None]


def _part(word: str) -> str | None:
    """Return what a lower-case token stands for in a run; ``""`` for "double", None for any other word."""
    if word.isdecimal():
        return word if word.isascii() else "".join(str(int(digit)) for digit in word)
    if word in _TIMES:
        return ""
    if len(word) == 1 and word.isascii() and word != "o":
        return word.upper()
    return _PARTS.get(word)
