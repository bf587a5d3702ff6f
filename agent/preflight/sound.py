"""Checks that Asterisk can record calls: module, dialplan, directory, and a short recording that is really made."""

from __future__ import annotations

import asyncio
import contextlib
import stat
from collections.abc import Collection
from pathlib import Path

from agent.asterisk.ari.client import AriClient
from agent.asterisk.media_websocket import WebsocketMedia
from agent.asterisk.sound_leg import CONTEXT, MODULE, MediaLegRecorder
from agent.call.errors import MediaLostError
from agent.common.privileges import AGENT_USER
from agent.preflight.finding import Finding
from agent.records.sound_files import SoundDirectory

WHAT = "sound"
_TRIAL_SECONDS = 0.4
_CLOSE_SECONDS = 3.0
"""Asterisk writes what it recorded to the disk when the leg has ended."""


def sound_directory_finding(sound: SoundDirectory) -> Finding:
    """Whether the agent and Asterisk can both write where calls are recorded."""
    try:
        sound.make()
        outer, inner = sound.directory.stat(), sound.incoming.stat()
    except OSError as error:
        return Finding(WHAT, "failed", f"{error.filename}: {error.strerror}", _fix(sound.directory))
    free = sound.new_name()
    if not free:
        return Finding(WHAT, "failed", sound.problem, "make room on that disk, or set sound.least_free_mb lower")
    if inner.st_mode & stat.S_IRWXO:
        return Finding(WHAT, "warning", f"{sound.incoming}: everybody on this machine may enter", _fix(sound.directory))
    if not outer.st_mode & stat.S_IXOTH and inner.st_gid != outer.st_gid:
        detail = f"{sound.directory}: Asterisk's user cannot pass through it"
        return Finding(WHAT, "warning", detail, f"chmod 751 {sound.directory}")
    return Finding(WHAT, "ok", f"calls can be recorded in {sound.directory}")


def sound_module_findings(modules: Collection[str]) -> list[Finding]:
    """Whether Asterisk has what records calls, and writes the samples."""
    return [
        Finding(WHAT, "failed", f"{name} is not running: no call is recorded", f"asterisk -rx 'module load {name}'")
        for name in (MODULE, "format_sln.so")
        if name not in modules
    ]


async def sound_trial_finding(ari: AriClient, media_id: str, bridge_id: str, sound: SoundDirectory) -> Finding:
    """Record a moment of silence as a call is recorded, and look at what Asterisk wrote. Raises AriError."""
    name = sound.new_name()
    path = sound.prepare(name, 1) if name else ""
    if not path:
        return Finding(WHAT, "failed", sound.problem, _fix(sound.directory))
    media = WebsocketMedia(ari, media_id, asyncio.Queue())
    try:
        await media.open()
        await ari.bridges.create(bridge_id)
        try:
            began = await MediaLegRecorder(ari, media_id, bridge_id).start(path)
            await asyncio.sleep(_TRIAL_SECONDS)  # what is recorded is this time
        except MediaLostError as error:
            return Finding(
                WHAT, "failed", error.message, "orderline wire --apply; then: asterisk -rx 'dialplan reload'"
            )
        finally:
            await media.close()
            await ari.bridges.destroy(bridge_id)
        if began is None:
            detail = f"the dialplan has no [{CONTEXT}], or {MODULE} is not running"
            return Finding(WHAT, "failed", detail, "orderline wire --apply; then: asterisk -rx 'dialplan reload'")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                while not sound.raw_part(name, "1").seconds:  # noqa: ASYNC110 - a file of another process
                    await asyncio.sleep(0.05)
        if not sound.raw_part(name, "1").seconds:
            return Finding(WHAT, "failed", f"Asterisk could not write into {sound.incoming}", _fix(sound.directory))
        return Finding(WHAT, "ok", "a trial recording was made and deleted")
    finally:
        sound.delete(name)


def _fix(directory: Path) -> str:
    return (
        f"install -d -o {AGENT_USER} -g {AGENT_USER} -m 751 {directory}; "
        f"install -d -o {AGENT_USER} -g asterisk -m 2770 {directory}/incoming (or give your Asterisk's group)"
    )
