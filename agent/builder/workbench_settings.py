"""What the process that loads packs is told of the shop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class WorkbenchSettings:
    """What a pack meets in this shop."""

    number_formats: Mapping[str, str]
    tests: Path
    """Directory of the pack's calls in text."""
    scores: Path
    """Directory of fitted scores, the agent's own: what is fitted here it need not fit again."""

    def to_json(self) -> dict[str, Any]:
        """Return JSON-like data."""
        return {"number_formats": dict(self.number_formats), "tests": str(self.tests), "scores": str(self.scores)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> WorkbenchSettings:
        """Rebuild from :meth:`to_json`."""
        return cls(dict(data["number_formats"]), Path(data["tests"]), Path(data["scores"]))
