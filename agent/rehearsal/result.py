"""Results of a rehearsal: checks, turns and measures, for the terminal, JSON and tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from agent.rehearsal.caller_measures import Lateness, Percentiles, percentiles


@dataclass(frozen=True)
class Check:
    """One thing that had to be so."""

    what: str
    ok: bool
    detail: str = ""
    """What was found instead, or the measured value."""


@dataclass(frozen=True)
class TurnResult:
    """One exchange: the agent's words, the caller's answer, and how long the agent took to react to it."""

    agent: str
    said: str
    """What the caller spoke or keyed; empty when the call ended with the agent's words."""
    heard: str
    """What the agent took from it."""
    response_ms: float | None
    """End of the caller's voice, or of the last key -> the agent's next sound at the caller's end."""
    via: str
    """``speech``, ``keypad`` or empty."""
    slot: str = ""
    """What the agent had asked for, by its slot."""
    effects: tuple[str, ...] = ()
    """What it asked the business systems before it answered."""
    spent_ms: Mapping[str, float] = field(default_factory=dict)
    """Where the response time went, by the agent's own clock; the rest is the way of the sound."""


@dataclass(frozen=True)
class ScriptedCallResult:
    """One call."""

    name: str
    ok: bool
    checks: tuple[Check, ...]
    outcome: str
    """As the agent recorded it; ``caller_hung_up``, ``handed_over`` or ``unknown`` when it never had the call."""
    ended_by: str
    caller: str
    call_id: str
    """The agent's id of the call; empty when it never had it."""
    answered: bool
    greeting_ms: float | None
    duration_s: float
    """From the answer to the end of the call."""
    turns: tuple[TurnResult, ...]
    barge_in_stop_ms: tuple[float, ...]
    key_stop_ms: tuple[float, ...]
    """First key up -> end of the agent's last loud frame, for keys pressed over a prompt."""
    longest_silence_s: float | None
    recording: Path | None
    """Stereo WAV: left the caller, right what the caller heard."""
    record: Path | None
    """The agent's record of the call, JSON."""
    scenario: str = ""
    """What the call is an example of."""
    repairs: int = 0
    """How often the caller was asked back (a read-back, a misunderstanding) and answered."""
    ring_s: float | None = None
    """From dialling to the answer."""
    late: Lateness = field(default_factory=Lateness)
    """How evenly the agent's speech arrived."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-like data; times rounded to what was measured."""
        return {
            "name": self.name,
            "scenario": self.scenario,
            "ok": self.ok,
            "repairs": self.repairs,
            "outcome": self.outcome,
            "ended_by": self.ended_by,
            "caller": self.caller,
            "call_id": self.call_id,
            "answered": self.answered,
            "greeting_ms": _rounded(self.greeting_ms),
            "duration_s": round(self.duration_s, 2),
            "ring_s": _rounded(self.ring_s, 3),
            "late_audio": {
                "frames": self.late.frames,
                "late": self.late.late,
                "worst_ms": round(self.late.worst_ms, 1),
            },
            "turns": [
                {
                    "agent": turn.agent,
                    "said": turn.said,
                    "heard": turn.heard,
                    "response_ms": _rounded(turn.response_ms),
                    "via": turn.via,
                    "slot": turn.slot,
                    "effects": list(turn.effects),
                    "spent_ms": dict(turn.spent_ms),
                }
                for turn in self.turns
            ],
            "barge_in_stop_ms": [_rounded(value) for value in self.barge_in_stop_ms],
            "key_stop_ms": [_rounded(value) for value in self.key_stop_ms],
            "longest_silence_s": _rounded(self.longest_silence_s, 2),
            "recording": str(self.recording) if self.recording else None,
            "record": str(self.record) if self.record else None,
            "checks": [{"what": check.what, "ok": check.ok, "detail": check.detail} for check in self.checks],
        }


@dataclass(frozen=True)
class ScenarioResult:
    """Task success of one scenario."""

    name: str
    good: int
    """Calls that did what they should."""
    at_once: int
    """Those of them in which the caller was never asked back."""
    calls: int

    @classmethod
    def of(cls, name: str, calls: Sequence[ScriptedCallResult]) -> ScenarioResult:
        """Count."""
        good = [call for call in calls if call.ok]
        return cls(name, len(good), sum(call.repairs == 0 for call in good), len(calls))


@dataclass(frozen=True)
class RehearsalResult:
    """All calls of a rehearsal, in the order of the scripts."""

    calls: tuple[ScriptedCallResult, ...]

    @property
    def ok(self) -> bool:
        """True when every call did what it should; a rehearsal without calls did not."""
        return bool(self.calls) and all(call.ok for call in self.calls)

    @property
    def good_share(self) -> float:
        """Share of the calls that did what they should, 0 to 1; 0 for a rehearsal without calls."""
        return sum(call.ok for call in self.calls) / len(self.calls) if self.calls else 0.0

    @property
    def scenarios(self) -> tuple[ScenarioResult, ...]:
        """Task success by scenario, in the order of the scripts."""
        names = dict.fromkeys(call.scenario for call in self.calls if call.scenario)
        return tuple(ScenarioResult.of(name, [call for call in self.calls if call.scenario == name]) for name in names)

    @property
    def response_ms(self) -> Percentiles:
        """Response times of all turns."""
        return percentiles(
            [turn.response_ms for call in self.calls for turn in call.turns if turn.response_ms is not None]
        )

    @property
    def greeting_ms(self) -> Percentiles:
        """Greeting delays."""
        return percentiles([call.greeting_ms for call in self.calls if call.greeting_ms is not None])

    @property
    def barge_in_stop_ms(self) -> Percentiles:
        """How long the agent went on talking over the caller."""
        return percentiles([value for call in self.calls for value in call.barge_in_stop_ms])

    def to_dict(self, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return it as JSON-like data, after ``extra`` (what the caller of the rehearsal knows besides)."""
        return {
            **(extra or {}),
            "ok": self.ok,
            "response_ms": _spread(self.response_ms),
            "greeting_ms": _spread(self.greeting_ms),
            "barge_in_stop_ms": _spread(self.barge_in_stop_ms),
            "scenarios": [asdict(scenario) for scenario in self.scenarios],
            "calls": [call.to_dict() for call in self.calls],
        }


def _rounded(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(value, digits)


def _spread(values: Percentiles) -> dict[str, float | int | None]:
    return {"p50": _rounded(values.p50), "p95": _rounded(values.p95), "n": values.n}
