"""Puts numbers and spellings into the words a caller says."""

from __future__ import annotations

DIGIT_WORDS = {
    "0": "zero",
    "1": "one",
    "2": "two",
    "3": "three",
    "4": "four",
    "5": "five",
    "6": "six",
    "7": "seven",
    "8": "eight",
    "9": "nine",
}

_PHONETIC_WORDS = (
    *("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india"),
    *("juliet", "kilo", "lima", "mike", "november", "oscar", "papa", "quebec", "romeo"),
    *("sierra", "tango", "uniform", "victor", "whiskey", "x-ray", "yankee", "zulu"),
)
PHONETIC = {word[0]: word for word in _PHONETIC_WORDS}
"""The ICAO spelling alphabet, letter -> word."""

PAUSE = ","
"""Stands between groups; every voice makes a short pause of it."""


def digit_words(digits: str, zero: str = "zero") -> str:
    """Return ``"one zero, four"`` for ``"10 4"``: spaces and hyphens become pauses. Raises ValueError for others."""
    words: list[str] = []
    for character in digits.strip():
        if character in DIGIT_WORDS:
            words.append(zero if character == "0" else DIGIT_WORDS[character])
        elif character in " -.,":
            if words and not words[-1].endswith(PAUSE):
                words[-1] += PAUSE
        else:
            raise ValueError(f"{character!r} is not a digit")
    return " ".join(words)


def spelling_words(text: str) -> str:
    """Return the words of a spelling: ``"AB-1"`` -> ``"a, b, dash, one"``; real words stay as they are.

    A token of letters in capitals, or with digits or hyphens in it, is a code and is spelt; any other word
    (``bravo``, ``as``, ``in``) is a word to be said.
    """
    words: list[str] = []
    for token in text.split():
        bare = token.strip(",")
        if len(bare) > 1 and bare.isalpha() and not bare.isupper():
            words.append(bare.lower())
            continue
        for character in bare:
            if character in DIGIT_WORDS:
                words.append(DIGIT_WORDS[character] + PAUSE)
            elif character.isascii() and character.isalpha():
                words.append(character.lower() + (PAUSE if len(bare) > 1 else ""))
            elif character == "-":
                words.append("dash" + PAUSE)
            else:
                raise ValueError(f"{character!r} cannot be spelt")
    return " ".join(words).rstrip(PAUSE)
