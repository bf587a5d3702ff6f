"""Pronounces English words by rule: hibari's dictionary and network, in the phones of the bundled model (CMU's)."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from agent.speech.added_words import Pronunciation
from agent.speech.model import ModelError

_TWO: Mapping[str, str] = {"ɜɹ": "ER", "əɹ": "ER", "tʃ": "CH", "dʒ": "JH"}
_ONE: Mapping[str, str] = {
    "A": "EY", "I": "AY", "O": "OW", "Q": "OW", "W": "AW", "Y": "OY", "i": "IY", "u": "UW", "ɑ": "AA", "ɒ": "AA",
    "ɔ": "AO", "a": "AE", "æ": "AE", "ɛ": "EH", "e": "EH", "ɪ": "IH", "ᵻ": "IH", "ʊ": "UH", "ʌ": "AH", "ə": "AH",
    "ᵊ": "AH", "ɐ": "AH", "ɜ": "ER", "ɚ": "ER", "b": "B", "d": "D", "f": "F", "h": "HH", "j": "Y", "k": "K", "l": "L",
    "m": "M", "n": "N", "p": "P", "s": "S", "t": "T", "v": "V", "w": "W", "z": "Z", "ɡ": "G", "g": "G", "ŋ": "NG",
    "ɹ": "R", "r": "R", "ʃ": "SH", "ʒ": "ZH", "ð": "DH", "θ": "TH", "ʤ": "JH", "ʧ": "CH", "T": "T", "ɾ": "T", "ʔ": "T",
}  # fmt: skip
_SILENT = frozenset("ˈˌːʲ .,!?-")


class WordPronouncer:
    """Pronounces words as hibari would say them. Loads its dictionaries (some seconds) with the first word."""

    def __init__(self) -> None:
        self._g2p: Callable[[str], Any] | None = None

    def __call__(self, word: str) -> tuple[Pronunciation, ...]:
        """Return the pronunciations of a word. Raises :class:`ModelError` when there is none to be had."""
        if self._g2p is None:
            try:
                self._g2p = importlib.import_module("hibari.g2p").G2P()
            except ImportError as error:
                raise ModelError(
                    f"{word!r} has no phones in the list, and words are pronounced by hibari-tts, which is not "
                    f"installed: pip install hibari-tts ({error})."
                ) from error
        spoken = self._g2p(word)
        try:
            return (phones_of(spoken if isinstance(spoken, str) else str(spoken[0])),)
        except ValueError as error:
            raise ModelError(f"{word!r} cannot be pronounced: {error}. Give its phones in the list.") from error


def phones_of(spoken: str) -> Pronunciation:
    """Return hibari's (misaki's) phonemes as CMU phones without stress. Raises ValueError for an unknown sound."""
    sounds = "".join(sound for sound in spoken if sound not in _SILENT)
    phones: list[str] = []
    at = 0
    while at < len(sounds):
        two = _TWO.get(sounds[at : at + 2])
        one = two or _ONE.get(sounds[at])
        if one is None:
            raise ValueError(f"no phone for the sound {sounds[at]!r} of {spoken!r}")
        phones += one.split()
        at += 2 if two else 1
    if not phones:
        raise ValueError("it has no sound")
    return tuple(phones)


__all__ = ["WordPronouncer", "phones_of"]
