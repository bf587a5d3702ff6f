"""Keeps the sound of one call: begins when the caller has been told or has agreed, and notes in the record when."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from agent.call.records import CallRecord, SoundPart, SoundRecord

log = logging.getLogger(__name__)


class SoundLeg(Protocol):
    """Has the telephone system record this call's audio."""

    async def start(self, path: str) -> float | None:
        """Record into ``path-caller.sln`` and ``path-agent.sln``; return the monotonic time of the first sample.

        None when nothing can be recorded. Raises MediaLostError when the attempt broke the call's audio.
        """


class SoundPlaces(Protocol):
    """Where sound is recorded. Its methods touch the disk: they are called off the event loop. Neither raises."""

    def new_name(self) -> str:
        """Return a name that nobody can guess; ``""`` when there is no room for sound just now, or no directory."""

    def prepare(self, name: str, part: int | str) -> str:
        """Make a part's files, empty; return their path without side and ending, ``""`` when that is not possible."""


_DISK_SECONDS = 1.0


class CallSound:
    """The sound of one call, where the shop keeps it."""

    def __init__(
        self, leg: SoundLeg, places: SoundPlaces, may_record: Callable[[], bool], *, with_staff: bool = False
    ) -> None:
        """``may_record()`` is True once the caller has been told or has agreed.

        ``with_staff`` goes on recording when the call is with the staff.
        """
        self._leg = leg
        self._places = places
        self._may_record = may_record
        self._with_staff = with_staff
        self._tried = False

    async def begin_when_allowed(self, record: CallRecord, since_answer: Callable[[float], float]) -> None:
        """Begin to record, once, if the caller is to be recorded; asked before each turn.

        ``since_answer(monotonic seconds)`` is the time on the record's clock. Raises MediaLostError.
        """
        if self._tried or not self._may_record():
            return
        self._tried = True
        sound = record.sound
        name = sound.name if sound is not None else await _on_disk(self._places.new_name)
        number = len(sound.parts) + 1 if sound is not None else 1
        path = await _on_disk(self._places.prepare, name, number) if name else ""
        if not path:
            return
        began = await self._leg.start(path)
        if began is None:
            return
        if sound is None:
            sound = record.sound = SoundRecord(name)
        sound.parts.append(SoundPart(number, round(since_answer(began), 3)))
        log.info("Call %s is recorded from %.1f s on", record.id, sound.parts[-1].from_seconds)

    async def handover_variables(self, record: CallRecord) -> dict[str, str]:
        """Return the channel variables by which the dialplan records the conversation with staff as well."""
        sound = record.sound
        if not self._with_staff or sound is None or not self._may_record():
            return {}
        path = await _on_disk(self._places.prepare, sound.name, "staff")
        if not path:
            return {}
        sound.staff = True
        return {"ORDERLINE_SOUND_STAFF": path}


async def _on_disk(work: Callable[..., str], *arguments: object) -> str:
    """Ask the directory of sound; ``""`` where it does not answer at once: a caller waits."""
    try:
        async with asyncio.timeout(_DISK_SECONDS):
            return await asyncio.to_thread(work, *arguments)
    except TimeoutError:
        log.error("The directory of sound has not answered for %g s: nothing is recorded", _DISK_SECONDS)
        return ""


class NoSound:
    """Implements the same for calls of which no sound is kept."""

    async def begin_when_allowed(self, record: CallRecord, since_answer: Callable[[float], float]) -> None:
        """Do nothing."""

    async def handover_variables(self, record: CallRecord) -> dict[str, str]:
        """Return nothing."""
        return {}
