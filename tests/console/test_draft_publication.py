"""What a draft would change when it is published, and who may publish."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from typing import Any, cast

import pytest

from agent.builder.edit_requests import EditRequest
from agent.builder.publication import PublicationOrder, PublicationResult, Publisher, Told
from agent.dialog.pack.pack_files import edition_of
from tests.console.console_client import Browser, RunningConsole
from tests.console.test_drafts import HOURS, console

__all__ = ["console"]
SPRING = ["knowledge", "promotions", "spring", "says"]


async def _changed_draft(browser: Browser) -> str:
    made = await browser.ask("POST", "/api/v1/drafts", json={"name": "hours", "client": "one"})
    draft = str(json.loads(await made.text())["id"])
    edit = {"id": "e1", "operation": {"op": "set", "path": HOURS, "value": "Nine to eight."}}
    await browser.ask("POST", f"/api/v1/drafts/{draft}/operations", json={"seen": 0, "operations": [edit]})
    return draft


async def _review(browser: Browser, draft: str) -> dict[str, Any]:
    response = await browser.ask("POST", "/api/v1/publications/review", json={"draft": draft})
    assert response.status == 200, await response.text()
    told: dict[str, Any] = json.loads(await response.text())
    return told


async def test_the_review_of_a_draft_has_its_changes_in_words_and_in_lines(console: RunningConsole) -> None:
    browser = await console.signed_in("admin")
    told = await _review(browser, await _changed_draft(browser))
    assert any("Nine to eight." in sentence["words"] for sentence in told["sentences"])
    assert "says: Nine to eight." in told["diffs"][0]["diff"]
    assert told["by"] == ["admin"]


async def test_shop_staff_may_not_publish(console: RunningConsole) -> None:
    browser = await console.signed_in("shop")
    draft = await _changed_draft(browser)
    response = await browser.ask("POST", f"/api/v1/drafts/{draft}/publish", json={"reason": "longer hours"})
    assert response.status == 403


async def test_every_page_of_the_builder_opens_and_knows_its_right(console: RunningConsole) -> None:
    admin, shop = await console.signed_in("admin"), await console.signed_in("shop")
    for page in ("answers", "promotions", "prompts", "questions", "phrases", "hours", "procedures", "editions"):
        assert (await admin.get(f"/builder/{page}")).status == 200, page
        allowed = page in ("answers", "promotions")
        assert (await shop.get(f"/builder/{page}")).status == (200 if allowed else 403), page


class WritingPublisher:
    """Writes and says that it is in force; somebody goes on typing meanwhile."""

    def __init__(self, console: RunningConsole, draft: str) -> None:
        self._context = console.context
        self._draft = draft

    async def publish(self, order: PublicationOrder, told: Told) -> PublicationResult:
        told("writing", 0, 1)
        await asyncio.to_thread(self._context.desk.directory.replace, order.base, order.files)
        typed = EditRequest("typed", ({"op": "set", "path": SPRING, "value": "Half the price."},))
        await self._context.drafts.apply(self._draft, "bob", [typed], 1)
        return PublicationResult("in_force", "In force.", edition_of(order.files), 7)


async def _published(console: RunningConsole, browser: Browser, draft: str) -> dict[str, Any]:
    console.context.desk.publisher = cast(Publisher, WritingPublisher(console, draft))
    order = {"reason": "longer hours"}
    job = json.loads(await (await browser.ask("POST", f"/api/v1/drafts/{draft}/publish", json=order)).text())["job"]
    async with asyncio.timeout(30):
        while (told := await browser.json(f"/api/v1/jobs/{job}"))["state"] == "running":  # noqa: ASYNC110 - as pages do
            await asyncio.sleep(0.01)
    return dict(told)


async def test_what_was_added_since_the_review_is_not_published_unseen(console: RunningConsole) -> None:
    browser = await console.signed_in("admin")
    draft = await _changed_draft(browser)
    seen = (await _review(browser, draft))["seq"]
    edit = {"id": "e2", "operation": {"op": "set", "path": SPRING, "value": "Half the price."}}
    await browser.ask("POST", f"/api/v1/drafts/{draft}/operations", json={"seen": seen, "operations": [edit]})
    order = {"reason": "longer hours", "seq": seen}
    response = await browser.ask("POST", f"/api/v1/drafts/{draft}/publish", json=order)
    assert response.status == 409


async def test_what_is_typed_during_a_publication_is_in_the_draft_afterwards(console: RunningConsole) -> None:
    browser = await console.signed_in("admin")
    draft = await _changed_draft(browser)
    assert (await _published(console, browser, draft))["state"] == "done"
    changes = await browser.json(f"/api/v1/drafts/{draft}/changes")
    assert [(one["path"], one["before"], one["after"]) for one in changes["changes"]] == [
        (SPRING, "Ten percent off.", "Half the price.")
    ]
    assert (await browser.json(f"/api/v1/drafts/{draft}"))["state"] == "open"


async def test_what_is_in_force_is_told_so_when_the_audit_cannot_be_written(
    console: RunningConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await console.signed_in("admin")
    draft = await _changed_draft(browser)

    async def full(*_: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(console.context.audit, "note", full)
    told = await _published(console, browser, draft)
    assert (told["state"], told["result"]["state"]) == ("done", "in_force")
