"""Record of one scripted call as the player saw it: the input of the evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent.rehearsal.audio import AudioTrack
from agent.rehearsal.caller_measures import Span
from agent.rehearsal.live_feed import CallFeed
from agent.rehearsal.result import Check


@dataclass
class CallerInput:
    """One thing the caller said or keyed."""

    said: str
    via: str
    """``speech`` or ``keypad``."""
    began_at: float
    """Monotonic seconds: before this the agent had not heard of it."""
    barge_in: bool
    span: Span | None = None
    """When it sounded; None while it is being said, or when the call ended first."""
    key_ends: tuple[float, ...] = ()
    """End of each key."""


@dataclass(frozen=True)
class ReactionDeadline:
    """The agent had to react to the ``index``-th thing said (-1: to the answer itself) within this time."""

    index: int
    within_ms: float
    line: int


@dataclass
class CallLog:
    """One call."""

    number: str
    feed: CallFeed
    dialled_at: float = 0.0
    answered_at: float | None = None
    ended_at: float = 0.0
    hung_up_by: str = ""
    """``us`` or ``them``."""
    staff_answered_at: float | None = None
    heard: AudioTrack = field(default_factory=AudioTrack)
    """What the caller heard."""
    sent: AudioTrack = field(default_factory=AudioTrack)
    """What the caller's phone sent."""
    spoken: list[CallerInput] = field(default_factory=list)
    noises: list[Span] = field(default_factory=list)
    """Noises made over the agent's prompt, which must not stop it."""
    deadlines: list[ReactionDeadline] = field(default_factory=list)
    repairs: int = 0
    """How often the caller was asked back and answered."""
    checks: list[Check] = field(default_factory=list)

    def check(self, what: str, ok: bool, detail: str = "") -> bool:
        """Write a check down and return its result."""
        self.checks.append(Check(what, ok, detail))
        return ok
