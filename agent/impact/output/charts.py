"""The charts of the impact model, drawn as those of reports are: SVG, light and dark, told apart without colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.reports.charts import HEIGHT, STYLE, WIDTH, draw
from agent.reports.model import Cell, Chart, ChartKind, Column, Kind, Table

_LABELS = "label"
_PICTURE_STYLE = """
.chart{color:#1d2733}.paper{fill:#fff}
@media (prefers-color-scheme:dark){.chart{color:#e8edf2}.paper{fill:#141a20}}
"""
_MARGIN = 40
"""Room for a legend below a picture."""


@dataclass(frozen=True)
class PlotSeries:
    """Values along an axis."""

    name: str
    values: Sequence[float | None]
    """One a label; None leaves a gap."""


def line_chart(
    title: str, labels: Sequence[str], series: Sequence[PlotSeries], kind: Kind = "number", *, identity: str = "chart"
) -> str:
    """Return lines over ``labels``; ``""`` where all values are 0 or unknown. ``identity`` is unique on a page."""
    return _drawn("line", title, labels, series, kind, identity)


def bar_chart(
    title: str, labels: Sequence[str], series: PlotSeries, kind: Kind = "number", *, identity: str = "chart"
) -> str:
    """Return a bar for each label, with its number."""
    return _drawn("bar", title, labels, (series,), kind, identity)


def picture(svg: str) -> str:
    """Return a chart as a file of its own, with its style and a ground to stand on."""
    opening, end, rest = svg.partition(">")
    ground = f'<rect class="paper" width="{WIDTH}" height="{HEIGHT + _MARGIN}"/>'
    return f"{opening}{end}<style>{STYLE}{_PICTURE_STYLE}</style>{ground}{rest}\n"


def _drawn(
    shape: ChartKind, title: str, labels: Sequence[str], series: Sequence[PlotSeries], kind: Kind, identity: str
) -> str:
    columns = [Column(_LABELS, "", "text"), *(Column(str(place), one.name, kind) for place, one in enumerate(series))]
    rows = tuple((Cell(label), *(Cell(one.values[place]) for one in series)) for place, label in enumerate(labels))
    names = tuple(column.name for column in columns[1:])
    return draw(
        Chart(shape, title, "impact", _LABELS, names), Table("impact", title, tuple(columns), rows), identity=identity
    )


__all__ = ["PlotSeries", "bar_chart", "line_chart", "picture"]
