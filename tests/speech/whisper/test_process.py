"""The larger recogniser's process: asked one sound at a time, and never missed when it dies."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.call.second_opinion import NoSecondOpinion
from agent.dialog.contract import SecondText
from agent.speech.whisper import process as module
from agent.speech.whisper.model import WhisperError
from agent.speech.whisper.process import WhisperProcess, whisper_process
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[3]
WORKER = Path(__file__).with_name("worker_of_tests.py")


def command(*arguments: str) -> list[str]:
    run = f"import sys, runpy; sys.path.insert(0, {str(ROOT)!r}); runpy.run_path({str(WORKER)!r}, run_name='__main__')"
    return [sys.executable, "-c", run, *arguments]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 0.01)


@asynccontextmanager
async def running(*arguments: str, most_waiting: int = 4) -> AsyncIterator[WhisperProcess]:
    second = WhisperProcess(command(*arguments), most_waiting=most_waiting)
    second.start()
    try:
        async with asyncio.timeout(60):
            yield second
    finally:
        await second.close()


async def test_sounds_are_answered_in_their_order() -> None:
    async with running() as second:
        await second.ready()
        found = await asyncio.gather(second.hear(b"one"), second.hear(b"two"))
        assert found == [SecondText("one", 0.75), SecondText("two", 0.75)]


async def test_before_the_model_is_loaded_nobody_waits() -> None:
    async with running() as second:
        with pytest.raises(NoSecondOpinion, match="failed"):
            await second.hear(b"one")


async def test_more_than_may_wait_are_refused_at_once() -> None:
    async with running(most_waiting=1) as second:
        await second.ready()
        hangs = asyncio.create_task(second.hear(b"hang"))
        await asyncio.sleep(0)
        await until(lambda: not second.waiting)
        waits = asyncio.create_task(second.hear(b"two"))
        await asyncio.sleep(0)
        with pytest.raises(NoSecondOpinion, match="busy"):
            await second.hear(b"three")
        hangs.cancel()
        waits.cancel()


@pytest.mark.parametrize("sound", [b"die", b"mumble", b"nothing"])
async def test_a_process_that_dies_or_talks_nonsense_is_replaced(sound: bytes) -> None:
    async with running() as second:
        await second.ready()
        before = second.pid
        with pytest.raises(NoSecondOpinion, match="failed"):
            await second.hear(sound)
        await until(lambda: second.is_ready and second.pid != before)
        assert await second.hear(b"one") == SecondText("one", 0.75)


async def test_a_process_that_hangs_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ANSWER_SECONDS", 0.05)
    async with running() as second:
        await second.ready()
        with pytest.raises(NoSecondOpinion, match="failed"):
            await second.hear(b"hang")


async def test_a_sound_it_cannot_take_costs_that_answer_alone() -> None:
    async with running() as second:
        await second.ready()
        before = second.pid
        with pytest.raises(NoSecondOpinion, match="failed"):
            await second.hear(b"refuse")
        assert await second.hear(b"one") == SecondText("one", 0.75)
        assert second.pid == before


async def test_who_has_gone_on_is_not_answered_and_the_next_one_is() -> None:
    async with running() as second:
        await second.ready()
        gone = asyncio.create_task(second.hear(b"one"))
        await asyncio.sleep(0)
        gone.cancel()
        assert await second.hear(b"two") == SecondText("two", 0.75)


async def test_a_model_that_does_not_load_is_told_in_the_log_and_calls_go_on(caplog: pytest.LogCaptureFixture) -> None:
    async with running("broken") as second:
        await until(lambda: "does not load" in caplog.text)
        with pytest.raises(NoSecondOpinion, match="failed"):
            await second.hear(b"one")


def test_a_directory_without_a_model_is_refused_before_any_process(tmp_path: Path) -> None:
    with pytest.raises(WhisperError, match=r"model\.bin, config\.json is not there"):
        whisper_process(tmp_path)
