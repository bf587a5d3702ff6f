"""Speaks numbers with recordings of single digits by real speakers, joined with natural gaps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.accuracy.errors import AccuracyError
from agent.common.audio import SAMPLE_RATE
from agent.rehearsal.audio import Pcm, read_wav, scaled_to_level, voiced_span
from agent.rehearsal.spoken_numbers import DIGIT_WORDS

_NAME = re.compile(r"(\d)_([A-Za-z0-9]+)_(\d+)\.wav")
_WORDS = {word: digit for digit, word in DIGIT_WORDS.items()} | {"oh": "0"}
_GAP_SECONDS = (0.06, 0.22)
"""Between digits; twice as much between groups."""
_MARGIN = SAMPLE_RATE // 50


@dataclass(frozen=True)
class DigitSpeaker:
    """One speaker's recordings of the ten digits."""

    name: str
    takes: Mapping[str, tuple[Path, ...]]

    def can_say(self, words: str) -> bool:
        """True for a text of nothing but digits."""
        return all(_WORDS.get(word.strip(","), "") in self.takes for word in words.split())

    def speak(self, words: str, seed: int) -> Pcm:
        """Join the digits; which take of each, and how long the gaps are, comes from the seed.

        Raises :class:`AccuracyError` for other words and for files that cannot be read.
        """
        if not words or not self.can_say(words):
            raise AccuracyError(f"{self.name} was recorded saying digits only, not {words!r}.")
        random = np.random.default_rng(seed)
        pieces: list[Pcm] = []
        for word in words.split():
            takes = self.takes[_WORDS[word.strip(",")]]
            pieces.append(_take(takes[int(random.integers(len(takes)))]))
            seconds = random.uniform(*_GAP_SECONDS) * (2 if word.endswith(",") else 1)
            pieces.append(np.zeros(int(seconds * SAMPLE_RATE), "<i2"))
        return np.concatenate(pieces)


def digit_speakers_in(folders: Sequence[Path]) -> dict[str, DigitSpeaker]:
    """Find the speakers of folders with ``{digit}_{speaker}_{n}.wav``; those without all ten digits are left out."""
    found: dict[str, dict[str, list[Path]]] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.wav")):
            if name := _NAME.fullmatch(path.name):
                found.setdefault(name[2], {}).setdefault(name[1], []).append(path)
    return {
        name: DigitSpeaker(name, {digit: tuple(paths) for digit, paths in takes.items()})
        for name, takes in sorted(found.items())
        if len(takes) == len(DIGIT_WORDS)
    }


def _take(path: Path) -> Pcm:
    try:
        pcm = scaled_to_level(read_wav(path), -20.0)
    except (OSError, ValueError) as error:
        raise AccuracyError(f"{path} cannot be played: {error}") from error
    first, end = voiced_span(pcm) or (0, len(pcm))
    return pcm[max(0, first - _MARGIN) : end + _MARGIN]


__all__ = ["DigitSpeaker", "digit_speakers_in"]
