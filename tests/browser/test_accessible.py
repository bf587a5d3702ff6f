"""Every page and state by axe-core's rules, by keyboard, on small screens and with large letters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import AXE
from tests.browser.sample_calls import FULL_CALL, MISSED_CALL

Open = Callable[..., Any]
PAGES = (
    *("/live", "/calls", "/calls?when=30d&outcome=caller_hung_up", "/calls?outcome=no_such", "/calls?caller=abc"),
    *(f"/calls/{FULL_CALL}", f"/calls/{MISSED_CALL}?map=whole", "/calls/no.such.call", "/misheard?when=30d"),
    *("/reports/volume?when=90d", "/reports/dropoff?when=90d", "/reports/latency?when=90d"),
    *(
        "/queues",
        "/health",
        "/outbound",
        "/outbound?view=dry-run",
        "/outbound?view=do-not-call",
        "/impact",
        "/impact?calls_per_week=3000&event_calls=900",
        "/promotions",
        "/answers",
    ),
    *("/people", "/people/vic", "/audit?check=1", "/settings", "/account"),
)
NARROW = 320
"""CSS pixels: 1280 at 400 % zoom (WCAG 1.4.10)."""


def axe_findings(page: Any) -> list[str]:
    """What axe-core finds on the page as it is."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    return [
        f"{one['id']}: {one['help']}: {[node['target'] for node in one['nodes']][:3]}" for one in found["violations"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.skipif(not AXE.is_file(), reason="make console fetches axe-core")
def test_axe_finds_nothing_on_any_page(open_page: Open, scheme: str) -> None:
    page = open_page("/live", who="ana", color_scheme=scheme, bypass_csp=True)
    found = {}
    for path in PAGES:
        page.goto(path)
        page.wait_for_load_state("load")
        if findings := axe_findings(page):
            found[path] = findings
    assert not found


@pytest.mark.skipif(not AXE.is_file(), reason="make console fetches axe-core")
def test_axe_finds_nothing_on_open_panels_the_menu_and_the_sign_in(open_page: Open) -> None:
    page = open_page("/calls", bypass_csp=True, viewport={"width": 390, "height": 844})
    page.locator("summary", has_text="Outcome").click()
    assert axe_findings(page) == []
    page.get_by_role("button", name="Menu").click()
    page.wait_for_selector("nav.menu:popover-open")
    assert axe_findings(page) == []
    page = open_page("/login", who="", bypass_csp=True)
    assert axe_findings(page) == []


def test_no_page_scrolls_sideways_on_the_narrowest_screen(open_page: Open) -> None:
    page = open_page("/live", who="ana", viewport={"width": NARROW, "height": 640})
    wide = {}
    for path in PAGES:
        page.goto(path)
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if over > 0:
            wide[path] = over
    assert not wide


def test_what_can_be_clicked_is_24_pixels_or_has_room(open_page: Open) -> None:
    page = open_page("/live", who="ana")
    small = {}
    for path in PAGES:
        page.goto(path)
        found = page.evaluate(
            """() => [...document.querySelectorAll("button, select, input:not([type=hidden]), summary, .chip a")]
                .map(one => [one, (one.closest("label") ?? one).getBoundingClientRect()])
                .filter(([, box]) => box.width > 0 && (box.width < 23.5 || box.height < 23.5))
                .map(([one, box]) => `${one.outerHTML.slice(0, 80)} ${box.width}x${box.height}`)"""
        )
        if found:
            small[path] = found
    assert not small


def test_focus_is_seen_on_everything_that_takes_it_and_the_first_of_it_skips_the_menu(open_page: Open) -> None:
    page = open_page("/calls?when=30d")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    unseen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        look = page.evaluate(
            """() => { const one = document.activeElement, style = getComputedStyle(one);
                return [one.outerHTML.slice(0, 80), style.outlineStyle, parseFloat(style.outlineWidth)]; }"""
        )
        if look[1] == "none" or look[2] < 1:
            unseen.append(look)
    assert not unseen


def test_nothing_moves_for_who_wants_less_motion(open_page: Open) -> None:
    page = open_page("/live", reduced_motion="reduce")
    moving = page.evaluate("document.getAnimations().length")
    assert moving == 0
