"""Charts are well-formed, told in words, and need neither colour nor network."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.reports.charts import STYLE, draw, ticks
from agent.reports.model import Cell, Chart, ChartKind, Column, Table

SVG = "{http://www.w3.org/2000/svg}"


def table(*values: float | None, second: float = 1.0) -> Table:
    return Table(
        "calls",
        "Calls",
        (Column("day", "Day", "text"), Column("a", "Answered <b>"), Column("b", "Handed over")),
        tuple((Cell(f"2026-11-{place + 1:02d}"), Cell(value), Cell(second)) for place, value in enumerate(values)),
    )


@pytest.mark.parametrize("kind", ["line", "bar", "stacked", "distribution"])
def test_a_chart_is_well_formed_and_has_a_title_and_a_description(kind: ChartKind) -> None:
    drawn = draw(Chart(kind, "Calls & outcomes", "calls", "day", ("a", "b")), table(3, 0, None, 7), identity="x")
    root = ET.fromstring(drawn)  # noqa: S314 - our own
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert root.get("role") == "img"
    assert title is not None
    assert title.text == "Calls & outcomes"
    assert desc is not None
    assert "from 0 (2026-11-02) to 7 (2026-11-04)" in (desc.text or "")
    assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|<script|style=|url\((?!#)", drawn)
    assert not re.search(r"fill=\"#|stroke=\"#", drawn)  # colours are of classes


def test_series_differ_without_colour() -> None:
    stacked = draw(Chart("stacked", "t", "calls", "day", ("a", "b")), table(3, 2))
    assert "url(#chart-p1)" in stacked
    assert 'id="chart-p1"' in stacked
    lines = draw(Chart("line", "t", "calls", "day", ("a", "b")), table(3, 2))
    assert lines.count("<polyline") == 2
    assert lines.count("stroke-dasharray") >= 1
    assert "currentColor" in STYLE
    assert "prefers-color-scheme:dark" in STYLE


def test_what_is_not_known_leaves_a_gap() -> None:
    drawn = draw(Chart("line", "t", "calls", "day", ("a",)), table(1, 2, None, 3, 4))
    assert drawn.count("<polyline") == 2


def test_heights_are_to_scale() -> None:
    drawn = draw(Chart("distribution", "t", "calls", "day", ("a",)), table(10, 5))
    heights = [float(found) for found in re.findall(r'class="bar s0"[^>]* height="([\d.]+)"', drawn)]
    assert heights[0] == pytest.approx(2 * heights[1], abs=0.2)


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw(Chart("bar", "t", "calls", "day", ("a",)), table()) == ""
    assert draw(Chart("bar", "t", "calls", "day", ("a",)), table(None, 0.0)) == ""


@given(st.floats(1e-3, 1e9))
def test_ticks_are_few_round_and_reach_over_all(most: float) -> None:
    scale = ticks(most)
    assert scale[0] == 0
    assert scale[-1] >= most * 0.999
    assert 3 <= len(scale) <= 8
