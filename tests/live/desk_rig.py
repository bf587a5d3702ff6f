"""Callers, people and supervisors of the desk's live tests, moved by hand on the second Asterisk."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp

from agent.asterisk.ari import Ari
from agent.rehearse.audio import Pcm, read_wav, voiced_span
from agent.rehearse.desk import HumanDesk, Ringing
from agent.rehearse.exchange import Exchange
from agent.rehearse.feed import CallFeed, LiveFeed
from agent.rehearse.measure import likeness
from agent.rehearse.phone import Leg
from agent.rehearse.script import Speech
from agent.rehearse.stack import Home, Stack
from agent.rehearse.voices import Voices

HEARD, NOT_HEARD = 0.6, 0.4
WAIT_SECONDS = 15.0


@dataclass
class Talk:
    """One caller's call."""

    leg: Leg
    feed: CallFeed
    floor: Floor
    following: contextlib.AsyncExitStack

    async def close(self) -> None:
        """Hang up and forget the call."""
        await self.leg.hang_up()
        await self.leg.close()
        await self.following.aclose()

    async def agent_says(self, text: str, seconds: float = WAIT_SECONDS) -> None:
        """Wait until the agent has said this, and listens."""
        seen = len(self.feed.events)

        def said() -> bool:
            places = [
                index
                for index, event in enumerate(self.feed.events)
                if event.name == "agent_said" and text in str(event.data["text"])
            ]
            return bool(places) and any(event.name == "listening" for event in self.feed.events[places[-1] :])

        assert await self.feed.wait_for(said, seconds), [
            event.data.get("text", event.name) for event in self.feed.events[max(0, seen - 6) :]
        ]

    async def happens(self, name: str, seconds: float = WAIT_SECONDS) -> Any:
        """Wait for an event and return its data."""
        assert await self.feed.wait_for(lambda: self.feed.last(name) is not None, seconds), name
        event = self.feed.last(name)
        assert event is not None
        return event.data

    async def says(self, text: str) -> None:
        """Let the caller say something."""
        await self.leg.say(await self.floor.voices.render(Speech(text, text, "joe"), -20.0))


class Floor:
    """Everybody's phones."""

    def __init__(self, stack: Stack, exchange: Exchange, live: LiveFeed, voices: Voices) -> None:
        self.stack = stack
        self.exchange = exchange
        self.voices = voices
        self.desk = HumanDesk(exchange)
        self._live = live
        self._numbers = iter(range(100))

    async def call(self, number: str = "7000", caller: str = "") -> Talk:
        """Place a call and return when it was answered."""
        caller = caller or f"31255501{next(self._numbers):02d}"
        following = contextlib.AsyncExitStack()
        feed = await following.enter_async_context(self._live.follow(caller))
        leg = await self.exchange.dial(number, caller, "Caller")
        await leg.answered.wait()
        assert leg.answered_at is not None, leg.cause
        await leg.join()
        return Talk(leg, feed, self, following)

    async def supervisor(self, code: str) -> Leg:
        """Dial a feature code with the supervisor's phone."""
        leg = await self.exchange.dial(f"99{code}", "2025550188", "Supervisor")
        await leg.answered.wait()
        assert leg.answered_at is not None, leg.cause
        await leg.join()
        return leg

    async def rings(self, talk_or_number: Talk | str, seconds: float = WAIT_SECONDS) -> Ringing:
        """Wait for the human's phone to ring with this caller's call."""
        number = talk_or_number if isinstance(talk_or_number, str) else talk_or_number.feed.number
        ringing = await self.desk.ring("601", number, seconds)
        assert ringing is not None, f"no phone rang for {number}"
        return ringing

    async def answered(self, talk: Talk) -> Leg:
        """Let the human answer this caller's call."""
        leg = (await self.rings(talk)).leg
        await leg.open_media()
        await leg.answer()
        return leg

    async def http(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the agent's own door."""
        agent = self.stack.agent
        headers = {"Authorization": f"Bearer {agent.token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, f"{agent.control_url}{path}", json=body) as answer,
        ):
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def number_of(self, talk: Talk) -> int:
        """The short number of a live call."""
        (call,) = [call for call in await self.http("GET", "/calls") if call["caller"] == talk.feed.number]
        return int(call["number"])

    def sound(self, name: str) -> Pcm:
        """Speech that is nobody's on these calls: one of Asterisk's own recordings."""
        return read_wav(self.stack.asterisk.data_dir / "sounds" / "en" / f"{name}.wav")


def likeness_of(pcm: Pcm, listener: Leg, since: float) -> float:
    """How surely a listener heard this from ``since`` on."""
    first, end = voiced_span(pcm) or (0, len(pcm))
    return likeness(pcm[first:end], listener.heard.samples(since, time.monotonic()))


async def speak(pcm: Pcm, speaker: Leg, *listeners: Leg) -> list[float]:
    """Let one side speak and return how surely each listener heard it."""
    began = time.monotonic()
    await speaker.say(pcm)
    await asyncio.sleep(0.5)  # the way through two Asterisks
    return [likeness_of(pcm, listener, began - 0.2) for listener in listeners]


@contextlib.asynccontextmanager
async def open_floor(stack: Stack, home: Home) -> AsyncIterator[Floor]:
    """Phones for the length of a ``with`` block."""
    phones = stack.phones
    voices = Voices(home.shared / "callers", stack.asterisk.data_dir / "sounds" / "en")
    async with (
        Ari(phones.ari_url, phones.ari_user, phones.ari_password, "rehearse") as ari,
        LiveFeed(stack.agent.control_url, stack.agent.token) as live,
    ):
        exchange = Exchange(ari)
        try:
            yield Floor(stack, exchange, live, voices)
        finally:
            await exchange.close()
