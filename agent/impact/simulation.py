"""Simulates a day at the staff queue: changing volume, few staff, callers who hang up and ring again.

A steady state (Erlang A) is wrong for a sale hour: the queue of one hour is carried into the next, and those who gave
up come back. So the day is played call by call, twenty times, with chance that is the same at every run.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush, heapreplace

import numpy as np

_NEVER = math.inf
_STILL_WAITING = -1.0


@dataclass(frozen=True)
class SimulatedKind:
    """One kind of call of a simulated day."""

    share: float
    """Of all calls; the shares of a day add up to 1."""
    handle_seconds: float
    """Mean time a staff member needs, wrap-up included."""
    contained: float = 0.0
    """Share of these calls that the agent finishes: they never come to the staff queue."""
    agent_seconds: float = 0.0
    """How long the agent talks before it hands a call over (0: there is no agent in front)."""


@dataclass(frozen=True)
class SimulatedDay:
    """What one day is made of."""

    calls: Sequence[float]
    """Expected callers in each interval from opening on."""
    interval_seconds: float
    staff: Sequence[int]
    """Staff in each interval of ``staff_seconds``; the last ones stay until the queue is empty."""
    kinds: Sequence[SimulatedKind]
    patience_seconds: float
    """Mean of an exponential distribution; infinite where nobody hangs up."""
    handle_sigma: float | None = 0.6
    """Of the lognormal handle times; None: exponential ones, as the Erlang formulas have them."""
    redial_share: float = 0.5
    """Share of those who gave up that ring again."""
    redial_seconds: tuple[float, float] = (120.0, 900.0)
    """When they do, after they hung up (uniform)."""
    staff_seconds: float = 3600.0


@dataclass(frozen=True)
class DayOutcome:
    """What came of one simulated day, by attempt to reach the staff (redials are attempts of their own)."""

    callers: int
    """Who rang, those the agent finished too."""
    entered: np.ndarray
    """Second of the day at which each attempt came to the staff queue."""
    waited: np.ndarray
    """Seconds in the queue."""
    answered: np.ndarray
    lost_at: np.ndarray
    """Second at which each caller gave up for good."""


def simulate_day(day: SimulatedDay, seed: int) -> DayOutcome:
    """Play one day. The same day and seed give the same outcome, on every machine.

    The numbers drawn for a caller do not depend on staff or containment: two plans are compared on the same callers.
    """
    chance = np.random.RandomState(seed)  # its streams are frozen by numpy's policy, those of default_rng are not
    counts = chance.poisson(day.calls)
    callers = int(counts.sum())
    starts = np.repeat(np.arange(len(counts)) * day.interval_seconds, counts)
    rang = starts + chance.random_sample(callers) * day.interval_seconds
    kind = np.searchsorted(np.cumsum([one.share for one in day.kinds])[:-1], chance.random_sample(callers), "right")
    handed_over = chance.random_sample(callers) >= np.array([one.contained for one in day.kinds])[kind]
    means = np.array([one.handle_seconds for one in day.kinds])[kind]
    handle = means * _spread(day.handle_sigma, callers, chance)
    impatience = chance.standard_exponential(callers)
    ahead = np.array([one.agent_seconds for one in day.kinds])[kind]
    entered = (rang + ahead)[handed_over]  # to the staff queue
    order = np.argsort(entered, kind="stable")
    in_order = [values[handed_over][order].tolist() for values in (rang + ahead, handle, impatience, ahead)]
    queue = _StaffQueue(day, chance, *in_order)
    queue.play()
    return DayOutcome(
        callers=callers,
        entered=np.array(queue.entered),
        waited=np.array(queue.waited),
        answered=np.frombuffer(bytes(queue.answered), dtype=np.bool_),
        lost_at=np.array(queue.lost_at),
    )


def _spread(sigma: float | None, calls: int, chance: np.random.RandomState) -> np.ndarray:
    """Return factors with the mean 1 for the handle times of ``calls``."""
    if sigma is None:
        return chance.standard_exponential(calls)
    return np.asarray(np.exp(sigma * chance.standard_normal(calls) - sigma * sigma / 2))


class _StaffQueue:
    """One queue, first come first served, event by event. The lists have an item for each attempt of a caller."""

    def __init__(
        self,
        day: SimulatedDay,
        chance: np.random.RandomState,
        *calls: list[float],
    ) -> None:
        """Take the calls in the order in which they come; redials are added behind them.

        ``calls`` are four lists: when they come, handle times, patience, seconds with the agent before.
        """
        entered, handle, impatience, ahead = calls
        self.entered = entered
        self.waited = [0.0] * len(entered)
        self.answered = bytearray(b"\x01") * len(entered)
        self.lost_at: list[float] = []
        self._handle = handle
        self._impatience = impatience
        """Patience of each caller, the mean being 1."""
        self._ahead = ahead
        """Seconds with the agent before the call comes to the queue."""
        self._day = day
        self._chance = chance
        self._closes = len(day.calls) * day.interval_seconds
        self._on_duty = 0
        self._period = -1
        self._next_change = 0.0
        self._busy: list[float] = []
        """When each busy staff member will be free (heap)."""
        self._waiting: deque[int] = deque()
        """Attempts in the queue; those who have hung up are left in until they are first."""
        self._still_waiting = 0
        self._hang_ups: list[tuple[float, int]] = []
        """When waiting callers will have enough (heap); those who were answered meanwhile are left in."""
        self._redials: list[tuple[float, int]] = []
        """When callers are in the queue again, and their attempt before (heap)."""

    def play(self) -> None:
        """Play the day to its end."""
        busy, redials, handle = self._busy, self._redials, self._handle
        calls = list(self.entered)
        for attempt, at in enumerate(calls):
            while redials and redials[0][0] <= at:
                self._come_back()
            if self._still_waiting or at >= self._next_change:
                self._advance(at)
            else:
                while busy and busy[0] <= at:
                    heappop(busy)
            if len(busy) < self._on_duty and not self._still_waiting:
                heappush(busy, at + handle[attempt])
            else:
                self._wait(attempt, at)
        while redials or self._still_waiting:
            if redials:
                self._come_back()
            else:
                self._advance(_NEVER)

    def _come_back(self) -> None:
        """Let the next caller who rings again enter."""
        at, before = heappop(self._redials)
        self._advance(at)
        attempt = len(self.entered)
        self.entered.append(at)
        self.waited.append(0.0)
        self.answered.append(1)
        self._handle.append(self._handle[before])
        self._impatience.append(self._chance.standard_exponential())
        self._ahead.append(self._ahead[before])
        if len(self._busy) < self._on_duty and not self._still_waiting:
            heappush(self._busy, at + self._handle[attempt])
        else:
            self._wait(attempt, at)

    def _wait(self, attempt: int, at: float) -> None:
        self.waited[attempt] = _STILL_WAITING
        self.answered[attempt] = 0
        self._waiting.append(attempt)
        self._still_waiting += 1
        if (patience := self._day.patience_seconds) < _NEVER:
            heappush(self._hang_ups, (at + self._impatience[attempt] * patience, attempt))

    def _advance(self, until: float) -> None:
        """Do all that happens up to ``until``: staff come, go and become free, callers hang up and ring again."""
        busy, hang_ups, waited = self._busy, self._hang_ups, self.waited
        while True:
            at = busy[0] if busy else _NEVER
            if hang_ups and (leaves := hang_ups[0][0]) < at:
                at = leaves
            else:
                leaves = _NEVER
            if at >= self._next_change:
                at, leaves = self._next_change, _NEVER
            if at > until or at == _NEVER:
                break
            if at == leaves:
                attempt = heappop(hang_ups)[1]
                if waited[attempt] == _STILL_WAITING:
                    self._hang_up(at, attempt)
            elif at == self._next_change:
                self._change_staff(at)
            elif self._still_waiting and len(busy) <= self._on_duty:
                heapreplace(busy, at + self._handle[self._answer_next(at)])
            else:
                heappop(busy)
        if until == _NEVER:
            self._give_up_the_rest()

    def _change_staff(self, at: float) -> None:
        self._period += 1
        staff = self._day.staff
        self._on_duty = staff[self._period] if staff else 0
        last = self._period + 1 >= len(staff)
        self._next_change = _NEVER if last else (self._period + 1) * self._day.staff_seconds
        while self._busy and self._busy[0] <= at:
            heappop(self._busy)
        while self._still_waiting and len(self._busy) < self._on_duty:
            heappush(self._busy, at + self._handle[self._answer_next(at)])

    def _answer_next(self, at: float) -> int:
        while self.waited[attempt := self._waiting.popleft()] != _STILL_WAITING:
            pass  # has hung up
        self.waited[attempt] = at - self.entered[attempt]
        self.answered[attempt] = 1
        self._still_waiting -= 1
        return attempt

    def _hang_up(self, at: float, attempt: int) -> None:
        self.waited[attempt] = at - self.entered[attempt]
        self._still_waiting -= 1
        day = self._day
        if self._chance.random_sample() < day.redial_share:
            soonest, latest = day.redial_seconds
            again = at + soonest + (latest - soonest) * self._chance.random_sample()
            if again < self._closes:
                heappush(self._redials, (again + self._ahead[attempt], attempt))
                return
        self.lost_at.append(at)

    def _give_up_the_rest(self) -> None:
        """Nobody is left who could answer endlessly patient callers."""
        for attempt in self._waiting:
            if self.waited[attempt] == _STILL_WAITING:
                self.waited[attempt] = max(0.0, self._closes - self.entered[attempt])
                self.lost_at.append(self._closes)
        self._still_waiting = 0


__all__ = ["DayOutcome", "SimulatedDay", "SimulatedKind", "simulate_day"]
