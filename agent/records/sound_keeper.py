"""Finishes the recordings of calls that are over, and removes what belongs to no call.

It needs to know nothing of what happened before: what lies in the directory and in the table of recordings is enough.
So a process that dies at any moment leaves nothing that its successor does not put in order, and a recording in which
something must be silenced is either finished or not there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from agent.common.sqlite import SqliteFile
from agent.records import sounds_sql
from agent.records.sound_files import STAFF, RawPart, SoundDirectory
from agent.records.sound_finishing import PlacedPart, finish, place
from agent.records.sounds_sql import UnfinishedSound

log = logging.getLogger(__name__)

SETTLED_SECONDS = 3.0
"""A file that Asterisk writes to changes more often than this."""
ORPHAN_SECONDS = 24 * 3600.0
"""What is older than this and belongs to no record never will."""
_SOON_SECONDS = 1.0
_LATER_SECONDS = 10.0
_TIDY_SECONDS = 3600.0

ChannelGone = Callable[[str], Awaitable[bool]]
"""Whether the channel of a call has ended, given the call's id; False where nobody can say."""


class SoundKeeper:
    """Finishes the recordings of one database. Only one process at a time may run it for one database."""

    def __init__(
        self,
        database: SqliteFile,
        directory: SoundDirectory,
        news: asyncio.Event,
        channel_gone: ChannelGone,
        waiting: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = time.time,
        known_elsewhere: Callable[[], Collection[str] | None] = lambda: (),
    ) -> None:
        """``news`` is set when a record with sound has been written; ``clock`` gives seconds since 1970.

        ``known_elsewhere()`` gives the recordings of other databases that use the directory, None where that cannot be
        said now. It is asked on a thread and may raise OSError and sqlite3.Error.

        ``waiting()`` is how many records are not in the database yet: their recordings are not orphans.
        """
        self._database = database
        self._directory = directory
        self._news = news
        self._channel_gone = channel_gone
        self._waiting = waiting
        self._clock = clock
        self._known_elsewhere = known_elsewhere
        self._tidied_at = 0.0
        self.problem = ""
        """Why recordings cannot be finished just now, ``""`` while they can."""

    @property
    def status(self) -> str:
        """Why calls are not recorded, or recordings not finished, just now; ``""`` where nothing is wrong."""
        return self._directory.problem or self.problem

    async def run(self, stopping: asyncio.Event) -> None:
        """Finish recordings as their calls end, until ``stopping`` is set."""
        stop = asyncio.create_task(stopping.wait(), name="sound-stopping")
        try:
            while not stopping.is_set():
                self._news.clear()
                wait_seconds = await self._round()
                news = asyncio.create_task(self._news.wait(), name="sound-news")
                await asyncio.wait((stop, news), timeout=wait_seconds, return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
        finally:
            stop.cancel()

    async def _round(self) -> float:
        """Do what can be done now; returns after how many seconds to look again."""
        try:
            left = await self.finish_ready()
            if self._clock() - self._tidied_at > _TIDY_SECONDS:
                await self.tidy()
                self._tidied_at = self._clock()
        except (OSError, sqlite3.Error) as error:
            if str(error) != self.problem:
                log.error("Recordings wait to be finished in %s: %s", self._directory.incoming, error)
            self.problem = str(error)
            return _LATER_SECONDS
        self.problem = ""
        return left

    async def finish_ready(self) -> float:
        """Finish what is ready; returns after how many seconds to look again. Raises OSError, sqlite3.Error."""
        again = _TIDY_SECONDS
        for sound in await self._database.transaction(sounds_sql.unfinished):
            told = sound.record.get("sound") or {}
            parts = await asyncio.to_thread(self._parts, sound.name)
            if parts and self._clock() - max(part.changed_at for part in parts) < SETTLED_SECONDS:
                again = min(again, _SOON_SECONDS)
            elif told.get("staff") and not await self._channel_gone(sound.call_id):
                again = min(again, _LATER_SECONDS)
            else:
                await self._finish(sound, parts)
        return again

    async def _finish(self, sound: UnfinishedSound, parts: list[RawPart]) -> None:
        target = self._directory.kept_file(sound.name)
        placed = _placed(sound.record, parts)
        if not any(part.raw.seconds for part in placed):
            log.error(
                "Nothing is in the recording of call %s: can Asterisk write into %s? See orderline check",
                *(sound.call_id, self._directory.incoming),
            )
            state, seconds = "empty", 0.0
        else:
            silent = (sound.record.get("sound") or {}).get("silent") or ()
            spoken = [
                at for turn in sound.record.get("turns") or () if (at := turn.get("audible_at_seconds")) is not None
            ]
            state, seconds = "kept", await asyncio.to_thread(finish, placed, silent, target, spoken)
        await self._database.transaction(lambda db: sounds_sql.finished(db, sound.name, state, seconds))
        for part in parts:  # not before: a process that dies here leaves them to tidy()
            await asyncio.to_thread(part.delete)
        log.info("The recording of call %s is finished", sound.call_id)

    async def tidy(self) -> int:
        """Remove what is left over: files of finished recordings, and of none. Returns how many recordings that were.

        Raises OSError, sqlite3.Error.
        """
        known = await self._database.transaction(sounds_sql.states)
        elsewhere = await asyncio.to_thread(self._known_elsewhere)
        before = self._clock() - ORPHAN_SECONDS
        removed = 0
        for name, parts in (await asyncio.to_thread(self._directory.raw_parts)).items():
            unknown = name not in known and not self._waiting() and elsewhere is not None and name not in elsewhere
            orphan = unknown and max(part.changed_at for part in parts) < before
            if known.get(name, "raw") != "raw" or orphan:
                for part in parts:
                    await asyncio.to_thread(part.delete)
                removed += 1
        if removed:
            log.warning("%d recording(s) that belong to no call, or were finished before, are removed", removed)
        return removed

    def _parts(self, name: str) -> list[RawPart]:
        with contextlib.suppress(FileNotFoundError):
            self._directory.kept.mkdir(mode=0o700, exist_ok=True)
        return self._directory.raw_parts().get(name, [])


def _placed(record: Mapping[str, Any], parts: list[RawPart]) -> list[PlacedPart]:
    """Return the parts with their beginnings; one that the record does not tell of is left out.

    It was begun by a process that died before it could say when: where in it something must be silent is not known.
    """
    answered = record.get("answered_utc")
    answered_utc = float(answered) if isinstance(answered, int | float) else None
    told = (record.get("sound") or {}).get("parts") or ()
    begins = {str(part["number"]): float(part["from_seconds"]) for part in told}
    placed = [place(part, begins[part.part], answered_utc) for part in parts if part.part in begins]
    if answered_utc is not None:
        placed += [place(part, None, answered_utc) for part in parts if part.part == STAFF and part.seconds]
    return placed
