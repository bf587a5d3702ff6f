"""Caller of the fault matrix, and the states a call can be in when something breaks."""

from __future__ import annotations

import time
from dataclasses import dataclass

from agent.rehearsal.live_feed import CallFeed, FeedEvent
from agent.rehearsal.phone import Leg
from agent.rehearsal.sound_detector import SoundDetector

EVENT_SECONDS = 30.0
SLOW_ORDER = "70404"
"""The demo shop needs ten seconds for this one."""
ORDER = "10473"
POSTCODE = "60614"
STATES = ("greeting", "listening", "speaking", "looking up", "handing over")


class CallerNotInState(Exception):
    """The callers were not where they must be when something is broken: nothing was tried, so it is done again."""


@dataclass
class FaultCaller:
    """A caller on the line."""

    number: str
    leg: Leg
    feed: CallFeed

    @property
    def call_id(self) -> str:
        """The agent's id of the call, ``""`` before it has it."""
        return self.feed.call_id

    async def wait_for_event(self, name: str, count: int = 1, seconds: float = EVENT_SECONDS) -> FeedEvent:
        """Wait until the agent has told an event this often. Raises TimeoutError."""
        if not await self.feed.wait_for(lambda: len(self.feed.named(name)) >= count, seconds):
            told = [event.name for event in self.feed.events][-6:]
            raise TimeoutError(f"{self.number}: no {name} ({count}) within {seconds:g} s; it told {told}")
        return self.feed.named(name)[count - 1]

    async def seconds_until_sound(self, since: float, seconds: float) -> float | None:
        """Wait until something sounds after ``since``; how long that took, None when nothing came."""
        ear = SoundDetector(self.leg.heard)
        deadline = since + seconds
        while time.monotonic() < deadline and not self.leg.hung_up.is_set():
            if (onset := ear.onset_since(since)) is not None:
                return onset - since
            await self.leg.wait_for_sound(0.1)
        return None

    async def press(self, keys: str) -> None:
        """Press keys quickly."""
        await self.leg.press(keys, tone_ms=80, gap_ms=60)

    @property
    def last_told(self) -> list[str]:
        """The names of the last events, for messages."""
        return [event.name for event in self.feed.events][-3:]

    def said(self, since: int = 0) -> str:
        """What the agent has said."""
        return " ".join(str(event.data.get("text", "")) for event in self.feed.named("agent_said", since=since))

    async def prepare_state(self, state: str) -> None:
        """Come to the moment before a state of :data:`STATES`."""
        if state == "looking up":
            await self.wait_for_event("agent_said")
            await self.press(SLOW_ORDER)
            await self.wait_for_event("agent_said", 2)
        elif state == "listening":
            await self.wait_for_event("listening")

    async def enter(self, state: str) -> None:
        """Step into the state; returns when the agent says that it is there."""
        if state == "listening":
            return
        if state == "greeting":
            await self.wait_for_event("agent_said")
        elif state == "speaking":
            await self.wait_for_event("agent_said")
            await self.press("4#")
            await self.wait_for_event("agent_said", 2)
        elif state == "looking up":
            await self.press(POSTCODE)
            await self.wait_for_event("effect_started")
        elif state == "handing over":
            await self.wait_for_event("agent_said")
            await self.press("0")
            await self.wait_for_event("agent_said", 2)

    def is_in(self, state: str) -> bool:
        """True while the agent has not told anything that ends the state."""
        last = self.feed.events[-1].name if self.feed.events else ""
        if state == "listening":
            return last == "listening"
        if state == "looking up":
            return not self.feed.named("effect")
        return last == "agent_said"
