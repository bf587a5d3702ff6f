"""Checking, trying out, publishing and taking back procedures through the console's API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.builder.edit_requests import EditRequest
from agent.builder.editions import NewEdition
from agent.builder.worker_process import WorkRefused
from agent.console.errors import problem_of
from agent.dialog.errors import DialogError
from agent.flows import english_pack
from tests.builder.fruit_pack import TESTS, fruit_files
from tests.console.console_client import Browser, RunningConsole, running_console
from tests.console.made_up_agent import made_up_agent
from tests.history.stored import record, turn

NUMBER = "2025550178"
NO_PEARS = {
    **record(
        "call.1",
        caller={"number": NUMBER, "name": "Maria Lopez", "dialled": "7000"},
        turns=[
            turn("What would you like?", "i want fruit", slot="what", confidence=1.0),
            turn("Which fruit?", "call two oh two five five five oh one seven eight", slot="fruit", confidence=1.0),
            turn(f"Which fruit, {NUMBER}?", "a pear", slot="fruit", confidence=1.0),
        ],
        effects=[{"name": "shop.buy", "code": "sold_out", "ms": 3.0, "at_seconds": 9.0}],
    ),
    "trail": [
        {"flow": flow, "step": step} for flow, step in (("main", "1"), ("buy", "1"), ("buy", "buying"), ("buy", "gone"))
    ],
}
"""A call that was told there are none: the service had failed."""


@dataclass
class FruitShop:
    """A console over procedures of its own, with an agent that reads them."""

    console: RunningConsole
    flows: Path
    tests: Path


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[FruitShop]:
    flows, tests = tmp_path / "flows", tmp_path / "tests"
    for directory, files in ((flows, fruit_files()), (tests, {"fruit.yaml": TESTS})):
        directory.mkdir()
        for name, text in files.items():
            (directory / name).write_text(text, encoding="utf-8")
    async with made_up_agent(tmp_path) as agent:
        agent.flows = flows
        own = {"flows_directory": str(flows), "console": {"tests_directory": str(tests)}}
        async with running_console(tmp_path, [agent.address], records=[NO_PEARS], **own) as console:
            yield FruitShop(console, flows, tests)


async def posted(browser: Browser, path: str, body: dict[str, Any], status: int = 200, method: str = "POST") -> Any:
    response = await browser.ask(method, f"/api/v1{path}", json=body)
    assert response.status == status, await response.text()
    return await response.json(content_type=None)


async def done(browser: Browser, path: str, body: dict[str, Any]) -> dict[str, Any]:
    job = (await posted(browser, path, body, 202))["job"]
    async with asyncio.timeout(300):
        while (told := await browser.json(f"/api/v1/jobs/{job}"))["state"] == "running":  # noqa: ASYNC110 - as pages do
            await asyncio.sleep(0.05)
    assert told["state"] == "done", told["problem"]
    return dict(told["result"])


@pytest.mark.slow
async def test_procedures_are_tried_out_tested_published_compared_and_taken_back(shop: FruitShop) -> None:
    browser = await shop.console.signed_in("admin")
    checked = await posted(browser, "/check", {})
    assert checked["usable"]

    call = (await posted(browser, "/simulations", {"outcomes": {"shop.buy": "sold_out"}}, 201))["id"]
    await posted(browser, f"/simulations/{call}/turns", {"say": "i want fruit"})
    state = await posted(browser, f"/simulations/{call}/turns", {"say": "an apple"})
    assert [step["step"] for step in state["trail"] if step["flow"] == "buy"][-1] == "gone"
    assert len((await browser.json(f"/api/v1/simulations/{call}"))["turns"]) == 3
    saved = await posted(browser, f"/simulations/{call}/test", {"name": "no apples", "save": True})
    assert "call: no apples" in (shop.tests / "console.yaml").read_text(encoding="utf-8")
    assert saved["saved"]
    await posted(browser, f"/simulations/{call}/turns", {"answer": "one_apple"}, 409)
    assert (await posted(browser, f"/simulations/{call}/back", {"turns": 2}))["turn"] == 0

    flows = fruit_files()["flows.yaml"].replace("We have none left.", "All sold.")
    order = {"base": checked["edition"], "files": {"flows.yaml": flows}, "reason": "shorter"}
    failed = await done(browser, "/publications", order)
    assert failed["state"] == "tests_failed"
    assert {one["name"] for one in failed["tests"]["failed"]} == {"a caller finds nothing", "no apples"}
    published = await done(browser, "/publications", {**order, "despite_tests": True})
    assert published["state"] == "in_force"
    assert (shop.flows / "flows.yaml").read_text(encoding="utf-8") == flows
    await posted(browser, "/publications", order, 409)

    compared = await browser.json("/api/v1/editions/1/compare/2")
    assert "All sold." in compared["sentences"][0]["words"]
    assert compared["diffs"][0]["file"] == "flows.yaml"
    restored = await done(browser, "/editions/1/restore", {"reason": "callers liked it better"})
    assert (restored["state"], restored["edition"]) == ("in_force", checked["edition"])
    lines = (await browser.json("/api/v1/editions"))["editions"]
    assert [(line["kind"], line["state"], line["restores"]) for line in lines] == [
        ("restored", "in_force", 1), ("published", "earlier", None), ("found", "earlier", None),
    ]  # fmt: skip
    audited = [(what, about.get("state")) for _, what, about in await shop.console.audited()]
    assert ("published", "tests_failed") in audited
    assert ("published", "in_force") in audited
    assert ("restored", "in_force") in audited


@pytest.mark.slow
async def test_teaching_shows_its_effect_before_anything_is_published(shop: FruitShop) -> None:
    browser = await shop.console.signed_in("supervisor")
    found = await done(browser, "/teach", {"meaning": "buy", "phrases": ["sell me fruit"]})
    assert found["problems"] == []
    assert found["tests"] == {"of": 2, "failed_before": [], "failed_after": []}


async def test_files_of_tests_are_read_and_written_over_what_was_read_only(shop: FruitShop) -> None:
    browser = await shop.console.signed_in("supervisor")
    assert (await browser.json("/api/v1/tests"))["files"] == [{"file": "fruit.yaml", "calls": 2, "problem": ""}]
    held = await browser.json("/api/v1/tests/fruit.yaml")
    edited = {"text": held["text"] + "\n", "sha256": held["sha256"]}
    assert (await posted(browser, "/tests/fruit.yaml", edited, method="PUT"))["sha256"] != held["sha256"]
    await posted(browser, "/tests/fruit.yaml", edited, 409, method="PUT")
    await posted(browser, "/tests/new.yaml", {"text": "calls: 3", "sha256": ""}, 400, method="PUT")
    await posted(browser, "/tests/no name.yaml", {"text": TESTS, "sha256": ""}, 400, method="PUT")
    assert (await browser.get("/api/v1/tests/none.yaml")).status == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/check", {"source": {"edition": 7}}, 404),
        ("POST", "/check", {"source": {"edition": 7, "draft": "x"}}, 400),
        ("POST", "/check", {"source": {"edition": 10**30}}, 400),
        ("GET", f"/editions?before={10**30}", None, 400),
        ("POST", "/simulations", {"now": "0001-01-01T00:00:00"}, 400),
        ("POST", "/simulations", {"queue": "on fire"}, 400),
        ("POST", "/simulations/none/turns", {"say": "hello"}, 404),
        ("POST", "/simulations/none/turns", {"say": "hello", "keys": "1"}, 400),
        ("DELETE", "/simulations/none", None, 404),
        ("POST", "/calls/none/test", {"name": "a call"}, 404),
        ("POST", "/editions/7/restore", {"reason": "because"}, 404),
        ("POST", "/editions/7/restore", {}, 400),
        ("POST", "/editions/seven/restore", {"reason": "because"}, 404),
        ("POST", "/publications", {"base": "0" * 16, "files": {"a.yaml": ""}, "reason": "because"}, 409),
        ("POST", "/publications", {"base": "0" * 16, "files": {"./a.yaml": ""}, "reason": "because"}, 400),
        ("POST", "/teach", {"meaning": "buy"}, 400),
        ("GET", "/editions/7/compare/current", None, 404),
        ("GET", "/editions/7/text?file=a.yaml", None, 404),
        ("GET", "/jobs/none", None, 404),
    ],
)
async def test_what_there_is_not_or_makes_no_sense_is_refused(
    shop: FruitShop, method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    browser = await shop.console.signed_in("admin")
    more = {} if body is None else {"json": body}
    response = await browser.ask(method, f"/api/v1{path}", **more)
    assert response.status == status, await response.text()


@pytest.mark.slow
async def test_a_call_is_saved_as_a_test_and_played_where_no_directory_of_tests_was_set(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        browser = await console.signed_in("admin")
        call = (await posted(browser, "/simulations", {}, 201))["id"]
        await posted(browser, f"/simulations/{call}/turns", {"say": "what are your opening hours"})
        saved = await posted(browser, f"/simulations/{call}/test", {"name": "opening hours", "save": True})
        assert saved["saved"]
        assert "call: opening hours" in (tmp_path / "flow-tests" / "console.yaml").read_text(encoding="utf-8")
        played = await done(browser, "/tests/run", {})
        assert (played["calls"], played["failed"]) == (1, [])


@pytest.mark.slow
async def test_a_finished_call_becomes_a_test_without_its_caller_that_is_played_on_drafts(shop: FruitShop) -> None:
    browser = await shop.console.signed_in("supervisor")
    shown = await posted(browser, "/calls/call.1/test", {"name": "a call"})
    assert not shown["saved"]
    assert not (shop.tests / "console.yaml").exists()
    assert any("made up" in note for note in shown["notes"])
    saved = await posted(browser, "/calls/call.1/test", {"name": "there are no pears", "save": True})
    text = (shop.tests / "console.yaml").read_text(encoding="utf-8")
    assert saved["saved"]
    assert "call: there are no pears" in text
    assert "user: call " in text
    assert "user: a pear" in text
    assert "shop.buy: sold_out" in text
    for real in (NUMBER, "Maria", "Lopez", "two oh two", "one seven eight"):
        assert real not in text, real

    played = await done(browser, "/tests/run", {})
    assert (played["calls"], played["failed"]) == (3, [])
    draft = (await posted(browser, "/drafts", {"name": "other words", "client": "c"}, 201))["id"]
    path = ["flows", "buy", "steps", 3, "say"]
    edit = {"op": "set", "path": path, "value": "All sold.", "old": "We have none left."}
    order = {"seen": 0, "operations": [{"id": "e1", "operations": [edit]}]}
    assert (await posted(browser, f"/drafts/{draft}/operations", order))["results"][0]["state"] == "applied"
    played = await done(browser, "/tests/run", {"source": {"draft": draft}})
    assert {one["name"] for one in played["failed"]} == {"a caller finds nothing", "there are no pears"}


async def test_who_may_not_publish_publishes_nothing(shop: FruitShop) -> None:
    order = {"base": "0" * 16, "files": {"a.yaml": ""}, "reason": "because"}
    viewer = await shop.console.signed_in("viewer")
    await posted(viewer, "/publications", order, 403)
    await posted(viewer, "/simulations", {}, 403)
    supervisor = await shop.console.signed_in("supervisor", granted=("publish",))
    await posted(supervisor, "/publications", order, 403)  # whole files may hold formulas and services
    await posted(supervisor, "/editions/7/restore", {"reason": "because"}, 404)
    shop_staff = await shop.console.signed_in("shop", granted=("publish",))
    assert (await shop_staff.get("/api/v1/jobs/none")).status == 404, "who begins work may ask how far it is"


async def test_the_procedures_inside_of_the_program_are_not_published_over(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        browser = await console.signed_in("admin")
        edition = (await browser.json("/api/v1/editions"))["in_force"]
        order = {"base": edition, "files": {"knowledge.yaml": None}, "reason": "because"}
        refused = await posted(browser, "/publications", order, 409)
        assert "flows_directory" in refused["detail"]


async def test_the_program_is_not_written_over_when_the_settings_name_its_directory(tmp_path: Path) -> None:
    async with running_console(tmp_path, flows_directory=str(english_pack())) as console:
        assert not console.context.desk.writable


async def test_a_draft_whose_publication_a_killed_console_could_not_note_is_published_at_the_next_start(
    tmp_path: Path,
) -> None:
    flows = tmp_path / "flows"
    flows.mkdir()
    for name, text in fruit_files().items():
        (flows / name).write_text(text, encoding="utf-8")
    async with running_console(tmp_path, flows_directory=str(flows)) as console:
        draft = await console.context.drafts.open("spring", "ann")
        asked = [EditRequest("a", ({"op": "set", "path": ["start"], "value": "elsewhere"},))]
        draft, _ = await console.context.drafts.apply(draft.id, "ann", asked, 0)
        new = NewEdition(draft.edition, draft.files(), "eve", "spring")
        number = await console.context.desk.editions.add(new, "writing")
        console.context.desk.directory.replace(draft.base_files(), draft.files())
    async with running_console(tmp_path, flows_directory=str(flows)) as console:
        async with asyncio.timeout(30):
            while (await console.context.drafts.list("all"))[0].state == "open":  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.01)
        assert (await console.context.desk.editions.line(number)).state == "unconfirmed"


def test_a_call_that_no_procedure_is_for_is_refused_not_called_a_failure() -> None:
    assert problem_of(WorkRefused(DialogError.code, "no flow is for calls with the purpose 'nonsense'")).status == 409
