"""The interface of a synthesis engine, and its error."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agent.errors import OrderlineError

Pcm = NDArray[np.int16]
"""8 kHz 16-bit mono samples."""


class EngineError(OrderlineError):
    """A synthesis engine is not installed, or failed on a text."""

    code = "voice_engine"


class Engine(Protocol):
    """A voice. Thread-safe; the same text gives the same audio."""

    @property
    def name(self) -> str:
        """Name as in the settings: ``hibari``, ``pyttsx3``, ``piper``."""

    @property
    def identity(self) -> str:
        """Engine, its version, voice and speed: what the audio depends on besides the text. Part of the cache key."""

    def load(self) -> None:
        """Load what the first text would otherwise wait for; nothing to do a second time. Raises :class:`EngineError`.

        Blocks for up to a second: call it in a thread.
        """

    def synthesise(self, text: str) -> Pcm:
        """Return the spoken text, levelled and trimmed (:func:`agent.speech.engines.audio.to_telephone_audio`).

        Blocks for tens to hundreds of milliseconds: call it in a thread. Raises :class:`EngineError`.
        """

    def close(self) -> None:
        """Release processes and memory; idempotent."""


__all__ = ["Engine", "EngineError", "Pcm"]
