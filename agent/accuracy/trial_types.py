"""Types of an accuracy measurement: utterances, answers, line conditions, trials and results. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal["number", "request", "choice", "yes_no", "meaning", "foreign", "open", "open_foreign"]
"""What an utterance is: it decides what counts as right. ``meaning``: what its own text would have been taken for.
``open``: a request in a caller's own words; ``open_foreign``: one that another firm's caller would make."""

Outcome = Literal["taken", "asked", "part", "missed", "person", "wrong_asked", "wrong"]
"""What became of an utterance the moment it was heard.

``taken`` right and acted on; ``asked`` right, and read back first; ``part`` some of it, the call says "go on";
``missed`` nothing: asked again; ``person`` handed over although an answer was there; ``wrong_asked`` something else,
but read back first; ``wrong`` something else, and acted on.
Of foreign speech ``missed`` is the right outcome, everything else a false acceptance.
"""

Ending = Literal["first_try", "repaired", "keypad", "person", "wrong", "lost"]
"""How it came out in the end: at the first saying; after being asked back, by voice; on the keypad; with a person;
with a wrong value; or somewhere else altogether."""


@dataclass(frozen=True)
class SpokenAnswer:
    """What a caller knows, and the words for it: the first time, and whenever asked again."""

    value: str
    """The slot's value when it is understood; for a yes or no ``yes`` or ``no``."""
    first: str
    again: str


@dataclass(frozen=True)
class TrialItem:
    """One utterance, or a whole request of several (an errand), by one speaker."""

    id: str
    lot: str
    """What it is reported with: ``order numbers, digit by digit``."""
    kind: Kind
    speaker: str
    question: str
    """The question it answers (:data:`agent.accuracy.dialog_setup.QUESTIONS`); for an errand, where the call begins."""
    answers: tuple[tuple[str, SpokenAnswer], ...]
    """Slot -> answer. The first is the one that is judged; an errand has several."""
    file: Path | None = None
    """A recording of the first answer, in place of a voice; the same words are never said otherwise."""
    span: tuple[int, int] | None = None
    """The first sample of it in the file and one past the last, at the file's own rate; None for all of it."""
    errand: bool = False
    """True: the whole call is held to its end, and judged by what the caller got."""
    once: bool = False
    """True: it is said once and never repaired (there is one recording of it)."""

    @property
    def slot(self) -> str:
        """The slot that is judged."""
        return self.answers[0][0]

    @property
    def answer(self) -> SpokenAnswer:
        """The answer that is judged."""
        return self.answers[0][1]


@dataclass(frozen=True)
class LineCondition:
    """What lies between the speaker and the recogniser."""

    name: str = "clean"
    sweep: str = "voices"
    """The comparison it belongs to: ``voices``, ``speed``, ``noise``, ``codec``, ``loss``, ``level``, ..."""
    speed: float = 1.0
    noise: str = ""
    """``white``, ``babble``, ``street`` or nothing."""
    snr_db: float = 20.0
    """Speech over noise, of the voiced frames."""
    level_dbfs: float = -20.0
    band_hz: tuple[float, float] | None = None
    """The lowest and the highest frequency of the line; None for all that 8 kHz samples hold."""
    codec: str = "ulaw"
    loss: float = 0.0
    """Share of 20 ms packets that never arrive."""
    burst: float = 1.0
    """Mean length of a row of lost packets."""


@dataclass(frozen=True)
class HeardUtterance:
    """One time the caller spoke, and what was heard."""

    said: str
    heard: str
    confidence: float
    """Mean of the words."""
    weakest: float
    """Of the least certain word."""
    understood: str
    slot: str
    second: str = ""
    """What came of a second recogniser (:data:`agent.call.second_opinion.SecondOutcome`); ``""``: none was asked."""


@dataclass(frozen=True)
class OpenDecision:
    """What an open request was taken for, as ``orderline flows hear`` tells it."""

    decision: Literal["act", "confirm", "choose", "again", "person"]
    meaning: str
    """A procedure's id, ``topic:ID``, ``promotion:ID``, ``command:ID``, ``escalate:ID`` or ``""``."""
    score: float
    """Acceptance score, 0 to 1; 1 for what rules decide."""
    candidates: tuple[tuple[str, float], ...] = ()
    """Meanings with their scores, best first."""


@dataclass(frozen=True)
class TrialResult:
    """What became of one item under one condition."""

    item: str
    lot: str
    kind: Kind
    speaker: str
    question: str
    condition: str
    sweep: str
    model: str
    expected: str
    got: str
    """What the first saying was taken for; ``""`` for nothing."""
    outcome: Outcome
    ending: Ending
    sayings: tuple[HeardUtterance, ...] = field(default=())
    open_decision: OpenDecision | None = None
    """For an open request, what it was taken for at once."""


@dataclass(frozen=True)
class Trial:
    """One item under one condition, with the seed of its noise and its losses."""

    item: TrialItem
    condition: LineCondition
    seed: int


__all__ = [
    "Ending",
    "HeardUtterance",
    "Kind",
    "LineCondition",
    "OpenDecision",
    "Outcome",
    "SpokenAnswer",
    "Trial",
    "TrialItem",
    "TrialResult",
]
