"""Circuit breaker: stops requests to a system that keeps failing. Pure and time-stepped: the clock is handed in."""

from __future__ import annotations

from typing import Literal

BreakerState = Literal["closed", "open", "half_open"]


class CircuitBreaker:
    """Counts failures in a row.

    ``closed``: everything passes. After ``failures`` in a row ``open``: nothing passes for ``pause_seconds``. Then
    ``half_open``: one request passes as a trial; it closes the breaker or opens it again.
    Every admitted request must end in exactly one of :meth:`succeeded`, :meth:`failed` and :meth:`abandoned`.
    """

    def __init__(self, failures: int, pause_seconds: float) -> None:
        self._limit = failures
        self._pause_seconds = pause_seconds
        self._failures = 0
        self._opened_at: float | None = None
        self._trial = False

    def state(self, now_seconds: float) -> BreakerState:
        """Return the state at this moment."""
        if self._opened_at is None:
            return "closed"
        return "open" if now_seconds - self._opened_at < self._pause_seconds else "half_open"

    def admits(self, now_seconds: float) -> bool:
        """Return whether a request may pass now; one that passes half open is the trial."""
        state = self.state(now_seconds)
        if state == "half_open":
            if self._trial:
                return False
            self._trial = True
            return True
        return state == "closed"

    def succeeded(self) -> None:
        """Close: the system answers."""
        self._failures, self._opened_at, self._trial = 0, None, False

    def failed(self, now_seconds: float) -> None:
        """Count a failure; open when there were enough, or when it was the trial."""
        self._failures += 1
        if self._trial or self._failures >= self._limit:
            self._opened_at = now_seconds
        self._trial = False

    def abandoned(self) -> None:
        """Forget a request that ended without showing whether the system is well: the caller hung up."""
        self._trial = False
