"""Calls to customers in the console: who sees jobs, what is switched and listed, and that it is written down."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.outbound.model import SuppressionScope
from agent.outbound.store import OutboundStore
from tests.browser.sample_jobs import LEFT_ALONE, OUTBOUND, write_jobs
from tests.console.console_client import Browser, RunningConsole, running_console

NOW = dt.datetime.now(ZoneInfo("America/Chicago"))


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[RunningConsole]:
    await write_jobs(tmp_path, NOW)
    async with running_console(tmp_path, outbound=OUTBOUND) as console:
        yield console


async def change(browser: Browser, path: str, body: dict[str, str] | None = None) -> int:
    return (await browser.ask("POST", f"/api/v1/outbound/{path}", json=body)).status


async def campaign(state: Path) -> tuple[str, str]:
    """State and by whom, as another process reads it."""
    store = OutboundStore(state)
    try:
        found = await store.campaign()
    finally:
        await store.close()
    return found.state, found.by


async def test_pause_resume_and_stop_reach_the_file_the_dialler_reads(console: RunningConsole, tmp_path: Path) -> None:
    browser = await console.signed_in("supervisor", "sam")
    for what, state in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        assert await change(browser, what) == 200
        assert await campaign(tmp_path) == (state, "sam")
    assert [what for _, what, _ in await console.audited() if what.startswith("outbound.")] == [
        *("outbound.pause", "outbound.resume", "outbound.stop")
    ]


async def test_a_number_left_alone_loses_its_jobs_and_stands_cut_in_the_audit(
    console: RunningConsole, tmp_path: Path
) -> None:
    browser = await console.signed_in("supervisor")
    waiting = (await browser.json("/api/v1/outbound/jobs"))["jobs"]
    number = next(job["number"] for job in waiting if job["state"] == "open")
    assert await change(browser, "do-not-call", {"number": number, "scope": "all"}) == 200
    left = (await browser.json("/api/v1/outbound/jobs"))["jobs"]
    assert number not in [job["number"] for job in left]
    store = OutboundStore(tmp_path)
    assert await store.scopes(number) == {SuppressionScope.ALL}
    await store.close()
    about = next(about for _, what, about in await console.audited() if what == "outbound.suppress")
    assert about == {"number": f"…{number[-2:]}", "scope": "all", "dropped": 1}


async def test_a_number_may_be_called_again(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    response = await browser.ask("POST", "/api/v1/outbound/do-not-call/remove", json={"number": LEFT_ALONE})
    assert await response.json() == {"number": LEFT_ALONE, "removed": 1}
    assert await change(browser, "do-not-call", {"number": "12"}) == 400
    assert await change(browser, "do-not-call", {"number": "(000) 000"}) == 400


async def test_the_dry_run_says_when_and_why_not_and_writes_nothing(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    before = await browser.json("/api/v1/outbound/jobs")
    told = (await browser.json("/api/v1/outbound/dry-run"))["jobs"]
    assert {job["key"] for job in told} == {job["key"] for job in before["jobs"]}
    blocked = next(job for job in told if job["would"] == "block")
    assert (blocked["when"], blocked["why"]) == (None, "zone_unknown")
    assert any(job["when"] for job in told)
    assert await browser.json("/api/v1/outbound/jobs") == before


async def test_results_count_what_the_calls_came_to(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    delivery = (await browser.json("/api/v1/outbound/results?days=7"))["purposes"]["delivery"]
    assert (delivery["dialled"], delivery["answered"], delivery["completed"]) == (1, 1, 1)


async def test_the_list_is_exported_whole_and_written_down(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    response = await browser.get("/api/v1/outbound/do-not-call.csv")
    lines = (await response.text()).splitlines()
    assert len(lines) == 3
    assert any(line.startswith(f"{LEFT_ALONE},all,") for line in lines)
    assert ("supervisor", "export", {"what": "do-not-call list", "numbers": 2}) in await console.audited()
    assert (
        await (await console.signed_in("viewer", granted=("export",))).get("/api/v1/outbound/do-not-call.csv")
    ).status == 403


async def test_without_the_right_to_numbers_they_are_cut(console: RunningConsole) -> None:
    browser = await console.signed_in("viewer", granted=("jobs",))
    for path in ("/api/v1/outbound/jobs?state=all", "/api/v1/outbound/dry-run", "/outbound?view=do-not-call"):
        text = await (await browser.get(path)).text()
        assert "…" in text or "\\u2026" in text, path
        assert "2025550" not in text, path
        assert "202 555 0" not in text, path


async def test_who_sees_some_calls_alone_or_has_no_right_sees_no_jobs(console: RunningConsole) -> None:
    viewer = await console.signed_in("viewer")
    scoped = await console.signed_in("supervisor", "queue", scopes=("queue:support",))
    for browser in (viewer, scoped):
        assert (await browser.get("/outbound")).status == 403
        assert (await browser.get("/api/v1/outbound/jobs")).status == 403
        assert await change(browser, "stop") == 403


async def test_a_shop_that_calls_nobody_is_told_how_to_begin(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        browser = await console.signed_in("supervisor")
        assert "Customers are not called" in await (await browser.get("/outbound")).text()
    assert not (tmp_path / "outbound.sqlite").exists()


async def test_the_form_of_the_page_tells_what_is_no_number(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    response = await browser.ask("POST", "/outbound?view=do-not-call", data={"what": "suppress", "number": "call me"})
    assert response.status == 400
    assert "is no telephone number" in await response.text()
