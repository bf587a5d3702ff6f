"""Words on the live page as they are said: at once, in every tab, and after a lost connection without a gap."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from agent.console.api.live import ALIVE_SECONDS
from agent.telemetry.events import AgentSaid, CallBegan, CallerSaid, CallEvent, CallFinished, CallingParty
from tests.browser.console_site import ConsoleSite

Open = Callable[..., Any]
_TABS = 12
_WITHIN_SECONDS = 10.0
"""A busy machine; how fast it is on a quiet one is measured, not tested."""


def _began(call_id: str, number: str = "2025550199") -> CallEvent:
    return CallBegan(call_id, CallingParty(number, "Maria", "7000"), dialled="7000", entry="inbound")


def _agent(call_id: str, text: str) -> CallEvent:
    return AgentSaid(call_id, text, (), "main", "greet", "", 412.5, {})


def _caller(call_id: str, text: str) -> CallEvent:
    return CallerSaid(call_id, text, "speech", 0.9, barged_in=False, slot="request")


def _ended(call_id: str) -> CallEvent:
    return CallFinished(call_id, "answered", "agent", 12.0, record=None)


def _words(page: Any, call_id: str) -> list[str]:
    said = page.locator(f'[data-call="{call_id}"] .said li span:nth-child(2)')
    return [text for text in said.all_inner_texts() if text]


def test_a_call_appears_its_words_run_and_it_ends(open_page: Open, site: ConsoleSite) -> None:
    page = open_page("/live")
    page.wait_for_selector("[data-connection].good")
    site.tell(_began("live.1"))
    card = page.locator('[data-call="live.1"]')
    card.wait_for()
    assert page.locator("[data-live-count]").inner_text() == "1"
    site.tell(_agent("live.1", "How can I help?"))
    site.tell(_caller("live.1", "<img src=x onerror=alert(1)> where is my order"))
    card.get_by_text("where is my order").wait_for()
    assert _words(page, "live.1") == ["How can I help?", "<img src=x onerror=alert(1)> where is my order"]
    assert card.locator("img").count() == 0
    site.tell(_ended("live.1"))
    card.get_by_role("link", name="Open the finished call").wait_for()
    page.wait_for_selector("[data-live-count]", state="hidden")


def test_twelve_tabs_share_one_connection_and_all_show_the_words(open_page: Open, site: ConsoleSite) -> None:
    first = open_page("/live")
    first.wait_for_selector("[data-connection].good")
    tabs = [first, *(first.context.new_page() for _ in range(_TABS - 1))]
    for tab in tabs[1:]:
        tab.goto("/live")
        tab.wait_for_selector("[data-connection].good")
    deadline = time.monotonic() + _WITHIN_SECONDS + ALIVE_SECONDS
    while (open_streams := site.run(_streams(site))) > 1 and time.monotonic() < deadline:
        first.wait_for_timeout(100)  # an earlier page's connection is noticed to be gone at its next sign of life
    assert open_streams == 1
    site.tell(_began("live.2"), _agent("live.2", "How can I help?"), _caller("live.2", "twelve tabs"))
    for tab in tabs:
        tab.locator('[data-call="live.2"]').get_by_text("twelve tabs").wait_for()
    first.close()  # it led the others
    site.tell(_caller("live.2", "after the leader has gone"))
    for tab in tabs[1:]:
        tab.locator('[data-call="live.2"]').get_by_text("after the leader has gone").wait_for()
        assert _words(tab, "live.2") == ["How can I help?", "twelve tabs", "after the leader has gone"]
    site.tell(_ended("live.2"))


async def _streams(site: ConsoleSite) -> int:
    return site.context.live.streams()


def test_what_is_said_while_the_connection_is_lost_is_shown_afterwards(open_page: Open, site: ConsoleSite) -> None:
    page = open_page("/live")
    page.wait_for_selector("[data-connection].good")
    site.tell(_began("live.3"), _agent("live.3", "one"))
    page.locator('[data-call="live.3"]').get_by_text("one", exact=True).wait_for()
    page.context.set_offline(True)
    site.run(_cut(site))
    site.tell(_caller("live.3", "two"), _agent("live.3", "three"))
    page.wait_for_selector("[data-connection].bad")
    page.context.set_offline(False)
    page.locator('[data-call="live.3"]').get_by_text("three", exact=True).wait_for(timeout=60_000)
    assert _words(page, "live.3") == ["one", "two", "three"]
    site.tell(_ended("live.3"))


async def _cut(site: ConsoleSite) -> None:
    """End every stream, as a proxy that is restarted does."""
    for reader in list(site.context.live._readers):
        reader.queue.put_nowait(None)


def test_words_that_were_said_before_the_page_was_opened_are_there(open_page: Open, site: ConsoleSite) -> None:
    site.tell(_began("live.4"), _agent("live.4", "said before"))
    page = open_page("/live", java_script_enabled=False)
    assert page.locator('[data-call="live.4"]').get_by_text("said before").is_visible()
    site.tell(_ended("live.4"))
