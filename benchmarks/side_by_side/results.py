"""What the comparison found, as JSON: every call, every load, machine and versions; and the figures made from them."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.side_by_side.contenders import ORDERLINE, SAMPLE, TUNED, TUNED_ENDPOINT, TUNED_PIECE_BYTES
from benchmarks.side_by_side.ratios import MEASURES, calls_at_once, calls_of_contender, cores_a_call, ratio
from benchmarks.side_by_side.result_rows import CallRow, LoadRow

TITLES = {ORDERLINE: "Orderline", SAMPLE: "Vosk sample bot", TUNED: "Vosk bot, tuned"}
LIMITS_MS = (1000.0, 2000.0)
"""Calls at once are counted as long as 95 of 100 responses come within these."""
_PACKAGES = ("vosk", "pyttsx3", "espeakng-loader", "hibari-tts", "websockets", "aiohttp")


@dataclass(frozen=True)
class Comparison:
    """Everything measured; several runs on one machine can be joined."""

    calls: tuple[CallRow, ...] = ()
    loads: tuple[LoadRow, ...] = ()
    runs: tuple[Mapping[str, Any], ...] = field(default=())
    """Command, machine and versions of each run."""

    def joined(self, other: Comparison) -> Comparison:
        """Return both; the rounds of the other one are counted on from ours."""
        first = 1 + max((row.round for row in self.calls), default=-1)
        calls = tuple(replace(row, round=row.round + first) for row in other.calls)
        return Comparison((*self.calls, *calls), (*self.loads, *other.loads), (*self.runs, *other.runs))

    @property
    def contenders(self) -> tuple[str, ...]:
        """Who took part, Orderline first."""
        found = {row.contender for row in self.calls} | {row.contender for row in self.loads}
        return tuple(name for name in TITLES if name in found)

    def to_dict(self) -> dict[str, Any]:
        """Return it with its figures as JSON-like data."""
        return {
            "figures": figures(self.calls, self.loads, self.contenders),
            "variants": {"tuned": {"endpoint_rules_s": TUNED_ENDPOINT, "piece_bytes": TUNED_PIECE_BYTES}},
            "runs": list(self.runs),
            "loads": [asdict(row) for row in self.loads],
            "calls": [asdict(row) for row in self.calls],
        }

    def write(self, path: Path) -> None:
        """Write it as JSON, a call or a load a line."""
        data = self.to_dict()
        rows = {key: data.pop(key) for key in ("loads", "calls")}
        text = json.dumps(data, indent=1, ensure_ascii=False).removesuffix("\n}")
        for key, entries in rows.items():
            lines = ",\n  ".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
            text += f',\n "{key}": [\n  {lines}\n ]' if lines else f',\n "{key}": []'
        path.write_text(text + "\n}\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Comparison:
        """Read what :meth:`write` has written."""
        data = json.loads(path.read_text(encoding="utf-8"))
        calls = tuple(CallRow.read(entry) for entry in data["calls"])
        return cls(calls, tuple(LoadRow(**entry) for entry in data["loads"]), tuple(data["runs"]))


def figures(calls: Sequence[CallRow], loads: Sequence[LoadRow], names: Sequence[str]) -> dict[str, Any]:
    """Return each measure's value for each contender and, for the others, their ratio to Orderline."""
    found: dict[str, Any] = {}
    for measure in MEASURES:
        values = {name: measure.statistic(calls_of_contender(calls, name)) for name in names}
        ratios = {name: ratio(calls, measure, name, ORDERLINE) for name in names if name != ORDERLINE}
        found[measure.key] = {
            "title": measure.title,
            "unit": measure.unit,
            "better": measure.better,
            "values": {name: None if value is None else round(value, 2) for name, value in values.items()},
            "ratio_to_orderline": {name: value.to_dict() if value else None for name, value in ratios.items()},
        }
    for limit in LIMITS_MS if loads else ():
        found[f"calls_at_once_{limit / 1000:g}s"] = {
            "title": f"Calls at once that succeed, with 95 of 100 answers within {limit / 1000:g} s",
            "unit": "",
            "better": "more",
            "values": {name: calls_at_once(loads, name, limit) for name in names},
        }
    if loads:
        sizes = [{row.at_once for row in loads if row.contender == name and row.within_limit} for name in names]
        everybodys = set.intersection(*sizes)
        shared = [row for row in loads if row.at_once in everybodys]
        shares = {name: cores_a_call(shared, name) for name in names}
        own = shares.get(ORDERLINE)
        found["core_share"] = {
            "title": "Part of a core that a call takes, with Asterisk",
            "unit": "%",
            "better": "less",
            "values": {name: None if value is None else round(100 * value, 2) for name, value in shares.items()},
            "ratio_to_orderline": {
                name: {"value": round(value / own, 2)} if value is not None and own else None
                for name, value in shares.items()
                if name != ORDERLINE
            },
        }
    return found


def about(command: str, asterisk: str, model: str, voice: str) -> dict[str, Any]:
    """Return what a reader must know of a run: command, machine, versions."""
    return {
        "command": command,
        "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "system": platform.system(), "release": platform.release()},
        "load_before": round(os.getloadavg()[0], 2),
        "versions": {
            "asterisk": asterisk,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in _PACKAGES},
        },
        "model": model,
        "orderline_voice": voice,
    }


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
