"""Calls to customers in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser.sample_jobs import LEFT_ALONE

Open = Callable[..., Any]


def test_everything_is_stopped_after_one_question_and_begun_again(open_page: Open) -> None:
    page = open_page("/outbound")
    page.get_by_role("button", name="Stop everything").click()
    page.get_by_role("button", name="Stop, and cancel what rings?").click()
    page.wait_for_selector(".tag.bad:has-text('Stopped')")
    page.get_by_role("button", name="Call customers").click()
    page.get_by_role("button", name="Begin to call customers?").click()
    page.wait_for_selector(".tag.good:has-text('Customers are called')")


def test_a_customer_who_is_not_to_be_called_is_put_on_the_list_and_found(open_page: Open) -> None:
    page = open_page("/outbound?view=do-not-call")
    page.get_by_label("Number", exact=True).fill("202 555 0177")
    page.get_by_role("button", name="Do not call").click()
    page.wait_for_selector("text=The number is not called any more")
    page.get_by_label("Find a number").fill("2025550177")
    page.get_by_role("button", name="Find").click()
    page.wait_for_url("**number=2025550177")
    row = page.get_by_role("row").filter(has_text="202 555 0177")
    assert row.get_by_text("by sam").is_visible()


def test_the_export_holds_the_list_that_is_shown(open_page: Open) -> None:
    page = open_page("/outbound?view=do-not-call")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    lines = download.value.path().read_text(encoding="utf-8").splitlines()[1:]
    assert len(lines) == page.locator("tbody tr").count()
    assert any(LEFT_ALONE in line for line in lines)


def test_the_dry_run_shows_when_and_why_not(open_page: Open) -> None:
    page = open_page("/outbound")
    page.get_by_role("link", name="Who would be called").click()
    page.wait_for_url("**view=dry-run")
    assert page.get_by_role("row").filter(has_text="Zone unknown").get_by_text("Never as it stands").is_visible()
