"""What is recorded of one call: the caller, each turn, the outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Caller:
    """Who is on the line, as far as the network says. A hint, never proof."""

    number: str = ""
    name: str = ""
    dialled: str = ""


@dataclass
class TurnRecord:
    """One exchange as it went into the record."""

    at_seconds: float
    """Seconds since the call was answered."""
    agent: str
    """What the agent said."""
    heard: str = ""
    """What the caller's answer was recognised as, or the keys."""
    understood: str = ""
    via: str = ""
    confidence: float | None = None
    flow: str = ""
    step: str = ""
    slot: str = ""
    barged_in: bool = False
    response_ms: float | None = None
    """Caller's last voice or key -> this turn's first audio handed to Asterisk; the agent's own measure."""
    spent_ms: dict[str, float] = field(default_factory=dict)
    """The parts ``response_ms`` is made of: ``wait``, ``recognition``, ``rules``, ``look_up``, ``voice``."""


@dataclass
class CallRecord:
    """Everything about one call; written exactly once, when it is over."""

    id: str
    caller: Caller
    started_at: str
    """ISO 8601 with offset."""
    greeting_ms: float | None = None
    duration_seconds: float = 0.0
    outcome: str = ""
    """``answered``, ``handed_over``, ``taken_over``, ``caller_hung_up``, ``transferred``, ``held_too_long``,
    ``failed``, ..."""
    ended_by: str = ""
    """``agent``, ``caller``, ``handover``, ``supervisor`` or ``fault``."""
    turns: list[TurnRecord] = field(default_factory=list)
    effects: list[dict[str, Any]] = field(default_factory=list)
    """Each service call: name, code, milliseconds, and its idempotency key."""
    handover: dict[str, Any] | None = None
    slots: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    consent: str = ""
    """About recording: ``announced``, ``given``, ``refused``; ``""`` where nobody was told or asked."""
