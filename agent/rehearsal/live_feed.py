"""Reads the agent's live feed and sorts its events by call."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp

from agent.common.tasks import cancel_and_wait
from agent.rehearsal.ringing_phones import same_number

log = logging.getLogger(__name__)

_RETRY_SECONDS = 0.2
_CONNECT_SECONDS = 5.0


COMES_BACK_SECONDS = 3.0
"""A call given away that is not back after this long stays away."""


@dataclass(frozen=True)
class FeedEvent:
    """One thing that happened on a call, as the agent tells it."""

    name: str
    """One of the names in docs/events.md."""
    at: float
    """When it arrived here, monotonic seconds."""
    data: Mapping[str, Any]
    call_id: str = ""
    """The visit of the call it belongs to: a call back from the queue has an id of its own."""


@dataclass
class CallFeed:
    """The events of one call, in order. Empty for as long as the call has not reached the agent."""

    number: str
    call_id: str = ""
    events: list[FeedEvent] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at each event; whoever waits clears it first."""

    def add(self, event: FeedEvent) -> None:
        """Take one more event."""
        self.events.append(event)
        self.changed.set()

    @property
    def started(self) -> bool:
        """True once the agent has the call."""
        return bool(self.call_id)

    def is_over(self, now: float) -> bool:
        """True when the agent has ended the call or given it away, and it has not come back within a moment.

        A call that nobody took from the queue comes back on its channel: another ``call_started`` follows.
        """
        latest = self.last_of_visit("call_started", "handed_over", "call_ended")
        return latest is not None and latest.name != "call_started" and now - latest.at > COMES_BACK_SECONDS

    def last_of_visit(self, *names: str) -> FeedEvent | None:
        """Return the last event of these names in the call's latest visit.

        The end of one visit is told when its record is written: the next visit may have begun by then.
        """
        begun = self.last("call_started")
        own = (event for event in reversed(self.events) if begun is None or event.call_id == begun.call_id)
        return next((event for event in own if event.name in names), None)

    def named(self, *names: str, since: int = 0) -> list[FeedEvent]:
        """Return the events of these names, from the ``since``-th event on."""
        return [event for event in self.events[since:] if event.name in names]

    def last(self, *names: str) -> FeedEvent | None:
        """Return the last event of these names."""
        return next((event for event in reversed(self.events) if event.name in names), None)

    async def wait_for(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until the condition holds; it is looked at after each event. False when the time is over."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            return condition()
        return True


class CallFeedSource(Protocol):
    """Where calls find their events."""

    def follow(self, number: str) -> contextlib.AbstractAsyncContextManager[CallFeed]:
        """Follow the next call from this caller's number; enter before dialling, leave when the call is over."""


class EmptyFeedSource:
    """For a PBX whose agent tells nothing: every call stays without events."""

    @contextlib.asynccontextmanager
    async def follow(self, number: str) -> AsyncIterator[CallFeed]:
        """Give a feed that stays empty."""
        yield CallFeed(number)


class FeedDispatcher:
    """Sorts events to calls. A call is known by its caller's number until ``call_started`` tells its id.

    Two calls from one number cannot be told apart before that, so the second one waits here until the first has
    started (or is over).
    """

    def __init__(self) -> None:
        self._by_id: dict[str, CallFeed] = {}
        self._expected: list[CallFeed] = []
        self._freed = asyncio.Condition()
        self._notices: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def follow(self, number: str) -> AsyncIterator[CallFeed]:
        """See :class:`CallFeedSource`. ``""`` follows the next call that nobody expects, whatever its number."""
        async with self._freed:
            await self._freed.wait_for(lambda: not any(same_number(call.number, number) for call in self._expected))
            call = CallFeed(number)
            self._expected.append(call)
        try:
            yield call
        finally:
            async with self._freed:
                if call in self._expected:
                    self._expected.remove(call)
                self._freed.notify_all()
            for call_id in [call_id for call_id, known in self._by_id.items() if known is call]:
                del self._by_id[call_id]

    def take(self, message: Mapping[str, Any], at: float) -> None:
        """Take one message of the feed."""
        name, call_id = str(message.get("event", "")), str(message.get("call_id", ""))
        data = message.get("data")
        if not name or not call_id or not isinstance(data, dict):
            return
        if name == "call_started":
            self._start(call_id, data)
        call = self._by_id.get(call_id)
        if call is not None:
            call.add(FeedEvent(name, at, data, call_id))

    def _start(self, call_id: str, data: Mapping[str, Any]) -> None:
        caller = data.get("caller")
        number = str(caller.get("number", "")) if isinstance(caller, dict) else str(caller or "")
        before = self._by_id.get(call_id.rpartition("-")[0])
        if before is not None:  # back from the queue: another visit of the same call
            self._by_id[call_id] = before
            return
        for call in sorted(self._expected, key=lambda expected: not expected.number):
            if not call.number or same_number(call.number, number):
                call.call_id, call.number = call_id, number
                self._by_id[call_id] = call
                self._expected.remove(call)
                notice = asyncio.create_task(self._notify())
                self._notices.add(notice)
                notice.add_done_callback(self._notices.discard)
                return

    async def _notify(self) -> None:
        async with self._freed:
            self._freed.notify_all()


class LiveFeedClient:
    """A connection to ``<control url>/live`` that comes back by itself. Use it as ``async with LiveFeed(...)``."""

    def __init__(self, url: str, token: str, board: FeedDispatcher | None = None) -> None:
        """``board`` sorts the events of several instances of the agent together: a call may go from one to another."""
        self._url = url.rstrip("/") + "/live"
        self._token = token
        self._board = board or FeedDispatcher()
        self._connected = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> LiveFeedClient:
        self._reader = asyncio.create_task(self._read(), name="live-feed")
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await self._connected.wait()
        except TimeoutError:
            log.warning(
                "The agent's live feed at %s does not answer; calls are judged by their sound alone.", self._url
            )
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._reader is not None:
            await cancel_and_wait(self._reader)

    async def back(self, seconds: float = 30.0) -> None:
        """Wait until the feed is connected, after the agent was started anew. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            await self._connected.wait()

    def follow(self, number: str) -> contextlib.AbstractAsyncContextManager[CallFeed]:
        """See :class:`CallFeedSource`."""
        return self._board.follow(number)

    async def _read(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            while True:
                try:
                    async with session.ws_connect(self._url, heartbeat=10.0, max_msg_size=0) as socket:
                        self._connected.set()
                        async for message in socket:
                            if message.type is aiohttp.WSMsgType.TEXT:
                                self._take(message.data)
                except (aiohttp.ClientError, OSError, TimeoutError) as error:
                    log.debug("Live feed: %s", error)
                self._connected.clear()
                await asyncio.sleep(_RETRY_SECONDS)

    def _take(self, text: str) -> None:
        try:
            message = json.loads(text)
        except ValueError:
            log.warning("The live feed sent something that is not JSON; passed over")
            return
        if isinstance(message, dict):
            self._board.take(message, time.monotonic())


def said(events: Sequence[FeedEvent]) -> str:
    """Return the agent's words in these events as one text."""
    return " ".join(str(event.data.get("text", "")) for event in events if event.name == "agent_said").strip()
