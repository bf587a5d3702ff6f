"""Calls from Asterisk: takes each channel that enters Stasis, gives it media and a bridge, and cleans up after it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from agent.asterisk.ari import Ari
from agent.asterisk.ari_errors import AriError, AriUnreachable, Conflict, NotFound
from agent.asterisk.audiosocket import AudioSocketMedia, AudioSocketServer
from agent.asterisk.media import WebsocketMedia
from agent.call.errors import LineGone
from agent.call.protocols import Caller, CallerHungUp, Inbox, Key, Line, Media

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

_MOST_NUMBERS = 999
"""Live calls are numbered round and round, so that a number is not soon another call's."""

CallHandler = Callable[[Line, Media], Awaitable[None]]
Visitor = Callable[[Mapping[str, Any], list[str]], Coroutine[Any, Any, None]]
"""Takes a channel that entered with other arguments than a caller's, for example a supervisor's phone."""


@dataclass(frozen=True)
class TelephonyOptions:
    """How calls are taken and given back."""

    handover_context: str = "orderline-handover"
    deadman_seconds: int = 6
    """The dialplan takes a call back when nothing has re-armed its timer for this long."""
    rearm_seconds: float = 2.0
    max_call_seconds: int = 900
    """After this long the timer is not re-armed any more: the dialplan takes the call to a person."""


class OpenableMedia(Media, Protocol):
    """A media leg that has to be brought up first."""

    channel_id: str

    async def open(self) -> None:
        """Bring the leg up. Raises AriError."""


class AsteriskLine:
    """:class:`agent.call.protocols.Line` on a channel in Stasis."""

    def __init__(self, ari: Ari, channel: Mapping[str, Any], args: list[str], options: TelephonyOptions) -> None:
        self.channel_id = str(channel["id"])
        caller = channel.get("caller", {})
        self.entry = args[0] if args else "inbound"
        # a call that comes back on the same channel is another visit, with a record of its own
        self.id = self.channel_id if self.entry == "inbound" else f"{self.channel_id}-{secrets.token_hex(4)}"
        self.entry_detail = args[1] if len(args) > 1 else ""
        self.caller = Caller(
            number=str(caller.get("number", "")),
            name=str(caller.get("name", "")),
            dialled=self.entry_detail or str(channel.get("dialplan", {}).get("exten", "")),
        )
        self.is_answered = channel.get("state") == "Up"
        self.name = str(channel.get("name", ""))
        self.number = 0
        """Short number of the live call, to be dialled after a feature code."""
        self.media_name = ""
        """Name of the media leg's channel."""
        self.inbox: Inbox = asyncio.Queue()
        self.released = False
        """True once the channel has been given back to the dialplan: it is not ours to hang up any more."""
        self._ari = ari
        self._options = options
        self._control = asyncio.Lock()

    async def answer(self) -> None:
        """Answer the call. Raises LineGone."""
        try:
            await self._ari.channels.answer(self.channel_id)
        except (NotFound, Conflict) as error:
            raise LineGone("The caller hung up before the call was answered.") from error
        self.is_answered = True

    async def hang_up(self) -> None:
        """End the call; no error when it is already over."""
        await self._ari.channels.hangup(self.channel_id)

    async def hand_over(self, variables: Mapping[str, str], why: str) -> None:
        """Continue in the hand-over context at extension ``why``. Raises LineGone when the caller has left."""
        async with self._control:  # a re-arming still under way would cut the call short in the queue
            try:
                for name, value in variables.items():
                    await self._ari.channels.set_variable(self.channel_id, name, value)
                await self._ari.channels.continue_in_dialplan(
                    self.channel_id, context=self._options.handover_context, extension=why
                )
            except (NotFound, Conflict) as error:
                raise LineGone("The caller hung up before the hand-over.") from error
            self.released = True

    async def rearm(self) -> None:
        """Tell the dialplan's dead-man timer that somebody is looking after this call."""
        async with self._control:
            if not self.released:
                await self._ari.channels.set_variable(
                    self.channel_id, "TIMEOUT(absolute)", str(self._options.deadman_seconds)
                )


class Telephony:
    """Runs ``handle(line, media)`` for every call that enters our Stasis application."""

    def __init__(
        self,
        ari: Ari,
        handle: CallHandler,
        options: TelephonyOptions,
        audiosocket: AudioSocketServer | None = None,
        *,
        refuse: Callable[[Line], Awaitable[str]] | None = None,
    ) -> None:
        """``refuse(line)`` gives the reason why a call is not taken but goes straight to people, ``""`` to take it."""
        self._ari = ari
        self._handle = handle
        self._refuse = refuse
        self._visitors: dict[str, Visitor] = {}
        self._visits: set[asyncio.Task[None]] = set()
        self._media_names: dict[str, str] = {}
        self._last_number = 0
        self._options = options
        self._audiosocket = audiosocket
        self._lines: dict[str, AsteriskLine] = {}
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._media_ids: set[str] = set()
        self._bridge_ids: set[str] = set()
        self._sweep: asyncio.Task[None] | None = None
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

    @property
    def lines(self) -> list[AsteriskLine]:
        """The calls that are being handled now, in the order they came."""
        return [line for line in self._lines.values() if line.id in self._calls]

    def find(self, wanted: str) -> tuple[AsteriskLine, asyncio.Task[None]] | None:
        """Return a live call by its short number, its id, or the name of one of its channels."""
        for line in self.lines:
            if wanted and wanted in (str(line.number), line.id, line.name, line.media_name):
                return line, self._calls[line.id]
        return None

    def on_visit(self, entry: str, visitor: Visitor) -> None:
        """Give channels that enter with this first argument to ``visitor`` instead of treating them as callers."""
        self._visitors[entry] = visitor

    async def close(self, *, drain_seconds: float = 0.0) -> None:
        """Let the calls finish for ``drain_seconds``, then hand the rest to people."""
        if self._sweep is not None:
            self._sweep.cancel()
            await asyncio.gather(self._sweep, return_exceptions=True)
        if self._calls and drain_seconds:
            await asyncio.wait(self._calls.values(), timeout=drain_seconds)
        for task in tuple(self._calls.values()):
            task.cancel()
        await asyncio.gather(*self._calls.values(), return_exceptions=True)

    # --- events -------------------------------------------------------------------------------------

    def _stasis_start(self, event: dict[str, Any]) -> None:
        channel = event["channel"]
        channel_id = str(channel["id"])
        if channel_id in self._media_ids:
            self._media_names[channel_id] = str(channel.get("name", ""))
            return
        args = [str(arg) for arg in event.get("args", [])]
        if args and args[0] in self._visitors:
            visit = asyncio.create_task(self._visitors[args[0]](channel, args), name=f"visit-{channel_id}")
            self._visits.add(visit)
            visit.add_done_callback(self._visits.discard)
            return
        # a channel we know has left and is back, maybe before its first visit is tidied up
        line = AsteriskLine(self._ari, channel, args, self._options)
        line.number = self._next_number()
        self._lines[channel_id] = line
        task = asyncio.create_task(self._take(line), name=f"call-{line.id}")
        self._calls[line.id] = task
        task.add_done_callback(lambda _: self._forget(line))

    def _next_number(self) -> int:
        taken = {line.number for line in self._lines.values()}
        for _ in range(_MOST_NUMBERS):
            self._last_number = self._last_number % _MOST_NUMBERS + 1
            if self._last_number not in taken:
                break
        return self._last_number

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
        arguments = str(place.get("app_data", "")).split(",")
        if arguments[1:2] and arguments[1] in self._visitors:
            return False  # a supervisor's phone; its own dead-man timer ends it
        ours = place.get("app_name") == "Stasis" and arguments[0] == self._ari.app
        ours = ours or str(channel["id"]).startswith(_MEDIA_PREFIX)
        return ours and channel["id"] not in self._media_ids and channel["id"] not in self._lines

    async def _release(self, channel: Mapping[str, Any]) -> None:
        channel_id = str(channel["id"])
        log.warning("Channel %s was left behind in our application; it is released", channel_id)
        if channel_id.startswith(_MEDIA_PREFIX):
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
        if self._audiosocket is not None:
            return AudioSocketMedia(self._audiosocket, self._ari, media_id, line.inbox)
        return WebsocketMedia(self._ari, media_id, line.inbox)

    async def _refused(self, line: AsteriskLine) -> bool:
        """Send a call that is not to be taken straight to people: unanswered, without media."""
        reason = await self._refuse(line) if self._refuse is not None else ""
        if reason:
            log.info("Call %s goes straight to people: %s", line.id, reason)
            with contextlib.suppress(LineGone, AriError):
                await line.hand_over({"ORDERLINE_REASON": reason}, reason)
        return bool(reason)

    async def _take(self, line: AsteriskLine) -> None:
        if await self._refused(line):
            return
        media = self._media_for(line)
        bridge_id = f"{_BRIDGE_PREFIX}{secrets.token_hex(8)}"
        self._bridge_ids.add(bridge_id)
        deadman = asyncio.create_task(self._rearm(line), name=f"deadman-{line.id}")
        try:
            await self._connect(line, media, bridge_id)
            await self._open_to_supervisors(line, media)
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

    async def _open_to_supervisors(self, line: AsteriskLine, media: OpenableMedia) -> None:
        """Name the call for ChanSpy, by the channel of the one who serves the caller: a whisper is for nobody else."""
        line.media_name = self._media_names.get(media.channel_id, "")
        try:
            await self._ari.channels.set_variable(line.channel_id, "ORDERLINE_CALL", str(line.number))
            await self._ari.channels.set_variable(media.channel_id, "SPYGROUP", f"orderline:orderline-{line.number}")
        except (NotFound, Conflict) as error:
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
        self._media_names.pop(media.channel_id, None)
        self._bridge_ids.discard(bridge_id)
