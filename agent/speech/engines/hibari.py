"""hibari: the default voice. Neural, in process, about 20 ms of one core per second of speech."""

from __future__ import annotations

import importlib
import importlib.metadata
import zlib
from typing import Any

import numpy as np

from agent.speech.engines.audio import to_telephone_audio
from agent.speech.engines.base import EngineError, Pcm


class HibariEngine:
    """A hibari voice, loaded once (0.5 s, 150 MB).

    ``speed`` is 1.0 for the voice's own pace, higher is faster. Raises :class:`EngineError` when hibari-tts is not
    installed or the voice cannot be loaded.
    """

    name = "hibari"

    def __init__(self, voice: str = "heart", speed: float = 1.0) -> None:
        try:
            module = importlib.import_module("hibari")
            version = importlib.metadata.version("hibari-tts")
        except ImportError as error:
            raise EngineError(f"The voice engine hibari is not installed ({error}): pip install hibari-tts.") from error
        if voice not in (known := importlib.import_module("hibari.voices").VOICES):
            raise EngineError(f"hibari has no voice {voice!r}; it has {', '.join(sorted(known))}.")
        try:
            self._tts: Any = module.Hibari(voice=voice, threads=1)
            self._tts("Hello.", seed=1)  # loads the dictionaries too: the first caller does not wait for them
        except (OSError, RuntimeError) as error:
            raise EngineError(f"hibari's voice {voice!r} cannot be loaded: {error}") from error
        self._speed = speed
        self.identity = f"hibari {version} {voice} {speed:g}"

    def synthesise(self, text: str) -> Pcm:
        """Return the spoken text. Raises :class:`EngineError`."""
        try:
            audio = self._tts(text, speed=self._speed, seed=zlib.crc32(text.encode()))
        except (RuntimeError, ValueError, KeyError, IndexError) as error:
            raise EngineError(f"hibari cannot speak {text!r}: {error}") from error
        return to_telephone_audio(np.asarray(audio, dtype=np.float32), self._tts.sample_rate)

    def close(self) -> None:
        """Nothing to release."""


__all__ = ["HibariEngine"]
