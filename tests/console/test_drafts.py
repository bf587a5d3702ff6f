"""The API of drafts: who may change what, answers that are repeated, conflicts, the stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.builder.formulas import is_rule
from tests.console.console_client import MACHINE, Browser, RunningConsole, running_console

PACK = {
    "flows.yaml": """\
flows:
  returns:
    description: to return something
    steps:
      - id: price
        if: price > 50
        then: photo
      - id: photo
        say: photo_first
start: returns
""",
    "knowledge.yaml": """\
knowledge:
  answers:
    hours: {ask: [opening hours], says: Nine to five.}
  promotions:
    spring: {name: the spring sale, says: Ten percent off., spoken: [spring sale]}
""",
}
IF = ["flows", "returns", "steps", "price", "if"]
HOURS = ["knowledge", "answers", "hours", "says"]


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[RunningConsole]:
    pack = tmp_path / "pack"
    pack.mkdir()
    for file, text in PACK.items():
        (pack / file).write_text(text)
    async with running_console(tmp_path, flows_directory=str(pack)) as console:
        yield console


async def post(browser: Browser, path: str, body: Any, status: int = 200) -> Any:
    response = await browser.ask("POST", f"/api/v1{path}", json=body)
    assert response.status == status, await response.text()
    return await response.json()


async def a_draft(browser: Browser) -> str:
    draft = await post(browser, "/drafts", {"name": "Returns", "client": "browser-1"}, 201)
    return str(draft["id"])


async def change(browser: Browser, draft: str, *operations: dict[str, Any], seen: int = 0, name: str = "op") -> Any:
    asked = [{"id": f"{name}-{number}", "operation": one} for number, one in enumerate(operations)]
    answer = await post(browser, f"/drafts/{draft}/operations", {"seen": seen, "operations": asked})
    return answer["results"]


async def test_a_supervisor_changes_a_rule_and_takes_it_back(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    draft = await a_draft(browser)
    results = await change(browser, draft, {"op": "set", "path": IF, "old": "price > 50", "value": "price >= 40"})
    assert results == [{"id": "op-0", "state": "applied", "seq": 1}]
    changes = await browser.json(f"/api/v1/drafts/{draft}/changes")
    assert [(one["path"][-1], one["before"], one["after"]) for one in changes["changes"]] == [
        ("if", "price > 50", "price >= 40")
    ]
    assert "-        if: price > 50\n+        if: price >= 40\n" in changes["diffs"][0]["diff"]
    undone = await post(browser, f"/drafts/{draft}/undo", {"id": "u"})
    assert (undone["state"], undone["seq"], undone["of"]) == ("applied", 2, 1)
    text = await browser.json(f"/api/v1/drafts/{draft}/text?file=flows.yaml")
    assert text["text"] == PACK["flows.yaml"]
    log = await browser.json(f"/api/v1/drafts/{draft}/operations?after=0")
    assert [(one["kind"], one["undone"]) for one in log["operations"]] == [("edit", True), ("undo", False)]
    state = await browser.json(f"/api/v1/drafts/{draft}")
    assert (state["can_undo"], state["can_redo"]) == (False, True)


async def test_shop_staff_change_and_see_promotions_and_answers_alone(console: RunningConsole) -> None:
    supervisor, staff = await console.signed_in("supervisor"), await console.signed_in("shop")
    draft = await a_draft(supervisor)
    await change(supervisor, draft, {"op": "set", "path": IF, "value": "price > 60"})
    results = await change(
        staff,
        draft,
        {"op": "set", "path": HOURS, "value": "Nine to six."},
        {"op": "set", "path": IF, "value": "price > 1"},
        {"op": "text", "file": "flows.yaml", "old": "", "value": "x"},
        seen=1,
        name="staff",
    )
    assert [(one["state"], one.get("code", "")) for one in results] == [
        ("applied", ""),
        ("refused", "not_allowed"),
        ("refused", "not_allowed"),
    ]
    pack = await staff.json(f"/api/v1/drafts/{draft}/pack")
    assert [(one["file"], list(one["data"])) for one in pack["files"]] == [("knowledge.yaml", ["knowledge"])]
    changes = await staff.json(f"/api/v1/drafts/{draft}/changes")
    assert [one["path"] for one in changes["changes"]] == [HOURS]
    assert changes["diffs"] == []
    log = await staff.json(f"/api/v1/drafts/{draft}/operations")
    assert [(one["hidden"], bool(one["operations"])) for one in log["operations"]] == [(True, False), (False, True)]
    assert (await staff.get(f"/api/v1/drafts/{draft}/text?file=flows.yaml")).status == 403
    assert (await staff.ask("DELETE", f"/api/v1/drafts/{draft}")).status == 403
    undo = await staff.ask("POST", f"/api/v1/drafts/{draft}/undo", json={"id": "u", "of": 1})
    assert undo.status == 403


async def test_formulas_services_and_queues_need_a_right_of_their_own(console: RunningConsole) -> None:
    supervisor, admin = await console.signed_in("supervisor"), await console.signed_in("admin")
    draft = await a_draft(supervisor)
    asked = [
        {"op": "set", "path": IF, "value": "prices | map('int') | sum > 5"},
        {"op": "insert", "path": ["flows", "returns", "steps", 2], "value": {"handover": "angry", "queue": "vip"}},
        {"op": "set", "path": ["start"], "value": "returns"},
    ]
    results = await change(supervisor, draft, *asked)
    assert [one["state"] for one in results] == ["refused", "refused", "applied"]
    results = await change(admin, draft, *asked, seen=1, name="admin")
    assert [one["state"] for one in results] == ["applied", "applied", "applied"]
    viewer = await console.signed_in("viewer")
    assert (await viewer.get("/api/v1/drafts")).status == 403


async def test_two_who_change_one_field_settle_it(console: RunningConsole) -> None:
    one, other = await console.signed_in("supervisor", "ann"), await console.signed_in("supervisor", "bob")
    draft = await a_draft(one)
    await change(one, draft, {"op": "set", "path": HOURS, "old": "Nine to five.", "value": "Nine to six."}, name="a")
    asked = {"op": "set", "path": HOURS, "old": "Nine to five.", "value": "Ten to five."}
    (result,) = await change(other, draft, asked, name="b")
    assert (result["state"], result["mine"], result["theirs"]) == ("conflict", "Ten to five.", "Nine to six.")
    assert await change(other, draft, asked, name="b") == [result]
    (kept,) = (await one.json(f"/api/v1/drafts/{draft}/conflicts"))["conflicts"]
    assert (kept["who"], kept["path"]) == ("bob", HOURS)
    await post(other, f"/drafts/{draft}/conflicts/{kept['number']}", {"take": "mine"})
    assert "Ten to five." in (await one.json(f"/api/v1/drafts/{draft}/text?file=knowledge.yaml"))["text"]
    await post(other, f"/drafts/{draft}/conflicts/{kept['number']}", {"take": "mine"}, 404)


async def test_drafts_are_listed_renamed_put_aside_and_audited(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    draft = await a_draft(browser)
    assert await a_draft(browser) == draft
    await browser.ask("PATCH", f"/api/v1/drafts/{draft}", json={"name": "Spring"})
    assert [one["name"] for one in (await browser.json("/api/v1/drafts"))["drafts"]] == ["Spring"]
    assert (await browser.ask("DELETE", f"/api/v1/drafts/{draft}")).status == 200
    assert (await browser.json("/api/v1/drafts"))["drafts"] == []
    body = {"seen": 0, "operations": [{"id": "x", "operation": {"op": "set", "path": HOURS, "value": "x"}}]}
    await post(browser, f"/drafts/{draft}/operations", body, 409)
    await post(browser, f"/drafts/{draft}/restore", {})
    what = [entry for _, entry, _ in await console.audited() if entry.startswith("draft.")]
    assert what == ["draft.open", "draft.open", "draft.rename", "draft.discard", "draft.restore"]


NO_OPERATIONS: list[dict[str, Any]] = [
    {},
    {"op": []},
    {"op": "set", "path": [["a"]], "value": 1},
    {"op": "set", "path": ["flows", -1], "value": "x"},
    {"op": "set", "path": ["flows", 10**30], "value": "x"},
    {"op": "set", "path": ["flows"], "value": 1e300},
    {"op": "set", "path": ["start", "x"], "value": "x"},
    {"op": "insert", "path": ["start", 0], "value": "x"},
    {"op": "move", "path": ["flows", "returns", "steps", 0], "to": ["start"]},
    {"op": "move", "path": ["flows", "returns"], "before": "nobody"},
    {"op": "rename", "kind": "step", "name": "price", "to": "photo", "flow": "returns"},
    {"op": "remove", "path": ["flows", "returns", "steps", "price"], "old": {"a": []}, "keep_ways": True},
    {"op": "extract", "flow": "returns", "first": 1, "last": 0, "as": "x", "description": "x"},
    {"op": "new_file", "file": "x.yaml", "value": []},
]


async def test_what_is_no_operation_or_leads_nowhere_is_answered_not_failed(console: RunningConsole) -> None:
    browser = await console.signed_in("admin")
    draft = await a_draft(browser)
    results = await change(browser, draft, *NO_OPERATIONS)
    assert [one["state"] for one in results if one["state"] not in ("refused", "conflict")] == []


async def test_the_stream_begins_with_the_open_drafts_and_tells_of_changes(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    draft = await a_draft(browser)
    headers = {**browser.headers, "Cookie": f"__Host-orderline={browser.cookie}"}
    async with console.http.get(f"{console.base}/api/v1/drafts/events", headers=headers) as stream:
        assert stream.status == 200
        assert (await _data(stream)).startswith(f'{{"id": "{draft}"')
        await change(browser, draft, {"op": "set", "path": HOURS, "value": "Nine to six."})
        assert '"seq": 1' in await _data(stream)


async def _data(stream: Any) -> str:
    while not (line := (await stream.content.readline()).decode()).startswith("data: "):
        assert line
    return line.removeprefix("data: ")


@pytest.mark.parametrize(
    ("expression", "rule"),
    [
        ("order.status == 'delayed'", True),
        ("not verified and tries < 3 or reason in ['late', 'lost']", True),
        ("order.items | length > 1", True),
        ("phone is defined", True),
        ("tries + 1", True),
        ("none", True),
        ("eligibility.items | selectattr('allowed') | first", False),
        ("{'a': 'b'}[reason]", False),
        ("a if b else c", False),
        ("a }} {{ b", False),
        ("(", False),
    ],
)
def test_rules_are_told_from_formulas(expression: str, rule: bool) -> None:
    assert is_rule(expression) is rule


FORMULA = "prices | map('int') | sum > 5"


async def test_an_old_value_that_never_was_gets_no_formula_written(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    draft = await a_draft(browser)
    step = {"id": "price", "if": "price > 50", "then": "photo"}
    lie = {"op": "set", "path": IF[:-1], "value": {**step, "if": FORMULA}, "old": {**step, "else": FORMULA}}
    results = await change(browser, draft, lie)
    assert [(one["state"], one["code"]) for one in results] == [("refused", "not_allowed")]


async def test_nobody_takes_back_or_does_again_what_they_may_not_do(console: RunningConsole) -> None:
    admin, supervisor = await console.signed_in("admin"), await console.signed_in("supervisor")
    reader = await console.signed_in("viewer", granted=("drafts",))
    draft = await a_draft(admin)
    await change(admin, draft, {"op": "set", "path": IF, "value": FORMULA})
    for browser in (supervisor, reader):
        await post(browser, f"/drafts/{draft}/undo", {"id": "u", "of": 1}, 403)
        assert (await browser.ask("DELETE", f"/api/v1/drafts/{draft}")).status == 403
    await post(admin, f"/drafts/{draft}/undo", {"id": "u", "of": 1})
    await console.signed_in("admin", "another")
    await console.context.accounts.change("admin", role="shop", by=MACHINE)
    demoted = console.browser()
    await demoted.sign_in("admin")
    await post(demoted, f"/drafts/{draft}/redo", {"id": "r"}, 403)


async def test_a_conflict_is_settled_by_those_who_may_change_what_it_is_about(console: RunningConsole) -> None:
    admin, supervisor = await console.signed_in("admin"), await console.signed_in("supervisor")
    reader = await console.signed_in("viewer", granted=("drafts",))
    draft = await a_draft(admin)
    await change(supervisor, draft, {"op": "set", "path": IF, "value": "price > 60", "old": "price > 50"})
    results = await change(admin, draft, {"op": "set", "path": IF, "value": FORMULA, "old": "price > 50"}, name="admin")
    number = results[0]["number"]
    for browser in (supervisor, reader):
        await post(browser, f"/drafts/{draft}/conflicts/{number}", {"take": "mine"}, 403)
        await post(browser, f"/drafts/{draft}/conflicts/{number}", {"take": "theirs"}, 403)
    await post(admin, f"/drafts/{draft}/conflicts/{number}", {"take": "mine"})


async def test_a_service_is_renamed_only_with_the_right_to_services(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    draft = await a_draft(browser)
    results = await change(browser, draft, {"op": "rename", "kind": "service", "name": "orders.find", "to": "pay.all"})
    assert results[0]["code"] == "not_allowed"


async def test_an_edit_given_in_two_ways_is_refused_not_half_done(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    draft = await a_draft(browser)
    one = {"op": "set", "path": HOURS, "value": "Nine to six."}
    asked = {"seen": 0, "operations": [{"id": "a", "operation": one, "operations": [one]}]}
    await post(browser, f"/drafts/{draft}/operations", asked, 400)


class Findings:
    """Finds one mistake in what shop staff write and one elsewhere."""

    async def check(self, _: Mapping[str, str]) -> Mapping[str, Any]:
        paths = (HOURS, IF)
        findings = [{"path": path, "severity": "error", "message": "no"} for path in paths]
        return {"usable": False, "mistakes": 2, "warnings": 0, "findings": findings}


async def test_everybody_is_told_what_is_wrong_with_what_they_may_see(
    console: RunningConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor, staff = await console.signed_in("supervisor"), await console.signed_in("shop")
    draft = await a_draft(staff)
    monkeypatch.setattr(console.context.desk, "judge", Findings())
    source = {"source": {"draft": draft}}
    assert len((await post(supervisor, "/check", source))["findings"]) == 2
    told = await post(staff, "/check", source)
    assert ([one["path"] for one in told["findings"]], told["mistakes"]) == ([HOURS], 1)
    await post(staff, "/check", {}, 403)
