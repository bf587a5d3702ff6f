"""What a turn tells the record and the live feed: steps taken, requests, how the answer before it was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class StepTaken:
    """A step of a procedure: reached, left, or both within one turn."""

    flow: str
    step: str
    """Its name, or its place (``3``) where it has none."""
    kind: str
    """The key that makes it what it is: ``collect``, ``say``, ``call``, ``if``, ..."""
    way: str = ""
    """The way on from it (docs/records.md, "The trail"); ``""`` while it is open: a question or an operation."""
    reached: bool = True
    """False for a step that an earlier turn reached: this is only the way on from it."""


@dataclass(frozen=True)
class RequestProgress:
    """A request of the caller: begun, learned more about, or over. The latest of a number counts."""

    number: int
    """0 for the first request of the conversation."""
    intent: str
    """The flow that answers it."""
    result: str = ""
    """What came of it (:class:`agent.call.records.IntentRecord`); ``""`` while it is open."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """What the flow's ``keeps`` names, as far as it is known; JSON-like."""


AnswerResult = Literal["understood", "partial", "no_match", "no_input"]
"""What became of an answer; ``partial`` is the beginning of a number that goes on."""


@dataclass(frozen=True)
class MeaningCandidate:
    """One meaning an answer in the caller's own words may have."""

    meaning: str
    """A flow's id, or ``topic:ID``, ``promotion:ID``, ``command:ID``, ``escalate:ID``."""
    score: float
    """0..1."""


@dataclass(frozen=True)
class AnswerReading:
    """How the last answer was taken: for the record, the live feed and reports."""

    result: AnswerResult
    decision: str = ""
    """Of an open question: ``act``, ``confirm``, ``choose``, ``again``, ``person``; ``""`` where nothing was scored."""
    candidates: tuple[MeaningCandidate, ...] = ()
    """Of an open question: what may have been meant, the likeliest first."""
