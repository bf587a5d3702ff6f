"""The pages that ``orderline report --html`` and ``orderline impact --html`` write, in a real browser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.history.local import LocalHistory
from agent.impact.inputs import ImpactInputs
from agent.impact.model import estimate
from agent.impact.output.page import html_page
from agent.rehearsal.year_of_calls import year_of_calls
from agent.reports.html_page import as_page
from agent.reports.periods import Period
from agent.reports.registry import REPORTS, build_report
from tests.browser.conftest import AXE
from tests.browser.test_accessible import NARROW, axe_findings
from tests.history.stored import write

Open = Callable[..., Any]
_DAY = dt.date(2026, 1, 1)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All reports of a year of made-up calls, and the impact of a shop with a sale day, as files."""
    directory = tmp_path_factory.mktemp("pages")
    write(directory / "calls.sqlite", year_of_calls(600, start=_DAY))
    history = LocalHistory(directory / "calls.sqlite")
    try:
        history.catch_up()
        period = Period.days(_DAY, _DAY + dt.timedelta(days=364), dt.UTC)
        reports = [build_report(name, history.index, period, "week") for name in REPORTS]
    finally:
        history.close()
    written = {
        "reports": as_page(reports, "Reports", shop="Maple and Finch"),
        "impact": html_page(estimate(ImpactInputs(calls_per_week=600, event_calls=400))),
    }
    for name, text in written.items():
        (directory / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: directory / f"{name}.html" for name in written}


@pytest.fixture
def open_file(chromium: Any) -> Iterator[Open]:
    """``open_file(path, **of_context)`` opens a page; whatever it fetches besides itself fails the test."""
    contexts: list[Any] = []
    fetched: list[str] = []

    def open_it(path: Path, **of_context: Any) -> Any:
        context = chromium.new_context(**of_context)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: fetched.append(request.url))
        page.goto(path.as_uri())
        fetched.remove(path.as_uri())
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert not fetched, fetched


@pytest.mark.parametrize("name", ["reports", "impact"])
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", NARROW)])
@pytest.mark.skipif(not AXE.is_file(), reason="make console fetches axe-core")
def test_axe_finds_nothing(pages: dict[str, Path], open_file: Open, name: str, scheme: str, width: int) -> None:
    page = open_file(pages[name], color_scheme=scheme, bypass_csp=True, viewport={"width": width, "height": 800})
    assert axe_findings(page) == []


@pytest.mark.parametrize("name", ["reports", "impact"])
def test_on_a_narrow_screen_tables_and_charts_scroll_and_the_page_does_not(
    pages: dict[str, Path], open_file: Open, name: str
) -> None:
    page = open_file(pages[name], viewport={"width": NARROW, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    letters = page.evaluate(
        """() => Math.min(...[...document.querySelectorAll("svg.chart")].map(one =>
            12 * one.getBoundingClientRect().width / one.viewBox.baseVal.width))"""
    )
    assert letters >= 9, "the letters of charts can be read"
