"""Keeps the ringing staff phones until the scripted call they belong to asks for them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agent.rehearsal.exchange import PhoneExchange
from agent.rehearsal.phone import Leg


@dataclass(frozen=True)
class RingingPhone:
    """A phone that rings."""

    leg: Leg
    extension: str
    caller_number: str
    """As the PBX shows it."""


class RingingPhoneMatcher:
    """Hands each ringing phone to the call whose caller's number it shows.

    A phone that nobody asks for goes on ringing, as in an empty room, until the PBX or the caller gives up.
    """

    def __init__(self, exchange: PhoneExchange) -> None:
        self._ringing: list[RingingPhone] = []
        self._changed = asyncio.Condition()
        self._notices: set[asyncio.Task[None]] = set()
        exchange.on_ring = self._on_ring

    def _on_ring(self, leg: Leg, extension: str, caller_number: str) -> None:
        self._ringing = [ringing for ringing in self._ringing if not ringing.leg.hung_up.is_set()]
        self._ringing.append(RingingPhone(leg, extension, caller_number))
        notice = asyncio.create_task(self._notify())
        self._notices.add(notice)
        notice.add_done_callback(self._notices.discard)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def ring(self, extension: str, caller_number: str, seconds: float) -> RingingPhone | None:
        """Wait for this phone to ring with this caller's call; None when it did not in time."""
        found: list[RingingPhone] = []

        def rings() -> bool:
            found[:] = [
                ringing
                for ringing in self._ringing
                if not ringing.leg.hung_up.is_set()
                and extension in ("", ringing.extension)
                and same_number(ringing.caller_number, caller_number)
            ]
            return bool(found)

        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(rings)
        except TimeoutError:
            return None
        self._ringing.remove(found[0])
        return found[0]


def same_number(one: str, other: str) -> bool:
    """Compare telephone numbers by their last ten digits: networks add and drop prefixes."""
    digits = ["".join(character for character in number if character.isdigit())[-10:] for number in (one, other)]
    return digits[0] == digits[1]
