"""Calls to customers as the console shows and switches them: the file that ``orderline outbound`` uses as well."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.common.phone_numbers import e164
from agent.config.settings import Settings
from agent.outbound.model import Job, JobState, OutboundError, Purpose, Suppression, SuppressionScope
from agent.outbound.overview import Forecast, figures, forecast
from agent.outbound.schema import FILE_NAME
from agent.outbound.store import Campaign, Note, OutboundStore

WAITING = (JobState.OPEN, JobState.CALLING, JobState.BLOCKED)
CAMPAIGN_STATES = {"pause": "paused", "resume": "running", "stop": "stopped"}
"""What is asked for -> what the campaign is then."""
MOST_JOBS = 500
_MOST_COUNTED = 100_000


@dataclass(frozen=True)
class JobList:
    """The campaign and its jobs."""

    campaign: Campaign
    jobs: Sequence[Job]
    more: bool
    """There are more jobs than are listed."""
    notes: Sequence[Note]
    """What a person has to look at, the latest first."""


class CustomerCalls:
    """Jobs, campaign and do-not-call list of this node. Methods raise OutboundUnavailable. Close it."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._store = OutboundStore(settings.state_directory)

    @property
    def enabled(self) -> bool:
        """Whether this node calls customers once the campaign runs."""
        return self._settings.outbound.enabled

    @property
    def used(self) -> bool:
        """Whether there is anything to show: it is enabled, or jobs or numbers were brought in."""
        return self.enabled or (self._settings.state_directory / FILE_NAME).is_file()

    async def close(self) -> None:
        """Close the file."""
        await self._store.close()

    async def campaign(self) -> Campaign:
        """Return whether customers are called."""
        return await self._store.campaign()

    async def jobs(self, *, every: bool) -> JobList:
        """Return the jobs that wait (``every``: all), the next one first."""
        states = tuple(JobState) if every else WAITING
        found = await self._store.jobs(states, MOST_JOBS + 1)
        campaign, notes = await self._store.campaign(), await self._store.notes()
        return JobList(campaign, found[:MOST_JOBS], len(found) > MOST_JOBS, notes)

    async def forecast(self) -> tuple[Sequence[Forecast], bool]:
        """Return who would be called, when, who not and why, the earliest first; and whether there are more jobs."""
        outbound = self._settings.outbound
        waiting = await self._store.jobs(WAITING, MOST_JOBS + 1)
        now = self._now().astimezone(UTC)
        purposes = outbound.purposes_taken_in()
        found = await forecast(self._store, waiting[:MOST_JOBS], outbound.rules(), outbound.call_hours, purposes, now)
        found.sort(key=lambda one: (one.when is None, one.when or now))
        return found, len(waiting) > MOST_JOBS

    async def results(self, days: int) -> Mapping[str, Any]:
        """Count what the calls of the last ``days`` came to: ``purposes`` by name, ``survey_excluded`` by reason."""
        begin = self._now() - timedelta(days=days)
        jobs = await self._store.jobs(limit=_MOST_COUNTED)
        made = [job for job in jobs if job.created_at is not None and job.created_at >= begin]
        attempts = await self._store.attempts_since(begin)
        counted = {
            purpose.value: figures(
                [attempt for attempt in attempts if attempt.purpose is purpose],
                [job for job in made if job.purpose is purpose],
            )
            for purpose in Purpose
        }
        return {"days": days, "purposes": counted, "survey_excluded": await self._store.excluded_since(begin)}

    async def switch(self, what: str, by: str) -> Campaign:
        """``pause``, ``resume`` or ``stop``; it is so after a restart too."""
        return await self._store.set_campaign(CAMPAIGN_STATES[what], by, "", self._now())

    async def suppress(self, number: str, scope: SuppressionScope, by: str) -> tuple[str, int]:
        """Put a number on the do-not-call list; returns it in full, and how many jobs were dropped for it.

        Raises OutboundError for what is no number.
        """
        whole = self._whole(number)
        return whole, len(await self._store.suppress([(whole, scope, f"console {by}")], self._now()))

    async def unsuppress(self, number: str) -> tuple[str, int]:
        """Take a number off the list; returns it in full, and how many entries it had. Raises OutboundError."""
        whole = self._whole(number)
        return whole, await self._store.unsuppress(whole)

    async def suppressions(self, number: str = "") -> list[Suppression]:
        """Return the list, the latest first; with a number, what is on it of that number. Raises OutboundError."""
        found = (await self._store.suppressions())[::-1]
        if not number:
            return found
        whole = self._whole(number)
        return [one for one in found if one.number == whole]

    def _whole(self, number: str) -> str:
        found = e164(number, self._settings.shop.country)
        if not found:
            raise OutboundError(
                f"{number[:40]!r} is no telephone number: write it as it is dialled, or with + and country"
            )
        return found
