"""How words sound: the CMU dictionary (the copy inside pocketsphinx) and some words by hand.

The phones are the 39 of that dictionary and ``SIL``. A word may have several
pronunciations, the usual one first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

_NAMES = "SIL AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH"
PHONES = _NAMES.split()
PHONE_NUMBER = {phone: number for number, phone in enumerate(PHONES)}
"""The order of the network's outputs: output ``2 n`` enters phone ``n``, output ``2 n + 1`` stays in it."""

BY_HAND = {
    "x-ray": ["EH K S R EY"],
    "juliet": ["JH UW L IY EH T"],
    "a": ["AH", "EY"],
    "h": ["EY CH"],
    "i": ["AY"],
    "oh": ["OW"],
    "to": ["T UW", "T AH", "T IH"],
    "the": ["DH AH", "DH IY"],
    "w": ["D AH B AH L Y UW", "D AH B Y UW"],
    "z": ["Z IY", "Z EH D"],
    "zero": ["Z IH R OW", "Z IY R OW"],
    "okay": ["OW K EY"],
    "nah": ["N AA", "N AE"],
    "yup": ["Y AH P"],
    "your": ["Y AO R", "Y ER", "Y UH R"],
    "zip": ["Z IH P"],
    "email": ["IY M EY L"],
    "kettle": ["K EH T AH L"],
    "scratched": ["S K R AE CH T"],
    "reschedule": ["R IY S K EH JH UH L", "R IY S K EH JH UW L"],
    "refund": ["R IY F AH N D", "R IH F AH N D"],
}
"""Pronunciations in place of the dictionary's, or of words it lacks."""


@cache
def dictionary() -> dict[str, list[list[str]]]:
    """Each word's pronunciations, as lists of phones."""
    import pocketsphinx

    path = Path(pocketsphinx.__file__).parent / "model" / "en-us" / "cmudict-en-us.dict"
    sounds: dict[str, list[list[str]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        word, *phones = line.split()
        sounds.setdefault(re.sub(r"\(\d+\)$", "", word), []).append(phones)
    for word, ways in BY_HAND.items():
        sounds[word] = [way.split() for way in ways]
    return sounds


def unknown_words(words: Sequence[str]) -> list[str]:
    """The words nobody can say how to pronounce."""
    return [word for word in words if word not in dictionary()]
