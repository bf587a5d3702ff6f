"""A made-up world for the dialler: a clock that jumps, a trunk with customers behind it, faults where one wants them.

The world outlives a dialler that is killed: telephones go on ringing, customers go on answering, the dialplan notes its
answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import random
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.call.dialling import (
    DialEnd,
    DialListener,
    DialProgress,
    DialRefused,
    DialRequest,
    DialState,
    DialUncertain,
)
from agent.outbound.dialler import Dialler
from agent.outbound.model import Attempt, CallOutcome, CallResult, GivenAnswer, Job, Purpose, Reached, SuppressionScope
from agent.outbound.ports import OrderNow, OrderUnreadable, StaffRoom
from agent.outbound.results import CallResults
from agent.outbound.settings import DiallerSettings
from agent.outbound.store import OutboundStore
from agent.outbound.windows import CallHours
from tests.outbound.made import HOURS, MONDAY_NOON, RULES


class Killed(BaseException):
    """The process is gone at this point."""


@dataclass
class Telephone:
    """What a customer's telephone does when it is called."""

    end: DialEnd = DialEnd.NO_ANSWER
    rings: bool = True
    seconds: float = 8.0
    """Until it is answered, or ends."""
    result: CallResult | None = None
    """What the call says of itself; None: nothing."""
    talk_seconds: float = 20.0
    dial: str = "taken"
    """``taken``, ``refused``, ``uncertain`` (it was placed), ``lost`` (uncertain, and it was not placed)."""


@dataclass
class Channel:
    request: DialRequest
    telephone: Telephone
    state: DialState = DialState.DIALLED


@dataclass
class World:
    """Time, the trunk, and everything that can go wrong. ``store_at`` is the state directory."""

    state_directory: Path
    time: datetime = MONDAY_NOON
    telephones: dict[str, list[Telephone]] = field(default_factory=dict)
    """Number -> what it does at each call; the last one again and again."""
    others_on_trunk: int = 0
    on_other_calls: set[str] = field(default_factory=set)
    trunk_problem: str = ""
    orders: dict[str, OrderNow | None] = field(default_factory=dict)
    """Job key -> how its order stands; None: not readable."""
    staff: StaffRoom | None = field(default_factory=lambda: StaffRoom(open=True))
    hours: Callable[[], CallHours] = lambda: HOURS
    kill_at: int = -1
    """The process is killed at this point."""
    points: int = 0
    lines: dict[str, Channel] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    dialled: list[tuple[DialRequest, datetime]] = field(default_factory=list)
    """What the telephone system was asked for and placed."""
    rang: list[tuple[DialRequest, datetime]] = field(default_factory=list)
    told: list[tuple[Job, Attempt]] = field(default_factory=list)
    over: list[Job] = field(default_factory=list)
    opted_out: list[tuple[str, SuppressionScope, str]] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    listener: DialListener | None = None
    results: CallResults | None = None
    store: Any = None
    until: datetime = MONDAY_NOON + timedelta(days=1)
    _events: list[tuple[datetime, int, Callable[[], Any]]] = field(default_factory=list)
    _serial: int = 0

    # --- the process --------------------------------------------------------------------------------

    def point(self) -> None:
        """Every place at which a process can be killed passes here."""
        self.points += 1
        if self.points == self.kill_at:
            raise Killed

    def start(self, **settings: Any) -> Dialler:
        """Start a process: store, dialler, results."""
        values: dict[str, Any] = {
            "rules": RULES,
            "purposes": frozenset(Purpose),
            "caller_ids": dict.fromkeys(Purpose, "+12025550100"),
            "trunk_channels": 10,
            "reserve_channels": 3,
        }
        self.store = KillableStore(self)
        dialler = Dialler(
            self.store, self, self, self, self, DiallerSettings(**(values | settings)), lambda: self.hours(), self  # type: ignore[arg-type]
        )  # fmt: skip
        self.listener = dialler.tracker
        self.results = CallResults(self.store, self, RULES, self, dialler)
        return dialler

    async def run(self, dialler: Dialler, until: datetime) -> None:
        """Let a dialler work until a time; raises Killed when its process is killed."""
        self.until = until
        self._dialler = dialler
        await dialler.run()

    async def die(self) -> None:
        """What is left of a process when it is gone: nothing but the file."""
        self.listener = self.results = None
        store, self.store = self.store, None
        await store.real.close()

    async def pass_time(self, until: datetime) -> None:
        """Let time go by without a dialler."""
        await self._advance(until)

    # --- clock --------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return self.time

    def at(self, seconds: float, do: Callable[[], Any]) -> None:
        """Have something done later; coroutine functions are awaited."""
        self._serial += 1
        heapq.heappush(self._events, (self.time + timedelta(seconds=seconds), self._serial, do))

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Jump to the next thing that happens."""
        self.point()
        target = self._nothing_before(self.time + timedelta(seconds=seconds), seconds)
        while not event.is_set() and self._events and self._events[0][0] <= target:
            await self._next_event()
        if not event.is_set():
            self.time = max(self.time, target)
        if self.time >= self.until:
            self._dialler.stop()

    def _nothing_before(self, target: datetime, seconds: float) -> datetime:
        """Return a later moment where looking at ``target`` would find nothing to do."""
        if seconds < 1:
            return target
        with contextlib.closing(sqlite3.connect(self.state_directory / "outbound.sqlite")) as db:
            unfinished = db.execute("SELECT count(*) FROM attempts WHERE settled = 0 OR state != 'ended'").fetchone()[0]
            due = db.execute("SELECT min(next_at) FROM jobs WHERE state = 'open'").fetchone()[0]
        later = self.until if due is None else min(self.until, datetime.fromtimestamp(due, UTC))
        if unfinished or later <= self.time:  # something may be overheard, or a due job is held up by something
            later = self.time + timedelta(seconds=15 if unfinished else 120)
        return max(target, min(later, self._events[0][0]) if self._events else later)

    async def _advance(self, until: datetime) -> None:
        while self._events and self._events[0][0] <= until:
            await self._next_event()
        self.time = max(self.time, until)

    async def _next_event(self) -> None:
        at, _, do = heapq.heappop(self._events)
        self.time = max(self.time, at)
        done = do()
        if asyncio.iscoroutine(done):
            await done

    # --- trunk --------------------------------------------------------------------------------------

    async def dial(self, request: DialRequest) -> None:
        self.point()
        plan = self.telephones.get(request.number) or [Telephone()]
        telephone = plan.pop(0) if len(plan) > 1 else plan[0]
        if telephone.dial == "refused":
            raise DialRefused("Allocation failed")
        if telephone.dial == "lost":
            raise DialUncertain("no answer in time")
        self._place(request, telephone)
        self.point()
        if telephone.dial == "uncertain":
            raise DialUncertain("no answer in time")

    def _place(self, request: DialRequest, telephone: Telephone) -> None:
        self.lines[request.attempt] = Channel(request, telephone)
        self.dialled.append((request, self.time))
        if telephone.rings:
            self.at(1, lambda: self._ring(request.attempt))
        ring = min(telephone.seconds, request.ring_seconds)
        if telephone.end is DialEnd.ANSWERED:
            self.at(ring, lambda: self._answer(request.attempt))
        else:
            self.at(ring, lambda: self._end(request.attempt, telephone.end))

    async def _ring(self, attempt: str) -> None:
        if (channel := self.lines.get(attempt)) is not None:
            channel.state = DialState.RANG
            self.rang.append((channel.request, self.time))
            await self._tell(DialProgress(attempt, DialState.RANG, rang=True))

    async def _answer(self, attempt: str) -> None:
        if (channel := self.lines.get(attempt)) is None:
            return
        channel.state = DialState.ANSWERED
        self.answered.add(attempt)
        # nobody there: the dialplan plays its message and hangs up
        talk = channel.telephone.talk_seconds if self.results is not None else 5
        self.at(talk, lambda: self._say_result(attempt))
        self.at(talk + 1, lambda: self._end(attempt, DialEnd.ANSWERED))
        await self._tell(DialProgress(attempt, DialState.ANSWERED, rang=True))

    async def _say_result(self, attempt: str) -> None:
        channel = self.lines.get(attempt)
        if channel is not None and channel.telephone.result is not None and self.results is not None:
            await self.results.call_ended(attempt, channel.telephone.result)

    async def _end(self, attempt: str, end: DialEnd) -> None:
        if (channel := self.lines.pop(attempt, None)) is not None:
            rang = channel.state is not DialState.DIALLED
            await self._tell(DialProgress(attempt, DialState.ENDED, end, rang=rang))

    async def _tell(self, progress: DialProgress) -> None:
        if self.listener is not None:
            await self.listener.dial_progressed(progress)

    async def cancel(self, attempt: str) -> bool:
        self.point()
        channel = self.lines.get(attempt)
        if channel is None or channel.state is DialState.ANSWERED:
            return False
        await self._end(attempt, DialEnd.CANCELLED)
        self.point()
        return True

    async def find(self, attempt: str) -> DialState | None:
        self.point()
        self._check_trunk()
        channel = self.lines.get(attempt)
        return channel.state if channel is not None else None

    async def was_answered(self, attempt: str) -> bool:
        self.point()
        self._check_trunk()
        return attempt in self.answered

    async def channels(self) -> int:
        self.point()
        self._check_trunk()
        return len(self.lines) + self.others_on_trunk

    async def on_the_line(self, number: str) -> bool:
        self.point()
        self._check_trunk()
        return number in self.on_other_calls

    def _check_trunk(self) -> None:
        if self.trunk_problem:
            raise DialUncertain(self.trunk_problem)

    # --- orders, staff, observer --------------------------------------------------------------------

    async def order_now(self, job: Job) -> OrderNow:
        self.point()
        order = self.orders.get(job.key, OrderNow())
        if order is None:
            raise OrderUnreadable("the shop does not answer")
        return order

    async def room(self) -> StaffRoom | None:
        self.point()
        return self.staff

    async def attempt_ended(self, job: Job, attempt: Attempt, answers: Sequence[GivenAnswer]) -> None:
        self.point()
        self.told.append((job, attempt))

    async def job_over(self, job: Job) -> None:
        self.point()
        self.over.append(job)

    async def suppressed(self, number: str, scope: SuppressionScope, source: str, at: datetime) -> None:
        self.opted_out.append((number, scope, source))

    async def alarm(self, text: str) -> None:
        self.alarms.append(text)


class KillableStore:
    """The store, in which a process can be killed before and after every transaction."""

    def __init__(self, world: World) -> None:
        self.real = OutboundStore(world.state_directory)
        self.directory = self.real.directory
        self._world = world

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.real, name)

        async def call(*values: Any, **named: Any) -> Any:
            self._world.point()
            done = await method(*values, **named)
            self._world.point()
            return done

        return call


def reached(outcome: CallOutcome = CallOutcome.COMPLETED, **changes: Any) -> CallResult:
    """What a call says that reached the right person."""
    return CallResult(Reached.RIGHT_PERSON, outcome, call_id="call-1", **changes)


def answers(outcome: CallOutcome = CallOutcome.COMPLETED, **changes: Any) -> Telephone:
    """A telephone that the right person answers."""
    return Telephone(DialEnd.ANSWERED, result=reached(outcome, **changes))


def random_telephone(chance: random.Random) -> Telephone:
    """A telephone of any kind."""
    end = chance.choice([DialEnd.ANSWERED] * 4 + [end for end in DialEnd if end is not DialEnd.CANCELLED])
    outcome = chance.choice(list(CallOutcome))
    result = reached(outcome) if end is DialEnd.ANSWERED and chance.random() < 0.8 else None
    dial = chance.choice(["taken"] * 6 + ["refused", "uncertain", "lost"])
    rings = end not in (DialEnd.TRUNK_FAULT, DialEnd.BAD_NUMBER) or chance.random() < 0.2
    return Telephone(end, rings, chance.choice([2.0, 8.0, 30.0]), result, 20.0, dial)
