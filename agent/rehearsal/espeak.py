"""espeak-ng as a caller's voice: the shared library that comes with espeakng_loader, called through ctypes."""

from __future__ import annotations

import ctypes
import importlib
import threading
from typing import Any

import numpy as np

from agent.rehearsal.audio import FULL_SCALE, Pcm, resampled
from agent.rehearsal.errors import CallerVoiceError

_SYNCHRONOUS = 2
"""AUDIO_OUTPUT_SYNCHRONOUS of speak_lib.h: audio goes to the callback, the call returns when all is spoken."""
_DONT_EXIT = 0x8000
"""espeakINITIALIZE_DONT_EXIT: without it the library ends the process when its data folder is missing."""
_RATE_PARAMETER = 1
"""espeakRATE, words a minute."""
_UTF8 = 1
_WORDS_A_MINUTE = 150

_FILE_NAMES = {"en-gb": "en"}
"""Voices are chosen by the names of their files, and British English is called ``en`` there."""

_LIBRARY_LOCK = threading.Lock()
"""The library keeps one state for the whole process, so one lock for the whole process guards it."""

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class EspeakVoice:
    """One of espeak-ng's voices, such as ``en-us``, ``en-gb+f3``; ``speed`` 1.0 is 150 words a minute."""

    def __init__(self, voice: str, speed: float = 1.0) -> None:
        try:
            loader = importlib.import_module("espeakng_loader")
        except ImportError as error:
            raise CallerVoiceError(
                f"The voice 'espeak:{voice}' needs the Python package espeakng-loader: "
                "pip install 'orderline[rehearse]'"
            ) from error
        language, plus, variant = voice.partition("+")
        self._voice = _FILE_NAMES.get(language.lower(), language) + plus + variant
        self._words_a_minute = round(_WORDS_A_MINUTE * speed)
        self._library_path = str(loader.get_library_path())
        self._data_path = str(loader.get_data_path())

    def speak(self, text: str) -> Pcm:
        """Return the text as 8 kHz audio. Raises CallerVoiceError. Thread-safe; one text at a time in a process.

        The library is set up and taken down for each text, a matter of a few milliseconds. No two renderings are alike
        to the sample (it varies pitch and timing a little); what is kept in the cache stays the same.
        """
        with _LIBRARY_LOCK:
            library = ctypes.CDLL(self._library_path)
            rate = int(library.espeak_Initialize(_SYNCHRONOUS, 0, self._data_path.encode(), _DONT_EXIT))
            if rate <= 0:
                raise CallerVoiceError(f"espeak-ng could not start with its data in {self._data_path}.")
            try:
                pieces = self._synthesise(library, text)
            finally:
                library.espeak_Terminate()
        if not pieces:
            raise CallerVoiceError(f"espeak-ng ({self._voice}) made no sound of {text!r}.")
        return resampled(np.concatenate(pieces).astype(np.float32) / FULL_SCALE, rate)

    def _synthesise(self, library: Any, text: str) -> list[Pcm]:
        pieces: list[Pcm] = []

        def take(samples: Any, count: int, _events: Any) -> int:
            if samples and count > 0:
                pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
            return 0

        callback = _Callback(take)
        library.espeak_SetSynthCallback(callback)
        if library.espeak_SetVoiceByName(self._voice.encode()) != 0:
            raise CallerVoiceError(f"espeak-ng has no voice {self._voice!r} (try en-us, en-gb, en-us+f3, en-gb+m3).")
        library.espeak_SetParameter(_RATE_PARAMETER, self._words_a_minute, 0)
        data = text.encode() + b"\0"
        if library.espeak_Synth(data, len(data), 0, 0, 0, _UTF8, None, None) != 0:
            raise CallerVoiceError(f"espeak-ng ({self._voice}) could not speak {text!r}.")
        library.espeak_Synchronize()
        return pieces
