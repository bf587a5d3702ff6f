"""Asks the larger recogniser in its own process: one sound at a time, a few waiting, a dead process started anew."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

from agent.call.second_opinion import NoSecondOpinion
from agent.common.own_processes import module_command
from agent.common.tasks import cancel_and_wait, report_failure
from agent.dialog.contract import SecondText
from agent.speech.whisper.model import WhisperError, check_directory, has_library
from agent.speech.whisper.worker import LENGTH

log = logging.getLogger(__name__)

MOST_WAITING = 4
"""Sounds that may wait for their turn. Each takes a fifth of a second: who comes later would be too late anyway."""
_START_SECONDS = 60.0
_ANSWER_SECONDS = 5.0
"""A process that has not answered by then hangs, and is replaced."""
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 60.0
"""Before a process that died is started again; twice as long each time."""


class WhisperProcess:
    """A second recogniser for all calls; implements :class:`agent.call.second_opinion.SecondRecognizer`."""

    def __init__(self, command: Sequence[str], *, most_waiting: int = MOST_WAITING) -> None:
        """``command`` starts a process that answers as ``worker.py`` does."""
        self._command = tuple(command)
        self._waiting: asyncio.Queue[tuple[bytes, asyncio.Future[SecondText]]] = asyncio.Queue(most_waiting)
        self._process: asyncio.subprocess.Process | None = None
        self._working: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    def start(self) -> None:
        """Begin to load the model, beside the calls."""
        self._working = asyncio.create_task(self._work(), name="second-opinion")
        self._working.add_done_callback(report_failure)

    async def ready(self) -> None:
        """Return when the model is loaded."""
        await self._ready.wait()

    @property
    def is_ready(self) -> bool:
        """True while its process can be asked."""
        return self._ready.is_set()

    @property
    def waiting(self) -> int:
        """How many sounds wait for their turn."""
        return self._waiting.qsize()

    @property
    def pid(self) -> int | None:
        """Process id of the worker, None when none is running."""
        return self._process.pid if self._process is not None else None

    async def hear(self, pcm: bytes) -> SecondText:
        """Return what is said in 8 kHz 16-bit audio. Raises :class:`NoSecondOpinion`, at once where it is busy."""
        if not self._ready.is_set():
            raise NoSecondOpinion("failed")
        answer: asyncio.Future[SecondText] = asyncio.get_running_loop().create_future()
        self._forget_given_up()
        try:
            self._waiting.put_nowait((pcm, answer))
        except asyncio.QueueFull:
            raise NoSecondOpinion("busy") from None
        return await answer

    def _forget_given_up(self) -> None:
        """Take out of the queue what nobody waits for any more."""
        for _ in range(self._waiting.qsize()):
            pcm, answer = self._waiting.get_nowait()
            if not answer.done():
                self._waiting.put_nowait((pcm, answer))

    async def close(self) -> None:
        """End the process; whoever waits gets no answer."""
        if self._working is not None:
            await cancel_and_wait(self._working)
        await self._end()

    async def _work(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                process = await self._begin()
                pause = _FIRST_PAUSE_SECONDS
                await self._answer_all(process)
            except (OSError, KeyError, ValueError, TimeoutError, WhisperError) as error:
                log.error("The second recogniser does not work, calls go on with the first: %s", error)
            finally:
                await self._end()
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _begin(self) -> asyncio.subprocess.Process:
        started = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
            )
        )  # fmt: skip
        try:
            self._process = process = await asyncio.shield(started)
        except asyncio.CancelledError:
            self._process = await started  # to be ended
            raise
        async with asyncio.timeout(_START_SECONDS):
            answer = await _line(process)
        if "error" in answer:
            raise WhisperError(str(answer["error"]))
        self._ready.set()
        return process

    async def _answer_all(self, process: asyncio.subprocess.Process) -> None:
        while True:
            pcm, wanted = await self._next(process)
            if wanted.done():
                continue  # whoever asked has gone on
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    told = await _ask(process, pcm)
                if "error" not in told:
                    heard = SecondText(str(told["text"]), float(str(told["confidence"])))
            except BaseException:
                _refuse(wanted)
                raise
            if wanted.done():
                continue
            if "error" in told:
                log.warning("The second recogniser could not hear a sound: %s", told["error"])
                _refuse(wanted)
            else:
                wanted.set_result(heard)

    async def _next(self, process: asyncio.subprocess.Process) -> tuple[bytes, asyncio.Future[SecondText]]:
        """Return what is to be heard next. Raises :class:`WhisperError` when the process dies meanwhile."""
        got, died = asyncio.create_task(self._waiting.get()), asyncio.create_task(process.wait())
        try:
            await asyncio.wait({got, died}, return_when=asyncio.FIRST_COMPLETED)
            if got.done():
                return got.result()
            raise WhisperError(f"its process ended with {process.returncode}")
        finally:
            await cancel_and_wait(got, died)

    async def _end(self) -> None:
        self._ready.clear()
        while not self._waiting.empty():
            _refuse(self._waiting.get_nowait()[1])
        process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate(b"")  # its pipes are closed as well
        self._process = None


async def _ask(process: asyncio.subprocess.Process, pcm: bytes) -> dict[str, object]:
    if process.stdin is None:
        raise WhisperError("its process has no input")
    process.stdin.write(LENGTH.pack(len(pcm)) + pcm)
    await process.stdin.drain()
    return await _line(process)


async def _line(process: asyncio.subprocess.Process) -> dict[str, object]:
    if process.stdout is None:
        raise WhisperError("its process has no output")
    line = await process.stdout.readline()
    if not line:
        raise WhisperError("its process died")
    answer = json.loads(line)
    if not isinstance(answer, dict):
        raise WhisperError("its process wrote something else than an answer")
    return answer


def _refuse(wanted: asyncio.Future[SecondText]) -> None:
    if not wanted.done():
        wanted.set_exception(NoSecondOpinion("failed"))


def whisper_process(directory: Path, language: str = "en") -> WhisperProcess:
    """Return the process for a converted model. Raises :class:`WhisperError` when library or model is missing."""
    check_directory(directory)
    if not has_library():
        raise WhisperError("CTranslate2 is not installed: pip install 'orderline[second-opinion]'.")
    return WhisperProcess(module_command("agent.speech.whisper.worker", str(directory), language))


__all__ = ["MOST_WAITING", "WhisperProcess", "whisper_process"]
