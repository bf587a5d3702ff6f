"""Call leg on the second Asterisk that a script speaks and hears through; removed after the call."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriError, AriUnreachable
from agent.asterisk.websocket_protocol import MediaSocket
from agent.common.tasks import cancel_and_wait
from agent.rehearsal.audio import AudioTrack, Pcm
from agent.rehearsal.audio_sender import AudioSender
from agent.rehearsal.caller_measures import Span
from agent.rehearsal.errors import PhoneError

log = logging.getLogger(__name__)

_MEDIA_SECONDS = 5.0
_POPPED = ("HDR_TICKET", "HDR_REASON", "HDR_SUMMARY", "HDR_ORDER", "HDR_VERIFIED")


class Leg:
    """One phone's side of one call.

    The channel is bridged with a media channel whose websocket carries this phone's audio both ways. All times are
    monotonic seconds.
    """

    def __init__(
        self, ari: AriClient, channel_id: str, on_closed: Callable[[Leg], None], background: Pcm | None = None
    ) -> None:
        self.channel_id = channel_id
        self.dialled_at = time.monotonic()
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.hung_up_by: str = ""
        """``us`` or ``them``, once the call is over."""
        self.cause = ""
        self.hung_up = asyncio.Event()
        self.answered = asyncio.Event()
        """Also set when the call ends unanswered: look at ``answered_at``."""
        self.heard = AudioTrack()
        self.keys: list[tuple[float, str]] = []
        """(end of the key, key), as sent."""
        self._ari = ari
        self._on_closed = on_closed
        self._media_id = f"media-{channel_id}"
        self._bridge_id = f"bridge-{channel_id}"
        self._media_ready = asyncio.Event()
        self._sound_came = asyncio.Event()
        self._socket = MediaSocket(self._on_audio, lambda _text: None, self._on_media_closed)
        self._sender = AudioSender(self._socket.send_audio, background)
        self._speaking: asyncio.Task[None] | None = None
        self._has_media = False
        self._closing: asyncio.Task[None] | None = None

    # --- talking and hearing ------------------------------------------------------------------------

    @property
    def spoken(self) -> AudioTrack:
        """What this side sent, frame by frame."""
        return self._sender.spoken

    @property
    def has_media(self) -> bool:
        """True once there is something besides the channel itself to be removed."""
        return self._has_media

    @property
    def is_up(self) -> bool:
        """True while both sides can talk."""
        return self.answered_at is not None and not self.hung_up.is_set()

    async def say(self, pcm: Pcm) -> Span | None:
        """Say something and return, when it is said (or the call ended), the span of its voice."""
        if self.hung_up.is_set():
            return None
        return await self._sender.begin(pcm)

    def make_noise(self, pcm: Pcm) -> None:
        """Let a noise sound from now on."""
        self._sender.add_noise(pcm)

    async def press(self, keys: str, tone_ms: int = 100, gap_ms: int = 100) -> Span | None:
        """Press keys one by one at a hand's pace; returns (first key down, last key up), None when none got through."""
        first: float | None = None
        for index, key in enumerate(keys):
            if index and await self.ends_within(gap_ms / 1000):
                break
            began = time.monotonic()
            try:
                await self._ari.channels.dtmf(self.channel_id, key, duration_ms=tone_ms)
            except AriError as error:
                if isinstance(error, AriUnreachable):
                    raise PhoneError(f"The key {key} could not be sent: {error.message}") from error
                break  # hung up in this very moment
            first = began if first is None else first
            gone = await self.ends_within(tone_ms / 1000 - (time.monotonic() - began))
            self.keys.append((began + tone_ms / 1000, key))
            if gone:
                break
        return Span(first, self.keys[-1][0]) if first is not None else None

    async def wait_for_sound(self, seconds: float) -> None:
        """Return when the next frame was heard, the call ended, or the time is over."""
        self._sound_came.clear()
        if self.hung_up.is_set() or seconds <= 0:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._sound_came.wait()
        except TimeoutError:
            return

    async def ends_within(self, seconds: float) -> bool:
        """Wait; True as soon as the call is over, False when it still stands after this time."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self.hung_up.wait()
        except TimeoutError:
            return self.hung_up.is_set()
        return True

    # --- life ---------------------------------------------------------------------------------------

    async def open_media(self) -> None:
        """Make the media channel and connect to it. Raises PhoneError."""
        ari = self._ari
        self._has_media = True
        try:
            await ari.channels.external_media(
                self._media_id,
                app=ari.app,
                params={
                    "external_host": "INCOMING",
                    "transport": "websocket",
                    "encapsulation": "none",
                    "connection_type": "server",
                    "format": "slin",
                },
            )
            connection = await ari.channels.get_variable(self._media_id, "MEDIA_WEBSOCKET_CONNECTION_ID")
            await self._socket.connect(ari, connection)
            async with asyncio.timeout(_MEDIA_SECONDS):
                # Asterisk refuses (422) to bridge a channel that has not entered the application yet.
                await self._media_ready.wait()
            await ari.bridges.create(self._bridge_id)
        except (AriError, TimeoutError) as error:
            raise PhoneError(f"The second Asterisk gave no audio to a phone: {error}") from error

    async def join(self) -> None:
        """Bring the two channels together and begin to talk (silence is talked too). Raises PhoneError."""
        try:
            await self._ari.bridges.add_channel(self._bridge_id, (self.channel_id, self._media_id))
        except AriError as error:
            if self.hung_up.is_set() or not isinstance(error, AriUnreachable):
                self.over("them", error.message)
                return
            raise PhoneError(f"A phone's call could not be joined with its audio: {error.message}") from error
        self._speaking = asyncio.create_task(self._sender.run(), name=f"audio-sender-{self.channel_id}")

    async def answer(self) -> None:
        """Answer an incoming call. Raises PhoneError; a caller who has just left is not an error."""
        try:
            await self._ari.channels.answer(self.channel_id)
        except AriError as error:
            if isinstance(error, AriUnreachable):
                raise PhoneError(f"A ringing phone could not be answered: {error.message}") from error
            self.over("them", error.message)
            return
        self.answered_at = time.monotonic()
        self.answered.set()
        await self.join()

    async def pop(self) -> dict[str, str]:
        """Return what the PBX shows on this phone: the HDR_ variables without their prefix, in lower case."""
        shown = {}
        for name in _POPPED:
            try:
                value = await self._ari.channels.get_variable(self.channel_id, name)
            except AriError as error:
                log.debug("No screen-pop from %s: %s", self.channel_id, error)
                value = ""
            shown[name.removeprefix("HDR_").lower()] = value
        return shown

    async def hold(self) -> None:
        """Put the PBX on hold (re-INVITE, sendonly). What this side says meanwhile goes on being sent, like music."""
        await self._ari.channels.hold(self.channel_id)

    async def resume(self) -> None:
        """Take the PBX off hold."""
        await self._ari.channels.unhold(self.channel_id)

    async def transfer(self, address: str) -> None:
        """Ask the PBX to transfer the call to this SIP address (REFER); returns when it has answered.

        Where it has done so, it is for us to hang up. The leg leaves its bridge meanwhile: the answer is read by the
        channel itself.
        """
        ari = self._ari
        await ari.bridges.remove_channel(self._bridge_id, self.channel_id)
        await self._quietly(ari.channels.redirect(self.channel_id, f"PJSIP/{address}"))
        try:
            await ari.bridges.add_channel(self._bridge_id, (self.channel_id,))
        except AriError as error:
            self.over("them", error.message)

    async def replaces(self) -> str:
        """Return what a transfer to somebody else names this call by, as it stands in a SIP address."""
        read = self._ari.channels.get_variable
        call_id, ours, theirs = [
            await read(self.channel_id, f"CHANNEL(pjsip,{name})") for name in ("call-id", "local_tag", "remote_tag")
        ]
        return quote(f"{call_id};to-tag={theirs};from-tag={ours}", safe="")

    async def hang_up(self) -> None:
        """End the call from this side; no error when it is already over."""
        if not self.hung_up.is_set():
            self.over("us", "")
        await self._quietly(self._ari.channels.hangup(self.channel_id))

    async def close(self) -> None:
        """Hang up and remove everything that belonged to this leg; idempotent, never raises.

        It is done to its end even when whoever waits for it is cancelled meanwhile.
        """
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name=f"close-{self.channel_id}")
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await self.hang_up()
        if self._speaking is not None:
            await cancel_and_wait(self._speaking)
        await self._socket.close()
        ari = self._ari
        if self._has_media:
            await self._quietly(ari.channels.hangup(self._media_id))
            await self._quietly(ari.bridges.destroy(self._bridge_id))
        self._on_closed(self)

    async def _quietly(self, request: Awaitable[None]) -> None:
        try:
            await request
        except AriError as error:
            log.warning("Cleaning up after a phone: %s", error)

    def over(self, by: str, cause: str) -> None:
        """Note that the call has ended."""
        if self.hung_up.is_set():
            return
        self.hung_up_by, self.cause = by, cause
        self.ended_at = time.monotonic()
        self.hung_up.set()
        self.answered.set()
        self._sound_came.set()
        self._sender.stop()

    def on_event(self, event: dict[str, Any], channel_id: str) -> None:
        """Take an ARI event of one of the two channels."""
        kind = event["type"]
        if channel_id == self._media_id:
            if kind == "StasisStart":
                self._media_ready.set()
        elif kind == "StasisStart":
            if self.answered_at is None and event["channel"].get("state") == "Up":
                self.answered_at = time.monotonic()
                self.answered.set()
        elif kind in ("ChannelDestroyed", "StasisEnd"):
            self.over("them", str(event.get("cause_txt", "")))

    @property
    def channel_ids(self) -> tuple[str, str]:
        """The call's channel and the media channel."""
        return self.channel_id, self._media_id

    def enable_echo(self, delay_ms: float, loss_db: float) -> None:
        """Be a speakerphone: what comes out of it goes back in, so much later and so much softer."""
        self._sender.enable_echo(delay_ms, loss_db)

    def _on_audio(self, pcm: bytes) -> None:
        self.heard.add(time.monotonic(), pcm)
        self._sender.hear(pcm)
        self._sound_came.set()

    def _on_media_closed(self) -> None:
        self._media_ready.set()
        self._sender.stop()
