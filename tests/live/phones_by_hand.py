"""Phones that a test holds in its own hands: it dials, speaks, presses keys and hangs up, one thing after the other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import numpy as np

from agent.asterisk.ari.client import AriClient
from agent.common.audio import SAMPLE_RATE
from agent.rehearsal.audio import Pcm, pcm_on_timeline
from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.caller_measures import correlation_peak
from agent.rehearsal.exchange import PhoneExchange
from agent.rehearsal.phone import Leg
from agent.rehearsal.ringing_phones import RingingPhoneMatcher
from agent.rehearsal.script import Speech
from agent.rehearsal.voices import Voices
from tests.live.conftest import CallCentre

PIECE_SECONDS = 0.5
"""Words are looked for in pieces of about this length."""


class PhonesByHand:
    """Phones by hand: callers at the carrier, supervisors at the phone 601."""

    def __init__(self, call_centre: CallCentre, exchange: PhoneExchange, voices: Voices) -> None:
        self.call_centre = call_centre
        self.exchange = exchange
        self.desk = RingingPhoneMatcher(exchange)
        self._voices = voices

    async def phone(self, number: str, *, caller: str = "2025550177") -> Leg:
        """Dial from the carrier and be answered."""
        return await self._answered(await self.exchange.dial(number, caller, "Jane"))

    async def code(self, code: str) -> Leg:
        """Dial a code from the phone 601."""
        return await self._answered(await self.exchange.dial(code, "601", "", endpoint="desk"))

    async def speech(self, text: str, voice: str = "joe") -> Pcm:
        return await self._voices.render(Speech(text, text, voice), -20.0)

    @staticmethod
    async def _answered(leg: Leg) -> Leg:
        async with asyncio.timeout(15):
            await leg.answered.wait()
        assert leg.answered_at is not None, leg.cause
        await leg.join()
        return leg

    async def over(self) -> None:
        """Put every phone down; nothing of the calls may be left."""
        await self.exchange.close()
        assert await self.call_centre.leftovers() == []


def heard(leg: Leg, pcm: Pcm) -> float:
    """How surely the leg heard this, 0..1: piece by piece, since a busy machine may put a gap into the middle."""
    track = leg.heard
    received = pcm_on_timeline(track, track.stamps[0], track.stamps[-1] - track.stamps[0] + 0.1)
    pieces = np.array_split(pcm, max(1, round(len(pcm) / (PIECE_SECONDS * SAMPLE_RATE))))
    return float(np.median([correlation_peak(piece, received) for piece in pieces]))


@contextlib.asynccontextmanager
async def phones_by_hand(call_centre: CallCentre, home: RehearsalHome) -> AsyncIterator[PhonesByHand]:
    """Open the phones of a call centre; afterwards every one is put down."""
    phones = call_centre.stack.phones
    async with AriClient(phones.ari_url, phones.ari_user, phones.ari_password, "rehearse") as ari:
        exchange = PhoneExchange(ari)
        sounds = call_centre.stack.asterisk.data_dir / "sounds" / "en"
        yield PhonesByHand(call_centre, exchange, Voices(home.shared / "callers", sounds))
        await exchange.close()
    await call_centre.leftovers()


async def says(floor: PhonesByHand, speaker: Leg, text: str) -> Pcm:
    pcm = await floor.speech(text)
    voiced = np.flatnonzero(np.abs(pcm) > 500)
    await speaker.say(pcm)
    await speaker.ends_within(0.6)
    return pcm[voiced[0] : voiced[-1]]
