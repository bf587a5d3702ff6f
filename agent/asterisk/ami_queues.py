"""Statistics of the staff queues over the manager interface (AMI), with pyst2 in a thread of its own.

pyst2 blocks, has no time-outs and does not reconnect: here one thread waits for it, callers wait for the thread no
longer than a deadline, and a connection that does not answer is cut from outside and made again after a growing pause.
Only QueueSummary is asked: of QueueStatus pyst2 keeps the events to itself. Besides, Asterisk tells when a caller
leaves a queue: events of the class ``agent``, where the user of ``manager.conf`` may read them.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import queue
import socket
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from asterisk.manager import Manager, ManagerAuthException, ManagerException, ManagerSocketException

from agent.call.queue_rules import QueueState
from agent.common.addresses import host_port
from agent.common.backoff import Backoff

log = logging.getLogger(__name__)

DEADLINE_SECONDS = 0.4
"""The caller waits no longer for figures."""
CACHE_SECONDS = 1.0
STUCK_SECONDS = 3.0
"""A manager that has not answered after this long never will; the connection is cut."""
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_PING_SECONDS = 20.0
_MOST_DIGITS = 10
_LEFT = {"AgentConnect": "answered", "QueueCallerAbandon": "hung_up"}
"""Events of a caller who leaves a queue -> how the wait ended."""
CallerLeft = Callable[[str, float, str], object]
"""``(channel_id, seconds, how)``: who was on this channel waited so long."""


@dataclass(frozen=True)
class ManagerAddress:
    """Where Asterisk's manager interface is and who we are there."""

    host: str
    port: int
    user: str
    secret: str


@dataclass(frozen=True)
class _StatisticsRequest:
    queue: str
    answer: Callable[[QueueState | None], None]


class AmiQueueStatistics:
    """Implements :class:`agent.call.queue_status.QueueStatistics`. :meth:`start` it, and :meth:`close` it."""

    def __init__(
        self,
        address: ManagerAddress,
        *,
        deadline_seconds: float = DEADLINE_SECONDS,
        cache_seconds: float = CACHE_SECONDS,
        stuck_seconds: float = STUCK_SECONDS,
        on_left: CallerLeft = lambda channel_id, seconds, how: None,
    ) -> None:
        """``on_left`` is called on the event loop when a caller has left a queue."""
        self._address = address
        self._deadline_seconds = deadline_seconds
        self._cache_seconds = cache_seconds
        self._on_left = on_left
        self._worker = _Worker(address, stuck_seconds)
        self._cache: dict[str, tuple[float, QueueState | None]] = {}
        self._asked: dict[str, asyncio.Future[QueueState | None]] = {}

    def start(self) -> None:
        """Begin to connect; returns at once."""
        loop = asyncio.get_running_loop()

        def left(channel_id: str, seconds: float, how: str) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed
                loop.call_soon_threadsafe(self._on_left, channel_id, seconds, how)

        self._worker.on_left = left
        self._worker.start()

    async def close(self) -> None:
        """Stop asking."""
        self._worker.stop()
        await asyncio.to_thread(self._worker.join, 2.0)

    @property
    def connected(self) -> bool:
        """True while the manager interface answers."""
        return self._worker.connected

    @property
    def problem(self) -> str:
        """Why the manager interface does not answer, ``""`` while it does."""
        return "" if self._worker.connected else self._worker.problem

    async def state(self, name: str) -> QueueState | None:
        """Return how a queue stands, at most a second old; None when Asterisk does not say so in time."""
        loop = asyncio.get_running_loop()
        known = self._cache.get(name)
        if known is not None and loop.time() - known[0] < self._cache_seconds:
            return known[1]
        future = self._asked.get(name)
        if future is None:
            future = loop.create_future()
            self._asked[name] = future
            future.add_done_callback(lambda done: self._keep(name, done))
            self._worker.ask(_StatisticsRequest(name, lambda state: _hand_in(loop, future, state)))
        try:
            async with asyncio.timeout(self._deadline_seconds):
                return await asyncio.shield(future)
        except TimeoutError:
            log.warning("The manager interface did not say within %g s how %s stands", self._deadline_seconds, name)
            return None

    def _keep(self, name: str, done: asyncio.Future[QueueState | None]) -> None:
        self._asked.pop(name, None)
        if not done.cancelled():
            self._cache[name] = (asyncio.get_running_loop().time(), done.result())


def _hand_in(
    loop: asyncio.AbstractEventLoop, future: asyncio.Future[QueueState | None], state: QueueState | None
) -> None:
    def settle() -> None:
        if not future.done():
            future.set_result(state)

    with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody waits any more
        loop.call_soon_threadsafe(settle)


class _Worker(threading.Thread):
    """Holds the one connection."""

    def __init__(self, address: ManagerAddress, stuck_seconds: float) -> None:
        super().__init__(name="manager-interface", daemon=True)
        self._address = address
        self._stuck_seconds = stuck_seconds
        self._questions: queue.SimpleQueue[_StatisticsRequest | None] = queue.SimpleQueue()
        self._ids = itertools.count(1)
        self._stopping = threading.Event()
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.connected = False
        self.problem = "not connected yet"
        self.on_left: CallerLeft = lambda channel_id, seconds, how: None
        """Called on pyst2's thread."""

    def ask(self, question: _StatisticsRequest) -> None:
        self._questions.put(question)

    def stop(self) -> None:
        self._stopping.set()
        self._questions.put(None)

    def run(self) -> None:
        pauses = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)
        while not self._stopping.is_set():
            why = self._serve()
            if self.connected:
                pauses.reset()
            self.connected, self.problem = False, why
            if self._stopping.is_set():
                break
            pause_seconds = pauses.next_seconds()
            log.warning(
                "Manager interface at %s: %s Trying again in %g s; calls are handed over without knowing the queue.",
                host_port(self._address.host, self._address.port), why, pause_seconds,
            )  # fmt: skip
            self._refuse_for(pause_seconds)
        self._refuse_for(0)

    def _refuse_for(self, seconds: float) -> None:
        """Answer "unknown" at once for so long."""
        until = time.monotonic() + seconds
        while not self._stopping.is_set() or not self._questions.empty():
            try:
                question = self._questions.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return
            if question is not None:
                question.answer(None)

    def _serve(self) -> str:
        """Connect and answer questions until something breaks; returns what did."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # setDaemon, isSet
            manager = Manager()
        for event in ("QueueSummary", "QueueSummaryComplete"):
            manager.register_event(event, self._on_event)
        for event in _LEFT:
            manager.register_event(event, self._on_leaving)
        guard = _ConnectionTimeout(manager, self._stuck_seconds)
        try:
            with guard:
                manager.connect(self._address.host, self._address.port)
            with guard:
                manager.login(self._address.user, self._address.secret)
            with guard:
                manager.send_action({"Action": "Events", "EventMask": "agent"})
            self.connected = True
            log.info("The manager interface at %s answers", host_port(self._address.host, self._address.port))
            while not self._stopping.is_set():
                self._next(manager, guard)
        except ManagerAuthException as error:
            return f"login as {self._address.user} was refused ({error}); see manager.conf and ami.secret_file."
        except (ManagerException, ManagerSocketException, OSError) as error:
            return f"{error}."
        except ValueError:  # pyst2 writes into a stream that its other thread has just closed
            return "the connection was closed."
        finally:
            guard.cut()
        return "stopped."

    def _next(self, manager: Manager, guard: _ConnectionTimeout) -> None:
        try:
            question = self._questions.get(timeout=_PING_SECONDS)
        except queue.Empty:
            with guard:
                manager.ping()
            return
        if question is None:
            return
        state = None
        try:
            state = self._summary(manager, guard, question.queue)
        finally:
            question.answer(state)

    def _summary(self, manager: Manager, guard: _ConnectionTimeout, name: str) -> QueueState | None:
        action_id = f"orderline-{next(self._ids)}"
        with guard:
            manager.send_action({"Action": "QueueSummary", "Queue": name, "ActionID": action_id})
        found = None
        until = time.monotonic() + self._stuck_seconds
        while True:
            try:
                event = self._events.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise ManagerSocketException(0, "no end of the queue's summary came") from None
            if event.get_header("ActionID") != action_id:
                continue
            if event.name == "QueueSummaryComplete":
                if found is None:
                    log.error("Asterisk has no queue %r; see queues.conf and the setting queues", name)
                return found
            if event.get_header("Queue") == name:
                found = _state_of(event)

    def _on_event(self, event: Any, _manager: Manager) -> bool:
        self._events.put(event)
        return False

    def _on_leaving(self, event: Any, _manager: Manager) -> bool:
        channel_id = str(event.get_header("Uniqueid", ""))
        if channel_id:
            self.on_left(channel_id, float(_number(event, "HoldTime")), _LEFT[event.name])
        return False


class _ConnectionTimeout:
    """Cuts a manager's connection when what is done inside ``with`` takes too long: pyst2 would wait for ever."""

    def __init__(self, manager: Manager, seconds: float) -> None:
        self._manager = manager
        self._seconds = seconds
        self._timer: threading.Timer | None = None

    def __enter__(self) -> None:
        self._timer = threading.Timer(self._seconds, self.cut)
        self._timer.daemon = True
        self._timer.start()

    def __exit__(self, *exc: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def cut(self) -> None:
        stream = self._manager._sock  # pyst2 has no way to do this
        if stream is None:
            return
        with contextlib.suppress(OSError, ValueError), socket.socket(fileno=os.dup(stream.fileno())) as connection:
            connection.shutdown(socket.SHUT_RDWR)


def _state_of(event: Any) -> QueueState:
    return QueueState(
        logged_in=_number(event, "LoggedIn"),
        available=_number(event, "Available"),
        callers=_number(event, "Callers"),
        hold_seconds=_number(event, "HoldTime"),
        talk_seconds=_number(event, "TalkTime"),
    )


def _number(event: Any, header: str) -> int:
    text = str(event.get_header(header, "0"))
    return int(text) if text.isdecimal() and len(text) < _MOST_DIGITS else 0
