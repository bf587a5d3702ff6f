"""Table of targets: the promised value, the measured value, and whether it holds. Pure.

The targets are those of the design, section 10. A row that was not measured does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import by_kind, spread

LEAST_CALLS = 200
KILLS = 100


@dataclass(frozen=True)
class TargetRow:
    """One line of the table."""

    what: str
    target: str
    measured: str
    holds: bool
    misses_by: str = ""
    """By how much, where it does not hold."""
    today: str = ""
    """The field today; sources in ``field.py``."""

    @property
    def verdict(self) -> str:
        """For people."""
        if self.measured.startswith("not measured"):
            return "NOT MEASURED"
        return "holds" if self.holds else f"MISSED {self.misses_by}".strip()


def target_rows(parts: Mapping[str, Mapping[str, Any]], faults: Mapping[str, Any] | None) -> list[TargetRow]:
    """Return the whole table from the results of the parts (by name) and the fault matrix, as far as there are any."""
    turns = [turn for part in ("response", "length") for turn in parts.get(part, {}).get("turns", ())]
    spoken = by_kind(turns).get("spoken", spread([]))
    greetings = [
        value for part in ("response", "length", "greeting") for value in parts.get(part, {}).get("greetings_ms", ())
    ]
    lengths = [value for part in ("response", "length") for value in parts.get(part, {}).get("lengths_s", ())]
    stop = parts.get("barge-in", {}).get("stop_ms", spread([]))
    key = parts.get("keypad", {}).get("stop_after_event_ms", spread([]))
    greeting, length = spread(greetings), spread(lengths)
    return [
        _at_most("caller stops speaking -> first agent sound, p50", spoken["p50"], 350, "ms", spoken["n"], "1.4-1.7 s"),
        _at_most("caller stops speaking -> first agent sound, p95", spoken["p95"], 700, "ms", spoken["n"], "4.3-5.4 s"),
        _at_most("barge-in: first syllable -> silence, p95", stop["p95"], 200, "ms", stop["n"], "must be < 300-500 ms"),
        _at_most("keypad: event -> silence, p95", key["p95"], 60, "ms", key["n"], ""),
        _at_most("answer -> greeting, p95", greeting["p95"], 300, "ms", greeting["n"], "users complain at 3 s"),
        _at_most("order status, dial to goodbye, median", length["p50"], 30, "s", length["n"], "an agent: 2-3 min"),
        _capacity(parts.get("capacity", {}).get("most", {})),
        *_fault_rows(faults),
        *_console_rows(parts.get("console")),
        _calls(parts),
    ]


def _at_most(what: str, value: float | None, limit: float, unit: str, n: int, today: str) -> TargetRow:
    target = f"<= {limit:g} {unit}"
    if value is None:
        return TargetRow(what, target, "not measured", False, "", today)
    digits = 1 if unit == "s" else 0
    over = "" if value <= limit else f"by {value - limit:.{digits}f} {unit}"
    return TargetRow(what, target, f"{value:.{digits}f} {unit} of {n}", value <= limit, over, today)


def _capacity(most: Mapping[str, Any]) -> TargetRow:
    what, target, today = "live calls a core at p95 <= 1 s", ">= 20", "about 4 with Vosk"
    if not most:
        return TargetRow(what, target, "not measured", False, "", today)
    measured = f"{most['calls_a_core']:.0f} (at {most['at_once']} calls{'' if most['limit_found'] else ' or more'})"
    missing = "" if most["calls_a_core"] >= 20 else f"by {20 - most['calls_a_core']:.1f} calls"
    return TargetRow(what, target, measured, most["calls_a_core"] >= 20, missing, today)


def _fault_rows(faults: Mapping[str, Any] | None) -> list[TargetRow]:
    ring, lost = "controller killed -9 -> agent's phone rings", "calls lost or unrecorded in the fault matrix"
    cases = {str(case.get("name")): case for case in (faults or {}).get("cases", ())}
    missing = "not measured: make faults"
    rows = []
    killed = cases.get("killed")
    if killed is None:
        rows.append(TargetRow(ring, f"<= 6 s, {KILLS} of {KILLS}", missing, False, "", "nobody"))
    else:
        reached = [float(value) for value in killed.get("reached", ())]
        good = sum(value <= 6.0 for value in reached)
        holds = good >= KILLS and good == len(reached) and not killed.get("failed")
        worst = max(reached, default=0.0)
        short = f"{good} of {KILLS} within 6 s" if good == len(reached) else f"worst {worst:.1f} s"
        measured = f"worst {worst:.1f} s, {good} of {len(reached)}"
        rows.append(TargetRow(ring, f"<= 6 s, {KILLS} of {KILLS}", measured, holds, "" if holds else short, "nobody"))
    if not cases:
        rows.append(TargetRow(lost, "0", missing, False, "", "nobody publishes"))
    else:
        failed = sum(int(case.get("failed", 0)) for case in cases.values())
        runs = failed + sum(int(case.get("passed", 0)) for case in cases.values())
        text = f"{failed} of {runs} runs"
        rows.append(TargetRow(lost, "0", text, not failed, f"by {failed} runs" if failed else "", "nobody publishes"))
    return rows


def _console_rows(part: Mapping[str, Any] | None) -> list[TargetRow]:
    """Return the rows of the console; none where it was not measured."""
    if part is None:
        return []
    of = f" over {part['history']:,} calls"
    rows = [
        _at_most(f"console: {what}{of}, worst p95", part["worst"].get(kind), limit, "ms", part["measured"][kind], "")
        for kind, what, limit in (
            ("page", "any page", 200),
            ("search", "any search", 200),
            ("report", "any report of 30 days", 500),
            ("year", "any report of a year", 1000),
        )
    ]
    live, readers = part["live_ms"], part["readers"]
    rows.append(
        _at_most(f"console: told by the agent -> at {readers} readers, p95", live["p95"], 1000, "ms", live["n"], "")
    )
    rows.append(
        _at_most("console: weight of the heaviest page, gzipped", part["heaviest_kb"], 60, "kB", len(part["pages"]), "")
    )
    slower, n = part["slower_percent"], part["response_ms"]["watched"]["n"]
    rows.append(_at_most(f"console: response p95 while {readers} watch, more than alone", slower, 5, "%", n, ""))
    return rows


def _calls(parts: Mapping[str, Mapping[str, Any]]) -> TargetRow:
    calls = sum(int(part.get("calls", 0)) for part in parts.values())
    missing = "" if calls >= LEAST_CALLS else f"by {LEAST_CALLS - calls}"
    return TargetRow("real calls behind this table", f">= {LEAST_CALLS}", str(calls), calls >= LEAST_CALLS, missing)
