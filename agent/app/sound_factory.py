"""Builds what keeps the sound of calls: the directory, the recording of one call, and the keeper that finishes them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from agent.app.outbox_factory import calls_path
from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriError
from agent.asterisk.stasis_app import AsteriskCallerLine
from agent.call.sound import CallSound, NoSound
from agent.config.base import SettingsError
from agent.config.instances import instance_files
from agent.config.settings import Settings
from agent.config.sound import check_dialplan_path
from agent.dialog.engine.consent import ConsentAnswer
from agent.records.call_store import CallStore
from agent.records.sound_files import SoundDirectory
from agent.records.sound_keeper import SoundKeeper
from agent.recovery.snapshot import call_was_on_channel

_BUSY_SECONDS = 5.0
_AGREED: tuple[ConsentAnswer, ...] = ("announced", "given")


def sound_path(settings: Settings) -> Path:
    """Return where sound is kept, whether or not any is."""
    return settings.sound.directory or settings.shared_directory / "sound"


def sound_directory(settings: Settings) -> SoundDirectory:
    """Return the directory of sound. Raises SettingsError when its path cannot stand in the dialplan."""
    path = sound_path(settings).absolute()
    if settings.sound.keep:
        try:
            check_dialplan_path(path)
        except ValueError as error:
            raise SettingsError(f"sound.directory: {path}: {error}") from error
    return SoundDirectory(path, settings.sound.least_free_mb * 1_000_000)


def sound_of_call(
    settings: Settings, directory: SoundDirectory, line: AsteriskCallerLine, consent: Callable[[], ConsentAnswer]
) -> CallSound | NoSound:
    """Return what records one call; ``consent()`` is what the caller has said so far."""
    if not settings.sound.keep or line.sound_leg is None:
        return NoSound()
    return CallSound(line.sound_leg, directory, lambda: consent() in _AGREED, with_staff=settings.sound.with_staff)


def sound_keeper(settings: Settings, directory: SoundDirectory, records: CallStore, ari: AriClient) -> SoundKeeper:
    """Return what finishes recordings."""
    own = calls_path(settings)

    async def channel_gone(call_id: str) -> bool:
        try:
            channels = await ari.channels.list()
        except AriError:
            return False
        return not any(call_was_on_channel(call_id, str(channel["id"])) for channel in channels)

    def known_elsewhere() -> frozenset[str] | None:
        return _recordings_of([file for file in instance_files(settings, own.name) if file != own])

    return SoundKeeper(
        records.database,
        directory,
        records.sound_news,
        channel_gone,
        lambda: records.waiting,
        known_elsewhere=known_elsewhere,
    )


def _recordings_of(files: Sequence[Path]) -> frozenset[str] | None:
    """Return the recordings that other instances' files tell of, None while a record waits to get into one of them."""
    names: set[str] = set()
    for file in files:
        spool = file.with_name(file.name + ".spool.jsonl")
        if spool.is_file() and spool.stat().st_size:
            return None
        if file.is_file():
            with closing(sqlite3.connect(file, timeout=_BUSY_SECONDS)) as db:
                names |= {name for (name,) in db.execute("SELECT name FROM sounds")}
    return frozenset(names)
