"""The recognition server and the bridge that feeds it, over a real websocket with a real model."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import AsyncIterator
from functools import partial

import aiohttp
import numpy as np
import pytest
import pytest_asyncio
import vosk
from websockets.asyncio.server import serve

from agent.rehearsal.espeak import EspeakVoice
from agent.speech.model import bundled_model
from benchmarks.side_by_side.order_dialog import OrderDialog
from benchmarks.side_by_side.speech_bridge import SpeechBridge
from benchmarks.side_by_side.vosk_server import recognise

WAIT_SECONDS = 30
FRAME_BYTES = 320


@pytest.fixture(scope="module")
def speech() -> bytes:
    """``six four three five zero`` and three seconds of silence, 8 kHz."""
    pcm = EspeakVoice("en-us+linda").speak("six four three five zero")
    return np.concatenate([pcm, np.zeros(3 * 8000, np.int16)]).astype("<i2").tobytes()


@pytest_asyncio.fixture
async def url() -> AsyncIterator[str]:
    model = await asyncio.to_thread(vosk.Model, str(bundled_model()))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        async with serve(partial(recognise, model, pool), "127.0.0.1", 0) as server:
            yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def hear(url: str, speech: bytes, phrases: list[str] | None) -> tuple[list[str], str]:
    """Return the partial results and the first final one."""
    partials: list[str] = []
    final: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def on_text(text: str, is_final: bool) -> None:
        if not is_final:
            partials.append(text)
        elif not final.done():
            final.set_result(text)

    bridge = SpeechBridge(url, 3200, on_text)
    async with aiohttp.ClientSession() as session:
        await bridge.open(session, phrases)
        try:
            for start in range(0, len(speech), FRAME_BYTES):
                bridge.feed(speech[start : start + FRAME_BYTES])
            return partials, await asyncio.wait_for(final, WAIT_SECONDS)
        finally:
            await bridge.close()


async def test_a_number_is_recognised_as_it_is_said(url: str, speech: bytes) -> None:
    dialog = OrderDialog()
    dialog.heard("where is my order")
    partials, text = await hear(url, speech, dialog.phrases)
    assert partials
    assert text == "six four three five zero"


async def test_with_a_list_of_phrases_nothing_else_is_recognised(url: str, speech: bytes) -> None:
    _, text = await hear(url, speech, ["six", "zero", "[unk]"])
    assert set(text.split()) <= {"six", "zero", "[unk]"}
