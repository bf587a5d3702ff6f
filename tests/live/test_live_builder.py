"""Published from the console while a call goes on: it keeps its edition, the next one has the new one, then the old."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.console_process import running_console_of
from agent.rehearsal.private_asterisk import Asterisk
from tests.console.console_client import Browser
from tests.live.conftest import CallCentre, failures
from tests.live.publishing import publishing_call_centre
from tests.live.test_live_edits import ASKED_ONCE, ASKED_TWICE, health_when

pytestmark = pytest.mark.asyncio(loop_scope="session")

OLD, NEW = "all jackets are twenty percent off", "all jackets are thirty percent off"
LONG_CALL = ASKED_TWICE.replace("silence: 12", "silence: 40")
ASKED_AFTERWARDS = ASKED_ONCE.replace("thirty", "TWENTY").replace("twenty", "thirty").replace("TWENTY", "twenty")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CallCentre]:
    """A call centre of its own whose procedures are published from a console."""
    async with publishing_call_centre(asterisk, home, tmp_path_factory) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser(shop: CallCentre, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    async with (
        running_console_of(shop.stack, tmp_path_factory.mktemp("console")) as console,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        browser = Browser(console.url, http)
        response = await browser.sign_in(console.name, console.password)
        assert response.status == 303, await response.text()
        yield browser


async def posted(browser: Browser, path: str, body: dict[str, Any], status: int) -> dict[str, Any]:
    response = await browser.ask("POST", f"/api/v1{path}", json=body)
    assert response.status == status, await response.text()
    told: dict[str, Any] = await response.json()
    return told


async def done(browser: Browser, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Begin a job, wait for its end, return its result."""
    job = (await posted(browser, path, body, 202))["job"]
    async with asyncio.timeout(400):
        while (told := await browser.json(f"/api/v1/jobs/{job}"))["state"] == "running":  # noqa: ASYNC110 - asked as pages do
            await asyncio.sleep(0.1)
    assert told["state"] == "done", told["problem"]
    result: dict[str, Any] = told["result"]
    return result


async def test_a_call_in_progress_keeps_its_edition_the_next_has_the_new_one_and_after_a_roll_back_the_old_one(
    shop: CallCentre, browser: Browser
) -> None:
    knowledge = (shop.stack.run_dir / "flows" / "knowledge.yaml").read_text(encoding="utf-8")
    assert OLD in knowledge
    # both processes have loaded the pack before the call begins
    checked = await posted(browser, "/check", {}, 200)
    assert checked["usable"], checked["findings"]
    tested = await done(browser, "/tests/run", {})
    assert tested["failed"] == []

    call = asyncio.create_task(shop.play(LONG_CALL))
    before = await health_when(shop, lambda health: health["live_calls"] == 1)
    assert before["procedures"]["edition"] == checked["edition"]
    files = {"knowledge.yaml": knowledge.replace(OLD, NEW)}
    order = {"base": checked["edition"], "files": files, "reason": "more off for jackets"}
    published = await done(browser, "/publications", order)
    assert published["state"] == "in_force", published["words"]
    print(f"in force {published['seconds']} s after the writing began")
    health = await health_when(shop, lambda health: True)
    assert health["procedures"]["edition"] == published["edition"]
    assert health["live_calls"] == 1, "the edition must be in force while the call goes on"
    result = await call
    assert result.ok, failures(result)

    result = await shop.play(ASKED_ONCE)
    assert result.ok, failures(result)

    editions = (await browser.json("/api/v1/editions"))["editions"]
    assert [(line["kind"], line["state"]) for line in editions] == [("published", "in_force"), ("found", "earlier")]
    first = editions[-1]["number"]
    restored = await done(browser, f"/editions/{first}/restore", {"reason": "it was too much"})
    assert restored["state"] == "in_force", restored["words"]
    assert restored["edition"] == checked["edition"]
    result = await shop.play(ASKED_AFTERWARDS)
    assert result.ok, failures(result)
    assert shop.stack.agent.problems() == []


async def test_an_edition_that_the_agent_would_refuse_is_not_written(shop: CallCentre, browser: Browser) -> None:
    checked = await posted(browser, "/check", {}, 200)
    broken = {"flows/broken.yaml": "flows: {broken: {steps: [{say: No description here.}]}}\n"}
    order = {"base": checked["edition"], "files": broken, "reason": "to see it refused"}
    refused = await done(browser, "/publications", order)
    assert refused["state"] == "refused"
    assert "description" in refused["check"]["findings"][0]["message"]
    assert not (shop.stack.run_dir / "flows" / "flows" / "broken.yaml").exists()
