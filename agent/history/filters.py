"""What calls are looked for: the filter of every list, search and export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

VALUE_KINDS = (
    *("outcome", "ended_by", "asked", "result", "step", "reason", "queue", "edition", "fault", "direction"),
    *("purpose", "fact", "contained", "solved", "number", "status", "return_reason", "promotion", "standing"),
    *("wait_ended", "left", "survey", "listened", "no_match", "no_input"),
)
"""What calls can be found by that is one of a number of words (:func:`agent.history.facts.call_facts` gives them)."""


@dataclass(frozen=True)
class Bounds:
    """Whole numbers from ``least`` to ``most``, both included; None leaves an end open."""

    least: int | None = None
    most: int | None = None

    def __bool__(self) -> bool:
        return self.least is not None or self.most is not None


ANY = Bounds()


@dataclass(frozen=True)
class CallFilter:
    """What must be true of a call; all of it. An empty field says nothing."""

    since_ms: int | None = None
    """Calls that began at this moment or later: milliseconds since 1970."""
    until_ms: int | None = None
    """Calls that began before this moment."""
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Kind (:data:`VALUE_KINDS`) -> values, one of which must be true. ``*`` in a value stands for any characters,
    capitals do not matter; with ``=`` in front it is this very text."""
    also: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """More of the same: kind and values, one of which must be true as well. For a second condition of one kind."""
    order: str = ""
    caller: str = ""
    """The caller's number, or how it ends; in any notation."""
    length_ms: Bounds = ANY
    score: Bounds = ANY
    latency_ms: Bounds = ANY
    """Of the slowest response of the call."""
    wait_ms: Bounds = ANY
    """How long the caller waited in the staff queue."""
    greeting_ms: Bounds = ANY
    """From the answer to the first words."""
    again_ms: Bounds = ANY
    """How long after it the same number called again on the same matter; calls after which it did not are beyond any
    time. Calls of which that cannot be known (withheld numbers) are in no span."""
    misheard: str = ""
    """The whole of an answer that was not understood, as reports group them."""
    said: str = ""
    """Words that were said, by whomever; see :func:`agent.history.words.search_terms`."""
    caller_said: str = ""
    agent_said: str = ""
