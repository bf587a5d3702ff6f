"""Reports one call while it goes on, with the response time of each of the agent's turns."""

from __future__ import annotations

import asyncio
import time

from agent.rehearsal.call_log import CallLog
from agent.rehearsal.live_feed import FeedEvent
from agent.rehearsal.report import RehearsalReport
from agent.rehearsal.sound_detector import SoundDetector

_FIRST_SOUND_SECONDS = 1.5
"""The agent tells what it says when it hands the audio over; the caller hears it a few frames later."""
_POLL_SECONDS = 0.02


class ProgressReporter:
    """Run :meth:`run` beside the player, and cancel it when the call is over; :meth:`rest` tells what is left."""

    def __init__(self, call: str, log: CallLog, report: RehearsalReport) -> None:
        self._call = call
        self._log = log
        self._report = report
        self._ear = SoundDetector(log.heard)
        self._told_events = 0
        self._told_spoken = 0
        self._timed = -2
        """Index of the last utterance whose response time has been told; -1 stands for the answer."""

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            await self._tell(wait=True)
            # Two sources, of which the caller's own words have no event; a frame's time is soon enough for a reader.
            await asyncio.sleep(_POLL_SECONDS)

    async def rest(self) -> None:
        """Tell what has not been told yet, at once."""
        await self._tell(wait=False)

    async def _tell(self, *, wait: bool) -> None:
        while True:
            event = self._log.feed.events[self._told_events] if self._told_events < len(self._log.feed.events) else None
            spoken = self._log.spoken[self._told_spoken] if self._told_spoken < len(self._log.spoken) else None
            if spoken is not None and (event is None or spoken.began_at <= event.at):
                self._told_spoken += 1
                self._report.caller_said(self._call, spoken.said, spoken.via, spoken.barge_in)
            elif event is not None:
                response_ms = await self._response_ms(event, wait=wait) if event.name == "agent_said" else None
                self._told_events += 1
                self._tell_event(event, response_ms)
            else:
                return

    async def _response_ms(self, event: FeedEvent, *, wait: bool) -> float | None:
        """Measure the agent's reaction to the last thing said before this event; once for each."""
        index = max((i for i, spoken in enumerate(self._log.spoken) if spoken.began_at <= event.at), default=-1)
        if index <= self._timed:
            return None
        span = self._log.spoken[index].span if index >= 0 else None
        since = self._log.answered_at if index < 0 else span.end if span else None
        if since is None:
            return None
        self._timed = index
        deadline = time.monotonic() + (_FIRST_SOUND_SECONDS if wait else 0.0)
        while True:
            onset = self._ear.onset_since(since)
            if onset is not None and onset >= since:
                return (onset - since) * 1000
            if time.monotonic() >= deadline:
                return None
            await asyncio.sleep(_POLL_SECONDS)

    def _tell_event(self, event: FeedEvent, response_ms: float | None) -> None:
        data = event.data
        if event.name == "agent_said":
            if data.get("text"):
                self._report.agent_said(self._call, str(data["text"]), response_ms)
        elif event.name == "caller_said":
            self._report.agent_heard(self._call, str(data.get("heard", "")), str(data.get("slot", "") or ""))
        elif event.name == "effect":
            milliseconds = float(data.get("ms") or 0.0)
            self._report.happened(
                self._call, f"{data.get('name')}: {data.get('code') or 'done'} ({milliseconds:.0f} ms)"
            )
        elif event.name == "handed_over":
            self._report.happened(self._call, f"handed over: {data.get('reason')}, {data.get('ticket') or 'no ticket'}")
            self._report.happened(self._call, f"the story: {data.get('summary')}")
