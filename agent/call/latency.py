"""Measures the agent's response time, split into wait, recognition, rules, look-up and voice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

WAIT, RECOGNITION, RULES, LOOK_UP, VOICE = "wait", "recognition", "rules", "look_up", "voice"
"""Silence that ended the turn; the recogniser's last word; the dialog; business systems and queues; the first audio."""


@dataclass(frozen=True)
class ResponseTime:
    """One response of the agent, from inside: without the way of the sound through Asterisk and the network."""

    ms: float | None = None
    """Caller's last voice or key -> first audio handed to Asterisk; None where the caller had said nothing."""
    spent_ms: dict[str, float] = field(default_factory=dict)
    """The parts it is made of, by name; they add up to ``ms``."""


class ResponseTimer:
    """One a call. ``clock`` gives monotonic seconds.

    :meth:`caller_stopped` starts it, :meth:`lap` puts the time since the last reading down to a part (parts that come
    again add up), :meth:`audible` stops it. While it stands still, laps count for nothing.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._stopped_at: float | None = None
        self._read_at = 0.0
        self._seconds: dict[str, float] = {}

    def caller_stopped(self, stopped_at: float | None, decided_at: float | None = None) -> None:
        """The caller's last sound was at ``stopped_at`` (None: there was none); it was taken for the last one later."""
        self._stopped_at = stopped_at
        self._seconds = {}
        if stopped_at is not None:
            self._read_at = stopped_at
            self._lap(WAIT, stopped_at if decided_at is None else decided_at)

    def lap(self, part: str) -> None:
        """Put the time since the last reading down to a part."""
        if self._stopped_at is not None:
            self._lap(part, self._clock())

    def stop_at_first_audio(self, at: float) -> ResponseTime:
        """The agent is heard from ``at`` on: return what there was before it, and stand still."""
        stopped_at, self._stopped_at = self._stopped_at, None
        if stopped_at is None:
            return ResponseTime()
        self._lap(VOICE, at)
        spent = {part: round(seconds * 1000, 1) for part, seconds in self._seconds.items()}
        return ResponseTime(round((at - stopped_at) * 1000, 1), spent)

    def _lap(self, part: str, now: float) -> None:
        self._seconds[part] = self._seconds.get(part, 0.0) + now - self._read_at
        self._read_at = now
