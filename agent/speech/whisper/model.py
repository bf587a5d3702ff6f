"""A converted whisper model: loads its directory and writes down what is said in a sound."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from agent.common.audio import SAMPLE_RATE
from agent.errors import OrderlineError
from agent.speech.whisper.features import FRAMES_PER_SECOND, RATE, log_mel

LIBRARY = "ctranslate2"
WINDOW_SECONDS = 15
"""The window that whisper hears. Its own is 30 s and takes five times as long; one hardly longer than the sound ruins
short words (docs/speech.md)."""
LONGEST_SECONDS = 14.5
"""Longer sounds are not heard: they do not fit the window."""
_BEAMS = 5
_MOST_TOKENS = 96
"""More are whisper going round in circles."""
_START = "<|startoftranscript|>"
_NO_TIMES = "<|notimestamps|>"
_FILES = ("model.bin", "config.json")


class WhisperError(OrderlineError):
    """The larger recogniser cannot be used: the library, the model, or its process is missing or broken."""

    code = "second_opinion_unusable"


@dataclass(frozen=True)
class Transcript:
    """What whisper wrote down."""

    text: str
    """As it writes: with capitals and punctuation, numbers in digits."""
    confidence: float
    """0..1: the mean probability of a piece of a word."""


def has_library() -> bool:
    """Return whether CTranslate2 is installed."""
    return importlib.util.find_spec(LIBRARY) is not None


def check_directory(directory: Path) -> None:
    """Raise :class:`WhisperError` where a directory holds no converted whisper model."""
    missing = [name for name in _FILES if not (directory / name).is_file()]
    if missing:
        raise WhisperError(
            f"{directory} holds no whisper model for CTranslate2: {', '.join(missing)} is not there. Name the "
            "directory of a converted model in speech.second_opinion.model_directory (docs/speech.md)."
        )


class WhisperModel:
    """One loaded model; one sound at a time, with one thread.

    Raises :class:`WhisperError` when the library or the model is missing or does not load.
    """

    def __init__(self, directory: Path, language: str = "en") -> None:
        check_directory(directory)
        if not has_library():
            raise WhisperError("CTranslate2 is not installed: pip install 'orderline[second-opinion]'.")
        try:
            self._library: Any = importlib.import_module(LIBRARY)
            self._model = self._library.models.Whisper(str(directory), compute_type="int8", intra_threads=1)
        except (ImportError, RuntimeError, ValueError, OSError) as error:
            raise WhisperError(f"The whisper model in {directory} does not load: {error}") from error
        spoken = [f"<|{language}|>", "<|transcribe|>"] if self._model.is_multilingual else []
        self._prompt = [_START, *spoken, _NO_TIMES]

    def transcribe(self, pcm: bytes) -> Transcript:
        """Return what is said in 8 kHz 16-bit audio. Raises :class:`WhisperError` for what it cannot hear."""
        samples = resampled(pcm)
        if len(samples) > LONGEST_SECONDS * RATE:
            raise WhisperError(f"A sound of more than {LONGEST_SECONDS:g} s does not fit the window.")
        features = log_mel(samples, WINDOW_SECONDS * FRAMES_PER_SECOND, self._model.n_mels)
        try:
            found = self._model.generate(
                self._library.StorageView.from_array(features), [self._prompt], beam_size=_BEAMS,
                max_length=len(self._prompt) + _MOST_TOKENS, return_scores=True,
            )[0]  # fmt: skip
        except (RuntimeError, ValueError) as error:
            raise WhisperError(f"The whisper model loads and hears nothing: {error}") from error
        return Transcript(text_of(found.sequences[0]), min(1.0, math.exp(found.scores[0])))


def resampled(pcm: bytes) -> NDArray[np.float32]:
    """Return telephone audio as whisper takes it: 16 kHz, between -1 and 1."""
    samples = np.frombuffer(pcm, dtype=np.int16).astype(np.float32) / 32768.0
    return np.asarray(soxr.resample(samples, SAMPLE_RATE, RATE), dtype=np.float32)


def text_of(tokens: list[str]) -> str:
    """Return the text that pieces of words make up; whisper's vocabulary writes each byte as one character."""
    byte_of = _bytes_by_character()
    raw = bytes(byte_of[char] for token in tokens if not token.startswith("<|") for char in token if char in byte_of)
    return raw.decode("utf-8", errors="replace").strip()


@functools.cache
def _bytes_by_character() -> dict[str, int]:
    """Return the byte each character of a token stands for: printable ones for themselves, the others from 256 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + at): byte for at, byte in enumerate(others)}


__all__ = [
    "LIBRARY",
    "LONGEST_SECONDS",
    "Transcript",
    "WhisperError",
    "WhisperModel",
    "check_directory",
    "has_library",
    "resampled",
    "text_of",
]
