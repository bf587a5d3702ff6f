"""One call of the rival bot: plays prompts, listens, and lets the dialog decide."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import aiohttp

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriError
from agent.asterisk.websocket_protocol import MediaSocket
from agent.common.service_error import ServiceError
from agent.shop.protocols import Orders
from agent.telemetry.events import (
    AgentSaid,
    CallBegan,
    CallerSaid,
    CallFinished,
    CallingParty,
    EffectEnded,
    EventPublisher,
    HandedOver,
    ListeningStarted,
)
from benchmarks.side_by_side.order_dialog import BotReply, OrderDialog
from benchmarks.side_by_side.rival_voice import RivalVoice
from benchmarks.side_by_side.speech_bridge import SpeechBridge
from benchmarks.side_by_side.status_words import status_sentence

log = logging.getLogger(__name__)

SILENCE_SECONDS = 7.0
"""Nothing said for so long after a prompt counts as silence; the same as Orderline's."""
SPEAKING_SECONDS = 4.0
"""While words come in, so much longer."""
KEY_SECONDS = 3.0
"""Between two keys."""
MEDIA_SECONDS = 5.0


class RivalCallSettings(Protocol):
    """What a call needs of the settings; see :class:`benchmarks.side_by_side.rival.RivalSettings`."""

    @property
    def recognition_url(self) -> str:
        """Where the recognition server listens."""

    @property
    def piece_bytes(self) -> int:
        """Size of the pieces of audio."""

    @property
    def grammar(self) -> bool:
        """Whether each question has a grammar of its own."""


@dataclass(frozen=True)
class RivalCallParts:
    """What all calls share."""

    events: EventPublisher
    orders: Orders
    voice: RivalVoice
    session: aiohttp.ClientSession
    now: Callable[[], dt.datetime]


class CallerGone(Exception):
    """The caller has hung up."""


@dataclass(frozen=True)
class CallerEvent:
    """Something that happened on the call."""

    kind: str
    """``text``, ``partial``, ``key``, ``played`` or ``gone``."""
    value: str = ""


class RivalCall:
    """From StasisStart to the end."""

    def __init__(
        self, ari: AriClient, channel_id: str, number: str, doors: RivalCallParts, settings: RivalCallSettings
    ) -> None:
        self._ari = ari
        self._id = channel_id
        self._number = number
        self._doors = doors
        self._settings = settings
        self._dialog = OrderDialog()
        self._events: asyncio.Queue[CallerEvent] = asyncio.Queue()
        self._bridge: SpeechBridge | None = None
        self._hears = False
        self._playbacks = 0
        self._socket = MediaSocket(self._on_audio, lambda _: None, lambda: None)

    # --- what happens -------------------------------------------------------------------------------------------------

    def on_event(self, event: dict[str, Any]) -> None:
        """Take an ARI event of the caller's channel."""
        if event["type"] == "ChannelDtmfReceived":
            self._events.put_nowait(CallerEvent("key", str(event["digit"])))
        elif event["type"] in ("StasisEnd", "ChannelDestroyed", "ChannelHangupRequest"):
            self._events.put_nowait(CallerEvent("gone"))

    def on_played(self, playback_id: str) -> None:
        """Take note that a prompt has ended."""
        self._events.put_nowait(CallerEvent("played", playback_id))

    def _on_audio(self, pcm: bytes) -> None:
        if self._hears and self._bridge is not None:
            self._bridge.feed(pcm)

    def _on_text(self, text: str, final: bool) -> None:
        self._events.put_nowait(CallerEvent("text" if final else "partial", text))

    # --- the call -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Hold the call to its end; nothing of it is left afterwards."""
        media_id, snoop_id, bridge_id = f"media-{self._id}", f"snoop-{self._id}", f"bridge-{self._id}"
        outcome, ended_by = "failed", "fault"
        started_at = time.monotonic()
        party = CallingParty(self._number, "", "")
        self._doors.events.publish(CallBegan(self._id, party, "", "inbound"))
        try:
            await self._ari.channels.answer(self._id)
            await self._join(media_id, snoop_id, bridge_id)
            outcome, ended_by = await self._talk()
        except CallerGone:
            outcome, ended_by = "caller_hung_up", "caller"
        except (AriError, aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("Call %s: %s", self._id, error)
        finally:
            if self._bridge is not None:
                await self._bridge.close()
            await self._socket.close()
            for own_id in (media_id, snoop_id):
                with contextlib.suppress(AriError):
                    await self._ari.channels.hangup(own_id)
            with contextlib.suppress(AriError):
                await self._ari.bridges.destroy(bridge_id)
            if outcome != "handed_over":
                with contextlib.suppress(AriError):
                    await self._ari.channels.hangup(self._id)
            duration_seconds = round(time.monotonic() - started_at, 3)
            self._doors.events.publish(CallFinished(self._id, outcome, ended_by, duration_seconds, {}))

    async def _join(self, media_id: str, snoop_id: str, bridge_id: str) -> None:
        """Let what the caller says reach our ears, also while a prompt plays, and nothing else.

        A bridge with the caller itself would fall silent during a prompt, and the prompt would be heard in it. What a
        snooping channel hears of the caller is joined with the media channel instead.
        """
        ari = self._ari
        media = {"external_host": "INCOMING", "transport": "websocket", "encapsulation": "none",
                 "connection_type": "server", "format": "slin"}  # fmt: skip
        with ari.entering_stasis(media_id) as media_entered, ari.entering_stasis(snoop_id) as snoop_entered:
            snoop = {"app": ari.app, "spy": "in", "snoopId": snoop_id}
            await ari.request("POST", f"/channels/{self._id}/snoop", params=snoop)
            await ari.channels.external_media(media_id, app=ari.app, params=media)
            connection = await ari.channels.get_variable(media_id, "MEDIA_WEBSOCKET_CONNECTION_ID")
            await self._socket.connect(ari, connection)
            async with asyncio.timeout(MEDIA_SECONDS):
                await media_entered.wait()
                await snoop_entered.wait()
        await ari.bridges.create(bridge_id)
        await ari.bridges.add_channel(bridge_id, (snoop_id, media_id))

    async def _talk(self) -> tuple[str, str]:
        """Ask and answer; returns (outcome, ended by)."""
        saying = self._dialog.greet()
        while True:
            if saying.then == "look_up":
                saying = await self._look_up()
            elif saying.then == "listen":
                saying = await self._ask(saying)
            else:
                return await self._end(saying)

    async def _end(self, saying: BotReply) -> tuple[str, str]:
        playback, path = await self._play(saying)
        while (await self._next(None)) != CallerEvent("played", playback):
            pass
        self._doors.voice.done_with(path)
        if saying.then == "goodbye":
            return "answered", "agent"
        self._doors.events.publish(
            HandedOver(self._id, "no_match", queue="", priority=0, summary="", ticket="", facts={})
        )
        await self._ari.channels.continue_in_dialplan(self._id, context="orderline-handover", extension="no_match")
        return "handed_over", "handover"

    async def _look_up(self) -> BotReply:
        dialog = self._dialog
        events = self._doors.events
        began_at = time.monotonic()
        try:
            order = await self._doors.orders.find(dialog.number)
        except ServiceError as error:
            events.publish(EffectEnded(self._id, "orders.find", error.code, (time.monotonic() - began_at) * 1000))
            return dialog.not_found()
        events.publish(EffectEnded(self._id, "orders.find", "ok", (time.monotonic() - began_at) * 1000))
        if order.postcode != dialog.postcode:
            return dialog.not_found()
        return dialog.found(status_sentence(order, self._doors.now().date()))

    async def _ask(self, saying: BotReply) -> BotReply:
        """Say something; hear meanwhile and after it what the caller says or keys.

        As the dialplan's SpeechBackground: the first recognised utterance or key ends a prompt that still plays.
        """
        await self._listen_anew()
        playback, path = await self._play(saying)
        self._hears = True
        playing, keys = True, ""
        deadline: float | None = None
        try:
            while True:
                event = await self._next(deadline)
                if event is None:
                    break
                if event.kind in ("text", "key") and playing:
                    playing = False
                    await self._stop(playback)
                if event.kind == "text":
                    self._publish_heard(event.value, "speech")
                    return self._dialog.heard(event.value)
                if event.kind == "key":
                    keys += event.value
                    deadline = time.monotonic() + KEY_SECONDS
                    if len(keys) >= self._dialog.takes_keys:
                        break
                elif event == CallerEvent("played", playback) and not keys:
                    playing = False
                    self._doors.events.publish(ListeningStarted(self._id, self._dialog.state))
                    deadline = time.monotonic() + SILENCE_SECONDS
                elif event.kind == "partial" and deadline is not None and not keys:
                    deadline = max(deadline, time.monotonic() + SPEAKING_SECONDS)
        finally:
            self._hears = False
            self._doors.voice.done_with(path)
        if not keys:
            return self._dialog.silent()
        self._publish_heard(keys, "keypad")
        return self._dialog.keyed(keys)

    async def _listen_anew(self) -> None:
        """Have a connection to the recognition server: one a call, or one with a grammar a question."""
        if self._bridge is None or self._settings.grammar:
            if self._bridge is not None:
                await self._bridge.close()
            self._bridge = SpeechBridge(self._settings.recognition_url, self._settings.piece_bytes, self._on_text)
            await self._bridge.open(self._doors.session, self._dialog.phrases if self._settings.grammar else None)
        waiting = [self._events.get_nowait() for _ in range(self._events.qsize())]
        for event in waiting:  # what was recognised before the question is no answer to it
            if event.kind in ("key", "gone"):
                self._events.put_nowait(event)

    async def _play(self, saying: BotReply) -> tuple[str, Path]:
        path = await self._doors.voice.file(saying.text)
        self._playbacks += 1
        playback = f"{self._playbacks}-{self._id}"
        await self._ari.request(
            "POST", f"/channels/{self._id}/play", params={"media": f"sound:{path}", "playbackId": playback}
        )
        self._doors.events.publish(
            AgentSaid(
                self._id, saying.text, (saying.prompt,), flow="", step="", understood="", response_ms=None, spent_ms={}
            )
        )
        return playback, path

    def _publish_heard(self, heard: str, via: str) -> None:
        """Tell what the caller said; the recognition server gives no confidences."""
        said = CallerSaid(self._id, heard=heard, via=via, confidence=0.0, barged_in=False, slot=self._dialog.state)
        self._doors.events.publish(said)

    async def _stop(self, playback: str) -> None:
        with contextlib.suppress(AriError):
            await self._ari.request("DELETE", f"/playbacks/{playback}")

    async def _next(self, deadline: float | None) -> CallerEvent | None:
        """Return the next event, None at the deadline. Raises CallerGone."""
        try:
            async with asyncio.timeout(None if deadline is None else max(0.0, deadline - time.monotonic())):
                event = await self._events.get()
        except TimeoutError:
            return None
        if event.kind == "gone":
            raise CallerGone
        return event
