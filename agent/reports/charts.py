"""Charts as SVG, drawn on the server: no script, no network, no style of their own but classes.

Series differ by pattern, dash and mark as well as by colour, text is ``currentColor``, and each chart has a title and a
description for screen readers. It always stands beside its table. :data:`STYLE` is the style sheet, for light and dark.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.reports.model import Cell, Chart, Column, Table
from agent.reports.printed import printed, words

WIDTH, HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 12, 46
_BELOW_BARS = 24
_MOST_LABELS = 12
_MOST_BARS = 15
_BAR_HEIGHT = 24
_MOST_SERIES = 6
_DASHES = ("", "7 4", "2 3", "9 3 2 3", "12 5", "4 2")

STYLE = """
.chart{max-width:100%;height:auto;color:inherit;font:12px system-ui,sans-serif}
.chart text{fill:currentColor}
.chart .axis,.chart .grid{stroke:currentColor;fill:none}
.chart .grid{opacity:.18}
.chart .line{fill:none;stroke-width:2}
.chart .s0{stroke:#0b5fa5;fill:#0b5fa5}.chart .s1{stroke:#b3541e;fill:#b3541e}.chart .s2{stroke:#2f7d32;fill:#2f7d32}
.chart .s3{stroke:#7a3e9d;fill:#7a3e9d}.chart .s4{stroke:#8a6d00;fill:#8a6d00}.chart .s5{stroke:#5a6672;fill:#5a6672}
.chart .bar{stroke:currentColor;stroke-width:.5}
@media (prefers-color-scheme:dark){
.chart .s0{stroke:#6cb8f5;fill:#6cb8f5}.chart .s1{stroke:#f2a073;fill:#f2a073}.chart .s2{stroke:#83cf86;fill:#83cf86}
.chart .s3{stroke:#cfa3e6;fill:#cfa3e6}.chart .s4{stroke:#e3c95c;fill:#e3c95c}.chart .s5{stroke:#aab6c2;fill:#aab6c2}}
.chart .line.s0,.chart .line.s1,.chart .line.s2,.chart .line.s3,.chart .line.s4,.chart .line.s5{fill:none}
""".strip()
"""What the classes look like. A page with a colour scheme of its own may set the series' colours instead."""


@dataclass(frozen=True)
class _Drawing:
    """What is drawn: names along the axis, and for each series a number or nothing at each of them."""

    chart: Chart
    names: Sequence[str]
    columns: Sequence[Column]
    series: Sequence[Sequence[Cell]]

    @property
    def kind(self) -> Column:
        return self.columns[0]


def draw(chart: Chart, table: Table, *, identity: str = "chart") -> str:
    """Return the SVG element of a chart; ``""`` where there is nothing to draw.

    ``identity`` makes the ids of its title, description and patterns unique within a page.
    """
    names = [str(cell.value) for cell in table.column(chart.labels)]
    chosen = chart.columns[:_MOST_SERIES]
    columns = [column for name in chosen for column in table.columns if column.name == name]
    drawing = _Drawing(chart, names, columns, [table.column(name) for name in chosen])
    if not names or not any(_number(cell) for one in drawing.series for cell in one):
        return ""
    if chart.kind == "line":
        return _framed(drawing, identity, HEIGHT, _line_chart(drawing))
    if chart.kind == "bar":
        height = _TOP + min(len(names), _MOST_BARS) * _BAR_HEIGHT + _BELOW_BARS
        return _framed(drawing, identity, height, _bar_chart(drawing, identity))
    return _framed(drawing, identity, HEIGHT, _column_chart(drawing, identity))


def ticks(most: float) -> list[float]:
    """Return round numbers from 0 to the first one that is not below ``most``."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999999)
    return [round(step * place, 10) for place in range(math.ceil(most / step - 1e-9) + 1)]


# --- kinds of charts -----------------------------------------------------------------------------------


def _line_chart(drawing: _Drawing) -> Iterator[str]:
    scale = ticks(max(_number(cell) for one in drawing.series for cell in one))
    yield from _upright_axis(scale, drawing.kind)
    step = (WIDTH - _LEFT - _RIGHT) / max(1, len(drawing.names) - 1)
    places = [_LEFT + step * place for place in range(len(drawing.names))]
    yield from _labels(drawing.names, places)
    for number, cells in enumerate(drawing.series):
        for run in _runs(cells):
            points = [(places[place], _height_of(value, scale)) for place, value in run]
            if len(points) > 1:
                path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
                dash = f' stroke-dasharray="{_DASHES[number]}"' if _DASHES[number] else ""
                yield f'<polyline class="line s{number}" points="{path}"{dash}/>'
            if len(drawing.names) <= 62:
                yield from (_mark(number, x, y) for x, y in points)


def _column_chart(drawing: _Drawing, identity: str) -> Iterator[str]:
    """Columns that stand on one another."""
    tops = [sum(_number(one[place]) for one in drawing.series) for place in range(len(drawing.names))]
    scale = ticks(max(tops))
    yield from _upright_axis(scale, drawing.kind)
    step = (WIDTH - _LEFT - _RIGHT) / len(drawing.names)
    width = step * (0.9 if drawing.chart.kind == "distribution" else 0.75)
    yield from _labels(drawing.names, [_LEFT + step * (place + 0.5) for place in range(len(drawing.names))])
    for place in range(len(drawing.names)):
        below = 0.0
        for number, cells in enumerate(drawing.series):
            value = _number(cells[place])
            if value > 0:
                bottom, top = _height_of(below, scale), _height_of(below + value, scale)
                shape = f'x="{_LEFT + step * place + (step - width) / 2:.1f}" y="{top:.1f}" width="{width:.1f}"'
                told = _told(drawing, place, number)
                yield _filled(number, f'{shape} height="{bottom - top:.1f}"', identity, told)
                below += value


def _bar_chart(drawing: _Drawing, identity: str) -> Iterator[str]:
    """Bars that lie below one another, the first series only, with its numbers at their ends."""
    cells = drawing.series[0][:_MOST_BARS]
    scale = ticks(max(_number(cell) for cell in cells))
    begin, width = 200, WIDTH - 200 - 70
    bottom = _TOP + len(cells) * _BAR_HEIGHT
    for tick in scale:
        x = begin + width * tick / scale[-1]
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{_tick(tick, drawing.kind)}</text>'
    for place, (name, cell) in enumerate(zip(drawing.names, cells, strict=False)):
        y, length = _TOP + place * _BAR_HEIGHT, width * _number(cell) / scale[-1]
        yield f'<text x="{begin - 8}" y="{y + 16}" text-anchor="end">{_cut(words(name), 28)}</text>'
        shape = f'x="{begin}" y="{y + 3}" width="{length:.1f}" height="{_BAR_HEIGHT - 6}"'
        yield _filled(0, shape, identity, _told(drawing, place, 0))
        value = html.escape(printed(cell, drawing.kind))
        yield f'<text x="{begin + length + 6:.1f}" y="{y + 16}">{value}</text>'
    yield f'<line class="axis" x1="{begin}" x2="{begin}" y1="{_TOP}" y2="{bottom}"/>'


# --- parts ---------------------------------------------------------------------------------------------


def _framed(drawing: _Drawing, identity: str, height: float, shapes: Iterator[str]) -> str:
    legend = list(_legend(drawing, identity, height)) if len(drawing.columns) > 1 else []
    total = height + (22 if legend else 0)
    return "".join(
        (
            f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {total:g}" role="img"',
            f' aria-labelledby="{identity}-title {identity}-desc">',
            f'<title id="{identity}-title">{html.escape(drawing.chart.title)}</title>',
            f'<desc id="{identity}-desc">{html.escape(_description(drawing))}</desc>',
            f"<defs>{''.join(_patterns(identity, len(drawing.columns)))}</defs>",
            *shapes,
            *legend,
            "</svg>",
        )
    )


def _description(drawing: _Drawing) -> str:
    """Return what the chart shows, for who does not see it: the span of each series. The table has it all."""
    parts = []
    for column, cells in zip(drawing.columns, drawing.series, strict=True):
        known = [(cell, name) for cell, name in zip(cells, drawing.names, strict=True) if cell.value is not None]
        if known:
            least, most = min(known, key=lambda one: _number(one[0])), max(known, key=lambda one: _number(one[0]))
            low, high = printed(least[0], column), printed(most[0], column)
            parts.append(f"{column.title}: from {low} ({least[1]}) to {high} ({most[1]})")
    return f"{len(drawing.names)} values. {'; '.join(parts)}. The table below has the numbers."


def _patterns(identity: str, count: int) -> Iterator[str]:
    """Yield fillings that differ without colour: plain, lines one way, the other way, dots, level, upright."""
    inner = (
        "",
        '<path d="M0 8L8 0" stroke="Canvas" stroke-width="2"/>',
        '<path d="M0 0L8 8" stroke="Canvas" stroke-width="2"/>',
        '<circle cx="4" cy="4" r="1.6" fill="Canvas" stroke="none"/>',
        '<path d="M0 4H8" stroke="Canvas" stroke-width="2"/>',
        '<path d="M4 0V8" stroke="Canvas" stroke-width="2"/>',
    )
    for number in range(1, count):
        yield (
            f'<pattern id="{identity}-p{number}" width="8" height="8" patternUnits="userSpaceOnUse">'
            f'<rect class="s{number}" width="8" height="8" stroke="none"/>{inner[number]}</pattern>'
        )


def _filled(number: int, shape: str, identity: str, told: str) -> str:
    title = f"<title>{html.escape(told)}</title>"
    if number == 0:
        return f'<rect class="bar s0" {shape}>{title}</rect>'
    return f'<rect class="bar" fill="url(#{identity}-p{number})" {shape}>{title}</rect>'


def _mark(number: int, x: float, y: float) -> str:
    marks = (
        f'<circle class="s{number}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>',
        f'<rect class="s{number}" x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6"/>',
        f'<path class="s{number}" d="M{x:.1f} {y - 4:.1f}l4 7h-8z"/>',
    )
    return marks[number % len(marks)]


def _legend(drawing: _Drawing, identity: str, height: float) -> Iterator[str]:
    x = float(_LEFT)
    for number, column in enumerate(drawing.columns):
        if drawing.chart.kind == "line":
            dash = f' stroke-dasharray="{_DASHES[number]}"' if _DASHES[number] else ""
            points = f'x1="{x:.0f}" x2="{x + 22:.0f}" y1="{height + 8:.0f}" y2="{height + 8:.0f}"'
            yield f'<line class="line s{number}" {points}{dash}/>'
            yield _mark(number, x + 11, height + 8)
        else:
            shape = f'x="{x:.0f}" y="{height + 2}" width="14" height="12"'
            yield _filled(number, shape, identity, column.title)
        title = _cut(column.title, 22)
        yield f'<text x="{x + 28:.0f}" y="{height + 12}">{title}</text>'
        x += 44 + 6.6 * min(len(column.title), 22)


def _upright_axis(scale: Sequence[float], column: Column) -> Iterator[str]:
    for tick in scale:
        y = _height_of(tick, scale)
        yield f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_tick(tick, column)}</text>'
    bottom = HEIGHT - _BOTTOM
    yield f'<path class="axis" d="M{_LEFT} {_TOP}V{bottom}H{WIDTH - _RIGHT}"/>'


def _labels(names: Sequence[str], places: Sequence[float]) -> Iterator[str]:
    every = max(1, math.ceil(len(names) / _MOST_LABELS))
    bottom = HEIGHT - _BOTTOM
    for place, (name, x) in enumerate(zip(names, places, strict=True)):
        if place % every == 0:
            yield f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 4}"/>'
            shown = name[5:] if len(names) > 4 and name[:4].isdecimal() and name[4:5] == "-" else name
            yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{_cut(shown, 12)}</text>'


def _height_of(value: float, scale: Sequence[float]) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _BOTTOM - _TOP) * value / scale[-1]


def _tick(value: float, column: Column) -> str:
    if column.kind == "share":
        return f"{value * 100:g}\u202f%"
    unit = {"seconds": "\u202fs", "ms": "\u202fms"}.get(column.kind, "")
    return f"{value:,.10g}{unit}"


def _told(drawing: _Drawing, place: int, number: int) -> str:
    column = drawing.columns[number]
    return f"{drawing.names[place]}, {column.title}: {printed(drawing.series[number][place], column)}"


def _number(cell: Cell) -> float:
    return float(cell.value) if isinstance(cell.value, (int, float)) else 0.0


def _runs(cells: Sequence[Cell]) -> Iterator[list[tuple[int, float]]]:
    """Yield stretches without a gap."""
    run: list[tuple[int, float]] = []
    for place, cell in enumerate(cells):
        if cell.value is None:
            if run:
                yield run
            run = []
        else:
            run.append((place, _number(cell)))
    if run:
        yield run


def _cut(text: str, most: int) -> str:
    return html.escape(text if len(text) <= most else f"{text[: most - 1]}…")
