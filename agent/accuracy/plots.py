"""Pictures of a measurement, legible at a glance: SVG and PNG, by matplotlib (the extra ``bench``)."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.accuracy.errors import AccuracyError

_SIZE = (9.0, 4.6)
_DPI = 150
_COLOURS = ("#1b6ca8", "#d1495b", "#3a7d44", "#8d5a97")
_SHADES = {"first try": "#1b6ca8", "after being asked back": "#8fc1e3", "with a person": "#f2c14e", "lost": "#d1495b"}


def draw(data: Mapping[str, Any], folder: Path) -> list[str]:
    """Draw what there is to draw; return the names of the pictures. Raises :class:`AccuracyError`."""
    pyplot = _pyplot()
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    pictures: Sequence[tuple[str, Callable[[Any, Mapping[str, Any]], Any]]] = (
        ("accuracy-what", _what),
        ("accuracy-noise", _noise),
        ("accuracy-line", _line),
        ("accuracy-errands", _errands),
        ("accuracy-digits", _digits),
    )
    with pyplot.rc_context({"font.size": 12, "svg.hashsalt": "orderline", "axes.spines.top": False,
                            "axes.spines.right": False, "font.family": "DejaVu Sans"}):  # fmt: skip
        for name, picture in pictures:
            figure = picture(pyplot, data)
            if figure is None:
                continue
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight")
            figure.savefig(folder / f"{name}.png", dpi=_DPI, bbox_inches="tight")
            pyplot.close(figure)
            drawn.append(name)
    return drawn


def _what(pyplot: Any, data: Mapping[str, Any]) -> Any:
    """Right at the first saying and in the end, by what is said."""
    lots = list(dict.fromkeys(lot for model in data["models"].values() for lot in model["lots"]))
    if not lots:
        return None
    figure, axes = pyplot.subplots(figsize=(_SIZE[0], 1.2 + 0.55 * len(lots)))
    height = 0.8 / len(data["models"])
    for index, (name, model) in enumerate(data["models"].items()):
        places = [row + index * height for row, lot in enumerate(lots) if lot in model["lots"]]
        scores = [model["lots"][lot] for lot in lots if lot in model["lots"]]
        end = [100 * one["in_the_end"]["value"] for one in scores]
        first = [100 * one["understood"]["value"] for one in scores]
        colour = _COLOURS[index % len(_COLOURS)]
        whose = f"{name}: " if len(data["models"]) > 1 else ""
        axes.barh(places, end, height * 0.9, color=colour, alpha=0.35, label=f"{whose}in the end, by voice")
        axes.barh(places, first, height * 0.9, color=colour, label=f"{whose}at the first saying")
        for place, one in zip(places, first, strict=True):
            axes.text(one - 1, place, f"{one:.0f} %", va="center", ha="right", color="white", fontsize=10)
    axes.set_yticks([row + height * (len(data["models"]) - 1) / 2 for row in range(len(lots))], lots)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("understood rightly, % of utterances (clean line, all speakers)")
    axes.set_title("What callers say, and how much of it is understood", loc="left")
    axes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.12 - 0.3 / len(lots)), ncols=2, frameon=False, fontsize=10)
    return figure


def _noise(pyplot: Any, data: Mapping[str, Any]) -> Any:
    """Numbers understood over the noise behind the caller."""
    model = next(iter(data["models"].values()))
    sweeps = {name: kinds["numbers"] for name, kinds in model["sweeps"].items()
              if name.startswith("noise: ") and "numbers" in kinds}  # fmt: skip
    if not sweeps:
        return None
    figure, axes = pyplot.subplots(figsize=_SIZE)
    for colour, (name, scores) in zip(_COLOURS, sweeps.items(), strict=False):
        rows = [(float(label.rsplit(" ", 2)[1]), one) for label, one in scores.items() if label != "clean"]
        rows.sort(key=lambda row: -row[0])
        places = range(len(rows) + 1)
        ordered = [scores["clean"], *(one for _, one in rows)]
        first = [100 * one["understood"]["value"] for one in ordered]
        end = [100 * one["in_the_end"]["value"] for one in ordered]
        kind = name.removeprefix("noise: ")
        axes.plot(places, end, color=colour, marker="o", label=f"{kind}: in the end")
        axes.plot(places, first, color=colour, marker="o", linestyle="--", alpha=0.7, label=f"{kind}: first saying")
        axes.set_xticks(places, ["none", *(f"{snr:g} dB" for snr, _ in rows)])
    axes.set_ylim(0, 103)
    axes.set_ylabel("order numbers right, %")
    axes.set_xlabel("noise behind the caller (speech over noise)")
    axes.set_title("Order numbers in noise", loc="left")
    axes.legend(frameon=False, ncols=3, fontsize=10, loc="upper center", bbox_to_anchor=(0.5, -0.16))
    return figure


def _line(pyplot: Any, data: Mapping[str, Any]) -> Any:
    """Numbers understood through codecs and losses."""
    model = next(iter(data["models"].values()))
    sweeps = (("codec", "codec"), ("packets lost", "loss"))
    parts = [(title, model["sweeps"][sweep]["numbers"]) for title, sweep in sweeps
             if "numbers" in model["sweeps"].get(sweep, {})]  # fmt: skip
    if not parts:
        return None
    figure, all_axes = pyplot.subplots(1, len(parts), figsize=_SIZE, sharey=True, squeeze=False)
    for axes, (title, scores) in zip(all_axes[0], parts, strict=True):
        labels = ["ulaw" if label == "clean" and title == "codec" else "none" if label == "clean" else label
                  for label in scores]  # fmt: skip
        end = [100 * one["in_the_end"]["value"] for one in scores.values()]
        first = [100 * one["understood"]["value"] for one in scores.values()]
        axes.bar(range(len(end)), end, color=_COLOURS[0], alpha=0.35, label="in the end, by voice")
        axes.bar(range(len(first)), first, color=_COLOURS[0], label="at the first saying")
        for place, one in enumerate(first):
            axes.text(place, one - 2, f"{one:.0f}", ha="center", va="top", color="white", fontsize=10)
        axes.set_xticks(range(len(labels)), [label.removeprefix("loss ") if title != "codec" else
                                             {"none": "no codec"}.get(label, label) for label in labels],
                        rotation=35, ha="right")  # fmt: skip
        axes.set_title(f"by {title}", loc="left")
        axes.set_ylim(0, 103)
    all_axes[0][0].set_ylabel("order numbers right, %")
    all_axes[0][0].legend(frameon=False, fontsize=10, loc="lower center", bbox_to_anchor=(0.6, -0.38), ncols=2)
    return figure


def _errands(pyplot: Any, data: Mapping[str, Any]) -> Any:
    """How whole calls come out."""
    rows = [(f"{condition}\n({one['n']} calls)" + (f", {name}" if len(data["models"]) > 1 else ""), one)
            for name, model in data["models"].items() for condition, one in model["errands"].items()]  # fmt: skip
    if not rows:
        return None
    figure, axes = pyplot.subplots(figsize=(_SIZE[0], 1.4 + 0.7 * len(rows)))
    for place, (_, one) in enumerate(rows):
        left = 0.0
        first, end = one["first_try"]["count"], one["in_the_end"]["count"]
        counts = (first, end - first, one["person"]["count"], one["lost"]["count"])
        for (label, colour), count in zip(_SHADES.items(), counts, strict=True):
            width = 100 * count / one["n"]
            axes.barh(place, width, left=left, color=colour, label=label if place == 0 else None)
            if width >= 6:
                axes.text(left + width / 2, place, f"{width:.0f} %", ha="center", va="center",
                          color="white" if colour in ("#1b6ca8", "#d1495b") else "black")  # fmt: skip
            left += width
    axes.set_yticks(range(len(rows)), [label for label, _ in rows])
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("% of calls")
    axes.set_title('Whole calls: "where is my order", its number, its postcode', loc="left")
    axes.legend(frameon=False, ncols=4, fontsize=10, loc="upper center", bbox_to_anchor=(0.45, -0.16 - 0.2 / len(rows)))
    return figure


def _digits(pyplot: Any, data: Mapping[str, Any]) -> Any:
    """Which digit is heard for which."""
    confused = next(iter(data["models"].values()))["confusions"]["digits"]
    digits = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    if not any(digit in confused for digit in digits):
        return None
    columns = [*digits, ""]
    rows = []
    for digit in digits:
        heard = confused.get(digit, {})
        total = max(1, sum(heard.values()))
        rows.append([100 * heard.get(column, 0) / total for column in columns])
    figure, axes = pyplot.subplots(figsize=(8.0, 6.4))
    axes.imshow(rows, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            if value >= 0.05:
                text = f"{value:.0f}" if value >= 1 else f"{value:.1f}"
                axes.text(
                    column, row, text, ha="center", va="center", color="white" if value > 50 else "black", fontsize=10
                )
    axes.set_xticks(range(len(columns)), [*digits, "nothing"], rotation=40, ha="right")
    axes.set_yticks(range(len(digits)), digits)
    axes.set_xlabel("heard")
    axes.set_ylabel("said")
    axes.set_title("Single digits inside order numbers, % (clean line, all speakers)", loc="left", fontsize=12)
    return figure


def _pyplot() -> Any:
    try:
        matplotlib = importlib.import_module("matplotlib")
    except ImportError as error:
        raise AccuracyError(
            f"Plots are drawn by the Python package matplotlib: pip install 'orderline[bench]' ({error})"
        ) from error
    matplotlib.use("Agg")
    return importlib.import_module("matplotlib.pyplot")


__all__ = ["draw"]
