"""What a draft would change when it is published, and who may publish."""

from __future__ import annotations

import json
from typing import Any

from tests.console.console_client import Browser, RunningConsole
from tests.console.test_drafts import HOURS, console

__all__ = ["console"]


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
