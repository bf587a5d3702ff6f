"""Publishes results: the table on the terminal, RESULTS.md, results.json and the plots."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import KINDS, PARTS, by_kind
from benchmarks.plots import draw_all
from benchmarks.targets import TargetRow, target_rows

RAW = ("turns", "greetings_ms", "lengths_s", "stops_ms", "stops_after_event_ms", "stops_after_key_ms", "failures")
"""Single values: kept beside the run, left out of what is published."""
PART_NAMES = {
    "wait": "end-of-turn wait",
    "recognition": "recognition",
    "rules": "rules",
    "look_up": "look-up",
    "voice": "voice",
    "way": "way of the sound",
}


def read_parts(directory: Path) -> dict[str, dict[str, Any]]:
    """Return the results there are, by part."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(directory.glob("*.json"))}


def read_faults(directory: Path) -> dict[str, Any] | None:
    """Return the newest result of the fault matrix, None when there is none that can be read."""
    for path in sorted(directory.glob("*.json"), key=lambda one: one.stat().st_mtime, reverse=True):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, dict) and isinstance(found.get("cases"), list):
            return found
    return None


def table(rows: Sequence[TargetRow]) -> str:
    """Return the table for the terminal."""
    cells = [("what", "target", "measured", "verdict"), *((r.what, r.target, r.measured, r.verdict) for r in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def publish(
    parts: Mapping[str, Mapping[str, Any]], faults: Mapping[str, Any] | None, directory: Path
) -> list[TargetRow]:
    """Write results.json, RESULTS.md and the plots; return the rows."""
    directory.mkdir(parents=True, exist_ok=True)
    rows = target_rows(parts, faults)
    slim = {
        name: {key: value for key, value in part.items() if key not in RAW} | _failures(part)
        for name, part in parts.items()
    }
    result = {"targets": [vars(row) | {"verdict": row.verdict} for row in rows], "parts": slim}
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    (directory / "results.json").write_text(text, encoding="utf-8")
    draw_all(parts, directory)
    (directory / "RESULTS.md").write_text(markdown(rows, parts), encoding="utf-8")
    return rows


def _failures(part: Mapping[str, Any]) -> dict[str, Any]:
    return {"failures": part["failures"][:20]} if part.get("failures") else {}


def markdown(rows: Sequence[TargetRow], parts: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the results as one page."""
    lines = ["# Results", "", "Written by `make bench`; docs/benchmarks/README.md says how to read it.", ""]
    lines += _about(parts)
    lines += ["## Targets", "", "| what | target | measured | verdict | the field today |", "|---|---|---|---|---|"]
    lines += [f"| {r.what} | {r.target} | {r.measured} | {r.verdict} | {r.today} |" for r in rows]
    lines += [*_response(parts), *_stops(parts), *_capacity(parts), *_grammar(parts), *_soak(parts), *_before(parts)]
    lines += _console(parts)
    lines += _pairs(parts)
    return "\n".join(lines) + "\n"


def _about(parts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if not parts:
        return ["Nothing has been measured.", ""]
    newest = max((part["about"] for part in parts.values()), key=lambda about: str(about["when"]))
    packages = ", ".join(f"{name} {version}" for name, version in newest["packages"].items())
    lines = [
        f"- Machine: {newest['processor']}, {newest['cores']} cores, {newest['memory_gb']} GB; {newest['system']}",
        f"- Orderline {newest['orderline']} ({newest['commit']}), Asterisk {newest['asterisk']},"
        f" Python {newest['python']}, {packages}",
        f"- {newest['note']}",
        "",
        "| part | calls | did what they should | when | commit | command |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {part.get('calls', '-')} | {part.get('good', '-')} | {part['about']['when']} "
        f"| {part['about']['commit']} | `{part['about']['command']}` |"
        for name, part in parts.items()
    ]
    return [*lines, ""]


def _response(parts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    kinds = by_kind([turn for name in ("response", "length") for turn in parts.get(name, {}).get("turns", ())])
    if not kinds:
        return []
    lines = ["", "## Response time, at the caller's end", "", "![Response](response.svg)", ""]
    lines += ["![Where the time goes](breakdown.svg)", ""]
    lines += ["| kind of turn | p50 ms | p95 ms | p99 ms | turns | " + " | ".join(PART_NAMES[p] for p in PARTS) + " |"]
    lines += ["|" + "---|" * (5 + len(PARTS))]
    for kind in ("spoken", *KINDS):
        if kind in kinds:
            row = kinds[kind]
            means = " | ".join(f"{row['parts_ms'].get(part, 0.0):.1f}" for part in PARTS)
            name = "all spoken" if kind == "spoken" else kind
            lines.append(f"| {name} | {row['p50']} | {row['p95']} | {row['p99']} | {row['n']} | {means} |")
    return [*lines, "", "The last six columns are means in milliseconds."]


def _stops(parts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    wanted = (
        ("barge-in: first syllable to silence", "barge-in", "stop_ms"),
        ("keypad: Asterisk's event to silence", "keypad", "stop_after_event_ms"),
        ("keypad: end of the key to silence", "keypad", "stop_after_key_ms"),
        ("keypad: Asterisk's event of the last key to the answer", "keypad", "answer_after_event_ms"),
        ("answer to greeting", "greeting", "greeting_ms"),
    )
    rows = [(name, parts[part][key]) for name, part, key in wanted if key in parts.get(part, {})]
    if not rows:
        return []
    lines = [
        "",
        "## Greeting and interruption",
        "",
        "| what | p50 ms | p95 ms | p99 ms | of |",
        "|---|---|---|---|---|",
    ]
    return [*lines, *(f"| {name} | {s['p50']} | {s['p95']} | {s['p99']} | {s['n']} |" for name, s in rows)]


def _capacity(parts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if "capacity" not in parts:
        return []
    lines = ["", "## Capacity", "", "![Capacity](capacity.svg)", ""]
    lines += ["| calls at once | p50 ms | p95 ms | late frames | good calls | agent cores | Asterisk cores |"]
    lines[-1] += " calls a core | MB a call: agent, Asterisk | load generator cores |"
    lines += ["|" + "---|" * 10]
    for step in parts["capacity"]["steps"]:
        use, late = step["use"], 100 * (step["late_audio"]["share"] or 0)
        lines.append(
            f"| {step['at_once']}{'' if step['holds'] else ' (past the limit)'} | {step['response_ms']['p50']} "
            f"| {step['response_ms']['p95']} | {late:.2f} % | {step['good']} of {step['calls']} "
            f"| {use['agent']['cores']} | {use['asterisk']['cores']} | {step['calls_a_core']} "
            f"| {step['mb_a_call']['agent']}, {step['mb_a_call']['asterisk']} "
            f"| {use['carrier']['cores'] + use['callers']['cores']:.2f} |"
        )
    return lines


def _grammar(parts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if "grammar" not in parts:
        return []
    lines = ["", "## What a larger grammar costs", "", "![Grammar](grammar.svg)", ""]
    lines += ["| entries | making a recogniser, p50 ms | decoding 40 ms, p50 ms |", "|---|---|---|"]
    return [
        *lines,
        *(f"| {r['entries']} | {r['make_ms']['p50']} | {r['chunk_ms']['p50']} |" for r in parts["grammar"]["rows"]),
    ]


def _soak(parts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if "soak" not in parts:
        return []
    part = parts["soak"]
    first, last = part["samples"][0], part["samples"][-1]
    leaks = "; ".join(part["leaks"]) or "none"
    return [
        "",
        "## Soak",
        "",
        "![Soak](soak.svg)",
        "",
        f"{part['minutes']:g} minutes, {part['calls']} calls, {part['at_once']} at a time; p95 of the response "
        f"{part['response_ms']['p95']} ms. Leaks: {leaks}.",
        "",
        "| after | agent MB | files | threads | tasks | Asterisk MB | files | channels left |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {s['minutes']} min | {s['agent']['rss_mb']} | {s['agent']['files']} | {s['agent']['threads']} "
            f"| {s['tasks']} | {s['asterisk']['rss_mb']} | {s['asterisk']['files']} | {s['channels']} |"
            for s in (first, last)
        ),
    ]


def _before(parts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if "before" not in parts:
        return []
    part = parts["before"]
    commits = {"before": part["before_commit"], "after": part["about"]["commit"]}
    lines = ["", "## Before and after, in turns in one run", ""]
    lines += [
        "| agent | commit | response p50 ms | p95 ms | p99 ms | turns | barge-in p50 ms | p95 ms | CPU s a call "
        "| good calls |"
    ]
    lines += ["|" + "---|" * 10]
    for name, commit in commits.items():
        spoken, stop = part["response_ms"][name]["spoken"], part["stop_ms"][name]
        cpu = part.get("cpu_seconds", {}).get(name, "")
        lines.append(
            f"| {name} | {commit} | {spoken['p50']} | {spoken['p95']} | {spoken['p99']} | {spoken['n']} "
            f"| {stop['p50']} | {stop['p95']} | {cpu} | {part['good_calls'][name]} |"
        )
    own = part.get("own_spread", {})
    lines += ["", *(f"{what} {round(100 * share, 1)} %" for what, share in own.items())] if own else []
    return lines


def _console(parts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if "console" not in parts:
        return []
    part = parts["console"]
    lines = ["", f"## Console over {part['history']:,} finished calls", ""]
    lines += ["| what | address | p50 ms | p95 ms | slowest ms | n | kB gzipped |", "|" + "---|" * 7]
    lines += [
        f"| {one['kind']} | `{one['path']}` | {one['p50']} | {one['p95']} | {one['max']} | {one['n']} | {one['kb']} |"
        for one in part["pages"]
    ]
    lines += ["", f"Real calls in turns, {part['rounds']} rounds each:", ""]
    lines += ["| | response p50 ms | p95 ms | p99 ms | turns |", "|---|---|---|---|---|"]
    for name, words in (("alone", "nobody watches"), ("watched", f"{part['readers']} readers of live calls")):
        spoken = part["response_ms"][name]
        lines.append(f"| {words} | {spoken['p50']} | {spoken['p95']} | {spoken['p99']} | {spoken['n']} |")
    live = part["live_ms"]
    told = f"p50 {live['p50']} ms, p95 {live['p95']} ms, slowest {live['max']} ms of {live['n']}"
    return [*lines, "", f"From the agent's event to a reader: {told}."]


def _pairs(parts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    pairs = [(name, what, ratio) for name, part in parts.items() for what, ratio in part.get("pairs", {}).items()]
    if not pairs:
        return []
    lines = ["", "## Ratios, each within one run", "", "| part | ratio | value |", "|---|---|---|"]
    return [*lines, *(f"| {name} | {what} | {ratio} |" for name, what, ratio in pairs)]
