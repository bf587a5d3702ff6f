"""The pages as the server prints them: each for who may see it, with what was found, and mistakes told in words."""

from __future__ import annotations

import asyncio
import datetime as dt
import html
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.dialog.pack.archive import EditionArchive
from agent.dialog.pack.reader import read_pack
from agent.flows import english_pack
from agent.reports.registry import REPORTS
from tests.browser.sample_calls import FULL_CALL, MISSED_CALL, full_call, missed_call, write_sample
from tests.console.console_client import Browser, RunningConsole, running_console

ZONE = ZoneInfo("America/Chicago")
PATHS = (
    *("/live", "/calls", f"/calls/{FULL_CALL}", f"/calls/{MISSED_CALL}?map=whole", "/misheard", "/queues", "/health"),
    *("/outbound", "/outbound?view=all", "/outbound?view=dry-run", "/outbound?view=do-not-call"),
    *("/impact", "/promotions", "/answers", "/people", "/audit?check=1", "/settings", "/account", "/people/admin"),
)


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[RunningConsole]:
    await asyncio.to_thread(write_sample, tmp_path, dt.datetime.now(ZONE), 60)
    async with running_console(tmp_path, queues={"support": {"max_callers": 5}}) as console:
        await asyncio.to_thread(console.context.history.catch_up, wait=True)
        yield console


async def text_of(browser: Browser, path: str, status: int = 200) -> str:
    response = await browser.get(path)
    text = await response.text()
    assert response.status == status, f"{path}: {re.sub('<[^>]+>', ' ', text)[-2000:]}"
    return html.unescape(text)


async def test_every_page_is_printed_for_an_admin(console: RunningConsole) -> None:
    browser = await console.signed_in("admin")
    for path in PATHS:
        text = await text_of(browser, path)
        assert "<h1" in text
        # what the policy forbids would silently not work
        assert not re.search(r"<style|<script(?! type=\"module\" src=)| style=| on[a-z]+=\"", text), path


@pytest.mark.slow
async def test_every_report_is_printed_and_its_numbers_lead_to_as_many_calls(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    followed = 0
    for name in REPORTS:
        text = await text_of(browser, f"/reports/{name}?when=365d")
        for link, calls in re.findall(r'<a href="(/calls[^"]*)" data-calls="(\d+)">', text)[:12]:
            assert f'<span class="num">{calls}</span>' in await text_of(browser, link), f"{name}: {link}"
            followed += 1
        assert (await browser.get(f"/reports/{name}.csv?when=365d")).status == 200
    assert followed > 30


async def test_a_report_counts_a_call_that_its_number_then_lists(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    text = await text_of(browser, "/reports/dropoff?when=today")
    links = re.findall(r'<a href="(/calls\?[^"]*left=[^"]*postcode[^"]*hung_up[^"]*)" data-calls="1">1</a>', text)
    assert links
    assert MISSED_CALL in await text_of(browser, links[0])


async def test_what_cannot_be_searched_is_told_and_the_form_stays(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    for path, told in (
        ("/calls?caller=abc", "has no digit"),
        ("/calls?from=soon", "is no day"),
        ("/calls?when=ever", "is no period"),
        ("/calls?said=%21%3F", "word"),
        ("/calls?after=nonsense", "not where a page begins"),
        ("/calls?least_seconds=long", "no number that can be searched"),
    ):
        text = await text_of(browser, path)
        assert told in text, path
        assert "Words that were said" in text


async def test_pages_go_on_where_the_one_before_ended(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    seen: list[str] = []
    path = "/calls?when=365d"
    while path:
        text = await text_of(browser, path)
        seen += re.findall(r'class="open" href="/calls/([^"]+)"', text)
        following = re.search(r'href="([^"]+)" rel="next"', text)
        path = following[1] if following else ""
    assert len(seen) == len(set(seen)) > 50
    assert seen[0] == FULL_CALL


async def test_the_map_of_a_call_is_that_of_the_edition_it_ran_on(tmp_path: Path) -> None:
    flows = Path(shutil.copytree(english_pack(), tmp_path / "flows"))
    file = flows / "flows" / "identify.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("to identify the order", "as it was then"))
    edition = read_pack(flows).fingerprint
    assert EditionArchive(tmp_path / "editions").keep(flows, edition)
    now = dt.datetime.now(ZONE)
    records = [missed_call(now) | {"edition": edition}, full_call(now) | {"edition": "0123456789abcdef"}]
    async with running_console(tmp_path, records=records) as console:
        browser = await console.signed_in("supervisor")
        of_then = await text_of(browser, f"/calls/{MISSED_CALL}")
        assert "as it was then" in of_then
        assert "which is not kept" not in of_then
        assert "edition 0123456789abcdef, which is not kept" in await text_of(browser, f"/calls/{FULL_CALL}")


async def test_words_of_callers_are_text_and_never_markup(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    response = await browser.get("/calls?said=%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert "<script>alert" not in await response.text()


async def test_shop_staff_see_offers_and_answers_and_nothing_of_calls(console: RunningConsole) -> None:
    browser = await console.signed_in("shop")
    for path in PATHS:
        allowed = path.startswith(("/promotions", "/answers", "/account"))
        assert (await browser.get(path)).status == (200 if allowed else 403), path


async def test_a_viewer_sees_no_number_that_stands_on_few_calls_and_no_whole_caller(console: RunningConsole) -> None:
    browser = await console.signed_in("viewer")
    assert "fewer than 5" in await text_of(browser, "/reports/dropoff?when=today")
    assert "202 555 0178" not in await text_of(browser, "/calls")


async def test_who_sees_the_calls_of_one_queue_alone_gets_no_reports(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor", scopes=("queue:support",))
    assert "of all queues" in await text_of(browser, "/reports/volume", status=403)
    assert FULL_CALL not in await text_of(browser, "/calls")
    assert (await browser.get(f"/calls/{FULL_CALL}")).status == 404


async def test_the_last_call_is_not_understood_at_the_questions_where_it_was(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    text = await text_of(browser, "/misheard?when=today")
    assert "it's the one for the blue lamp" in text
    assert "why do you need that" in text


async def test_impossible_figures_of_the_impact_model_are_told_beside_the_form(console: RunningConsole) -> None:
    browser = await console.signed_in("viewer")
    text = await text_of(browser, "/impact?calls_per_week=many")
    assert "“many” is no number" in text
    assert "Calculate" in text
    text = await text_of(browser, "/impact?opens_hour=20&closes_hour=8")
    assert "closes_hour must be after opens_hour" in text


async def test_what_was_not_understood_is_exported_as_it_is_shown(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    lines = (await text_of(browser, "/misheard.csv?when=today")).splitlines()
    assert lines[0] == "times,sentence,asked,step"
    assert len(lines) == 3
    assert any(line.startswith("1,it's the one for the blue lamp,") for line in lines)
    assert ("supervisor", "export", {"what": "not understood", "filter": "when=today"}) in await console.audited()
    viewer = await console.signed_in("viewer", granted=("export",))
    assert (await viewer.get("/misheard.csv")).status == 403
