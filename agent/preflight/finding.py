"""One finding of the preflight: what was checked, the verdict and the fix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    verdict: Verdict
    detail: str = ""
    fix: str = ""
    """Exactly what to do, for everything that is not ok."""

    def __post_init__(self) -> None:
        """Refuse a finding that leaves the administrator alone: ValueError."""
        if self.verdict != "ok" and not (self.detail and self.fix):
            raise ValueError(f"{self.what}: a finding that is not ok says what is wrong and how to mend it")
