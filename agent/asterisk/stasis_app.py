"""The Stasis application: takes each channel that enters, gives it media and a bridge, and cleans up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriConflict, AriError, AriUnreachable
from agent.asterisk.channel import AsteriskCallerLine, StasisOptions
from agent.asterisk.feature_codes import CONTROL, SPY_GROUP, FeatureCodes, spy_groups
from agent.asterisk.line_events import LINE_EVENT_TYPES, LineEvents
from agent.asterisk.media_audiosocket import AudioSocketMedia, AudioSocketServer
from agent.asterisk.media_websocket import WebsocketMedia
from agent.asterisk.orphans import (
    MEDIA_PREFIX,
    OrphanChannel,
    channel_exists,
    leave_to_message,
    new_bridge_id,
    new_media_id,
    orphan_channels,
    remove_orphans,
)
from agent.asterisk.presentation import CallerPresentation, WithheldListener
from agent.asterisk.sound_leg import SOUND, MediaLegRecorder
from agent.asterisk.stasis_ports import AdmitCall, HandleCall, OpenableMedia, RecordTaken, RejectToQueue, TakeStranded
from agent.asterisk.stranded import StrandedCalls
from agent.asterisk.transfers import STRANDED, bring_in, came_by_dialplan, hold_transfers, refuse_transfer
from agent.asterisk.version import parse_version, supports_transfer_handling
from agent.asterisk.watchdog import keep_watchdog_armed
from agent.call.errors import CallReclaimedError, LineGone
from agent.call.handover import Handover
from agent.call.inbox_events import HandOverRequested, TakeOverRequested
from agent.common.phone_numbers import is_keyed
from agent.common.tasks import cancel_and_wait, is_set_within

__all__ = ["EVENT_TYPES", "AsteriskCallerLine", "StasisApplication", "StasisOptions"]

log = logging.getLogger(__name__)

EVENT_TYPES = ("StasisStart", *LINE_EVENT_TYPES, "ApplicationReplaced")
"""All that the controller listens to; the rest is filtered out in Asterisk."""

_MISSED_SECONDS = 1.0
"""A call whose StasisStart got lost with a connection is found after this long."""
HAND_OVER_SECONDS = 1.5
"""How long a session may take to give its call away when the agent is stopped; then it is cut off."""
_TAKE_OVER_SECONDS = 3.0
_GIVING_SECONDS = 5.0
"""A call that is being given already is waited for so much longer; the supervisor's phone waits 10 s in all."""
NEW_CALLS = ("inbound", "outbound", "transfer_back")
"""Ways in that may be closed. A caller the queue gives back has nobody else: the agent still says so honestly."""


class StasisApplication:
    """Runs ``handle(line, media)`` for every call that enters our Stasis application.

    A caller who was in it before us (``line.adopted``) is one whom another controller held until it died.
    """

    def __init__(
        self,
        ari: AriClient,
        handle: HandleCall,
        options: StasisOptions,
        audiosocket: AudioSocketServer | None = None,
        codes: FeatureCodes | None = None,
        *,
        admit: AdmitCall = lambda live_calls: "",
        reject: RejectToQueue | None = None,
        claim: Callable[[str], str] = lambda channel_id: "",
        take_stranded: TakeStranded | None = None,
        record_taken: RecordTaken | None = None,
        on_withheld: WithheldListener | None = None,
        adopt_after_seconds: float = 0.0,
    ) -> None:
        """``codes`` are what supervisors ask for by phone.

        Audio goes by ``audiosocket`` while that listens, else by websocket. ``claim(channel id)`` gives the id under
        which an earlier controller held the call that is taken over, ``""`` when unknown; ``take_stranded`` does the
        same for one that another instance had, and ``record_taken`` records such a one that ended before it went on.
        """
        self._codes = codes
        self._ari = ari
        self._handle = handle
        self._options = options
        self._audiosocket = audiosocket
        self._admit = admit
        self._reject = reject
        self._claim = claim
        self._presentation = CallerPresentation(ari, on_withheld)
        self._stranded = StrandedCalls(ari, options, take_stranded, record_taken, self._presentation)
        self._adopt_after_seconds = adopt_after_seconds
        self._lines: dict[str, AsteriskCallerLine] = {}
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._media_ids: set[str] = set()
        self._media_lines: dict[str, AsteriskCallerLine] = {}
        self._bridge_ids: set[str] = set()
        self._channels_before: list[dict[str, Any]] = []
        self._lines_before: set[str] = set()
        self._transfers_can_be_held = False
        self._resync_task: asyncio.Task[None] | None = None
        self.counted: dict[str, int] = {}
        """New calls that were not taken, by reason."""
        self.adopted = asyncio.Event()
        """Set when the callers of an earlier controller have been taken over."""
        self.replaced = asyncio.Event()
        """Set when another controller has taken our application."""
        self._line_events = LineEvents(self._lines, self._decline_transfer)
        for event_type, handler in (
            ("StasisStart", self._stasis_start),
            *self._line_events.handlers.items(),
            ("ApplicationReplaced", self._replaced),
        ):
            ari.on(event_type, handler)
        ari.before_connecting(self._remember_channels)
        ari.on_connected(self._connected)

    @property
    def live_calls(self) -> int:
        """How many calls are being handled now."""
        return len(self._calls)

    async def channel_ids(self) -> list[str]:
        """Return the ids of all channels of this Asterisk; none when it does not answer."""
        try:
            channels = await self._ari.channels.list()
        except AriError:
            return []
        return [str(channel["id"]) for channel in channels]

    async def wait_until_idle(self, seconds: float) -> bool:
        """Wait until the last call has ended by itself; False when the time is over before that."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self._calls and (left := deadline - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(self._calls.values(), timeout=left, return_when=asyncio.FIRST_COMPLETED)
        return not self._calls

    def line_of(self, call_id: str) -> AsteriskCallerLine | None:
        """Return the line of a call that the agent has, None where it has none of this id."""
        lines = (line for line in self._lines.values() if line.id == call_id and line.id in self._calls)
        return next((line for line in lines if not line.released), None)

    async def hand_over_all(self, reason: str) -> None:
        """Hand every call over to staff with its summary; a session that does not get that done is cut off."""
        for line in tuple(self._lines.values()):
            line.inbox.put_nowait(HandOverRequested(reason))
        if self._calls:
            await asyncio.wait(self._calls.values(), timeout=HAND_OVER_SECONDS)
        await cancel_and_wait(*self._calls.values())

    async def close(self) -> None:
        """Hand the calls that are left over to staff, and stop."""
        if self._resync_task is not None:
            await cancel_and_wait(self._resync_task)
        await self.hand_over_all("agent_stopping")
        if self._errands:
            await asyncio.wait(self._errands, timeout=HAND_OVER_SECONDS)
        await cancel_and_wait(*self._errands)

    # --- events -------------------------------------------------------------------------------------

    def _stasis_start(self, event: dict[str, Any]) -> None:
        channel = event["channel"]
        channel_id = str(channel["id"])
        if channel_id in self._media_ids:
            if channel_id in self._media_lines:
                self._media_lines[channel_id].media_name = str(channel.get("name", ""))
            return
        args = [str(arg) for arg in event.get("args", [])]
        if args[:1] == [CONTROL]:
            self._run_feature_code(channel, args[1:])
            return
        if args[:1] == [SOUND] or channel_id.startswith(MEDIA_PREFIX):  # a media leg of a call that is over
            self._start_background_task(self._ari.channels.hangup(channel_id), "stray-media")
            return
        replaced = self._line_events.replaced(event)
        if not came_by_dialplan(args):
            dialled = replaced.caller.dialled if replaced is not None else ""
            self._bring_in(channel, dialled=dialled, takes_a_place="replace_channel" in event)
            return
        if args[:1] == [STRANDED]:
            self._take_stranded(channel, args)
            return
        # a channel we know has left and is back, maybe before its first visit is tidied up
        self._admit_or_reject(AsteriskCallerLine(self._ari, channel, args, self._options))

    def _admit_or_reject(self, line: AsteriskCallerLine) -> None:
        if line.entry in NEW_CALLS and (reason := self._admit(self.live_calls)):
            self.counted[reason] = self.counted.get(reason, 0) + 1
            self._start_background_task(self._reject_call(line, reason), f"reject-{line.id}")
            return
        self._begin(line)

    def _take_stranded(self, channel: Mapping[str, Any], args: list[str]) -> asyncio.Task[None] | None:
        """Begin to go on with a call that another instance had; None where that is under way."""
        name = f"stranded-{channel['id']}"
        if any(task.get_name() == name for task in self._errands):
            return None
        return self._start_background_task(self._go_on_with(channel, args), name)

    async def _go_on_with(self, channel: Mapping[str, Any], args: list[str]) -> None:
        """Go on with a call that another instance had."""
        line = await self._stranded.line_of(channel, args)
        if line is not None:
            (self._begin if line.adopted else self._admit_or_reject)(line)

    def _bring_in(self, channel: Mapping[str, Any], *, dialled: str = "", takes_a_place: bool = False) -> None:
        name = f"bring-in-{channel['id']}"
        if any(task.get_name() == name for task in self._errands):
            return  # found again after a reconnection, while it is still being tried
        work = bring_in(self._ari, channel, dialled=dialled, takes_a_place=takes_a_place)
        self._start_background_task(work, name)

    def _decline_transfer(self, line: AsteriskCallerLine) -> None:
        self._start_background_task(refuse_transfer(self._ari, line.channel_id), f"refuse-{line.id}")

    def _begin(self, line: AsteriskCallerLine) -> None:
        self._lines[line.channel_id] = line
        task = asyncio.create_task(self._take(line), name=f"call-{line.id}")
        self._calls[line.id] = task
        task.add_done_callback(lambda _: self._forget(line, task))

    def _forget(self, line: AsteriskCallerLine, task: asyncio.Task[None]) -> None:
        if self._calls.get(line.id) is task:
            del self._calls[line.id]
        if self._lines.get(line.channel_id) is line:
            del self._lines[line.channel_id]

    def _start_background_task(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)
        return task

    async def _reject_call(self, line: AsteriskCallerLine, reason: str) -> None:
        """Send a new call to the queue before it is answered; a customer we have called, to the information message."""
        log.warning("Call %s is not taken: %s", line.id, reason)
        await self._presentation.apply(line)
        try:  # if it fails, the dead-man timer does the same a little later
            if self._reject is not None:
                await self._reject(line, reason)
            else:
                await Handover(line).emergency(reason)
        except (LineGone, CallReclaimedError, AriError) as error:
            log.info("Call %s: %s", line.id, error)

    def _run_feature_code(self, channel: Mapping[str, Any], args: list[str]) -> None:
        """Do what a supervisor's phone asks for; the channel is no call for the agent."""
        codes = self._codes or FeatureCodes({})
        self._start_background_task(codes.run_code(self._ari, str(channel["id"]), args, self.take_over), "feature-code")

    async def take_over(self, number: str, by: str) -> str:
        """Take a call from the agent: the one from ``number`` or with a channel of that name, the latest for ``""``.

        Returns the name of the channel to be bridged to, ``""`` when there is no such call.
        """
        lines = [line for line in self._lines.values() if not line.released and line.id in self._calls]
        if "/" in number:  # the name of a channel, as ChanSpy knows it
            lines = [line for line in lines if number in (line.channel_name, line.media_name)]
        elif number:
            lines = [line for line in lines if is_keyed(number, line.caller.number, self._options.region)]
        if not lines:
            return ""
        line, wish = lines[-1], TakeOverRequested(by)
        line.inbox.put_nowait(wish)
        if await is_set_within(line.released_to_supervisor, _TAKE_OVER_SECONDS):
            return line.channel_name
        if not wish.claim.withdraw() and await is_set_within(line.released_to_supervisor, _GIVING_SECONDS):
            return line.channel_name  # it was being given, and Asterisk answered late
        log.warning("Call %s was not given up in time; the supervisor is told so", line.id)
        return ""

    def _replaced(self, event: dict[str, Any]) -> None:
        log.critical(
            "Another controller has taken the application '%s'. This one hears nothing of its %d call(s) any more: it "
            "hands them over to the staff and stops. Let only one controller serve an application.",
            self._ari.app,
            len(self._calls),
        )
        self._ari.stop_reconnecting()
        self.replaced.set()

    # --- what another life left behind, and what happened while we were cut off ----------------------

    async def _remember_channels(self) -> None:
        """Before each connection: whoever is in our application now will not be announced to us."""
        self._lines_before = set(self._lines)
        self._channels_before = await self._ari.channels.list()
        self._transfers_can_be_held = supports_transfer_handling(
            parse_version(await self._ari.system.version()) or (0, 0, 0)
        )

    async def _connected(self) -> None:
        if self._resync_task is not None:
            self._resync_task.cancel()
        self._resync_task = asyncio.create_task(self._resynchronise(), name="resynchronise")

    async def _resynchronise(self) -> None:
        try:
            if not self._calls and self._adopt_after_seconds:
                await asyncio.sleep(self._adopt_after_seconds)  # the controller we replaced gives its calls away
                self._channels_before = await self._ari.channels.list()
            self._report_lost_channels()
            await remove_orphans(self._ari, self._channels_before, self._media_ids, self._bridge_ids)
            for stray in orphan_channels(self._channels_before, self._ari.app):
                await self._adopt(stray)
            self.adopted.set()
            await asyncio.sleep(_MISSED_SECONDS)
            for stray in orphan_channels(await self._ari.channels.list(), self._ari.app):
                await self._adopt(stray)
        except AriError as error:
            log.warning("Looking for calls left behind: %s", error)
        finally:
            self.adopted.set()

    def _report_lost_channels(self) -> None:
        """Tell the calls whose caller left, or was taken to the dialplan, while we could not hear of it."""
        there = {str(channel["id"]) for channel in self._channels_before}
        here = {str(stray.channel["id"]) for stray in orphan_channels(self._channels_before, self._ari.app)}
        self._line_events.found(self._lines_before, there, here)

    async def _adopt(self, stray: OrphanChannel) -> None:
        channel_id = str(stray.channel["id"])
        known = channel_id in self._lines or not await channel_exists(self._ari, channel_id)
        if known or channel_id in self._lines:  # its StasisStart may have come meanwhile
            return
        if stray.args[:1] == (CONTROL,):  # a supervisor's phone: who asked will ask again
            await self._ari.channels.hangup(channel_id)
            return
        if not came_by_dialplan(stray.args):
            self._bring_in(stray.channel)
            return
        if stray.args[:1] == (STRANDED,):
            if (taking := self._take_stranded(stray.channel, list(stray.args))) is not None:
                await asyncio.wait([taking])
            return
        if stray.is_outbound:  # whoever spoke with them is dead; they did not call us
            await leave_to_message(self._ari, stray)
            return
        line = AsteriskCallerLine(
            self._ari, stray.channel, list(stray.args), self._options, adopted=True, known_as=self._claim(channel_id)
        )
        log.warning("Call %s was left behind in our application; it is taken over", line.id)
        self._begin(line)

    # --- one call -----------------------------------------------------------------------------------

    def _media_for(self, line: AsteriskCallerLine) -> OpenableMedia:
        # Asterisk compares new channel ids by prefix, so neither id may begin with the other
        media_id = new_media_id(self._ari.app)
        self._media_ids.add(media_id)
        spied = {SPY_GROUP: spy_groups(line.caller.number, self._options.region)}
        if self._audiosocket is not None and self._audiosocket.is_listening:
            return AudioSocketMedia(self._audiosocket, self._ari, media_id, line.inbox, spied)
        return WebsocketMedia(self._ari, media_id, line.inbox, spied)

    async def _take(self, line: AsteriskCallerLine) -> None:
        deadman = asyncio.create_task(keep_watchdog_armed(self._ari, line, self._options), name=f"deadman-{line.id}")
        bridge_id = new_bridge_id(self._ari.app)
        media = None
        try:
            await self._presentation.apply(line)
            media = self._media_for(line)
            self._media_lines[media.channel_id] = line
            self._bridge_ids.add(bridge_id)
            line.sound_leg = MediaLegRecorder(self._ari, media.channel_id, bridge_id)
            await self._connect(line, media, bridge_id)
            line.held = True
            await self._handle(line, media)
        except (LineGone, CallReclaimedError) as error:
            log.info("Call %s: %s", line.id, error)
        except (AriError, asyncio.CancelledError) as error:
            log.warning("Call %s is left to the dialplan: %s", line.id, error or "the agent is stopping")
            await self._hand_over_after_fault(line)
            if isinstance(error, asyncio.CancelledError):
                raise
        except Exception:  # whatever it was, the caller must reach the staff
            log.exception("Call %s failed; it is left to the dialplan", line.id)
            await self._hand_over_after_fault(line)
        finally:
            await cancel_and_wait(deadman)
            if media is not None:
                await self._clean_up(media, bridge_id)
            await self._stranded.record_unheld(line)

    async def _connect(self, line: AsteriskCallerLine, media: OpenableMedia, bridge_id: str) -> None:
        """Bring up media and bridge before the call is answered, so that the greeting waits for nothing."""
        prepared = await asyncio.gather(
            media.open(),
            self._ari.bridges.create(bridge_id, name=f"orderline {line.id}"),
            *([hold_transfers(self._ari, line.channel_id, line.channel_name)] if self._transfers_can_be_held else ()),
            return_exceptions=True,
        )
        for result in prepared:
            if isinstance(result, BaseException):
                raise result
        try:
            await line.ensure_ours()
            await self._ari.bridges.add_channel(bridge_id, [line.channel_id, media.channel_id])
        except AriError as error:
            if self._options.shared and isinstance(error, AriConflict) and not await line.is_lost():
                raise CallReclaimedError("Another instance has the call.") from error
            # "Channel not found" comes as 400, 404 or 409, by the moment at which the caller left
            if isinstance(error, AriUnreachable) or not await line.is_leaving():
                raise
            raise LineGone("The caller hung up while the call was being set up.") from error

    async def _hand_over_after_fault(self, line: AsteriskCallerLine) -> None:
        if not line.released:
            await Handover(line).emergency("agent_fault")

    async def _clean_up(self, media: OpenableMedia, bridge_id: str) -> None:
        for clean_up in (media.close, lambda: self._ari.bridges.destroy(bridge_id)):
            try:
                await clean_up()
            except AriError as error:
                log.warning("Cleaning up after a call: %s", error)
        self._media_ids.discard(media.channel_id)
        self._media_lines.pop(media.channel_id, None)
        self._bridge_ids.discard(bridge_id)
