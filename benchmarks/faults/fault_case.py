"""Types of the fault matrix: a case, what its runs found, and its result."""

from __future__ import annotations

import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from benchmarks.faults.testbed import FaultTestbed

STAFF_SECONDS = 6.0
"""From the fault to a person's phone ringing, or to an honest end: the requirement."""


class CaseFailed(Exception):
    """Something that must be true was not; the message says what."""


@dataclass
class CaseFindings:
    """What one run of a case measured and found wrong."""

    patience: float = 1.0
    """Limits of time are stretched by this: 1 measures, more only looks whether it works on a busy machine."""
    reached: list[float] = field(default_factory=list)
    """Seconds from the fault to the phone ringing or to the honest end, one a caller."""
    problems: list[str] = field(default_factory=list)
    by_who: dict[str, list[float]] = field(default_factory=dict)
    """The same seconds by who waited."""

    def require(self, ok: object, what: str) -> None:
        """Note what was not as it must be."""
        if not ok:
            self.problems.append(what)

    def note(self, seconds: float, what: str) -> None:
        """Note how long something else took, for the table."""
        self.by_who.setdefault(what, []).append(seconds)

    def reach(self, seconds: float | None, who: str, within: float = STAFF_SECONDS) -> None:
        """Note how long a caller waited; None for one who reached nobody."""
        if seconds is None:
            self.problems.append(f"{who}: reached neither a person nor an end")
            return
        self.reached.append(seconds)
        self.by_who.setdefault(who, []).append(seconds)
        self.require(seconds <= within * self.patience, f"{who}: only after {seconds:.2f} s")


RunCase = Callable[[FaultTestbed, CaseFindings], Awaitable[None]]


@dataclass(frozen=True)
class FaultCase:
    """One fault."""

    name: str
    what: str
    run: RunCase
    times: int = 1
    callers: int = 1
    """Callers in each run, for counting."""


@dataclass
class CaseResult:
    """All runs of a case."""

    name: str
    what: str
    passed: int = 0
    failed: int = 0
    reached: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    by_who: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    """How long its runs took, one after the other."""
    set_up_again: int = 0
    """Runs begun anew because a caller was not where it must be before anything was broken."""

    def add(self, findings: CaseFindings) -> None:
        """Count one run."""
        self.reached += findings.reached
        self.problems += findings.problems
        for who, seconds in findings.by_who.items():
            self.by_who.setdefault(who, []).extend(seconds)
        if findings.problems:
            self.failed += 1
        else:
            self.passed += 1

    @property
    def median(self) -> float | None:
        """Median of the seconds to a person or an end."""
        return statistics.median(self.reached) if self.reached else None
