"""The ways people say a number aloud: the inverse of number capture, for its property tests and for rehearsals."""

from __future__ import annotations

import re
from collections.abc import Callable

from agent.dialog.numbers.words import PHONETIC, TEENS, TENS

Choose = Callable[[int], int]
"""Picks one of n ways: takes n, returns 0 <= i < n. Hands the randomness (or the enumeration) in."""

_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = {value: word for word, value in TEENS.items()}
_TENS = {value // 10: word for word, value in TENS.items()}
_WORDS = {letter: word for word, letter in PHONETIC.items()}
_PAUSES = ("", "", "", "um", "uh")


def say_number(value: str, choose: Choose) -> str:
    """Return one way of saying ``value`` (``10473``, ``AB-10473``); every way is understood back as the same number.

    Covers single digits with zero/oh, tens and teens, "double"/"triple", "one hundred and four", letters plain,
    phonetic and "b as in bravo", separators spoken or not, and hesitation between the parts.
    """
    words: list[str] = []
    runs = re.findall(r"[0-9]+|[A-Z]|[^0-9A-Z]", value.upper())
    for index, run in enumerate(runs):
        if run.isdigit():
            after = next((later for later in runs[index + 1 :] if later[0].isalnum()), "")
            words += _say_digits(run, after[0] if after.isdigit() else "", choose)
        elif run.isalpha():
            spelt = _say_letter(run, choose)
            # "a alpha" is one A: who says the same letter twice says it the same way
            words.append(words[-1] if index and runs[index - 1] == run and words else spelt)
        elif run == "-":
            words.append(("", "dash", "hyphen")[choose(3)])
    return " ".join(word for word in words if word)


def _say_digits(digits: str, following: str, choose: Choose) -> list[str]:
    """Say a run of digits; ``following`` is the first digit of the next run, which may join up with this one."""
    words: list[str] = []
    at = 0
    round_tens = False
    while at < len(digits):
        ways = _ways(digits[at:], following, after_round_tens=round_tens)
        used, phrase = ways[choose(len(ways))]
        words.append(phrase)
        words.append(_PAUSES[choose(len(_PAUSES))])
        round_tens = phrase.rsplit(" ", 1)[-1] in TENS
        at += used
    return words


def _ways(digits: str, following: str, *, after_round_tens: bool) -> list[tuple[int, str]]:
    """Return (digits used, phrase) for every way to begin; leaves out what would join up with its neighbours."""
    first = digits[0]
    # nobody says "sixty zero"
    names = (_UNITS[int(first)],) if first != "0" else ("oh",) if after_round_tens else ("zero", "oh")
    ways = [(1, name) for name in names]
    for count, word in ((2, "double"), (3, "triple")):
        if digits.startswith(first * count):
            ways += [(count, f"{word} {name}") for name in names]
    if len(digits) >= 2 and first != "0":
        ways += [(2, phrase) for phrase in _pair(digits, following)]
    if len(digits) >= 3 and first != "0" and not after_round_tens:
        ways += _hundred(digits, following)
    return ways


def _pair(digits: str, following: str) -> list[str]:
    value = int(digits[:2])
    if value < 20:
        return [_TEENS[value]]
    tens = _TENS[value // 10]
    if value % 10:
        return [f"{tens} {_UNITS[value % 10]}"]
    # "twenty" before a unit would be heard as twenty-something
    return [] if (digits[2:3] or following) not in ("", "0") else [tens]


def _hundred(digits: str, following: str) -> list[tuple[int, str]]:
    head = f"{_UNITS[int(digits[0])]} hundred"
    rest = int(digits[1:3])
    if rest == 0:
        return [(3, head)] if len(digits) == 3 and not following else []
    tail = [_UNITS[rest]] if rest < 10 else _pair(digits[1:], following)
    return [(3, f"{head} and {word}") for word in tail] + [(3, f"{head} {word}") for word in tail]


def _say_letter(letter: str, choose: Choose) -> str:
    plain, example = letter.lower(), _WORDS[letter]
    return (plain, example, f"{plain} as in {example}", f"{plain} for {example}")[choose(4)]
