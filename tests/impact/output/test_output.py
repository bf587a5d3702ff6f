"""What is printed: findings in words, tables, JSON and CSV, a page that is whole and needs no network."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from agent.impact.imports.measured_volumes import ImportedCaller, ImportSummary, measure
from agent.impact.imports.reading import FileRead, ImportNotes
from agent.impact.inputs import ImpactInputs
from agent.impact.model import ImpactResult, estimate
from agent.impact.output.charts import PlotSeries, bar_chart, line_chart
from agent.impact.output.export import CSV_COLUMNS, to_csv, to_json
from agent.impact.output.page import html_page, wait_picture
from agent.impact.output.terminal import terminal_text
from agent.impact.output.words import findings, percent, seconds

INPUTS = ImpactInputs(calls_per_week=600, event_calls=400, days=5)


@pytest.fixture(scope="module")
def result() -> ImpactResult:
    return estimate(INPUTS)


def test_the_findings_say_what_a_claim_needs_beside_what_is_there(result: ImpactResult) -> None:
    text = " ".join(findings(result))
    assert '"60 % less staff time" CANNOT be reached' in text
    assert 'On the sale day "40 % less staff time" needs ' in text
    assert "these figures have status 60 % (a default, not measured)" in text
    assert "pays for itself from" in text


def test_an_agent_that_costs_more_than_it_saves_is_called_so() -> None:
    told = findings(estimate(INPUTS.with_values({"agent_cost_per_month": 90_000, "event_calls": 0}, "yours")))
    assert "EUR MORE." in told[0]
    assert any("does not pay for itself" in text for text in told)


def test_the_terminal_shows_both_ways_by_hour_and_every_assumption(result: ImpactResult) -> None:
    text = terminal_text(result)
    assert "without the agent, 60 % of the staff" in text
    assert len(terminal_text(result, all_hours=True).splitlines()) == len(text.splitlines()) + 5 * 12
    for one in result.assumptions:
        assert one.label in text
    assert not re.search(r"\bnan\b|\binf\b|None", text)


def test_json_is_json_with_stable_names(result: ImpactResult) -> None:
    data = json.loads(json.dumps(to_json(result), allow_nan=False))
    assert data["schema"] == "orderline.impact/1"
    assert {one["source"] for one in data["assumptions"]} == {"default"}
    hour = data["event"]["with_agent"]["days"][0]["hours"][0]
    assert set(hour) == {"hour", "calls", "staff", "wait_seconds", "wait_90_seconds", "in_goal", "lost", "staff_cost"}
    assert [row["containment"] for row in data["week"]["sensitivity"]] == [0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert ImpactInputs.model_validate(data["inputs"]) == result.inputs


def test_csv_has_a_line_for_each_hour_and_plan(result: ImpactResult) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(result))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert len(rows) == 2 * (6 * 12 + 12)
    hours = sum(int(row["staff"]) for row in rows if row["period"] == "week" and row["plan"] == "with_agent")
    assert hours == result.week.agent.total.staff_hours


class _Page(HTMLParser):
    """Counts elements and keeps what the page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.counts: dict[str, int] = {}
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.fetched += [str(value) for name, value in attrs if name in ("src", "href", "action", "srcset")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in ("meta", "br"):
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_fetches_nothing(result: ImpactResult) -> None:
    text = html_page(result)
    page = _Page()
    page.feed(text)
    assert page.open == []
    assert page.fetched == []
    assert "script" not in page.counts
    assert "url(" not in text.replace("url(#", "")
    assert "http" not in text.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    assert page.counts["svg"] == 9  # waits, staff, cost, sensitivity twice; waits of the short-staffed sale day
    assert page.counts["table"] >= 8
    assert "prefers-color-scheme:dark" in text
    ids = re.findall(r'id="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_the_page_hides_no_warning_and_escapes_what_it_is_given() -> None:
    notes = ImportNotes()
    notes.add("event '<img src=x>' that this program does not know: not used", "log:3")
    summary = ImportSummary("queue log", (FileRead("<b>log</b>", 9, 6, 2, 0, 1),), notes, "UTC", (("<i>", 1), ("b", 2)))
    volumes = measure(
        [ImportedCaller(1793613600.0, "answered", 3.0, 90.0)], (1793613600.0, 1793620000.0), ZoneInfo("UTC"), summary
    )
    values = {"currency": "<s>", "event_calls": 0}
    result = estimate(INPUTS.with_values(values, "yours"), ["<script>alert(1)</script>"])
    text = html_page(result, [volumes])
    for wrong in ("<script>", "<img", "<b>log", "<i>", "<s>"):
        assert wrong not in text
    assert "&lt;script&gt;" in text
    assert "log:3" in text


def test_a_picture_on_its_own_is_an_svg_with_light_and_dark(result: ImpactResult) -> None:
    drawn = wait_picture(result)
    root = ElementTree.fromstring(drawn)  # noqa: S314
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "prefers-color-scheme:dark" in drawn
    assert "80 % of the staff" in drawn


def test_charts_say_their_values_to_who_does_not_see_them() -> None:
    series = [PlotSeries("now", [1, None, 3]), PlotSeries("then", [1, 2, 2.5])]
    chart = line_chart("Waits", ["08", "09", "10"], series, "seconds")
    assert chart.count("<polyline") == 1  # a gap leaves single points in the first line
    assert "now: from 1.0 s (08) to 3.0 s (10)" in chart
    assert "<title" in bar_chart("Cost", ["a<b", "c"], PlotSeries("cost", [3, 1]))


@pytest.mark.parametrize("values", [[], [None, None], [0, 0], [1e9, 1], [0.001, 0.002]])
def test_charts_of_odd_values_are_svg_or_nothing(values: list[float | None]) -> None:
    labels = [str(place) for place in range(len(values))]
    for chart in (
        line_chart("x<y", labels, [PlotSeries("a&b", values)]),
        bar_chart("x", labels, PlotSeries("a", values)),
    ):
        assert "nan" not in chart
        if chart:
            ElementTree.fromstring(chart)  # noqa: S314


def test_numbers_in_words() -> None:
    assert [percent(value) for value in (None, 0.0, 0.004, 0.0995, 0.5)] == ["-", "0 %", "0.4 %", "10 %", "50 %"]
    assert [seconds(value) for value in (None, 0.0, 9.94, 61.2, 700.0)] == ["-", "0.0 s", "9.9 s", "61 s", "12 min"]
