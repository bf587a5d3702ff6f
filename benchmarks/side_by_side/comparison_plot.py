"""Draws the comparison as one picture: four questions a buyer asks, a bar for each contender."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.side_by_side.contenders import ORDERLINE, SAMPLE, TUNED
from benchmarks.side_by_side.results import TITLES, Comparison, figures

COLOURS = {ORDERLINE: "#0b6e4f", SAMPLE: "#b0b4ba", TUNED: "#7d838c"}
INK = "#1d2329"
SETTINGS: dict[Any, Any] = {
    "font.size": 12,
    "font.family": "DejaVu Sans",
    "svg.hashsalt": "orderline",
    "axes.edgecolor": "#d5d8dc",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}

PANELS: tuple[tuple[str, str, tuple[tuple[str, str], ...], str], ...] = (
    ("The caller stops speaking: how long until the answer?", "ms",
     (("response_p50", "half of\nthe answers"), ("response_p95", "95 of 100\nanswers")), "shorter is better"),
    ("The caller interrupts: how long does the bot talk on?", "ms", (("stop_p50", "half of\nthe times"),),
     "shorter is better"),
    ("How many calls end as the caller wanted?", "%",
     (("plain_success", "plain\ncalls"), ("hard_success", "hard\ncalls")), "more is better"),
    ("How much of a core does a call take?", "%", (("core_share", "with\nAsterisk"),), "less is better"),
)  # fmt: skip
"""(title, unit, (figure, label), direction)."""


def draw(found: Comparison, stem: Path) -> tuple[Path, Path]:
    """Draw into ``stem``.svg and ``stem``.png; returns both. Needs matplotlib."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    names = found.contenders
    values = figures(found.calls, found.loads, names)
    panels = [panel for panel in PANELS if all(key in values for key, _ in panel[2])]
    with mpl.rc_context(SETTINGS):
        figure, axes = plt.subplots(2, 2, figsize=(12.5, 8.2))
        for axis, panel in zip(axes.flat, panels, strict=False):
            _panel(axis, panel, values, names)
        for axis in list(axes.flat)[len(panels) :]:
            axis.axis("off")
        handles = [mpl.patches.Patch(color=COLOURS[name], label=TITLES[name]) for name in names]
        figure.suptitle(
            "The same callers, the same shop, the same recognition model", fontsize=17, weight="bold", y=0.985
        )
        figure.legend(handles=handles, loc="upper center", ncols=len(names), frameon=False, bbox_to_anchor=(0.5, 0.955))
        figure.tight_layout(rect=(0, 0, 1, 0.93), h_pad=3.0, w_pad=3.0)
        paths = stem.with_suffix(".svg"), stem.with_suffix(".png")
        figure.savefig(paths[0], metadata={"Date": None})
        figure.savefig(paths[1], dpi=110)
        plt.close(figure)
    return paths


def _panel(
    axis: Any,
    panel: tuple[str, str, Sequence[tuple[str, str]], str],
    values: Mapping[str, Any],
    names: Sequence[str],
) -> None:
    title, unit, groups, direction = panel
    width = 0.8 / len(names)
    highest = max((values[key]["values"].get(name) or 0 for key, _ in groups for name in names), default=1) or 1
    for index, (key, _) in enumerate(groups):
        for place, name in enumerate(names):
            value = values[key]["values"].get(name)
            x = index + (place - (len(names) - 1) / 2) * width
            axis.bar(x, value or 0, width * 0.92, color=COLOURS[name])
            label = "none" if value is None else f"{value:,.1f} %" if key == "core_share" else f"{value:,.0f} {unit}"
            weight = "bold" if name == ORDERLINE else "normal"
            axis.text(x, (value or 0) + highest * 0.02, label, ha="center", va="bottom", fontsize=10.5, weight=weight)
    axis.set_title(title, loc="left", fontsize=13.5, weight="bold", pad=14)
    axis.text(1.0, 1.0, direction, transform=axis.transAxes, ha="right", va="bottom", fontsize=10, color="#6b7178")
    axis.set_xticks(range(len(groups)), [label for _, label in groups])
    axis.set_yticks([])
    axis.set_ylim(0, highest * 1.18)
    axis.set_xlim(-0.6, len(groups) - 0.4)
    axis.tick_params(length=0)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
