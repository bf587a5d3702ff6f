"""A branch made in the browser and published while a real call goes on: who gets it, and who does not.

One call begins before each publication and ends after it. It keeps its edition; the next call has the new one. First by
keyboard alone, then by mouse.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import pytest_asyncio

from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.console_process import ConsoleSignIn, running_console_of
from agent.rehearsal.private_asterisk import Asterisk
from agent.rehearsal.real_chromium import chromium_in
from tests.browser.builder_user import (
    BuilderUser,
    KeyboardUser,
    MouseUser,
    add_costly_branch,
    publish,
    restore_first_edition,
    try_costly_branch,
)
from tests.live.conftest import CallCentre, failures
from tests.live.publishing import publishing_call_centre
from tests.live.test_live_edits import health_when

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is among the packages for tests")
pytestmark = pytest.mark.asyncio(loop_scope="session")

WAIT_MS = 180_000
"""For what a busy machine may be slow with."""
PHOTO, COLLEAGUE = "/photo/", "/a colleague decides/"


def broken_boots(expected: str, never: str, then: str = "hang_up", *, waits: int = 0) -> str:
    """A call about boots of $149.50 that arrived broken; ``waits``: how often it has the order number asked again."""
    again = '      - keys: "#"\n      - expect: /order number/\n' * waits
    return f"""
calls:
  - name: broken boots
    dial: "7000"
    voice: joe
    steps:
      - say: it's broken
      - expect: /order number/
{again}      - keys: "10437"
      - keys: "78701"
      - expect: /Did it arrive broken/
      - say: it stopped working
      - expect: {{says: {expected}, never_says: {never}}}
      - {then}
"""


NEW_CALL = broken_boots(COLLEAGUE, PHOTO, "human: {answers_after_ms: 600, reason: costly_defect}")
OLD_CALL = broken_boots(PHOTO, COLLEAGUE)
LONG_OLD_CALL = broken_boots(PHOTO, COLLEAGUE, waits=4)


@pytest_asyncio.fixture(loop_scope="session")
async def shop(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CallCentre]:
    """A call centre whose procedures are published from a console."""
    async with publishing_call_centre(asterisk, home, tmp_path_factory) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def console(shop: CallCentre, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ConsoleSignIn]:
    async with running_console_of(shop.stack, tmp_path_factory.mktemp("console")) as console:
        yield console


class BrowserThread:
    """A browser in a thread of its own: calls go on while somebody works in it."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="browser")

    async def do(self, work: Callable[..., Any], *given: Any) -> Any:
        """Do something in the browser's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *given)


@contextmanager
def signed_in_page(console: ConsoleSignIn, home: RehearsalHome) -> Iterator[Any]:
    """A page of somebody who has signed in by the form."""
    found = chromium_in(home.directory)
    with sync_api.sync_playwright() as playwright:
        environment = {**os.environ, **found.environment}
        browser = playwright.chromium.launch(executable_path=str(found.program), env=environment)
        page = browser.new_page(base_url=console.url)
        page.set_default_timeout(WAIT_MS)
        page.goto("/login")
        page.get_by_label("Name").fill(console.name)
        page.get_by_label("Password").fill(console.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/live")
        yield page
        browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser(console: ConsoleSignIn, home: RehearsalHome) -> AsyncIterator[tuple[BrowserThread, Any]]:
    thread = BrowserThread()
    opened = signed_in_page(console, home)
    page = await thread.do(opened.__enter__)
    try:
        yield thread, page
    finally:
        await thread.do(opened.__exit__, None, None, None)


async def test_a_branch_made_in_the_browser_counts_from_the_next_call_on_until_it_is_taken_back(
    shop: CallCentre, browser: tuple[BrowserThread, Any]
) -> None:
    thread, page = browser
    users: tuple[type[BuilderUser], ...] = (KeyboardUser, MouseUser)
    first = ""
    for kind in users:
        user = kind(page)
        await thread.do(add_costly_branch, user)
        await thread.do(try_costly_branch, user)
        call = asyncio.create_task(shop.play(LONG_OLD_CALL))
        before = await health_when(shop, lambda health: health["live_calls"] == 1)
        first = first or before["procedures"]["edition"]
        assert before["procedures"]["edition"] == first
        await thread.do(publish, user)
        health = await health_when(shop, lambda health: True)
        assert health["procedures"]["edition"] != first
        assert health["live_calls"] == 1, "the edition must be in force while the call goes on"
        result = await call
        assert result.ok, f"{kind.__name__}, the call in progress: {failures(result)}"

        result = await shop.play_until_heard(NEW_CALL)
        assert result.ok, f"{kind.__name__}, the next call: {failures(result)}"

        await thread.do(restore_first_edition, user)
        health = await health_when(shop, lambda health: True)
        assert health["procedures"]["edition"] == first
    result = await shop.play_until_heard(OLD_CALL)
    assert result.ok, f"after the roll-back: {failures(result)}"
    assert shop.stack.agent.problems() == []
