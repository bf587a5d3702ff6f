"""Asks the callers of a dead agent to hold while a new one starts, before it loads anything else.

Loading takes longer than the dialplan's dead-man timer lasts. So the timers of callers whose conversation can be gone
on with are wound once more, once a call, and they hear that somebody is coming.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriError
from agent.asterisk.heartbeat import Heartbeat, HeartbeatValue, heartbeat_variable, process_exists
from agent.asterisk.orphans import orphan_channels
from agent.config.settings import Settings
from agent.recovery.snapshot import call_was_on_channel
from agent.recovery.sqlite_snapshots import SqliteSnapshotStore

log = logging.getLogger(__name__)

_HELD = "ORDERLINE_HELD"
_SOUND = "sound:one-moment-please"
_SPARE_SECONDS = 1.0
"""From being ready to having the callers."""
_LONGEST_SECONDS = 2.0
"""For all of it: an Asterisk that does not answer must not hold up the start."""


class RestartHold:
    """How many callers hold, and how long a start takes here: remembered from one start to the next."""

    def __init__(self, file: Path) -> None:
        self.callers = 0
        self.last_start_seconds = 0.0
        """How long the last start took; 0 when nobody knows."""
        self._file = file
        self._began = time.monotonic()
        with contextlib.suppress(OSError, ValueError):
            self.last_start_seconds = float(file.read_text(encoding="utf-8"))

    def ready(self) -> None:
        """Remember how long it took. A file that cannot be written costs nothing but that."""
        with contextlib.suppress(OSError):
            self._file.write_text(f"{time.monotonic() - self._began:.1f}\n", encoding="utf-8")


@contextlib.asynccontextmanager
async def hold_callers(settings: Settings) -> AsyncIterator[RestartHold]:
    """Hold the callers of a dead controller while the block starts a new one; say ``ready()`` when it has.

    A start that takes longer than ``call.resume_seconds`` leaves them to the dialplan after all. Where the last start
    took longer than that nobody is held: it would only keep them from the staff.
    """
    holding = RestartHold(settings.state_directory / "start-seconds")
    if not settings.call.resume_seconds or settings.instances > 1:  # another instance takes them sooner
        yield holding
        return
    if holding.last_start_seconds > settings.call.resume_seconds - _SPARE_SECONDS:
        log.info("Nobody is held: the last start took %.1f s", holding.last_start_seconds)
        yield holding
        return
    ari = AriClient.of(settings.ari, request_timeout_seconds=1.0)
    ari.open()
    heart = Heartbeat(ari)
    try:
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                holding.callers = await _hold(ari, settings)
        except (TimeoutError, AriError) as error:
            reason = error or f"Asterisk did not answer within {_LONGEST_SECONDS:g} s"
            log.warning("Callers of a controller that died are not asked to hold: %s", reason)
        if holding.callers:
            heart.start(settings.call.resume_seconds)  # else a rescuer would take them
            log.warning("%d caller(s) of a controller that died are asked to hold", holding.callers)
        yield holding
    finally:
        heart.stop_beating()
        await ari.close()


async def _hold(ari: AriClient, settings: Settings) -> int:
    beat = HeartbeatValue.read(await ari.system.get_variable(heartbeat_variable(ari.app)))
    if beat is None or beat.host != socket.gethostname() or process_exists(beat.pid):
        return 0  # nobody was there, or somebody may still be
    strays = [stray for stray in orphan_channels(await ari.channels.list(), ari.app) if not stray.is_outbound]
    if not strays:
        return 0
    keeper = await SqliteSnapshotStore.open(settings.state_directory / "state.sqlite", "")
    try:
        kept = {kept.call_id for kept in await keeper.left_behind()}
    finally:
        await keeper.close()
    count = 0
    for stray in strays:
        channel_id = str(stray.channel["id"])
        known = any(call_was_on_channel(call_id, channel_id) for call_id in kept)
        if not known or stray.channel.get("state") != "Up" or await ari.channels.get_variable(channel_id, _HELD):
            continue
        await ari.channels.set_variable(channel_id, _HELD, "1")
        await ari.channels.set_variable(channel_id, "TIMEOUT(absolute)", str(settings.call.resume_seconds))
        with contextlib.suppress(AriError):  # a PBX without this recording holds in silence
            await ari.channels.play(channel_id, _SOUND)
        count += 1
    return count
