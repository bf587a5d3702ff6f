"""The way out through Asterisk: places calls into the dialplan, follows them by events, and knows the trunk's load.

Whoever answers goes to ``[orderline-outbound]`` of the dialplan, so that somebody (or something) speaks to them even
where this program has died meanwhile. Progress comes by a subscription to the trunk's endpoint, in an ARI application
of its own: on the one that takes calls every event of a call on that trunk would come twice, keys included.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import aiohttp

from agent.asterisk.ami_database import ManagerUnavailable
from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriConflict, AriError, AriNotFound, AriUnreachable
from agent.asterisk.dial_end import ChannelEnd, dial_end
from agent.asterisk.outbound_entry import CONTEXT, MARKERS, dialplan_variables
from agent.call.dialling import (
    DialEnd,
    DialListener,
    DialProgress,
    DialRefused,
    DialRequest,
    DialState,
    DialUncertain,
)
from agent.common.phone_numbers import country_of, e164
from agent.common.tasks import cancel_and_wait, report_failure

log = logging.getLogger(__name__)

DIAL_EVENT_TYPES = ("Dial", "ChannelStateChange", "ChannelDestroyed", "ApplicationReplaced")
"""All that the application of the dialler listens to."""
APP_SUFFIX = "-outbound"
"""The name of that application is the other one's with this."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,79}")
_NUMBER = re.compile(r"\+?[0-9]{2,17}")
_RANG = frozenset({"RINGING", "PROGRESS"})
_CERTAINLY_NOT_PLACED = frozenset({400, 401, 403, 404, 422, 500})
"""Answers of Asterisk's own to a dial it did not begin; others may be of something in between."""


@dataclass(frozen=True)
class TrunkOptions:
    """Where calls go out."""

    dial: str
    """``PJSIP/{number}@carrier``: ``{number}`` is E.164 with the plus sign, ``{digits}`` the same without it."""
    endpoint: str
    """``PJSIP/carrier``, whose channels are the trunk's load."""
    context: str = CONTEXT
    """Where in the dialplan answered calls go, at extension ``s``."""
    app: str = "orderline"
    """The application of the agent that talks with whoever answers."""
    formats: str = "ulaw"
    """Codecs to offer, the preferred one first, separated by commas."""
    message_file: str = ""
    """The recording that a callee hears when nobody of us is there: a path without ending, as Asterisk sees it."""

    def address(self, number: str) -> str:
        """Return what Asterisk is to dial for this number."""
        return self.dial.replace("{number}", number).replace("{digits}", number.removeprefix("+"))

    @property
    def by_dialplan(self) -> bool:
        """Whether the dialplan chooses the trunk (``Local/...``): our channel is none of the endpoint's then."""
        return self.dial.lower().startswith("local/")


@dataclass
class _Followed:
    """One attempt on the line."""

    began_at: float
    """Monotonic seconds."""
    ring_seconds: float
    dialled: bool = False
    rang: bool = False
    answered: bool = False
    cancelled: bool = False
    forwarded: bool = False


class DialplanMarks(Protocol):
    """Asterisk's database, as :class:`agent.asterisk.ami_database.AsteriskDatabase` reads it."""

    async def get(self, family: str, key: str) -> str:
        """Return a value, ``""`` where there is none. Raises ManagerUnavailable."""
        ...


class AsteriskTrunk:
    """Implements :class:`agent.call.dialling.Trunk`. Nothing is dialled before :meth:`start`."""

    def __init__(
        self,
        ari: AriClient,
        options: TrunkOptions,
        marks: DialplanMarks,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``ari`` is a client of its own, see :data:`APP_SUFFIX` and :data:`DIAL_EVENT_TYPES`, not started yet.

        ``marks`` reads what the dialplan noted in Asterisk's database.
        """
        self._ari = ari
        self._options = options
        self._marks = marks
        self._clock = clock
        self._followed: dict[str, _Followed] = {}
        self._told: asyncio.Queue[DialProgress] = asyncio.Queue()
        self._teller: asyncio.Task[None] | None = None
        self.problem = "not connected"
        """Why nothing can be dialled now; ``""`` while it can."""
        for event_type, handler in (
            ("Dial", self._on_dial),
            ("ChannelStateChange", self._on_state),
            ("ChannelDestroyed", self._on_destroyed),
            ("ApplicationReplaced", self._on_replaced),
        ):
            ari.on(event_type, handler)
        ari.before_connecting(self._connecting)
        ari.on_connected(self._connected)

    async def start(self, listener: DialListener) -> None:
        """Begin to follow calls and tell ``listener`` of them. An absent Asterisk is waited for in the background."""
        self._teller = asyncio.create_task(self._tell_on(listener), name="dial-progress")
        self._teller.add_done_callback(report_failure)
        await self._ari.start(wait=False)

    # --- what the dialler asks ----------------------------------------------------------------------

    async def dial(self, request: DialRequest) -> None:
        """Place the call; see :meth:`agent.call.dialling.Trunk.dial`. A number that is none is refused."""
        attempt = request.attempt
        if not _ID.fullmatch(attempt) or not _NUMBER.fullmatch(request.number):
            raise DialRefused("The attempt's id or the number cannot stand in a request to Asterisk.")
        if self.problem or not self._ari.connected.is_set():
            raise DialRefused(f"Calls cannot be followed now: {self.problem or 'the event stream is down'}.")
        fresh = attempt not in self._followed
        followed = self._followed.setdefault(attempt, _Followed(self._clock(), request.ring_seconds))
        try:
            await self._ari.channels.originate_to_dialplan(
                attempt,
                endpoint=self._options.address(request.number),
                context=self._options.context,
                extension="s",
                params={
                    "callerId": request.caller_id or None,
                    "timeout": request.ring_seconds,
                    "formats": self._options.formats,
                },
                variables=dialplan_variables(request, self._options.message_file, self._options.app),
            )
        except AriConflict as error:
            if error.status != 409:
                self._forget(attempt, fresh)
                raise DialRefused(error.message) from error
            log.warning("Attempt %s is on the line already", attempt)
        except AriUnreachable as error:
            if isinstance(error.__cause__, aiohttp.ClientConnectorError):  # nothing was sent
                self._forget(attempt, fresh)
                raise DialRefused(error.message) from error
            raise DialUncertain(error.message) from error
        except AriError as error:
            if error.status in _CERTAINLY_NOT_PLACED:
                self._forget(attempt, fresh)
                raise DialRefused(error.message) from error
            raise DialUncertain(error.message) from error
        self._note_dialled(attempt, followed)
        if self._options.by_dialplan:
            await self._follow_channel(attempt)

    async def cancel(self, attempt: str) -> bool:
        """End an attempt that has not been answered; False when it was, or is gone. Raises DialUncertain."""
        state = await self.find(attempt)
        followed = self._followed.get(attempt)
        if state is None or state is DialState.ANSWERED or followed is None or followed.answered:
            return False
        followed.cancelled = True
        try:
            await self._ari.channels.hangup(attempt)
        except AriError as error:
            raise DialUncertain(error.message) from error
        return True

    async def find(self, attempt: str) -> DialState | None:
        """Return how far an attempt is that is on the line, and follow it from now on; None when it is not there.

        Raises DialUncertain when Asterisk does not answer.
        """
        try:
            channel = await self._ari.channels.get(attempt)
        except AriNotFound:
            return None
        except AriError as error:
            raise DialUncertain(error.message) from error
        followed = self._followed.setdefault(attempt, _Followed(self._clock(), float("inf"), dialled=True))
        state = str(channel.get("state", ""))
        followed.answered = followed.answered or state == "Up"
        followed.rang = followed.rang or state in ("Ring", "Ringing", "Up")
        if followed.answered:
            return DialState.ANSWERED
        return DialState.RANG if followed.rang else DialState.DIALLED

    async def was_answered(self, attempt: str) -> bool:
        """Return whether the dialplan noted an answer. Raises DialUncertain when Asterisk does not say so.

        The dialplan keeps its marks by month, in Asterisk's database.
        """
        if not _ID.fullmatch(attempt):
            return False
        try:
            for month in _months_around(datetime.now(UTC)):
                if await self._marks.get(f"{MARKERS}/{month}", attempt):
                    return True
        except ManagerUnavailable as error:
            raise DialUncertain(error.message) from error
        return False

    async def channels(self) -> int:
        """Return the channels on the trunk now, in and out.

        Raises DialUncertain when Asterisk does not answer, or does not know the endpoint.
        """
        technology, _, resource = self._options.endpoint.partition("/")
        try:
            return len((await self._ari.endpoints.get(technology, resource)).get("channel_ids", ()))
        except AriError as error:
            raise DialUncertain(error.message) from error

    async def on_the_line(self, number: str) -> bool:
        """Return whether a call with this number is up now, whoever has it. Raises DialUncertain."""
        country = country_of(number)
        try:
            channels = await self._ari.channels.list()
        except AriError as error:
            raise DialUncertain(error.message) from error
        parties = (channel.get(party) or {} for channel in channels for party in ("caller", "connected"))
        return any(e164(str(party.get("number") or ""), country) == number for party in parties)

    async def close(self) -> None:
        """Follow and tell no more; idempotent. Calls under way go on."""
        await self._ari.close()
        if self._teller is not None:
            await cancel_and_wait(self._teller)
            self._teller = None

    # --- events -------------------------------------------------------------------------------------

    def _on_dial(self, event: dict[str, Any]) -> None:
        peer = event.get("peer")
        attempt = str(peer.get("id", "")) if isinstance(peer, dict) else ""
        followed = self._followed.get(attempt)
        if followed is None:
            return
        followed.forwarded = followed.forwarded or bool(event.get("forward"))
        if event.get("dialstatus") in _RANG:
            self._note_rang(attempt, followed)

    def _on_state(self, event: dict[str, Any]) -> None:
        attempt = str(event["channel"]["id"])
        followed = self._followed.get(attempt)
        if followed is None:
            return
        state = event["channel"].get("state")
        if state == "Ringing":
            self._note_rang(attempt, followed)
        elif state == "Up" and not followed.answered:
            self._note_dialled(attempt, followed)
            followed.answered = True
            self._tell(DialProgress(attempt, DialState.ANSWERED, rang=followed.rang))

    def _on_destroyed(self, event: dict[str, Any]) -> None:
        attempt = str(event["channel"]["id"])
        followed = self._followed.pop(attempt, None)
        if followed is None:
            return
        self._note_dialled(attempt, followed)
        cause, tech_cause = _number(event.get("cause")), _number(event.get("tech_cause"))
        end = ChannelEnd(
            cause=cause,
            tech_cause=tech_cause,
            rang=followed.rang,
            lasted_seconds=self._clock() - followed.began_at,
            ring_seconds=followed.ring_seconds,
            answered=followed.answered,
            cancelled=followed.cancelled,
            forwarded=followed.forwarded,
        )
        self._tell(DialProgress(attempt, DialState.ENDED, dial_end(end), cause, tech_cause, followed.rang))

    def _on_replaced(self, event: dict[str, Any]) -> None:
        log.critical("Another program dials through '%s' now; this one dials nobody any more", self._ari.app)
        self.problem = "another program dials through this Asterisk"
        self._ari.stop_reconnecting()

    def _note_dialled(self, attempt: str, followed: _Followed) -> None:
        if not followed.dialled:
            followed.dialled = True
            self._tell(DialProgress(attempt, DialState.DIALLED))

    def _note_rang(self, attempt: str, followed: _Followed) -> None:
        if not followed.rang:
            self._note_dialled(attempt, followed)
            followed.rang = True
            self._tell(DialProgress(attempt, DialState.RANG, rang=True))

    def _forget(self, attempt: str, fresh: bool) -> None:
        if fresh:
            self._followed.pop(attempt, None)

    def _tell(self, progress: DialProgress) -> None:
        self._told.put_nowait(progress)

    async def _tell_on(self, listener: DialListener) -> None:
        while True:
            progress = await self._told.get()
            try:
                await listener.dial_progressed(progress)
            except Exception:  # one step that cannot be noted must not lose those of other attempts
                log.exception("Attempt %s: its step '%s' was not taken", progress.attempt, progress.state)

    # --- connections --------------------------------------------------------------------------------

    async def _connecting(self) -> None:
        self.problem = "not connected"

    async def _connected(self) -> None:
        """Subscribe anew: Asterisk forgets that with the connection. Then look after those that were on the line."""
        by_dialplan, endpoint = self._options.by_dialplan, self._options.endpoint
        problem = ""
        if not by_dialplan:
            try:
                await self._ari.applications.subscribe(self._ari.app, f"endpoint:{endpoint}")
            except AriError as error:
                problem = f"Asterisk does not tell of calls on {endpoint} ({error.message})"
                log.error("%s: nobody is called", problem)
        for attempt in tuple(self._followed):
            try:
                if await self.find(attempt) is None:
                    await self._gone_unseen(attempt)
                elif by_dialplan:
                    await self._follow_channel(attempt)
            except DialUncertain as error:
                log.warning("Attempt %s cannot be looked after: %s", attempt, error.message)
        self.problem = problem

    async def _follow_channel(self, attempt: str) -> None:
        try:
            await self._ari.applications.subscribe(self._ari.app, f"channel:{attempt}")
        except (AriNotFound, AriConflict):
            await self._gone_unseen(attempt)
        except AriError as error:
            log.warning("Attempt %s is not followed: %s", attempt, error)

    async def _gone_unseen(self, attempt: str) -> None:
        """Tell the end of an attempt whose channel went while nobody told us."""
        followed = self._followed.get(attempt)
        if followed is None:
            return
        answered = followed.answered or await self.was_answered(attempt)
        if self._followed.pop(attempt, None) is None:  # its event has come meanwhile
            return
        self._note_dialled(attempt, followed)
        end = DialEnd.ANSWERED if answered else DialEnd.CANCELLED if followed.cancelled else DialEnd.UNKNOWN
        self._tell(DialProgress(attempt, DialState.ENDED, end, rang=followed.rang))


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _months_around(now: datetime) -> list[str]:
    """Return this month, the one before and the one after as two digits: Asterisk's clock and zone are its own."""
    first = now.replace(day=1)
    return [f"{moment:%m}" for moment in (now, first - timedelta(days=1), first + timedelta(days=32))]
