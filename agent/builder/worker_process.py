"""A warm process that checks, simulates and tests packs, so that neither the console's pages nor calls wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping
from typing import Any

from agent.builder.workbench_settings import WorkbenchSettings
from agent.common.own_processes import module_command
from agent.errors import OrderlineError

log = logging.getLogger(__name__)

Told = Callable[[str, int, int], None]
_NICE = 10
_MOST_LINE_BYTES = 64 * 1024 * 1024
_IDLE_SECONDS = 900.0
START_SECONDS = 180.0
"""A cold start loads the languages and the speech tools; on a machine busy with calls it stands back for them."""


class WorkerLost(OrderlineError):
    """The process died, or took too long and was ended; the next request starts another one."""

    code = "builder_worker"
    retryable = True


class WorkRefused(OrderlineError):
    """The work cannot be done as it was asked for; ``code`` says why."""

    def __init__(self, code: str, message: str, findings: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.findings = findings


class WorkerProcess:
    """One child, started with the first request and ended when nobody has asked for a quarter of an hour.

    Requests are done one after another. A request that is cancelled, or takes too long, ends the child with whatever it
    held; :attr:`generation` tells that it is another one.
    """

    def __init__(self, settings: WorkbenchSettings, name: str, *, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._settings = settings
        self._name = name
        self._idle_seconds = idle_seconds
        self._one_at_a_time = asyncio.Lock()
        self._process: Process | None = None
        self._number = 0
        self._ending: asyncio.TimerHandle | None = None
        self.generation = 0
        """Counts the children."""

    @property
    def pid(self) -> int | None:
        """Process id of the child, None while there is none."""
        return self._process.pid if self._process is not None else None

    async def ask(self, do: str, seconds: float, told: Told = lambda stage, done, of: None, **values: Any) -> Any:
        """Have a work done and return its result. ``told`` hears how far it is.

        Raises :class:`WorkRefused` for what cannot be done, :class:`WorkerLost`.
        """
        async with self._one_at_a_time:
            if self._ending is not None:
                self._ending.cancel()
            self._number += 1
            try:
                async with asyncio.timeout(START_SECONDS):
                    process = await self._running()
                async with asyncio.timeout(seconds):
                    answer = await self._exchange(process, {"number": self._number, "do": do, "with": values}, told)
            except TimeoutError as error:
                await self._end()
                raise WorkerLost(f"The {self._name} took too long and was ended. Is the machine very busy?") from error
            except (OSError, ValueError, EOFError) as error:
                await self._end()
                raise WorkerLost(f"The {self._name} has died; what was asked for was not done.") from error
            except asyncio.CancelledError:
                await self._end()
                raise
            self._ending = asyncio.get_running_loop().call_later(self._idle_seconds, self._end_idle)
        if (problem := answer.get("problem")) is not None:
            raise WorkRefused(problem["code"], problem["message"], tuple(problem.get("findings", ())))
        return answer["result"]

    async def close(self) -> None:
        """End the child."""
        if self._ending is not None:
            self._ending.cancel()
        await self._end()

    async def _exchange(self, process: Process, request: Mapping[str, Any], told: Told) -> Mapping[str, Any]:
        if process.stdin is None or process.stdout is None:
            raise EOFError
        process.stdin.write(json.dumps(request).encode() + b"\n")
        await process.stdin.drain()
        while True:
            line = await process.stdout.readline()
            if not line:
                raise EOFError
            answer: Mapping[str, Any] = json.loads(line)
            if answer["number"] == request["number"]:
                if "stage" not in answer:
                    return answer
                told(answer["stage"], answer["done"], answer["of"])

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self.generation += 1
            self._process = await asyncio.create_subprocess_exec(
                *module_command("agent.builder.worker", json.dumps(self._settings.to_json())),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_MOST_LINE_BYTES,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                preexec_fn=_stand_back,
                start_new_session=True,
            )
            if self._process.stdout is None or not await self._process.stdout.readline():
                raise EOFError
        return self._process

    def _end_idle(self) -> None:
        """End the child unless somebody is asking."""
        process = self._process
        if not self._one_at_a_time.locked() and process is not None and process.returncode is None:
            log.info("The %s has had nothing to do and is ended", self._name)
            self._process = None
            process.kill()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _stand_back() -> None:
    os.nice(_NICE)
