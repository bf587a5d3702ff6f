"""Charts as SVG without any library: lines and bars, light and dark, told apart by shape and not by colour alone."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 760, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 20, 56, 44
_MOST_TICKS = 5
_WIDEST_BAR = 34.0
_FEW_VALUES = 16
"""Up to so many bars have their value written on them."""

STYLE = """
.chart{--ink:#1d2733;--soft:#5c6b7a;--grid:#dfe4e9;--paper:#ffffff;--one:#8a4b08;--two:#12639c}
@media (prefers-color-scheme:dark){.chart{--ink:#e8edf2;--soft:#a3b1bf;--grid:#33404d;--paper:#141a20;
--one:#f2b36b;--two:#7cc0f5}}
.chart text{fill:var(--ink);font:13px system-ui,-apple-system,"Segoe UI",sans-serif}
.chart .soft{fill:var(--soft);font-size:12px}
.chart .title{font-weight:600;font-size:15px}
.chart .paper{fill:var(--paper)}
.chart .grid{stroke:var(--grid);stroke-width:1}
.chart .axis{stroke:var(--soft);stroke-width:1}
.chart .line{fill:none;stroke-width:2.5;stroke-linejoin:round}
.chart .mark{stroke:var(--paper);stroke-width:1.5}
.chart .limit{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:2 3}
.chart .s0{stroke:var(--one)}.chart .s1{stroke:var(--two);stroke-dasharray:7 4}
.chart .f0{fill:var(--one)}.chart .f1{fill:var(--two)}
.chart .h1{stroke:var(--two);stroke-width:3}.chart .b1{stroke:var(--two);stroke-width:1.5}
"""
"""CSS of the charts; a page puts it into its own, a picture on its own carries it."""


@dataclass(frozen=True)
class PlotSeries:
    """Values along an axis. The first of a chart is drawn solid, the second dashed or hatched."""

    name: str
    values: Sequence[float | None]
    """One a label; None leaves a gap."""


@dataclass(frozen=True)
class PlotLimit:
    """A level that is marked across a chart."""

    name: str
    value: float


def line_chart(
    title: str,
    labels: Sequence[str],
    series: Sequence[PlotSeries],
    *,
    unit: str = "",
    limits: Sequence[PlotLimit] = (),
    standalone: bool = False,
) -> str:
    """Return lines over ``labels``; empty labels are points without a name at the axis."""
    return _Chart(title, labels, series, unit, limits, standalone).lines()


def bar_chart(
    title: str, labels: Sequence[str], series: Sequence[PlotSeries], *, unit: str = "", standalone: bool = False
) -> str:
    """Return bars side by side for each label."""
    return _Chart(title, labels, series, unit, (), standalone).bars()


class _Chart:
    def __init__(
        self,
        title: str,
        labels: Sequence[str],
        series: Sequence[PlotSeries],
        unit: str,
        limits: Sequence[PlotLimit],
        standalone: bool,
    ) -> None:
        self._title, self._labels, self._series, self._unit = title, labels, series, unit
        self._limits, self._standalone = limits, standalone
        values = [value for one in series for value in one.values if value is not None]
        values += [limit.value for limit in limits]
        self._ticks = _ticks(max(values, default=0.0))
        self._hatch = f"hatch-{zlib.crc32(title.encode()):x}"
        """The name of a pattern has to be one on the whole page."""

    def lines(self) -> str:
        """Return the chart with a line for each series."""
        parts = list(self._frame())
        places = [self._across(index) for index in range(len(self._labels))]
        few = len(places) <= 2 * _FEW_VALUES
        for number, one in enumerate(self._series):
            for run in _runs(one.values):
                points = " ".join(f"{places[at]:.1f},{self._down(value):.1f}" for at, value in run)
                parts.append(f'<polyline class="line s{number}" points="{points}"/>')
            if few:
                parts += [
                    _mark(number, places[at], self._down(value))
                    for at, value in enumerate(one.values)
                    if value is not None
                ]
        parts += [f'<text class="soft" x="{places[at]:.1f}" y="{HEIGHT - _BOTTOM + 18}" text-anchor="middle">'
                  f"{escape(label)}</text>" for at, label in enumerate(self._labels) if label]  # fmt: skip
        return self._whole(parts)

    def bars(self) -> str:
        """Return the chart with a bar for each series and label."""
        parts = list(self._frame())
        slot = (WIDTH - _LEFT - _RIGHT) / max(1, len(self._labels))
        width = min(_WIDEST_BAR, slot * 0.8 / max(1, len(self._series)))
        written = len(self._labels) * len(self._series) <= _FEW_VALUES
        for at, label in enumerate(self._labels):
            middle = _LEFT + slot * (at + 0.5)
            for number, one in enumerate(self._series):
                if (value := one.values[at]) is None:
                    continue
                left = middle + (number - len(self._series) / 2) * width
                parts.append(self._bar(number, left, width, value))
                if written:
                    parts.append(
                        f'<text class="soft" x="{left + width / 2:.1f}" y="{self._down(value) - 5:.1f}" '
                        f'text-anchor="middle">{value:,.0f}</text>'
                    )
            if label:
                parts.append(
                    f'<text class="soft" x="{middle:.1f}" y="{HEIGHT - _BOTTOM + 18}" text-anchor="middle">'
                    f"{escape(label)}</text>"
                )
        return self._whole(parts)

    def _bar(self, number: int, left: float, width: float, value: float) -> str:
        top = self._down(value)
        size = f'x="{left:.1f}" y="{top:.1f}" width="{max(1.0, width - 2):.1f}" height="{self._down(0) - top:.1f}"'
        if number == 0:
            return f'<rect class="f0" {size}/>'
        return f'<rect class="b1" fill="url(#{self._hatch})" {size}/>'

    def _frame(self) -> Iterator[str]:
        yield f'<text class="title" x="{_LEFT}" y="20">{escape(self._title)}</text>'
        for tick in self._ticks:
            down = self._down(tick)
            yield f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{down:.1f}" y2="{down:.1f}"/>'
            yield f'<text class="soft" x="{_LEFT - 8}" y="{down + 4:.1f}" text-anchor="end">{tick:,.10g}</text>'
        if self._unit:
            yield f'<text class="soft" x="{_LEFT - 8}" y="{_TOP - 12}" text-anchor="end">{escape(self._unit)}</text>'
        zero = self._down(0)
        yield f'<line class="axis" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{zero:.1f}" y2="{zero:.1f}"/>'
        for limit in self._limits:
            down = self._down(limit.value)
            yield f'<line class="limit" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{down:.1f}" y2="{down:.1f}"/>'
            yield (
                f'<text class="soft" x="{WIDTH - _RIGHT}" y="{down - 5:.1f}" text-anchor="end">'
                f"{escape(limit.name)}</text>"
            )
        yield from self._legend()

    def _legend(self) -> Iterator[str]:
        if len(self._series) < 2:
            return
        left = float(_LEFT)
        for number, one in enumerate(self._series):
            yield f'<line class="line s{number}" x1="{left:.0f}" x2="{left + 30:.0f}" y1="36" y2="36"/>'
            yield _mark(number, left + 15, 36)
            yield f'<text class="soft" x="{left + 37:.0f}" y="40">{escape(one.name)}</text>'
            left += 60 + 7.2 * len(one.name)

    def _across(self, index: int) -> float:
        inside = WIDTH - _LEFT - _RIGHT - 24
        return _LEFT + 12 + inside * (index / (len(self._labels) - 1) if len(self._labels) > 1 else 0.5)

    def _down(self, value: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / self._ticks[-1]

    def _whole(self, parts: Sequence[str]) -> str:
        told = "; ".join(
            f"{one.name}: {min(known):,.3g} to {max(known):,.3g} {self._unit}".strip()
            for one in self._series
            if (known := [value for value in one.values if value is not None])
        )
        style = f"<style>{STYLE}</style>" if self._standalone else ""
        paper = f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>' if self._standalone else ""
        hatch = (
            f'<defs><pattern id="{self._hatch}" width="7" height="7" patternUnits="userSpaceOnUse" '
            'patternTransform="rotate(45)"><line class="h1" x1="0" y1="0" x2="0" y2="7"/></pattern></defs>'
        )
        return (
            f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{escape(f"{self._title}. {told}")}">{style}{hatch}{paper}{"".join(parts)}</svg>'
        )


def _mark(number: int, across: float, down: float) -> str:
    if number == 0:
        return f'<circle class="mark f0" cx="{across:.1f}" cy="{down:.1f}" r="4.5"/>'
    return f'<rect class="mark f1" x="{across - 4.5:.1f}" y="{down - 4.5:.1f}" width="9" height="9"/>'


def _runs(values: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    """Yield the pieces between gaps, as places with values."""
    run: list[tuple[int, float]] = []
    for at, value in enumerate(values):
        if value is None:
            if run:
                yield run
            run = []
        else:
            run.append((at, value))
    if run:
        yield run


def _ticks(most: float) -> list[float]:
    """Return round numbers from 0 to at least ``most``."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / _MOST_TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    return [round(step * number, 10) for number in range(math.ceil(most / step - 1e-9) + 1)]


__all__ = ["STYLE", "PlotLimit", "PlotSeries", "bar_chart", "line_chart"]
