"""A caller's channel in Stasis, as the caller line of a call."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriAuthFailed, AriConflict, AriError, AriNotFound, AriUnreachable
from agent.asterisk.feature_codes import SPY_GROUP
from agent.asterisk.orphans import is_in_application
from agent.asterisk.outbound_entry import CONTEXT, DEADMAN_SECONDS, MESSAGE, OutboundCall
from agent.asterisk.sound_leg import MediaLegRecorder
from agent.asterisk.transfers import give_transfers_back
from agent.call.errors import CallReclaimedError, LineGone
from agent.call.inbox_events import Inbox
from agent.call.records import INBOUND, OUTBOUND, Caller, CallOrigin

log = logging.getLogger(__name__)

_TAKEN_OVER = "orderline-taken-over"
UNKNOWN_REASON = "unknown"
"""Extension of the hand-over context for a reason that is no word of the dialplan's."""
_REASON = re.compile(r"[a-z][a-z0-9_]{1,39}")
BEGUN = "ORDERLINE_BEGUN"
"""Channel variable: ``1`` once an instance has the call. Only where there are several: a call without it is new."""
_SAFE_SECONDS = 1.0
"""So long before its end the dead-man timer counts as run out."""
_HANGUP_NOTICE_SECONDS = 0.5
"""The event that a caller hangs up may come this long after the refusal that it causes."""


@dataclass(frozen=True)
class StasisOptions:
    """How calls are taken and given back."""

    handover_context: str = "orderline-handover"
    deadman_seconds: int = 5
    """The dialplan takes a call back when nothing has re-armed its timer for this long."""
    rearm_seconds: float = 2.0
    """Between two re-armings; at most two fifths of ``deadman_seconds``."""
    max_call_seconds: int = 900
    """After this long the timer is not re-armed any more: the dialplan takes the call to the staff."""
    region: str = "US"
    """ISO country whose national phone numbers are understood."""
    shared: bool = False
    """Whether several instances share this Asterisk: a call that was left alone may be another one's."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "rearm_seconds", min(self.rearm_seconds, self.deadman_seconds * 0.4))

    @property
    def ask_seconds(self) -> float:
        """How long the first re-arming may wait for what else has to be known of a call; the timer runs meanwhile."""
        return self.deadman_seconds * 0.4

    @property
    def answer_seconds(self) -> float:
        """How long Asterisk may take to answer one re-arming: two slow answers in a row leave time for a third."""
        return self.deadman_seconds * 0.2


class AsteriskCallerLine:
    """:class:`agent.call.ports.CallerLine` on a channel in Stasis."""

    def __init__(
        self,
        ari: AriClient,
        channel: Mapping[str, Any],
        args: list[str],
        options: StasisOptions,
        *,
        adopted: bool = False,
        known_as: str = "",
    ) -> None:
        """``known_as`` is the id under which an earlier controller held this call."""
        self.channel_id = str(channel["id"])
        caller = channel.get("caller", {})
        self.entry = args[0] if args else "inbound"
        # a call that comes back on the same channel is another visit, with a record of its own
        own_id = self.channel_id if self.entry in (INBOUND, OUTBOUND) else f"{self.channel_id}-{secrets.token_hex(4)}"
        self.id = known_as or own_id
        self.entry_detail = args[1] if len(args) > 1 else ""
        self.origin, self.caller = (
            CallOrigin(),
            Caller(
                number=str(caller.get("number", "")),
                name=str(caller.get("name", "")),
                dialled=self.entry_detail or str(channel.get("dialplan", {}).get("exten", "")),
            ),
        )
        if (placed := OutboundCall.of(args)) is not None:  # its channel shows our own number
            self.origin = CallOrigin(OUTBOUND, placed.purpose, placed.job, placed.attempt)
            self.caller = Caller(placed.number)
        self.is_answered = channel.get("state") == "Up"
        self.adopted = adopted
        """True when the call was in our application before this process was."""
        self.taken = False
        """True when the call was taken from another instance."""
        self.held = False
        """True once the call has media: whatever becomes of it, its session writes the record."""
        self.inbox: Inbox = asyncio.Queue()
        self.released = False
        """True once the channel has been given back to the dialplan: it is not ours to hang up any more."""
        self.hanging_up = asyncio.Event()
        """Set when the caller is hanging up."""
        self.on_hold = False
        """True while the caller's phone has put the agent on hold."""
        self.channel_name = str(channel.get("name", ""))
        self.media_name = ""
        """Name of the agent's side's channel."""
        self.sound_leg: MediaLegRecorder | None = None
        """Has the audio of this call recorded; set when the call has media."""
        self.released_to_supervisor = asyncio.Event()
        """Set when a supervisor may have the call."""
        self._ari = ari
        self._options = options
        self._control = asyncio.Lock()
        self._armed_at: float | None = None

    async def answer(self) -> None:
        """Answer the call. Raises LineGone."""
        try:
            await self.ensure_ours()
            await self._ari.channels.answer(self.channel_id)
        except (AriNotFound, AriConflict) as error:
            raise LineGone("The caller hung up before the call was answered.") from error
        except AriError as error:
            # a channel that is hung up at this very moment: 500 "Failed to answer channel"
            if isinstance(error, AriAuthFailed | AriUnreachable) or not await self.is_leaving():
                raise
            raise LineGone("The caller hung up while the call was being answered.") from error

    async def _make_ready_for_people(self) -> None:
        """Whatever context it goes to: supervisors do not listen in on people, and transfers work again.

        The hand-over context does both too, so that no fault here keeps a caller from people. Raises AriNotFound and
        AriConflict: the caller has gone.
        """
        try:
            await self._ari.channels.set_variable(self.channel_id, SPY_GROUP, "")
            await give_transfers_back(self._ari, self.channel_id, self.channel_name)
        except (AriNotFound, AriConflict):
            raise
        except AriError as error:
            log.warning("Call %s goes to staff all the same: %s", self.id, error)

    async def hang_up(self) -> None:
        """End the call; no error when it is already over, or with another instance."""
        with contextlib.suppress(AriNotFound, AriConflict):
            await self.ensure_ours()
            await self._ari.channels.hangup(self.channel_id)

    async def hand_over(self, variables: Mapping[str, str], why: str) -> None:
        """Continue in the hand-over context at extension ``why``. Raises LineGone, CallReclaimedError."""
        extension = why if _REASON.fullmatch(why) else UNKNOWN_REASON
        await self._leave_for(self._options.handover_context, extension, variables)

    async def inform(self) -> None:
        """Continue at the information message for customers we have called. Raises LineGone, CallReclaimedError."""
        await self._leave_for(CONTEXT, MESSAGE, {})

    async def _leave_for(self, context: str, extension: str, variables: Mapping[str, str]) -> None:
        async with self._control:  # a re-arming still under way would cut the call short in the queue
            try:
                await self.ensure_ours()
                await self._make_ready_for_people()
                for name, value in variables.items():
                    await self._stay_armed()
                    await self._ari.channels.set_variable(self.channel_id, name, value)
                self.released = True  # before it is so: the events of leaving must not look like somebody else's doing
                await self._ari.channels.continue_in_dialplan(self.channel_id, context=context, extension=extension)
            except (AriNotFound, AriConflict) as error:
                if isinstance(error, AriConflict) and not await self.is_lost():
                    raise CallReclaimedError(
                        "The call was in the dialplan already when it was to be handed over."
                    ) from error
                raise LineGone("The caller hung up before the hand-over.") from error
            except AriError:
                self.released = False
                raise

    async def release_to_supervisor(self) -> None:
        """Continue where a supervisor's phone takes the call. Raises LineGone when the caller has left."""
        async with self._control:
            try:
                await self.ensure_ours()
                self.released = True
                await self._ari.channels.continue_in_dialplan(self.channel_id, context=_TAKEN_OVER, extension="s")
            except (AriNotFound, AriConflict) as error:
                raise LineGone("The caller hung up before the call was taken over.") from error
            except AriError:
                self.released = False
                raise
        self.released_to_supervisor.set()

    async def rearm(self) -> None:
        """Tell the dialplan's dead-man timer that somebody is looking after this call.

        Raises AriError, AriUnreachable after a part of the timer's time already.
        """
        async with self._control:
            if not self.released:
                await self._arm()

    async def ensure_ours(self) -> None:
        """Return when no other instance can have taken this call; asks Asterisk where the timer may have run out.

        A process that was stopped for a while, and goes on, must not touch a call that goes on elsewhere. Raises
        AriNotFound for a caller who has gone, AriConflict for one who is not with us any more.
        """
        if not self._options.shared:
            return
        now = asyncio.get_running_loop().time()
        if self._armed_at is not None and now - self._armed_at < self._options.deadman_seconds - _SAFE_SECONDS:
            return
        channel = await self._ari.channels.get(self.channel_id)
        if not is_in_application(channel, self._ari.app):
            place = channel.get("dialplan", {})
            where = f"{place.get('app_name')}({place.get('app_data')})"
            raise AriConflict(409, "GET", f"/channels/{self.channel_id}", f"it is in {where} now")

    async def _arm(self) -> None:
        await self.ensure_ours()
        asked_at = asyncio.get_running_loop().time()
        seconds = self._options.deadman_seconds
        if self.entry == OUTBOUND:
            seconds = min(seconds, DEADMAN_SECONDS)
        try:
            async with asyncio.timeout(self._options.answer_seconds):
                await self._ari.channels.set_timer(self.channel_id, seconds)
                if self._options.shared and self._armed_at is None:
                    await self._ari.channels.set_variable(self.channel_id, BEGUN, "1")
        except TimeoutError as error:
            raise AriUnreachable(f"Asterisk did not answer within {self._options.answer_seconds:g} s") from error
        self._armed_at = asked_at

    async def _stay_armed(self) -> None:
        """Re-arm the timer in the middle of a hand-over that Asterisk is slow to answer: the watchdog waits meanwhile.

        Raises AriNotFound and AriConflict: the caller has gone.
        """
        now = asyncio.get_running_loop().time()
        if self._armed_at is None or now - self._armed_at < self._options.rearm_seconds:
            return
        try:
            await self._arm()
        except (AriNotFound, AriConflict):
            raise
        except AriError as error:
            log.warning("Call %s: the dead-man timer could not be re-armed: %s", self.id, error)

    async def is_lost(self) -> bool:
        """True when the channel is gone, or its Asterisk does not answer."""
        try:
            await self._ari.channels.get(self.channel_id)
        except AriAuthFailed:
            return False
        except AriError:
            return True
        return False

    async def is_leaving(self) -> bool:
        """True when the caller has hung up or is hanging up: what Asterisk has just refused is no fault then.

        Waits for the event up to half a second. Raises AriError when Asterisk does not tell.
        """
        try:
            await self._ari.channels.get(self.channel_id)
        except AriNotFound:
            return True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_HANGUP_NOTICE_SECONDS):
                await self.hanging_up.wait()
        return self.hanging_up.is_set()
