"""Takes the pictures of docs/console: ``python -m tests.browser.pictures`` (``make console-pictures``)."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from agent.flows import english_pack
from agent.rehearsal.real_chromium import chromium_in
from agent.telemetry.events import AgentSaid, CallBegan, CallerSaid, CallingParty, CallStep
from tests.browser.builder_user import MouseUser, add_costly_branch, opened, try_costly_branch
from tests.browser.conftest import sign_in
from tests.browser.console_site import ConsoleSite, console_site
from tests.browser.sample_calls import FULL_CALL, MISSED_CALL

OUT = Path(__file__).parents[2] / "docs" / "console"
_WIDE = (1280, 800)
_LOW = (1280, 640)
_PHONE = (390, 844)


@dataclass(frozen=True)
class Picture:
    """One picture."""

    name: str
    path: str
    who: str = "ana"
    size: tuple[int, int] = _WIDE
    dark: bool = False
    first: Callable[[Any], None] = lambda page: None
    """What is done on the page before."""


def _the_rule_is_added(page: Any) -> None:
    add_costly_branch(MouseUser(page))


def _the_rule_is_tried(page: Any) -> None:
    opened(page)
    try_costly_branch(MouseUser(page))


def _the_map_is_shown(page: Any) -> None:
    opened(page)
    page.get_by_role("button", name="Map", exact=True).click()
    page.wait_for_selector(".map-view svg")


def _publishing_is_asked(page: Any) -> None:
    opened(page)
    MouseUser(page).press("Publish")
    page.wait_for_selector("#reason")


PICTURES = (
    Picture("sign-in", "/login", who=""),
    Picture("live", "/live", who="sam"),
    Picture("live-dark", "/live", who="sam", dark=True),
    Picture(
        "calls",
        "/calls?when=30d",
        size=_LOW,
        first=lambda page: page.locator("summary", has_text="Ended at").click(),
    ),
    Picture("calls-phone", "/calls?when=30d", size=_PHONE),
    Picture("call", f"/calls/{FULL_CALL}"),
    Picture("call-dark", f"/calls/{FULL_CALL}", dark=True),
    Picture("call-phone", f"/calls/{FULL_CALL}", size=_PHONE),
    Picture("call-map", f"/calls/{MISSED_CALL}#map-head"),
    Picture("misheard", "/misheard?when=30d"),
    Picture("report-volume", "/reports/volume?when=90d"),
    Picture("report-dropoff", "/reports/dropoff?when=90d"),
    Picture("impact", "/impact?calls_per_week=5000&event_calls=2500", size=_LOW),
    Picture("queues", "/queues"),
    Picture("health", "/health"),
    Picture("outbound", "/outbound?view=dry-run"),
    Picture("promotions", "/promotions", who="shop"),
    Picture("people", "/people"),
    Picture("audit", "/audit"),
    Picture("builder-answers", "/builder/answers?name=hours", first=opened),
    Picture("builder-rule", "/builder/procedures?name=returns", first=_the_rule_is_added),
    Picture("builder-test", "/builder/procedures?name=returns", first=_the_rule_is_tried),
    Picture("builder-map", "/builder/procedures?name=returns", first=_the_map_is_shown),
    Picture("builder-publish", "/builder/procedures?name=returns", first=_publishing_is_asked),
)
"""Those of the builder are one draft, in the order of docs/builder.md: take them together."""


def _calls_go_on(site: ConsoleSite) -> None:
    one, two = "orderline-a-1.1", "orderline-a-1.2"
    site.tell(
        CallBegan(one, CallingParty("2025550143", "Maria Lopez", "7000"), dialled="7000", entry="inbound"),
        AgentSaid(one, "Thanks for calling Maple and Finch. How can I help?", (), "main", "greet", "", None, {}),
        CallerSaid(one, "hi where is my order please", "speech", 0.93, barged_in=False, slot="request"),
        AgentSaid(one, "Sure. What's the order number?", (), "identify", "number", "", 468.0, {}),
        CallerSaid(one, "one oh four seven three", "speech", 0.9, barged_in=False, slot="order_number"),
        AgentSaid(one, "And the zip code on the order?", (), "identify", "postcode", "", 611.0, {}),
        CallStep(one, 4, "identify", "postcode", "collect", "", 12.4, None),
        CallBegan(two, CallingParty("2025550187", "", "7000"), dialled="7000", entry="inbound"),
        AgentSaid(two, "Thanks for calling Maple and Finch. How can I help?", (), "main", "greet", "", None, {}),
        CallerSaid(two, "the jacket is too small can i swap it", "speech", 0.81, barged_in=True, slot="request"),
    )


def main() -> None:
    """Take them all, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=Path("var"))
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("names", nargs="*", help="pictures to take (all)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    chromium = chromium_in(options.home)
    with contextlib.ExitStack() as open_ones:
        directory = Path(open_ones.enter_context(tempfile.TemporaryDirectory()))
        procedures = directory / "procedures"
        shutil.copytree(english_pack(), procedures)
        site = open_ones.enter_context(console_site(directory / "state", 4000, flows_directory=str(procedures)))
        _calls_go_on(site)
        with sync_playwright() as playwright:
            environment = {**os.environ, **chromium.environment}
            browser = playwright.chromium.launch(executable_path=str(chromium.program), env=environment)
            states: dict[str, Any] = {}
            for picture in PICTURES:
                if not options.names or picture.name in options.names:
                    _take(browser, site, states, picture, options.out)
            browser.close()


def _take(browser: Any, site: ConsoleSite, states: dict[str, Any], picture: Picture, out: Path) -> None:
    width, height = picture.size
    context = browser.new_context(
        base_url=site.base,
        viewport={"width": width, "height": height},
        color_scheme="dark" if picture.dark else "light",
        storage_state=states.get(picture.who) if picture.who else None,
    )
    page = context.new_page()
    if picture.who and picture.who not in states:
        sign_in(page, picture.who)
        states[picture.who] = context.storage_state()
    page.goto(picture.path)
    page.wait_for_load_state("load")
    if page.locator("[data-connection]").count():
        page.wait_for_selector("[data-connection].good")
    if page.locator("[data-player]").count():
        page.wait_for_selector("canvas:visible")
        page.wait_for_timeout(300)  # the outline is drawn when it has come
    picture.first(page)
    page.screenshot(path=out / f"{picture.name}.png")
    print(picture.name, flush=True)
    context.close()


if __name__ == "__main__":
    main()
