"""How many callers this machine can hear at once, as it is now: other work may run beside the tests."""

from __future__ import annotations

import asyncio
import os
import time

import numpy as np

from agent.common.audio import SAMPLE_RATE
from agent.speech.model import bundled_model
from agent.speech.recognizer import VoskRecognizer

AUDIO_SECONDS = 8
CALLERS_PER_LINE = 0.12
"""Callers for each line that could be decoded without a pause. They all begin in the same instant, and need voices, two
Asterisks and the dialog besides: with 20 of them, two cores that decode 58 lines misheard about every fifth answer."""


async def callers_at_once(most: int) -> int:
    """Return ``most``, or fewer where decoding leaves no room for them; at least two.

    Measured by what decoding takes on all cores at the same time. Callers beyond what a machine decodes as fast as they
    speak are misheard: that is a matter of speed, which ``make bench`` measures, not of right or wrong.
    """
    return max(2, min(most, int(CALLERS_PER_LINE * await _lines_decoded_in_real_time())))


async def _lines_decoded_in_real_time() -> float:
    """Return how many lines can be decoded at once by all cores together as fast as they speak."""
    noise = np.random.default_rng(7).normal(0, 2000, AUDIO_SECONDS * SAMPLE_RATE).astype("<i2").tobytes()
    recognizer = VoskRecognizer(bundled_model(), stall_seconds=120)
    cores = os.cpu_count() or 1

    async def decode() -> float:
        hearings = [recognizer.listen(["where is my order", "track my order"]) for _ in range(cores)]
        began = time.perf_counter()
        await asyncio.gather(*(hearing.feed(noise) for hearing in hearings))
        return time.perf_counter() - began

    try:
        await decode()  # the first use of a model is slower
        return cores * AUDIO_SECONDS / await decode()
    finally:
        recognizer.close()
