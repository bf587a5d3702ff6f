"""Rows of the comparison: one call or one load as plain numbers that all figures come from. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from agent.rehearsal.result import ScriptedCallResult

PLAIN = "plain"


@dataclass(frozen=True)
class CallRow:
    """One call by one caller to one contender. Times are measured at the caller's end of the line."""

    contender: str
    round: int
    name: str
    scenario: str
    ok: bool
    """The caller got what it wanted and the call ended as it should."""
    outcome: str
    repairs: int
    """How often the caller was asked back."""
    greeting_ms: float | None
    duration_s: float
    speech_ms: tuple[float, ...]
    """Response times to something said: the caller's last voiced sample -> the first sound after it."""
    key_ms: tuple[float, ...]
    """Response times to keys."""
    stop_ms: tuple[float, ...]
    """How long a prompt went on over a caller who spoke into it."""
    failed: str = ""
    """The first thing that was not as it should be."""

    @property
    def is_plain(self) -> bool:
        """True when the caller only answers what is asked."""
        return self.scenario.startswith(PLAIN)

    @property
    def unit(self) -> tuple[int, str]:
        """What makes calls to different contenders comparable: the same caller in the same round."""
        return self.round, self.name

    @classmethod
    def of(cls, contender: str, round_number: int, call: ScriptedCallResult) -> CallRow:
        """Take the numbers of a call's result."""
        times = [(turn.via, turn.response_ms) for turn in call.turns if turn.response_ms is not None]
        failed = next((f"{check.what}: {check.detail}" for check in call.checks if not check.ok), "")
        return cls(
            contender=contender,
            round=round_number,
            name=call.name,
            scenario=call.scenario,
            ok=call.ok,
            outcome=call.outcome,
            repairs=call.repairs,
            greeting_ms=_rounded(call.greeting_ms),
            duration_s=round(call.duration_s, 2),
            speech_ms=tuple(round(value, 1) for via, value in times if via == "speech"),
            key_ms=tuple(round(value, 1) for via, value in times if via == "keypad"),
            stop_ms=tuple(round(value, 1) for value in call.barge_in_stop_ms),
            failed=failed[:200],
        )

    @classmethod
    def read(cls, data: dict[str, Any]) -> CallRow:
        """Take it back from JSON."""
        known = {field.name for field in fields(cls)}
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items() if key in known
        }
        return cls(**values)


BEARABLE_SHARE = 0.95
"""So large a part of the calls at once has to succeed."""


@dataclass(frozen=True)
class LoadRow:
    """So many calls at once to one contender."""

    contender: str
    at_once: int
    calls: int
    ok: int
    p50_ms: float | None
    p95_ms: float | None
    own_cpu_s: float
    """CPU time of its own programs during the calls."""
    asterisk_cpu_s: float
    """CPU time of the Asterisk they share."""
    call_seconds: float
    """Length of all calls together."""

    @property
    def within_limit(self) -> bool:
        """True when 19 of 20 calls succeed: times and cost of calls that fail are no figures of a load."""
        return self.calls > 0 and self.ok >= BEARABLE_SHARE * self.calls

    @property
    def cores_a_call(self) -> float:
        """Part of a core that one call takes while it stands, Asterisk included."""
        return (self.own_cpu_s + self.asterisk_cpu_s) / self.call_seconds if self.call_seconds else 0.0


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
