"""Whether the larger recogniser that is asked in doubt is there, and how long a sentence takes it."""

from __future__ import annotations

import asyncio
import time

import numpy as np

from agent.common.audio import SAMPLE_RATE
from agent.config.speech import SecondOpinionSettings
from agent.preflight.finding import Finding
from agent.speech.whisper.model import LIBRARY, WhisperError, WhisperModel, check_directory, has_library

_WHAT = "second opinion"
_SECONDS = 3
_INSTALL = "pip install 'orderline[second-opinion]' into the agent's environment"


async def second_opinion_finding(settings: SecondOpinionSettings) -> Finding:
    """Load the model and have it hear a sound as long as a sentence; calls work without it, so nothing fails."""
    directory = settings.model_directory
    if directory is None:
        return Finding(_WHAT, "ok", "none is set")
    if not has_library():
        return Finding(_WHAT, "warning", f"{LIBRARY} is not installed: calls go on with the first recogniser", _INSTALL)
    fix = "name the directory of a converted whisper model in speech.second_opinion.model_directory (docs/speech.md)"
    try:
        check_directory(directory)
        model = await asyncio.to_thread(WhisperModel, directory, settings.language)
        sound = _sound()
        began = time.perf_counter()
        await asyncio.to_thread(model.transcribe, sound)
    except WhisperError as error:
        return Finding(_WHAT, "warning", error.message, fix)
    milliseconds = round(1000 * (time.perf_counter() - began))
    told = f"{directory.name}: a sound of {_SECONDS} s takes {milliseconds} ms"
    if milliseconds > settings.wait_ms:
        slow = "a faster machine or a smaller model, or a longer speech.second_opinion.wait_ms"
        return Finding(_WHAT, "warning", f"{told}, calls wait {settings.wait_ms} ms at most", slow)
    return Finding(_WHAT, "ok", told)


def _sound() -> bytes:
    """Return three seconds of a hum: what is heard in it does not matter."""
    times = np.arange(_SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    return (3000 * np.sin(2 * np.pi * 150 * times)).astype(np.int16).tobytes()


__all__ = ["second_opinion_finding"]
