"""The controller's heartbeat in Asterisk, where a rescuer and a second controller can see it.

A global variable holds who beats and a stamp that changes every second. Readers watch it change on their own clock: no
two machines need to agree on the time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriError, AriNotFound
from agent.common.tasks import cancel_and_wait
from agent.errors import OrderlineError

log = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
WATCH_SECONDS = 2.5
"""A living controller has changed its stamp within this time."""
_VARIABLE = "ORDERLINE_HEARTBEAT"
_DRAINING = "draining"
"""Stands last in the value of one that takes no new calls; the dialplan prefers other instances then."""


class ApplicationTaken(OrderlineError):
    """Another controller serves this application."""

    code = "app_taken"


@dataclass(frozen=True)
class HeartbeatValue:
    """What the variable says."""

    stamp: str
    """Seconds since 1970 on the clock of the one who beats."""
    host: str
    pid: int
    draining: bool = False
    """It takes no new calls: it is about to stop, paused, or has as many as it may."""

    @classmethod
    def read(cls, text: str) -> HeartbeatValue | None:
        """Read the variable's value; None for an empty or foreign one."""
        parts = text.split()
        draining = parts[3:] == [_DRAINING]
        if len(parts) != 3 + draining or not parts[2].isdigit():
            return None
        return cls(parts[0], parts[1], int(parts[2]), draining)

    def __str__(self) -> str:
        return f"{self.stamp} {self.host} {self.pid}{f' {_DRAINING}' if self.draining else ''}"


def heartbeat_variable(app: str) -> str:
    """Return the global variable's name for an application."""
    return _VARIABLE if app == "orderline" else f"{_VARIABLE}_{app.upper().replace('-', '_')}"


class Heartbeat:
    """Beats for as long as the event loop lives. :meth:`stop` it at a clean end: nobody need wait then."""

    def __init__(
        self, ari: AriClient, clock: Callable[[], float] = time.time, *, draining: Callable[[], bool] = lambda: False
    ) -> None:
        """``clock`` gives seconds since 1970; ``draining()`` says whether this controller takes no new calls now."""
        self._draining = draining
        self._ending = False
        self._ari = ari
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self, seconds: float | None = None) -> None:
        """Begin to beat, for this long or until stopped."""
        self._task = asyncio.create_task(self._run(seconds), name="heartbeat")

    async def stop(self) -> None:
        """Stop, and leave a sign that nobody is there; idempotent."""
        if self._task is None:
            return
        await cancel_and_wait(self._task)
        self._task = None
        with contextlib.suppress(AriError):
            async with asyncio.timeout(1.0):
                await self._ari.system.set_variable(heartbeat_variable(self._ari.app), "")

    async def announce_end(self) -> None:
        """Tell at once that no new calls are taken, and go on beating; takes a second at most. Never raises."""
        if self._task is None:
            return
        self._ending = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._beat()

    def stop_beating(self) -> None:
        """Stop without a sign: the variable belongs to somebody else now."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self, seconds: float | None) -> None:
        until = None if seconds is None else time.monotonic() + seconds
        while until is None or time.monotonic() < until:
            await self._beat()
            await asyncio.sleep(BEAT_SECONDS)

    async def _beat(self) -> None:
        host = socket.gethostname().replace(" ", "-") or "host"
        beat = HeartbeatValue(f"{self._clock():.2f}", host, os.getpid(), self._ending or self._draining())
        try:
            await self._ari.system.set_variable(heartbeat_variable(self._ari.app), str(beat))
        except AriError as error:
            log.debug("no heartbeat: %s", error)


async def ensure_single_controller(ari: AriClient) -> None:
    """Return when no other controller serves our application. Raises ApplicationTaken, and what ARI raises.

    Asterisk goes on listing the application of a controller that was killed while calls are in it, so only a heartbeat
    that still changes proves life.
    """
    try:
        await ari.applications.get(ari.app)
    except AriNotFound:
        return
    first = HeartbeatValue.read(await ari.system.get_variable(heartbeat_variable(ari.app)))
    if first is None or (first.host == socket.gethostname() and not process_exists(first.pid)):
        return
    deadline = time.monotonic() + WATCH_SECONDS
    while time.monotonic() < deadline:
        await asyncio.sleep(0.2)
        beat = HeartbeatValue.read(await ari.system.get_variable(heartbeat_variable(ari.app)))
        if beat is not None and beat.stamp != first.stamp:
            raise ApplicationTaken(
                f"Another controller (process {beat.pid} on {beat.host}) serves the application '{ari.app}' of "
                f"{ari.url}. Stop it first (orderline stop), give this one another ari.app, or start with --takeover."
            )


def process_exists(pid: int) -> bool:
    """Return whether another process of this machine has this id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != os.getpid()
