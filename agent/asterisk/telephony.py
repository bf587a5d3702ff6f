"""Calls from Asterisk: takes each channel that enters Stasis, gives it media and a bridge, and cleans up after it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from agent.asterisk.ari import Ari
from agent.asterisk.ari_errors import AriError, AriUnreachable, Conflict, NotFound
from agent.asterisk.audiosocket import AudioSocketMedia, AudioSocketServer
from agent.asterisk.feature_codes import CONTROL, Codes, spy_group
from agent.asterisk.line import AsteriskLine, TelephonyOptions
from agent.asterisk.media import WebsocketMedia
from agent.call.errors import LineGone
from agent.call.protocols import CallerHungUp, Key, Line, Media, TakenOver

log = logging.getLogger(__name__)

EVENT_TYPES = (
    "StasisStart",
    "StasisEnd",
    "ChannelDestroyed",
    "ChannelHangupRequest",
    "ChannelDtmfReceived",
    "ApplicationReplaced",
)
"""All that the controller listens to; the rest is filtered out in Asterisk."""

_MEDIA_PREFIX = "orderline-media-"
_BRIDGE_PREFIX = "orderline-bridge-"
_STRAY_SECONDS = 1.0
_TAKE_OVER_SECONDS = 3.0

CallHandler = Callable[[Line, Media], Awaitable[None]]


class OpenableMedia(Media, Protocol):
    """A media leg that has to be brought up first."""

    channel_id: str

    async def open(self) -> None:
        """Bring the leg up. Raises AriError."""


class Telephony:
    """Runs ``handle(line, media)`` for every call that enters our Stasis application."""

    def __init__(
        self,
        ari: Ari,
        handle: CallHandler,
        options: TelephonyOptions,
        audiosocket: AudioSocketServer | None = None,
        codes: Codes | None = None,
    ) -> None:
        """``codes`` are what supervisors ask for by phone."""
        self._codes = codes
        self._ari = ari
        self._handle = handle
        self._options = options
        self._audiosocket = audiosocket
        self._lines: dict[str, AsteriskLine] = {}
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._media_ids: set[str] = set()
        self._media_lines: dict[str, AsteriskLine] = {}
        self._bridge_ids: set[str] = set()
        self._sweep: asyncio.Task[None] | None = None
        self._obeying: set[asyncio.Task[None]] = set()
        for event_type, handler in (
            ("StasisStart", self._stasis_start),
            ("StasisEnd", self._gone),
            ("ChannelDestroyed", self._gone),
            ("ChannelHangupRequest", self._gone),
            ("ChannelDtmfReceived", self._key),
        ):
            ari.on(event_type, handler)
        ari.on_connected(self._connected)

    @property
    def live_calls(self) -> int:
        """How many calls are being handled now."""
        return len(self._calls)

    async def close(self, *, drain_seconds: float = 0.0) -> None:
        """Let the calls finish for ``drain_seconds``, then hand the rest to people."""
        if self._sweep is not None:
            self._sweep.cancel()
            await asyncio.gather(self._sweep, return_exceptions=True)
        if self._calls and drain_seconds:
            await asyncio.wait(self._calls.values(), timeout=drain_seconds)
        for task in (*self._calls.values(), *self._obeying):
            task.cancel()
        await asyncio.gather(*self._calls.values(), *self._obeying, return_exceptions=True)

    # --- events -------------------------------------------------------------------------------------

    def _stasis_start(self, event: dict[str, Any]) -> None:
        channel = event["channel"]
        channel_id = str(channel["id"])
        if channel_id in self._media_ids:
            if channel_id in self._media_lines:
                self._media_lines[channel_id].media_name = str(channel.get("name", ""))
            return
        if event.get("args", [])[:1] == [CONTROL]:
            self._obey(channel, [str(arg) for arg in event["args"][1:]])
            return
        # a channel we know has left and is back, maybe before its first visit is tidied up
        line = AsteriskLine(self._ari, channel, [str(arg) for arg in event.get("args", [])], self._options)
        self._lines[channel_id] = line
        task = asyncio.create_task(self._take(line), name=f"call-{line.id}")
        self._calls[line.id] = task
        task.add_done_callback(lambda _: self._forget(line))

    def _obey(self, channel: Mapping[str, Any], args: list[str]) -> None:
        """Do what a supervisor's phone asks for; the channel is no call for the agent."""
        codes = self._codes or Codes({})
        task = asyncio.create_task(codes.obey(self._ari, str(channel["id"]), args, self.take_over), name="feature-code")
        self._obeying.add(task)
        task.add_done_callback(self._obeying.discard)

    async def take_over(self, number: str, by: str) -> str:
        """Take a call from the agent: the one from ``number`` or with a channel of that name, the latest for ``""``.

        Returns the name of the channel to be bridged to, ``""`` when there is no such call.
        """
        digits = re.sub(r"\D", "", number)
        lines = [line for line in self._lines.values() if not line.released and line.id in self._calls]
        if "/" in number:  # the name of a channel, as ChanSpy knows it
            lines = [line for line in lines if number in (line.channel_name, line.media_name)]
        else:
            lines = [line for line in lines if re.sub(r"\D", "", line.caller.number).endswith(digits)]
        if not lines:
            return ""
        line = lines[-1]
        line.inbox.put_nowait(TakenOver(by))
        try:
            async with asyncio.timeout(_TAKE_OVER_SECONDS):
                await line.given_up.wait()
        except TimeoutError:
            log.warning("Call %s was not given up within %g s", line.id, _TAKE_OVER_SECONDS)
            return ""
        return line.channel_name

    def _forget(self, line: AsteriskLine) -> None:
        self._calls.pop(line.id, None)
        if self._lines.get(line.channel_id) is line:
            del self._lines[line.channel_id]

    def _gone(self, event: dict[str, Any]) -> None:
        line = self._lines.get(str(event.get("channel", {}).get("id")))
        if line is not None:
            line.inbox.put_nowait(CallerHungUp(str(event.get("cause_txt", ""))))

    def _key(self, event: dict[str, Any]) -> None:
        line = self._lines.get(str(event.get("channel", {}).get("id")))
        if line is not None:
            line.inbox.put_nowait(Key(str(event.get("digit", ""))))

    # --- what another life left behind ------------------------------------------------------------

    async def _connected(self) -> None:
        """After each connection look for calls that nobody holds, as a controller that died leaves them."""
        if self._sweep is None or self._sweep.done():
            self._sweep = asyncio.create_task(self._release_strays(), name="release-strays")

    async def _release_strays(self) -> None:
        try:
            strays = [channel for channel in await self._ari.channels.list() if self._is_stray(channel)]
            bridges = [str(bridge["id"]) for bridge in await self._ari.bridges.list()]
            # the StasisStart of a call that has just come in may still be on its way to us
            await asyncio.sleep(_STRAY_SECONDS)
            for channel in strays:
                if self._is_stray(channel):
                    await self._release(channel)
            for bridge_id in bridges:
                if bridge_id.startswith(_BRIDGE_PREFIX) and bridge_id not in self._bridge_ids:
                    await self._ari.bridges.destroy(bridge_id)
        except AriError as error:
            log.warning("Looking for calls left behind: %s", error)

    def _is_stray(self, channel: Mapping[str, Any]) -> bool:
        place = channel.get("dialplan", {})
        ours = place.get("app_name") == "Stasis" and str(place.get("app_data", "")).split(",")[0] == self._ari.app
        ours = ours or str(channel["id"]).startswith(_MEDIA_PREFIX)
        return ours and channel["id"] not in self._media_ids and channel["id"] not in self._lines

    async def _release(self, channel: Mapping[str, Any]) -> None:
        channel_id = str(channel["id"])
        log.warning("Channel %s was left behind in our application; it is released", channel_id)
        data = str(channel.get("dialplan", {}).get("app_data", ""))
        if channel_id.startswith(_MEDIA_PREFIX) or data.split(",")[1:2] == [CONTROL]:
            await self._ari.channels.hangup(channel_id)
            return
        with contextlib.suppress(NotFound, Conflict):
            await self._ari.channels.continue_in_dialplan(
                channel_id, context=self._options.handover_context, extension="controller_down"
            )

    # --- one call -----------------------------------------------------------------------------------

    def _media_for(self, line: AsteriskLine) -> OpenableMedia:
        # Asterisk compares new channel ids by prefix, so neither id may begin with the other
        media_id = f"{_MEDIA_PREFIX}{secrets.token_hex(8)}"
        self._media_ids.add(media_id)
        spied = {"SPYGROUP": spy_group(line.caller.number)}
        if self._audiosocket is not None:
            return AudioSocketMedia(self._audiosocket, self._ari, media_id, line.inbox, spied)
        return WebsocketMedia(self._ari, media_id, line.inbox, spied)

    async def _take(self, line: AsteriskLine) -> None:
        media = self._media_for(line)
        self._media_lines[media.channel_id] = line
        bridge_id = f"{_BRIDGE_PREFIX}{secrets.token_hex(8)}"
        self._bridge_ids.add(bridge_id)
        deadman = asyncio.create_task(self._rearm(line), name=f"deadman-{line.id}")
        try:
            await self._connect(line, media, bridge_id)
            await self._handle(line, media)
        except LineGone as error:
            log.info("Call %s: %s", line.id, error)
        except (AriError, asyncio.CancelledError) as error:
            log.warning("Call %s goes to a person: %s", line.id, error or "the agent is stopping")
            await self._to_people(line)
            if isinstance(error, asyncio.CancelledError):
                raise
        except Exception:  # whatever it was, the caller must reach a person
            log.exception("Call %s failed; it goes to a person", line.id)
            await self._to_people(line)
        finally:
            deadman.cancel()
            await asyncio.gather(deadman, return_exceptions=True)
            await self._clean_up(media, bridge_id)

    async def _connect(self, line: AsteriskLine, media: OpenableMedia, bridge_id: str) -> None:
        """Bring up media and bridge before the call is answered, so that the greeting waits for nothing."""
        opened, created = await asyncio.gather(
            media.open(), self._ari.bridges.create(bridge_id, name=f"orderline {line.id}"), return_exceptions=True
        )
        for result in (opened, created):
            if isinstance(result, BaseException):
                raise result
        try:
            await self._ari.bridges.add_channel(bridge_id, [line.channel_id, media.channel_id])
        except AriError as error:
            # "Channel not found" comes as 400, 404 or 409, by the moment at which the caller left
            if isinstance(error, AriUnreachable) or not await self._has_left(line):
                raise
            raise LineGone("The caller hung up while the call was being set up.") from error

    async def _has_left(self, line: AsteriskLine) -> bool:
        try:
            await self._ari.channels.get(line.channel_id)
        except NotFound:
            return True
        return False

    async def _to_people(self, line: AsteriskLine) -> None:
        if line.released:
            return
        with contextlib.suppress(LineGone, AriError):
            await line.hand_over({"ORDERLINE_REASON": "agent_fault"}, "agent_fault")

    async def _rearm(self, line: AsteriskLine) -> None:
        """Keep the dialplan's dead-man timer from running out, until the conversation's hard end."""
        remaining_seconds = await self._longest(line)
        deadline = asyncio.get_running_loop().time() + remaining_seconds
        while asyncio.get_running_loop().time() < deadline and not line.released:
            try:
                await line.rearm()
            except (NotFound, Conflict):
                return
            except AriError as error:
                log.warning("Call %s: the dead-man timer could not be re-armed: %s", line.id, error)
            await asyncio.sleep(self._options.rearm_seconds)

    async def _longest(self, line: AsteriskLine) -> float:
        """Seconds this conversation may last: the dialplan's own deadline where it set one, and never beyond ours."""
        try:
            epoch = await self._ari.channels.get_variable(line.channel_id, "ORDERLINE_DEADLINE")
        except AriError:
            epoch = ""
        longest = float(self._options.max_call_seconds)
        return min(longest, float(epoch) - time.time()) if epoch.isdigit() else longest

    async def _clean_up(self, media: OpenableMedia, bridge_id: str) -> None:
        for action in (media.close(), self._ari.bridges.destroy(bridge_id)):
            try:
                await action
            except AriError as error:
                log.warning("Cleaning up after a call: %s", error)
        self._media_ids.discard(media.channel_id)
        self._media_lines.pop(media.channel_id, None)
        self._bridge_ids.discard(bridge_id)
