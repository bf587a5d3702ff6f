"""The plots: legible at a glance, as SVG and PNG. Needs matplotlib (the ``bench`` extra)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.figures import KINDS, PARTS, by_kind
from benchmarks.published_figures import ANCHORS, CALLS_A_CORE, FEELS_SLOW_S

OURS, THEIRS, MUTED, ALARM = "#0b6e4f", "#9aa5b1", "#52606d", "#c0392b"
BEHIND = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
COLOURS = {
    "wait": "#9fd3c7",
    "recognition": "#0b6e4f",
    "rules": "#f2b134",
    "look_up": "#ed553b",
    "voice": "#5c4b9e",
    "way": "#cbd2d9",
}
NAMES = {
    "wait": "waiting whether the caller goes on",
    "recognition": "recognition",
    "rules": "rules",
    "look_up": "look-up",
    "voice": "voice",
    "way": "the sound's way through Asterisk",
}
mpl.rcParams.update(
    {
        "font.size": 11,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 14,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "svg.hashsalt": "orderline",  # the same drawing gives the same file
        "svg.fonttype": "none",
    }
)


def draw_all(parts: Mapping[str, Mapping[str, Any]], directory: Path) -> None:
    """Draw what there are results for."""
    turns = [turn for name in ("response", "length") for turn in parts.get(name, {}).get("turns", ())]
    kinds = by_kind(turns)
    if "spoken" in kinds:
        save(response(kinds["spoken"]), directory / "response")
        save(breakdown(kinds), directory / "breakdown")
    for name, draw in (("capacity", capacity), ("grammar", grammar), ("soak", soak)):
        if name in parts:
            save(draw(parts[name]), directory / name)


def save(figure: Figure, path: Path) -> None:
    """Write both files."""
    figure.savefig(path.with_suffix(".svg"), metadata={"Date": None}, bbox_inches="tight")
    figure.savefig(path.with_suffix(".png"), dpi=110, metadata={"Software": None}, bbox_inches="tight")


def response(spoken: Mapping[str, Any]) -> Figure:
    """How long callers wait for an answer: measured here, and what others say of themselves."""
    figure = Figure(figsize=(10, 4.4))
    axes = figure.subplots()
    bars = [
        ("people, one to another", ANCHORS[0].low_s, ANCHORS[0].high_s, THEIRS),
        ("Orderline, median", 0.0, spoken["p50"] / 1000, OURS),
        ("Orderline, 95th percentile", 0.0, spoken["p95"] / 1000, OURS),
        *((anchor.name, anchor.low_s, anchor.high_s, THEIRS) for anchor in ANCHORS[1:]),
    ]
    for row, (_, low, high, colour) in enumerate(bars):
        axes.barh(row, high, color=colour, height=0.62, alpha=1.0 if colour == OURS else 0.55)
        if colour == THEIRS and low < high:
            axes.barh(row, low, color=colour, height=0.62)
        ours = colour == OURS or low == high
        text = f"{high * 1000:.0f} ms" if ours else f"{low:g} to {high:g} s"
        weight = "bold" if colour == OURS else "normal"
        axes.text(high + 0.12, row, text, va="center", fontweight=weight, bbox=BEHIND, zorder=5)
    axes.axvline(FEELS_SLOW_S, color=ALARM, linewidth=1, linestyle="--")
    axes.text(FEELS_SLOW_S + 0.08, -0.72, "from here it feels slow (0.8 s)", color=ALARM, fontsize=9, va="center")
    axes.set_yticks(range(len(bars)), [name for name, *_ in bars])
    axes.set_ylim(len(bars) - 0.4, -1.05)
    axes.set_xlim(0, 17)
    axes.set_xlabel("seconds from the caller's last sound to the first sound of the answer")
    axes.set_title("How long a caller waits for an answer")
    first, second = ([anchor.source for anchor in part] for part in ((ANCHORS[:2]), (ANCHORS[2], ANCHORS[4])))
    note = "Orderline: real calls through Asterisk, measured in the audio at the caller's end; CPU only, no cloud.\n"
    note += f"Others: {'; '.join(first)};\n{'; '.join(second)}."
    figure.text(0.01, -0.06, note, fontsize=8, color=MUTED, ha="left", va="top")
    return figure


def breakdown(kinds: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Where the mean response time goes, by kind of turn."""
    figure = Figure(figsize=(10, 3.8))
    axes = figure.subplots()
    shown = [kind for kind in KINDS if kind in kinds]
    for row, kind in enumerate(shown):
        left = 0.0
        for part in PARTS:
            width = max(0.0, kinds[kind]["parts_ms"].get(part, 0.0))
            axes.barh(row, width, left=left, color=COLOURS[part], height=0.6)
            if width >= 18:
                dark = part in ("recognition", "look_up", "voice")
                axes.text(
                    left + width / 2, row, f"{width:.0f}", ha="center", va="center", color="white" if dark else "black"
                )
            left += width
        axes.text(left + 5, row, f"{left:.0f} ms", va="center", fontweight="bold")
    for part in PARTS:
        axes.barh(0, 0, color=COLOURS[part], label=NAMES[part])
    axes.set_yticks(range(len(shown)), [f"{kind}\n({kinds[kind]['n']} turns)" for kind in shown])
    axes.invert_yaxis()
    axes.set_xlabel("milliseconds, mean")
    axes.set_title("Where the time goes")
    axes.legend(ncols=3, frameon=False, fontsize=9, loc="upper center", bbox_to_anchor=(0.45, -0.2))
    return figure


def capacity(part: Mapping[str, Any]) -> Figure:
    """Response time and CPU by the number of calls at once."""
    steps = part["steps"]
    sizes = [step["at_once"] for step in steps]
    figure = Figure(figsize=(10, 4.4))
    left, right = figure.subplots(1, 2)
    for key, style in (("p95", "-"), ("p50", ":")):
        values = [step["response_ms"][key] or 0 for step in steps]
        left.plot(sizes, values, style, color=OURS, marker="o", markersize=4, linewidth=2)
        last = max(at for at, value in enumerate(values) if value <= 1500 or at == 0)
        left.annotate(
            key, (sizes[last], values[last]), xytext=(6, 0), textcoords="offset points", color=OURS, va="center"
        )
    left.axhline(1000, color=ALARM, linewidth=1, linestyle="--")
    left.text(sizes[0], 1000, " the limit: 1 s", color=ALARM, fontsize=9, va="bottom")
    left.set_ylim(0, 1500)
    left.set_xlim(0, max(sizes) * 1.12)
    left.set_xlabel("talking calls at once")
    left.set_ylabel("response time, ms")
    left.set_title("Response time under load")
    below = [0.0] * len(steps)
    for name, colour, label in (("agent", OURS, "Orderline"), ("asterisk", "#f2b134", "Asterisk")):
        values = [step["use"][name]["cores"] for step in steps]
        top = [base + value for base, value in zip(below, values, strict=True)]
        right.fill_between(sizes, below, top, color=colour, alpha=0.75, label=label, linewidth=0)
        below = top
    most = part["most"]
    if most:
        text = f"{most['calls_a_core']:.0f} calls a core at {most['at_once']} calls"
        right.text(0.02, 0.74, text, transform=right.transAxes, fontweight="bold")
        right.text(0.02, 0.67, f"the field with Vosk: about {CALLS_A_CORE:.0f}", transform=right.transAxes, color=MUTED)
    right.set_ylim(0, max(below) * 1.6)
    right.set_xlim(0, max(sizes) * 1.02)
    right.set_xlabel("talking calls at once")
    right.set_ylabel("cores in use, load generator not counted")
    right.set_title("What the calls cost")
    right.legend(frameon=False, loc="upper left")
    figure.subplots_adjust(wspace=0.3)
    return figure


def grammar(part: Mapping[str, Any]) -> Figure:
    """Cost of a recogniser and of a chunk by the number of entries."""
    figure = Figure(figsize=(8, 3.6))
    axes = figure.subplots()
    entries = [row["entries"] for row in part["rows"]]
    for key, label, colour in (
        ("make_ms", "making the recogniser of a turn (once)", OURS),
        ("chunk_ms", "decoding 40 ms of sound", "#5c4b9e"),
    ):
        axes.plot(
            entries, [row[key]["p50"] for row in part["rows"]], marker="o", color=colour, label=label, linewidth=2
        )
    axes.set_xscale("log")
    axes.set_xticks(entries[:-2] + entries[-1:], [f"{count:,}" for count in entries[:-2] + entries[-1:]], minor=False)
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.set_xlabel("entries of the grammar")
    axes.set_ylabel("milliseconds, median")
    axes.set_title("What it costs to listen for more")
    axes.legend(frameon=False)
    return figure


def soak(part: Mapping[str, Any]) -> Figure:
    """Memory over the run."""
    figure = Figure(figsize=(8, 3.6))
    axes = figure.subplots()
    minutes = [sample["minutes"] for sample in part["samples"]]
    for name, colour, label in (("agent", OURS, "Orderline"), ("asterisk", "#f2b134", "Asterisk")):
        axes.plot(
            minutes, [sample[name]["rss_mb"] for sample in part["samples"]], color=colour, label=label, linewidth=2
        )
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    axes.set_xlabel(f"minutes; {part['calls']} calls, {part['at_once']} at a time")
    axes.set_ylabel("resident memory, MB")
    axes.set_title("Nothing piles up" if not part["leaks"] else "Memory over time")
    axes.legend(frameon=False)
    return figure
