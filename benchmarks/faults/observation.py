"""What all fault matrices do with callers, agents and logs: dial, ask an agent, look for what is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from agent.common.tasks import cancel_and_wait
from agent.rehearsal.asterisk_process import Pbx
from agent.rehearsal.call_centre import AgentProcess
from agent.rehearsal.exchange import PhoneExchange
from agent.rehearsal.live_feed import CallFeed
from agent.rehearsal.phone import Leg
from benchmarks.faults.fault_caller import FaultCaller

RECORD_SECONDS = 30.0
_LEFTOVER_SECONDS = 20.0
_NEVER = ("Traceback", "never retrieved", "was never awaited", "Unclosed")


def caller_number(place: int) -> str:
    """Return the fictional number of the caller at a place, counted from 1."""
    return f"{202 + (place // 100) % 700}55501{place % 100:02d}"


@contextlib.asynccontextmanager
async def dialled_caller(
    exchange: PhoneExchange, number: str, dial: str, feed: contextlib.AbstractAsyncContextManager[CallFeed]
) -> AsyncIterator[FaultCaller]:
    """Dial and follow the call; the caller is gone when the block ends."""
    async with feed as followed, joined(await exchange.dial(dial, number, "")) as leg:
        yield FaultCaller(number, leg, followed)


@contextlib.asynccontextmanager
async def joined(leg: Leg) -> AsyncIterator[Leg]:
    """Join a leg with its audio as soon as it is answered; it is closed when the block ends."""
    joining = asyncio.create_task(join_when_answered(leg))
    try:
        yield leg
    finally:
        await cancel_and_wait(joining)
        await leg.close()


async def join_when_answered(leg: Leg) -> None:
    """Join the leg with its audio as soon as it is answered."""
    await leg.answered.wait()
    if leg.answered_at is not None:
        await leg.join()


async def agent_page(agent: AgentProcess, name: str, seconds: float | None = None) -> Mapping[str, Any]:
    """Ask an agent's control server for a page, for so long at most. Raises what aiohttp raises, and TimeoutError."""
    headers = {"Authorization": f"Bearer {agent.token}"}
    async with (
        asyncio.timeout(seconds),
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{agent.control_url}/{name}") as answer,
    ):
        page: dict[str, Any] = await answer.json()
        return page


async def leftovers(pbxes: Sequence[Pbx], held_calls: Callable[[], Awaitable[list[str]]]) -> list[str]:
    """Return channels and bridges, and what ``held_calls`` tells, that are still there when they had a moment to go."""
    deadline = time.monotonic() + _LEFTOVER_SECONDS
    left: list[str] = []
    while time.monotonic() < deadline:
        left = []
        for pbx in pbxes:
            channels = (await pbx.cli("core show channels concise")).splitlines()
            bridges = (await pbx.cli("bridge show all")).splitlines()
            left += [f"{pbx.name}: {line}" for line in channels if line.strip()]
            left += [f"{pbx.name}: {line}" for line in bridges if line.strip() and "Bridge-ID" not in line]
        left += await held_calls()
        if not left:
            return []
        await asyncio.sleep(0.1)
    return left


class LogReader:
    """Finds in logs what no program should write. Blocks on files."""

    def __init__(self) -> None:
        self._read: dict[Path, int] = {}
        """How far each log has been looked through."""

    def unexpected(self, paths: Iterable[Path]) -> list[str]:
        """Return such lines since the last look."""
        found = []
        for path in paths:
            with path.open(encoding="utf-8", errors="replace") as file:
                file.seek(self._read.get(path, 0))
                lines = file.read().splitlines()
                self._read[path] = file.tell()
            found += [f"{path.name}: {line}" for line in lines if any(sign in line for sign in _NEVER)]
        return found
