"""The ways people say a number aloud: the inverse of number capture, for its property tests and for rehearsals."""

from __future__ import annotations

import re
from collections.abc import Callable

from agent.languages.number_words import NumberWords, SayingWords

Choose = Callable[[int], int]
"""Picks one of n ways: takes n, returns 0 <= i < n. Hands the randomness (or the enumeration) in."""


def say_number(value: str, choose: Choose, vocabulary: NumberWords) -> str:
    """Return one way of saying ``value`` (``10473``, ``AB-10473``); every way is understood back as the same number.

    Covers single digits with zero/oh, tens and teens, "double"/"triple", "one hundred and four", letters plain,
    phonetic and "b as in bravo", separators spoken or not, and hesitation between the parts, as far as the language
    has them.
    """
    saying = vocabulary.saying
    words: list[str] = []
    runs = re.findall(r"[0-9]+|[A-Z]|[^0-9A-Z]", value.upper())
    for index, run in enumerate(runs):
        if run.isdigit():
            after = next((later for later in runs[index + 1 :] if later[0].isalnum()), "")
            words += _say_digits(run, after[0] if after.isdigit() else "", choose, vocabulary)
        elif run.isalpha():
            spelt = _say_letter(run, choose, saying)
            # "a alpha" is one A: who says the same letter twice says it the same way
            words.append(words[-1] if index and runs[index - 1] == run and words else spelt)
        elif run == "-":
            words.append(saying.hyphens[choose(len(saying.hyphens))])
    return " ".join(word for word in words if word)


def _say_digits(digits: str, following: str, choose: Choose, vocabulary: NumberWords) -> list[str]:
    """Say a run of digits; ``following`` is the first digit of the next run, which may join up with this one."""
    pauses = vocabulary.saying.pauses
    words: list[str] = []
    at = 0
    round_tens = False
    while at < len(digits):
        ways = _ways(digits[at:], following, vocabulary.saying, after_round_tens=round_tens)
        used, phrase = ways[choose(len(ways))]
        words.append(phrase)
        words.append(pauses[choose(len(pauses))])
        round_tens = phrase.rsplit(" ", 1)[-1] in vocabulary.tens
        at += used
    return words


def _ways(digits: str, following: str, saying: SayingWords, *, after_round_tens: bool) -> list[tuple[int, str]]:
    """Return (digits used, phrase) for every way to begin; leaves out what would join up with its neighbours."""
    first = digits[0]
    zeros = saying.zeros_after_tens if after_round_tens else saying.zeros
    names = (saying.units[int(first)],) if first != "0" else zeros
    ways = [(1, name) for name in names]
    for count, word in saying.repeats:
        if digits.startswith(first * count):
            ways += [(count, f"{word} {name}") for name in names]
    if len(digits) >= 2 and first != "0":
        ways += [(2, phrase) for phrase in _pair(digits, following, saying)]
    if len(digits) >= 3 and first != "0" and not after_round_tens and saying.hundred[0]:
        ways += _hundred(digits, following, saying)
    return ways


def _pair(digits: str, following: str, saying: SayingWords) -> list[str]:
    value = int(digits[:2])
    phrase = saying.pairs.get(value, "")
    if value >= 20 and value % 10 == 0 and (digits[2:3] or following) not in ("", "0"):
        # "twenty" before a unit would be heard as twenty-something
        return []
    return [phrase] if phrase else []


def _hundred(digits: str, following: str, saying: SayingWords) -> list[tuple[int, str]]:
    hundred, joint = saying.hundred
    head = f"{saying.units[int(digits[0])]} {hundred}"
    rest = int(digits[1:3])
    if rest == 0:
        return [(3, head)] if len(digits) == 3 and not following else []
    tail = [saying.units[rest]] if rest < 10 else _pair(digits[1:], following, saying)
    joined = [(3, f"{head} {joint} {word}") for word in tail] if joint else []
    return joined + [(3, f"{head} {word}") for word in tail]


def _say_letter(letter: str, choose: Choose, saying: SayingWords) -> str:
    plain = letter.lower()
    way = saying.spellings[choose(len(saying.spellings))]
    return way.format(letter=plain, example=saying.letters.get(letter, plain))
