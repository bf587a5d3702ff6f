"""Dials the callers' calls on the second Asterisk, and reports the staff phones that ring there."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriError
from agent.rehearsal.audio import Pcm
from agent.rehearsal.errors import PhoneError
from agent.rehearsal.phone import Leg

TRUNK = "pbx"
"""The endpoint of the second Asterisk that leads to the PBX under test."""
_DIAL_SECONDS = 30


class PhoneExchange:
    """All phones of a rehearsal: dials calls, and rings where somebody waits for a call."""

    def __init__(self, ari: AriClient) -> None:
        self.ari = ari
        self.on_ring: Callable[[Leg, str, str], None] | None = None
        """Called with (leg, extension, caller's number) when a phone rings; the leg is not answered yet."""
        self.on_dialled: Callable[[Leg, str], None] | None = None
        """Called with (leg, caller's number) when a call has been dialled."""
        self._legs: dict[str, Leg] = {}
        self._counter = itertools.count(1)
        self._unsubscribe = ari.on("*", self._on_event)

    async def dial(
        self,
        number: str,
        caller_number: str,
        caller_name: str,
        background: Pcm | None = None,
        *,
        endpoint: str = TRUNK,
        headers: Mapping[str, str] | None = None,
    ) -> Leg:
        """Dial and return at once: the leg's ``answered`` event tells when it was answered or refused.

        ``headers`` go along with the INVITE. Raises PhoneError when the second Asterisk cannot even dial.
        """
        # Asterisk compares new ids with the beginnings of existing ones, so no id may begin with another.
        leg = self._adopt(f"{os.getpid()}-{next(self._counter)}-caller", background)
        try:
            await leg.open_media()
            leg.dialled_at = time.monotonic()
            caller_id = f'"{caller_name}" <{caller_number}>' if caller_name else caller_number
            await self.ari.channels.originate(
                leg.channel_id,
                endpoint=f"PJSIP/{number}@{endpoint}",
                app=self.ari.app,
                params={"appArgs": "caller", "callerId": caller_id, "formats": "ulaw", "timeout": _DIAL_SECONDS},
                variables={f"PJSIP_HEADER(add,{name})": value for name, value in (headers or {}).items()},
            )
        except (PhoneError, AriError) as error:
            await leg.close()
            raise PhoneError(f"{number} could not be dialled: {error.message}") from error
        except BaseException:
            await leg.close()
            raise
        if self.on_dialled is not None:
            self.on_dialled(leg, caller_number)
        return leg

    async def close(self) -> None:
        """End every call and remove what belonged to it; idempotent."""
        self.on_ring = None
        await asyncio.gather(*(leg.close() for leg in set(self._legs.values())))
        self._unsubscribe()

    def forget(self, leg: Leg) -> None:
        """Stop following a leg's channels."""
        for channel_id in leg.channel_ids:
            self._legs.pop(channel_id, None)

    def _adopt(self, channel_id: str, background: Pcm | None = None) -> Leg:
        leg = Leg(self.ari, channel_id, self.forget, background)
        for known_id in leg.channel_ids:
            self._legs[known_id] = leg
        return leg

    def _on_event(self, event: dict[str, Any]) -> None:
        channel = event.get("channel") or {}
        channel_id = str(channel.get("id", ""))
        arguments = event.get("args") or []
        if event.get("type") == "StasisStart" and arguments[:1] == ["phone"] and channel_id not in self._legs:
            self._ring(channel_id, arguments, channel)
        elif channel_id in self._legs:
            leg = self._legs[channel_id]
            leg.on_event(event, channel_id)
            if event.get("type") == "ChannelDestroyed" and not leg.has_media:
                self.forget(leg)  # it rang and nobody wanted it

    def _ring(self, channel_id: str, arguments: list[str], channel: dict[str, Any]) -> None:
        leg = self._adopt(channel_id)
        extension = str(arguments[1]) if len(arguments) > 1 else ""
        number = str((channel.get("caller") or {}).get("number", ""))
        if self.on_ring is not None:
            self.on_ring(leg, extension, number)
