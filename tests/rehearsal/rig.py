"""Helpers of the tests of the private Asterisks: an ARI event recorder, a call in progress."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from agent.asterisk.ari.client import AriClient
from agent.rehearsal.pbx_pair import Pbx

Event = dict[str, Any]


class AriEventRecorder:
    """One ARI application and every event it got, in order."""

    def __init__(self, pbx: Pbx, app: str) -> None:
        self.ari = AriClient(pbx.ari_url, pbx.ari_user, pbx.ari_password, app)
        self.events: list[Event] = []
        self._news = asyncio.Event()

    async def __aenter__(self) -> AriEventRecorder:
        self.ari.on("*", self._hear)
        await self.ari.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.ari.close()

    def _hear(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    async def next(self, fits: Callable[[Event], bool], seconds: float = 10.0) -> Event:
        """The first event that fits, taken out; an old one or the next that comes. TimeoutError after ``seconds``."""
        async with asyncio.timeout(seconds):
            while True:
                for event in self.events:
                    if fits(event):
                        self.events.remove(event)
                        return event
                self._news.clear()
                await self._news.wait()

    async def entered(self, *args: str, seconds: float = 10.0) -> Event:
        """The channel of the next StasisStart whose arguments begin with ``args``."""
        event = await self.next(lambda e: e["type"] == "StasisStart" and e["args"][: len(args)] == list(args), seconds)
        channel: Event = event["channel"]
        channel["args"] = event["args"]
        return channel

    async def gone(self, channel_id: str, seconds: float = 10.0) -> Event:
        """The event that ends this channel's stay; after it none comes for a leg that came through the dialplan."""
        ends = ("StasisEnd", "ChannelDestroyed")
        return await self.next(lambda e: e["type"] in ends and e["channel"]["id"] == channel_id, seconds)


async def dial(
    phones: AriEventRecorder, number: str, caller: str = "2025550101", name: str = "Jane", endpoint: str = "pbx"
) -> str:
    """Let the carrier (or the phone 601: ``desk``) call ``number`` at the PBX; returns the id of the caller's leg."""
    channel = await phones.ari.request(
        "POST",
        "/channels",
        params={"endpoint": f"PJSIP/{number}@{endpoint}", "app": "rehearse", "callerId": f'"{name}" <{caller}>'},
    )
    return str(channel["id"])


async def phone_display(phones: AriEventRecorder, phone: Event) -> dict[str, str]:
    """What the ringing phone was told by headers."""
    words = ("TICKET", "REASON", "SUMMARY", "ORDER", "VERIFIED")
    return {word.lower(): await phones.ari.channels.get_variable(phone["id"], f"HDR_{word}") for word in words}
