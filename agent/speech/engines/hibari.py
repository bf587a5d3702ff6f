"""hibari: the default voice. Neural, in process, about 20 ms of one core per second of speech."""

from __future__ import annotations

import importlib
import importlib.metadata
import threading
import zlib
from typing import Any

import numpy as np

from agent.speech.engines.audio import to_telephone_audio
from agent.speech.engines.base import EngineError, Pcm


class HibariEngine:
    """A hibari voice, loaded once, with the first text or before (0.5 s, 150 MB). Thread-safe.

    ``speed`` is 1.0 for the voice's own pace, higher is faster. Raises :class:`EngineError` when hibari-tts is not
    installed.
    """

    name = "hibari"

    def __init__(self, voice: str = "heart", speed: float = 1.0) -> None:
        try:
            version = importlib.metadata.version("hibari-tts")
        except importlib.metadata.PackageNotFoundError as error:
            raise EngineError("The voice engine hibari is not installed: pip install hibari-tts.") from error
        self._voice = voice
        self._speed = speed
        self._tts: Any = None
        self._loading = threading.Lock()
        self.identity = f"hibari {version} {voice} {speed:g}"

    def load(self) -> None:
        """Load the voice. Raises :class:`EngineError` for one that is not there, or cannot be loaded."""
        with self._loading:
            if self._tts is None:
                self._tts = _loaded(self._voice)

    def synthesise(self, text: str) -> Pcm:
        """Return the spoken text. Raises :class:`EngineError`."""
        self.load()
        try:
            audio = self._tts(text, speed=self._speed, seed=zlib.crc32(text.encode()))
        except (RuntimeError, ValueError, KeyError, IndexError) as error:
            raise EngineError(f"hibari cannot speak {text!r}: {error}") from error
        return to_telephone_audio(np.asarray(audio, dtype=np.float32), self._tts.sample_rate)

    def close(self) -> None:
        """Nothing to release."""


def _loaded(voice: str) -> Any:
    try:
        module = importlib.import_module("hibari")
        if voice not in (known := importlib.import_module("hibari.voices").VOICES):
            raise EngineError(f"hibari has no voice {voice!r}; it has {', '.join(sorted(known))}.")
        tts = module.Hibari(voice=voice, threads=1)
        tts("Hello.", seed=1)  # loads the dictionaries too
    except ImportError as error:
        raise EngineError(f"The voice engine hibari is not installed ({error}): pip install hibari-tts.") from error
    except (OSError, RuntimeError) as error:
        raise EngineError(f"hibari's voice {voice!r} cannot be loaded: {error}") from error
    return tts


__all__ = ["HibariEngine"]
