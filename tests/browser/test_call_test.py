"""A finished call made a test of the procedures, in a real browser: from its page to the file, and played there."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent.builder.pack_tests import PackTestFiles
from agent.common.sqlite import transaction
from agent.flows import english_pack
from agent.records.database import connect
from tests.browser.console_site import ZONE, ConsoleSite, console_site
from tests.browser.sample_calls import full_call
from tests.shipped_pack import fitted_score_file

Open = Callable[..., Any]
CALL = "orderline-a-1796000000.9"
NUMBER = "2025550178"
NAME = "an order on its way"
WAIT_MS = 120_000
"""For a cold process that loads the procedures on a busy machine."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleSite]:
    """A console over a copy of the English procedures, and one call of a caller who told number and postcode."""
    state = tmp_path_factory.mktemp("calls") / "state"
    procedures = tmp_path_factory.mktemp("procedures") / "en"
    shutil.copytree(english_pack(), procedures)
    scores = state / "understanding"
    scores.mkdir(parents=True)
    shutil.copy(fitted_score_file(), scores)  # as it was fitted when the procedures came into force
    with console_site(state, calls=40, flows_directory=str(procedures)) as running:
        _add_call(state)
        yield running


def _add_call(state: Path) -> None:
    record = full_call(dt.datetime.now(ZoneInfo(ZONE)) - dt.timedelta(minutes=5))
    record |= {"id": CALL, "caller": {"number": NUMBER, "name": "Maria Lopez", "dialled": "7000"}, "sound": None}
    with closing(connect(state / "calls.sqlite")) as db, transaction(db):
        values = (CALL, record["started_at"], NUMBER, "answered", "agent", record["duration_seconds"])
        db.execute(
            "INSERT INTO calls (id, started_at, caller_number, outcome, ended_by, duration_seconds, record)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*values, json.dumps(record)),
        )


def test_a_call_becomes_a_test_with_made_up_numbers_that_is_played_on_a_draft(
    open_page: Open, site: ConsoleSite
) -> None:
    tests: PackTestFiles = site.context.desk.tests
    _begin_anew(site)
    page = open_page(f"/calls/{CALL}", who="ana")
    page.set_default_timeout(WAIT_MS)
    page.get_by_role("button", name="Make a test of this call").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What does this call show?").wait_for()
    assert "Numbers are made up" in dialog.inner_text()
    shown = dialog.get_by_role("region", name="The test").inner_text()
    dialog.get_by_role("button", name="Save it").click()
    dialog.get_by_text("Say in a few words what it shows.").wait_for()
    page.keyboard.type(NAME)
    page.keyboard.press("Enter")
    dialog.get_by_text(re.compile("Saved in ")).wait_for()
    assert page.evaluate("document.activeElement.textContent") == "Close"

    (held,) = tests.read_all()
    assert f"call: {NAME}" in held.text
    assert "user: hi where is my order please" in held.text
    # neither the caller's number, nor the order's in digits or words, nor the name; the postcode is not in the record
    for real in (NUMBER, "10473", "one oh four seven", "user: three", "Maria", "Lopez", "[postcode]"):
        assert real not in shown, real
        assert real not in held.text, real
    assert re.search(r"slots: {order_number: '?\d{5}'?}", held.text)
    assert re.search(r"slots: {postcode: '?\d{5}'?}", held.text)

    calls, findings = tests.calls()
    assert findings == []
    assert [one.script.call for one in calls] == [NAME]
    _plays_on_a_draft(page)


def _begin_anew(site: ConsoleSite) -> None:
    """Put aside what a run before has left."""
    for path in site.context.desk.tests.directory.glob("*.yaml"):
        path.unlink()
    for draft in site.run(site.context.drafts.list()):
        site.run(site.context.drafts.discard(draft.id, "Tests"))


def _plays_on_a_draft(page: Any) -> None:
    """A draft that asks in other words is stopped by the saved test; one that leaves them as they are is not."""
    page.goto("/builder/prompts?name=anything_else")
    page.wait_for_selector(".draft-bar:not([hidden])")
    said = page.get_by_label("What is said", exact=True)
    before = said.input_value()
    assert _outcome(page, "Is there something more?").startswith("1 of 1 test calls goes another way now:")
    assert page.get_by_role("dialog").locator("summary", has_text=NAME).count() == 1
    page.get_by_role("button", name="Back to the draft").click()
    assert _outcome(page, f"Well. {before}").startswith("The test call went as written.")


def _outcome(page: Any, words: str) -> str:
    """Publish the prompt with other words; return what became of the test calls."""
    page.get_by_label("What is said", exact=True).fill(words)
    page.wait_for_selector(".saved.good:has-text('Saved ')")
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_label(re.compile("Why is it changed")).fill("other words")
    page.get_by_role("button", name="Test and publish").click()
    calls = page.get_by_role("dialog").get_by_role("region", name="Test calls")
    calls.wait_for()
    return str(calls.inner_text())
