"""Writes the comparison as a page of documentation: setup, table, task success, limits. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.side_by_side.contenders import ORDERLINE
from benchmarks.side_by_side.ratios import by_scenario
from benchmarks.side_by_side.results import TITLES, Comparison, figures

HEAD = """# Side by side: Orderline and a Vosk bot put together from public samples

`make side-by-side` measures this anew. The same scripted callers (benchmarks/side_by_side/callers.yaml) ring Orderline
and two other bots at one Asterisk, in turns; all times come from the audio at the caller's end of the line.
[benchmarks/side_by_side](../../benchmarks/side_by_side/README.md) says what was rebuilt, what was not, and what was
done in the other bots' favour.

![Side by side](side-by-side.svg)
"""


def page(found: Comparison) -> str:
    """Return the page as Markdown."""
    names = found.contenders
    parts = [HEAD, table(figures(found.calls, found.loads, names), names)]
    if found.calls:
        parts += ["## Which calls succeed\n", success(found, names)]
    if found.loads:
        parts += ["## Calls at once\n", load_table(found, names)]
    parts += ["## How it was measured\n", measured(found)]
    return "\n".join(parts).rstrip() + "\n"


def table(found: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return the figures as a table; each other bot's ratio to Orderline beside its value."""
    others = [name for name in names if name != ORDERLINE]
    head = ["", TITLES[ORDERLINE]]
    for name in others:
        head += [TITLES[name], "ratio to Orderline (95 % interval)"]
    lines = [_row(head), _row(["---"] * len(head))]
    for entry in found.values():
        cells = [entry["title"], _value(entry, ORDERLINE)]
        for name in others:
            cells += [_value(entry, name), _ratio(entry.get("ratio_to_orderline", {}).get(name))]
        lines.append(_row(cells))
    return "\n".join(lines) + "\n"


def success(found: Comparison, names: Sequence[str]) -> str:
    """Return task success by scenario."""
    lines = [_row(["scenario", *(TITLES[name] for name in names)]), _row(["---"] * (len(names) + 1))]
    for scenario, counts in by_scenario(found.calls).items():
        cells = [f"{good} of {calls}" for good, calls in (counts.get(name, (0, 0)) for name in names)]
        lines.append(_row([scenario, *cells]))
    return "\n".join(lines) + "\n"


def load_table(found: Comparison, names: Sequence[str]) -> str:
    """Return response times and CPU by calls at once."""
    lines = [_row(["at once", *(TITLES[name] for name in names)]), _row(["---"] * (len(names) + 1))]
    for size in sorted({row.at_once for row in found.loads}):
        cells = []
        for name in names:
            rows = [row for row in found.loads if row.contender == name and row.at_once == size]
            cells.append(
                "; ".join(
                    f"p95 {row.p95_ms or 0:.0f} ms, {row.ok} of {row.calls} succeed, "
                    f"{100 * row.cores_a_call:.1f} % of a core a call"
                    for row in rows
                )
                or "not measured"
            )
        lines.append(_row([str(size), *cells]))
    return "\n".join(lines) + "\n"


def measured(found: Comparison) -> str:
    """Return command, machine and versions of every run."""
    lines = []
    for run in found.runs:
        versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
        machine = run["machine"]
        lines.append(
            f"- `{run['command']}` on {machine['cores']} cores of {machine['cpu']}, which also ran the callers and "
            f"their Asterisk; load average before, of everything on the machine: {run['load_before']:g}. {versions}. "
            f"Recognition model of everybody: {run['model']}; Orderline's voice: {run['orderline_voice']}."
        )
    rounds = len({row.round for row in found.calls})
    calls = {TITLES[name]: sum(row.contender == name for row in found.calls) for name in found.contenders}
    lines.append(f"- {rounds} rounds; calls: {', '.join(f'{name} {count}' for name, count in calls.items())}.")
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _value(entry: Mapping[str, Any], name: str) -> str:
    value = entry["values"].get(name)
    if value is None:
        return "none"
    digits = 0 if entry["unit"] in ("ms", "") else 1
    return f"{value:.{digits}f} {entry['unit']}".strip()


def _ratio(found: Mapping[str, float] | None) -> str:
    if not found:
        return ""
    bounds = f" ({found['low']:.2g} to {found['high']:.2g})" if "low" in found else ""
    return f"{found['value']:.2g}{bounds}"
