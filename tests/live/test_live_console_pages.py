"""The console's pages in a real browser beside real calls: seen while they go on, found, heard and counted after."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from agent.rehearsal.call_centre import RehearsalHome, running_call_centre
from agent.rehearsal.console_process import ConsoleSignIn, running_console_of
from agent.rehearsal.private_asterisk import Asterisk
from agent.rehearsal.real_chromium import chromium_in
from tests.live.conftest import CallCentre, failures

playwright = pytest.importorskip("playwright.async_api", reason="playwright is among the packages for tests")
pytestmark = pytest.mark.asyncio(loop_scope="session")

WAIT_MS = 180_000
"""For what a busy machine may be slow with."""
SALE = """
calls:
  - name: asks about the sale
    dial: "7000"
    caller: Maria Lopez <202-555-0143>
    voice: joe
    steps:
      - expect: /how can i help/
      - say: tell me about the autumn sale please
      - expect: /sale/
      - say: no thanks
      - wait: hang_up
"""
POSTCODE = """
calls:
  - name: hangs up at the postcode
    dial: "7000"
    caller: Tom Becker <202-555-0178>
    voice: joe
    steps:
      - expect: /how can i help/
      - keys: "10473"
      - expect: /(zip|post) ?code|postcode/
      - hang_up
"""


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def recorded(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CallCentre]:
    settings: dict[str, Any] = {"call": {"consent": "announce"}, "sound": {"keep": "yes", "least_free_mb": "10"}}
    async with running_call_centre(asterisk, home, tmp_path_factory.mktemp("pages"), print, settings) as stack:
        yield CallCentre(stack, home, tmp_path_factory.mktemp("calls"))


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def console(recorded: CallCentre, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ConsoleSignIn]:
    async with running_console_of(recorded.stack, tmp_path_factory.mktemp("console")) as console:
        yield console


@pytest_asyncio.fixture(loop_scope="session")
async def page(console: ConsoleSignIn, home: RehearsalHome) -> AsyncIterator[Any]:
    """A page of somebody who has signed in by the form."""
    found = await asyncio.to_thread(chromium_in, home.directory)
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=str(found.program),
            env={**os.environ, **found.environment},
            args=["--autoplay-policy=no-user-gesture-required"],
        )
        page = await browser.new_page(base_url=console.url)
        page.set_default_timeout(WAIT_MS)
        await page.goto("/login")
        await page.get_by_label("Name").fill(console.name)
        await page.get_by_label("Password").fill(console.password)
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url("**/live")
        await page.wait_for_selector("[data-connection].good")
        yield page
        await browser.close()


async def test_a_real_call_runs_on_the_page_and_is_found_heard_and_counted(recorded: CallCentre, page: Any) -> None:
    placed = asyncio.create_task(recorded.play(SALE))
    card = page.locator("article.live-call")
    await card.wait_for()
    call_id = await card.get_attribute("data-call")
    assert "202 555 0143" in await card.inner_text()
    await card.locator(".said li.agent").first.wait_for()
    said = card.locator(".said li.caller").first
    await said.wait_for()
    heard = (await said.locator("span").last.inner_text()).split()
    await page.get_by_role("link", name="Open the finished call").wait_for()
    result = await placed
    assert result.ok, failures(result)

    await page.get_by_role("link", name="Call log").click()
    await page.get_by_label("Words that were said").fill(max(heard, key=len))
    await page.get_by_role("button", name="Find").click()
    row = page.locator(f'a[href="/calls/{call_id}"]')
    await _again_until(page, row)
    await row.click()
    await page.wait_for_url(f"**/calls/{call_id}")
    await _again_until(page, page.locator("[data-player]"))
    await page.wait_for_selector("canvas:visible")
    assert await _loudest(page, str(call_id)) == {"caller": True, "agent": True}
    await page.get_by_role("button", name="Play", exact=True).click()
    await _until(page, "document.querySelector('audio').currentTime > 0.3")
    assert await page.locator(".line.caller").count() >= 2

    await page.goto("/reports/volume?when=today")
    number = page.locator(".figure", has_text="Calls").first.locator("a")
    count = await number.inner_text()
    await number.click()
    await row.wait_for()
    assert await page.locator(".lead .num").inner_text() == count


async def test_a_caller_who_hung_up_at_the_postcode_is_found_by_that(recorded: CallCentre, page: Any) -> None:
    result = await recorded.play(POSTCODE)
    assert result.ok, failures(result)
    await page.goto("/calls?when=today")
    await _again_until(page, page.locator("tr.call", has_text="202 555 0178"))
    await page.locator("summary", has_text="Ended at step").click()
    await page.get_by_label("identify.postcode, hung up").check()
    await page.get_by_role("button", name="Show these calls").click()
    await page.wait_for_url(re.compile("left="))
    row = page.locator("tr.call")
    assert await row.count() == 1
    await row.locator("a").click()
    await page.locator('.flow-map [data-step="postcode"].last').wait_for()
    assert await page.get_by_text("which is not kept").count() == 0


async def _again_until(page: Any, wanted: Any) -> None:
    """Load the page anew until something is on it: a finished call comes within a second, its recording a bit later."""
    async with asyncio.timeout(WAIT_MS / 1000):
        while not await wanted.count():
            await page.wait_for_timeout(500)
            await page.reload()


async def _until(page: Any, expression: str) -> None:
    async with asyncio.timeout(WAIT_MS / 1000):
        while not await page.evaluate(expression):
            await page.wait_for_timeout(50)


async def _loudest(page: Any, call_id: str) -> dict[str, bool]:
    """Whether anything is to be heard on each side of the recording."""
    answer = await page.request.get(f"/api/v1/calls/{call_id}/peaks")
    assert answer.status == 200
    peaks = await answer.json()
    return {side: any(most > 0.02 for _, most in peaks[side]) for side in ("caller", "agent")}
