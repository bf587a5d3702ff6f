"""What the sizing model goes by: figures of committed measurements, and what is chosen or published elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEASURED, CALCULATED, CHOSEN, PUBLISHED = "measured", "calculated", "chosen", "published"
CAPACITY = "docs/benchmarks/results.json, capacity"
YEAR = "docs/searching-calls.md, make year-of-calls"
_P95_MS = 700.0
"""The target for the response time (docs/benchmarks/RESULTS.md)."""


@dataclass(frozen=True)
class SizingFigure:
    """One figure the model uses."""

    name: str
    value: float
    unit: str
    kind: str
    """``measured``, ``calculated`` (from measured ones), ``chosen`` or ``published``."""
    source: str
    """Where it stands, or why it was chosen."""


@dataclass(frozen=True)
class MeasuredStep:
    """One step of the measured load: so many calls at once on one instance."""

    at_once: int
    agent_cores: float
    asterisk_cores: float
    agent_mb: float
    asterisk_mb: float
    p95_ms: float

    @property
    def holds(self) -> bool:
        """Whether the response time was within its target."""
        return self.p95_ms <= _P95_MS


@dataclass(frozen=True)
class Assumptions:
    """All figures, by name, and the measured steps they come from."""

    figures: Mapping[str, SizingFigure]
    steps: Sequence[MeasuredStep]

    def __getitem__(self, name: str) -> float:
        return self.figures[name].value


def measured_steps(results: Mapping[str, Any]) -> list[MeasuredStep]:
    """Return the steps of the capacity measurement."""
    return [
        MeasuredStep(
            step["at_once"],
            step["use"]["agent"]["cores"],
            step["use"]["asterisk"]["cores"],
            step["use"]["agent"]["rss_mb"],
            step["use"]["asterisk"]["rss_mb"],
            step["response_ms"]["p95"],
        )
        for step in results["parts"]["capacity"]["steps"]
    ]


def read_assumptions(directory: Path) -> Assumptions:
    """Read the committed measurements in ``docs/benchmarks``."""
    return assumptions_of(json.loads((directory / "results.json").read_text(encoding="utf-8")))


def assumptions_of(results: Mapping[str, Any]) -> Assumptions:
    """Return what the model goes by, from the results of ``make bench``."""
    capacity = results["parts"]["capacity"]
    steps = measured_steps(results)
    full = max((step for step in steps if step.holds), key=lambda step: step.at_once)
    biggest = next(step for step in capacity["steps"] if step["at_once"] == full.at_once)
    use, answers, started = biggest["use"], biggest["response_ms"]["n"], biggest["calls"]
    idle = capacity["idle"]
    busy = sum(one["cores"] for one in use.values()) / capacity["about"]["cores"]

    def growth(program: str, what: str) -> float:
        return float(use[program][what] - idle[program][what]) / full.at_once

    at_full = f"{CAPACITY}, {full.at_once} calls at once"
    figures = [
        SizingFigure("calls_an_instance", full.at_once, "calls", MEASURED, f"{at_full}: p95 {full.p95_ms:.0f} ms"),
        SizingFigure("agent_cores", full.agent_cores / full.at_once, "cores a call", MEASURED, at_full),
        SizingFigure("asterisk_cores", full.asterisk_cores / full.at_once, "cores a call", MEASURED, at_full),
        SizingFigure("instance_mb", idle["agent"]["rss_mb"], "MB an instance", MEASURED, f"{CAPACITY}, no call"),
        SizingFigure("agent_mb", growth("agent", "rss_mb"), "MB a call", MEASURED, at_full),
        SizingFigure(
            "asterisk_idle_mb", idle["asterisk"]["rss_mb"], "MB an Asterisk", MEASURED, f"{CAPACITY}, no call"
        ),
        SizingFigure("asterisk_mb", growth("asterisk", "rss_mb"), "MB a call", MEASURED, at_full),
        SizingFigure(
            "asterisk_idle_files", idle["asterisk"]["files"], "open files an Asterisk", MEASURED, f"{CAPACITY}, no call"
        ),
        SizingFigure("asterisk_files", growth("asterisk", "files"), "open files a call", MEASURED, at_full),
        SizingFigure("asterisk_threads", growth("asterisk", "threads"), "threads a call", MEASURED, at_full),
        SizingFigure(
            "busy", 0.7, "of a core", CHOSEN, f"how busy a core may be; the measured machine held at {busy:.0%}"
        ),
        SizingFigure(
            "call_seconds",
            results["parts"]["length"]["length_s"]["p50"],
            "s",
            MEASURED,
            "docs/benchmarks/results.json, length: median of short calls; longer ones ask less of the stores",
        ),
        SizingFigure("calls_an_asterisk", 150, "calls", PUBLISHED, _ASTERISK_SOURCE),
        SizingFigure(
            "ports_a_call", 4, "UDP ports", CHOSEN, "asterisk-conf/rtp.conf: two for the carrier, two for a staff phone"
        ),
        SizingFigure(
            "snapshot_writes",
            answers / started + 2,
            "Redis commands a call",
            CALCULATED,
            f"{at_full}: {answers / started:.1f} answers a call; a snapshot after each and at first, its removal",
        ),
        SizingFigure("snapshot_kb", 8, "kB a live call", CHOSEN, "twice a stored record; not measured"),
        SizingFigure("record_kb", 4.8, "kB a call", MEASURED, f"{YEAR}: calls.sqlite, 4.8 GB of 1,000,000 records"),
        SizingFigure("index_kb", 1.4, "kB a call", MEASURED, f"{YEAR}: index.sqlite; in PostgreSQL not measured"),
        SizingFigure(
            "records_a_call", 1, "PostgreSQL transactions a call", CALCULATED, "one row a call (docs/postgresql.md)"
        ),
    ]
    return Assumptions({figure.name: figure for figure in figures}, steps)


_ASTERISK_SOURCE = (
    "ViciBox writes of trouble above some 300 channels on one server; a call here has two "
    "(vicibox.com/docs/intro/dimensioning.html); not measured"
)
