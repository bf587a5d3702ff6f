"""Waiting and staff in the steady state: Erlang B (blocked), C (endless patience) and A (callers hang up).

Loads are in erlang (calls an hour times handle time in hours), times in seconds, shares between 0 and 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from agent.impact.errors import EndlessQueue

_MOST_AGENTS = 1_000_000
_MOST_STATES = 5_000_000
_CHUNK = 4096
_NEGLIGIBLE = 1e-17
_BISECTIONS = 80
_NODES = 16
"""Of the quadrature over half the mean patience: 1e-10 exact."""


def offered_load(calls_per_hour: float, handle_seconds: float) -> float:
    """Return the load in erlang that ``calls_per_hour`` of ``handle_seconds`` each bring."""
    return calls_per_hour * handle_seconds / 3600


def erlang_b(load: float, agents: int) -> float:
    """Return the share of calls that find all ``agents`` busy where nobody waits."""
    _check(load, agents)
    blocked = 1.0
    for busy in range(1, agents + 1):
        blocked = load * blocked / (busy + load * blocked)
    return blocked


def lines_needed(load: float, blocked_share: float) -> int:
    """Return the fewest lines at which no more than ``blocked_share`` of the calls finds all of them busy."""
    _check(load, 0)
    if not 0 < blocked_share < 1:
        raise ValueError(f"a share lies between 0 and 1: {blocked_share}")
    lines, blocked = 0, 1.0
    while blocked > blocked_share:
        lines += 1
        blocked = load * blocked / (lines + load * blocked)
    return lines


@dataclass(frozen=True)
class PatientQueue:
    """The steady state of a queue in which nobody hangs up (Erlang C), made by :func:`erlang_c`."""

    load: float
    agents: int
    handle_seconds: float
    wait_probability: float
    """Share of calls that wait at all."""

    @property
    def occupancy(self) -> float:
        """Share of their time that agents talk."""
        return self.load / self.agents

    @property
    def mean_wait_seconds(self) -> float:
        """Mean wait of all calls, those that are answered at once too (ASA)."""
        return self.wait_probability * self.handle_seconds / (self.agents - self.load)

    @property
    def waiting_calls(self) -> float:
        """Mean number of calls in the queue."""
        return self.load / self.handle_seconds * self.mean_wait_seconds

    def waits_longer(self, seconds: float) -> float:
        """Return the share of calls that wait longer than ``seconds``."""
        return self.wait_probability * math.exp(-(self.agents - self.load) * seconds / self.handle_seconds)

    def answered_within(self, seconds: float) -> float:
        """Return the service level: the share of calls answered within ``seconds``."""
        return 1 - self.waits_longer(seconds)

    def wait_percentile(self, share: float) -> float:
        """Return the wait in seconds that ``share`` of the calls do not exceed."""
        left = 1 - share
        if left >= self.wait_probability:
            return 0.0
        if left <= 0:
            return math.inf
        return self.handle_seconds / (self.agents - self.load) * math.log(self.wait_probability / left)


def erlang_c(load: float, agents: int, handle_seconds: float = 1.0) -> PatientQueue:
    """Return the steady state where every caller waits however long it takes.

    Raises :class:`EndlessQueue` where the load is not below the number of agents.
    """
    blocked = erlang_b(load, agents)
    if load >= agents:
        raise EndlessQueue(f"queue grows without end: {load:g} erlang for {agents} agents")
    return PatientQueue(load, agents, handle_seconds, agents * blocked / (agents - load * (1 - blocked)))


def agents_needed(load: float, handle_seconds: float, share: float, within_seconds: float) -> int:
    """Return the fewest agents that answer ``share`` of the calls ``within_seconds``, nobody hanging up (Erlang C)."""
    _check(load, 0)
    if not 0 < share < 1:
        raise ValueError(f"a share lies between 0 and 1: {share}")
    if load == 0:
        return 0
    agents = math.floor(load) + 1
    blocked = erlang_b(load, agents)
    while agents <= _MOST_AGENTS:
        waits = agents * blocked / (agents - load * (1 - blocked))
        if waits * math.exp(-(agents - load) * within_seconds / handle_seconds) <= 1 - share:
            return agents
        agents += 1
        blocked = load * blocked / (agents + load * blocked)
    raise EndlessQueue(f"no number of agents up to {_MOST_AGENTS} is enough for {load:g} erlang")


@dataclass(frozen=True)
class ImpatientQueue:
    """The steady state of a queue whose callers hang up (Erlang A, M/M/n+M), made by :func:`erlang_a`."""

    calls_per_hour: float
    agents: int
    handle_seconds: float
    patience_seconds: float
    wait_probability: float
    """Share of calls that find all agents busy."""
    abandon_probability: float
    mean_wait_seconds: float
    """Mean time in the queue of all calls, answered or not."""
    waiting_calls: float
    """Mean number of calls in the queue."""
    occupancy: float
    _queue: np.ndarray
    """Probability that a call finds 0, 1, 2, ... others waiting and all agents busy."""

    def waits_longer(self, seconds: float) -> float:
        """Return the share of calls that are in the queue for longer than ``seconds``, answered later or not."""
        return self._offered_wait_longer(seconds) * math.exp(-seconds / self.patience_seconds)

    def answered_share(self, seconds: float) -> float:
        """Return the share of all calls that are answered within ``seconds``."""
        return 1 - self.waits_longer(seconds) - self.abandoned_share(seconds)

    def abandoned_share(self, seconds: float) -> float:
        """Return the share of all calls that hang up within ``seconds``: theta times the mean of min(wait, seconds)."""
        if seconds <= 0:
            return 0.0
        end = min(seconds, 40 * self.patience_seconds)  # nobody waits longer: exp(-40)
        pieces = max(1, math.ceil(2 * end / self.patience_seconds))
        places, weights = np.polynomial.legendre.leggauss(_NODES)
        half = end / pieces / 2
        waits = [
            weight * self.waits_longer((2 * piece + 1 + place) * half)
            for piece in range(pieces)
            for place, weight in zip(places, weights, strict=True)
        ]
        return math.fsum(waits) * half / self.patience_seconds

    def answered_within(self, seconds: float) -> float:
        """Return the service level: answered within ``seconds`` / (answered + abandoned after ``seconds``)."""
        return self.answered_share(seconds) / (1 - self.abandoned_share(seconds))

    def wait_percentile(self, share: float) -> float:
        """Return the time in the queue, in seconds, that ``share`` of the calls do not exceed."""
        left = 1 - share
        if left >= self.wait_probability:
            return 0.0
        if left <= 0:
            return math.inf
        low, high = 0.0, self.patience_seconds
        while self.waits_longer(high) > left:
            low, high = high, 2 * high
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            if self.waits_longer(middle) > left:
                low = middle
            else:
                high = middle
        return high

    def _offered_wait_longer(self, seconds: float) -> float:
        """Return the share of calls that would wait longer than ``seconds`` if they never hung up.

        A call that finds j others waiting is answered after j + 1 departures, at the rates n mu + i theta for i = j..0.
        exp(-theta times their sum) has a beta distribution, so this is a cumulative negative binomial one.
        """
        theta = 1 / self.patience_seconds
        staff_rate = self.agents / self.handle_seconds
        if seconds <= 0:
            return self.wait_probability
        steps = np.arange(len(self._queue) - 1)
        gone = -math.expm1(-theta * seconds)
        # log of the chance of exactly i departures, i = 0, 1, ...; theta is taken out so that a tiny one loses nothing
        ratios = np.log(gone / theta) + np.log((staff_rate + steps * theta) / (steps + 1))
        logs = np.concatenate(([0.0], np.cumsum(ratios))) - staff_rate * seconds
        fewer = np.minimum(1.0, np.cumsum(np.exp(logs)))
        return float(np.dot(self._queue, fewer))


def erlang_a(calls_per_hour: float, agents: int, handle_seconds: float, patience_seconds: float) -> ImpatientQueue:
    """Return the steady state where waiting callers hang up after ``patience_seconds`` in the mean (exponential).

    The states of the birth-death process are weighed in logarithms: hundreds of agents overflow no number. Raises
    :class:`EndlessQueue` where patience is so long that the queue holds millions.
    """
    load = offered_load(calls_per_hour, handle_seconds)
    _check(load, agents)
    if not (patience_seconds > 0 and handle_seconds > 0):
        raise ValueError("patience and handle time are longer than nothing")
    arrivals, service, theta = calls_per_hour / 3600, 1 / handle_seconds, 1 / patience_seconds
    if load == 0:
        return ImpatientQueue(0, agents, handle_seconds, patience_seconds, 0, 0, 0, 0, 0, np.zeros(1))
    below = np.concatenate(([0.0], np.cumsum(np.log(load) - np.log(np.arange(1, agents + 1)))))
    logs = np.concatenate((below, _queue_logs(below[-1], arrivals, agents * service, theta)))
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    queue = weights[agents:]
    queue = queue[: int(np.flatnonzero(queue > _NEGLIGIBLE).max(initial=0)) + 1]
    waiting = float(np.dot(np.arange(len(queue)), queue))
    busy = float(np.dot(np.arange(agents), weights[:agents])) + agents * float(queue.sum())
    return ImpatientQueue(
        calls_per_hour=calls_per_hour,
        agents=agents,
        handle_seconds=handle_seconds,
        patience_seconds=patience_seconds,
        wait_probability=float(queue.sum()),
        abandon_probability=theta * waiting / arrivals,
        mean_wait_seconds=waiting / arrivals,
        waiting_calls=waiting,
        occupancy=busy / agents if agents else 0.0,
        _queue=queue,
    )


def _queue_logs(full: float, arrivals: float, staff_rate: float, theta: float) -> np.ndarray:
    """Return the log weights of 1, 2, ... waiting calls; ``full`` is that of all agents busy and nobody waiting."""
    parts: list[np.ndarray] = []
    last, highest, start = full, full, 1
    while True:
        if start > _MOST_STATES:
            raise EndlessQueue("queue grows without end: callers are too patient for so few agents")
        rates = staff_rate + np.arange(start, start + _CHUNK) * theta
        logs = last + np.cumsum(np.log(arrivals) - np.log(rates))
        parts.append(logs)
        last, highest, start = float(logs[-1]), max(highest, float(logs.max())), start + _CHUNK
        ratio = arrivals / (staff_rate + start * theta)
        if ratio < 1 and last - math.log1p(-ratio) < highest + math.log(_NEGLIGIBLE):
            return np.concatenate(parts)


def _check(load: float, agents: int) -> None:
    if not (math.isfinite(load) and load >= 0):
        raise ValueError(f"a load is a number from 0 on: {load}")
    if not 0 <= agents <= _MOST_AGENTS:
        raise ValueError(f"a number of agents lies between 0 and {_MOST_AGENTS}: {agents}")
