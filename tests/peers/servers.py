"""One real server as a child process: started, awaited until it answers, and ended with all it has started."""

# ruff: noqa: ASYNC240 - it runs before any call exists, and looks at a few names on the local disk
from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from agent.rehearsal.port_block import LOOPBACK

START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.02


class ServerDied(Exception):
    """A server ended by itself or never answered; the message ends with its last words."""


@contextlib.asynccontextmanager
async def running_server(
    command: Sequence[str | Path],
    log: Path,
    ready: Callable[[], Awaitable[bool]],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
) -> AsyncIterator[None]:
    """Hold a server for the length of a ``with`` block. It dies with us, however we die. Raises ServerDied."""
    guard = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    with log.open("ab") as said:
        process = await asyncio.create_subprocess_exec(
            *guard,
            *command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    ended = asyncio.create_task(process.wait())
    try:
        await _answers(command, log, ready, ended)
        yield
    finally:
        for end in (signal.SIGTERM, signal.SIGKILL):  # the second also for what it has started and left behind
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, end)
            await asyncio.wait({ended}, timeout=_STOP_SECONDS)
        await ended


async def _answers(
    command: Sequence[str | Path], log: Path, ready: Callable[[], Awaitable[bool]], ended: asyncio.Task[int]
) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            # A server tells nobody that it is up; until it answers, waiting for an early death is all there is.
            while not (await asyncio.wait({ended}, timeout=_POLL_SECONDS))[0]:
                if await ready():
                    return
    how = f"ended with code {ended.result()}" if ended.done() else f"did not answer within {START_SECONDS:.0f} s"
    last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
    raise ServerDied(f"{command[0]} {how}: {' / '.join(last)}")


async def listens(port: int) -> bool:
    """Whether somebody accepts connections on this port of loopback."""
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
