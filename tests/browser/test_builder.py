"""The builder in a real browser: edits by keyboard, drafts that outlive everything, other people, publishing."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent.flows import english_pack
from tests.browser.conftest import AXE, wait_until
from tests.browser.console_site import ZONE, ConsoleSite, console_site
from tests.browser.test_accessible import axe_findings

Open = Callable[..., Any]
PAGES = (
    *("/builder/answers", "/builder/promotions", "/builder/prompts?name=greeting", "/builder/questions"),
    *("/builder/phrases", "/builder/phrases?of=commands", "/builder/hours", "/builder/procedures?name=returns"),
    "/builder/editions",
)
HOURS = "/builder/answers?name=hours"
SAYS = "What the agent says"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleSite]:
    """A console over a copy of the English procedures."""
    state = tmp_path_factory.mktemp("builder") / "state"
    procedures = tmp_path_factory.mktemp("procedures") / "en"
    shutil.copytree(english_pack(), procedures)
    with console_site(state, calls=40, flows_directory=str(procedures)) as running:
        yield running


def _opened(page: Any) -> Any:
    page.wait_for_selector(".draft-bar:not([hidden])")
    return page


def _saved(page: Any) -> None:
    page.wait_for_selector(".saved.good:has-text('Saved ')")


def _text_of(site: ConsoleSite, file: str) -> str:
    drafts = site.run(site.context.drafts.list())
    draft = max((one for one in drafts if one.state == "open"), key=lambda one: one.changed_at)
    return str(site.run(site.context.drafts.get(draft.id)).files()[file])


@pytest.fixture(autouse=True)
def no_draft(site: ConsoleSite) -> None:
    """Put aside what the tests before have left: a draft with a mistake in it cannot be tried."""
    for draft in site.run(site.context.drafts.list()):
        site.run(site.context.drafts.discard(draft.id, "Tests"))


def test_an_answer_is_changed_by_keyboard_alone_taken_back_and_survives_a_reload(
    open_page: Open, site: ConsoleSite
) -> None:
    page = _opened(open_page(HOURS))
    before = page.get_by_label(SAYS).input_value()
    page.get_by_label(SAYS).focus()
    page.keyboard.press("Control+End")
    page.keyboard.type(" And Sunday from noon to four.")
    _saved(page)
    assert "says: We're open Monday to Friday from nine to six, and Saturday from ten to four. And Sunday" in _text_of(
        site, "knowledge.yaml"
    )
    page.reload()
    _opened(page)
    assert page.get_by_label(SAYS).input_value() == f"{before} And Sunday from noon to four."
    undo = page.get_by_role("button", name="Undo")
    deadline = time.monotonic() + 60
    while page.get_by_label(SAYS).input_value() != before:  # what was typed may have been kept in several parts
        assert time.monotonic() < deadline, page.get_by_label(SAYS).input_value()
        if undo.is_enabled():
            undo.focus()
            page.keyboard.press("Enter")
        page.wait_for_timeout(300)
    assert "And Sunday" not in _text_of(site, "knowledge.yaml")


def test_the_bar_says_that_callers_do_not_hear_a_draft_yet_and_tells_the_time_of_the_shop(open_page: Open) -> None:
    page = _opened(open_page(HOURS, timezone_id="Asia/Tokyo"))
    page.get_by_label(SAYS).fill("We are open on workdays from nine to six.")
    page.wait_for_selector(".saved.good:has-text('not published yet')")
    said = re.search(r"Saved (\d\d):(\d\d)", page.locator(".saved").inner_text())
    assert said is not None
    now = dt.datetime.now(ZoneInfo(ZONE))
    late = (now.hour * 60 + now.minute - int(said[1]) * 60 - int(said[2])) % (24 * 60)
    assert late < 60  # Tokyo is thirteen or fourteen hours away
    page.get_by_role("button", name="1 change").click()
    page.get_by_text("Callers hear none of this until the draft is published").wait_for()


def test_what_was_typed_while_the_console_was_away_is_sent_after_the_browser_was_closed(
    open_page: Open, site: ConsoleSite
) -> None:
    page = _opened(open_page("/builder/answers?name=stores"))
    page.context.set_offline(True)
    page.get_by_label(SAYS).fill("We have stores in Chicago and Austin.")
    page.wait_for_selector(".saved.warn")
    again = page.context.new_page()
    page.close()  # nothing had reached the console
    again.context.set_offline(False)
    again.goto("/builder/answers?name=stores")
    _opened(again)
    _saved(again)
    assert again.get_by_label(SAYS).input_value() == "We have stores in Chicago and Austin."
    assert "says: We have stores in Chicago and Austin." in _text_of(site, "knowledge.yaml")


def test_another_persons_edit_appears_without_a_reload(open_page: Open) -> None:
    one = _opened(open_page("/builder/answers?name=shipping_cost", who="sam"))
    other = _opened(open_page("/builder/answers?name=shipping_cost", who="ana"))
    other.get_by_label(SAYS).fill("Standard delivery is six dollars.")
    _saved(other)
    wait_until(one, "document.querySelector('.entry-form textarea').value === 'Standard delivery is six dollars.'")


def test_publishing_shows_the_changes_in_words_and_in_lines_and_asks_for_a_reason(open_page: Open) -> None:
    page = _opened(open_page("/builder/answers?name=gift_wrap", who="ana"))
    page.get_by_label(SAYS).fill("We wrap gifts for five dollars.")
    _saved(page)
    page.get_by_role("button", name="Publish").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(re.compile("five dollars")).first.wait_for()
    dialog.locator("summary", has_text="The lines of the files").click()
    assert "We wrap gifts for five dollars." in dialog.locator(".diff .plus").all_inner_texts()[0] + "".join(
        dialog.locator(".diff .plus").all_inner_texts()
    )
    dialog.get_by_role("button", name="Test and publish").click()
    assert dialog.get_by_label(re.compile("Why is it changed")).get_attribute("aria-invalid") == "true"


def test_shop_staff_see_answers_and_promotions_alone(open_page: Open) -> None:
    page = _opened(open_page("/builder/answers", who="shop"))
    links = page.locator("nav.menu a").all_inner_texts()
    assert "Answers" in links
    assert "Promotions" in links
    assert "Procedures" not in links
    assert "Prompts" not in links
    assert page.get_by_role("button", name="Publish").count() == 0


def test_a_step_is_found_and_its_rule_is_shown_as_a_row(open_page: Open) -> None:
    page = _opened(open_page("/builder/procedures?name=returns"))
    page.keyboard.press("Control+k")
    page.keyboard.type("not first_reason")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.get_by_label("Rule 1: value").input_value() == "first_reason"
    assert page.get_by_label("Rule 1: comparison").input_value() == "fails"


def test_a_finding_stands_at_its_field_and_is_mended_by_its_button(open_page: Open) -> None:
    page = _opened(open_page("/builder/answers?name=warranty"))
    says = page.get_by_label(SAYS)
    before = says.input_value()
    says.fill(f"{before} Welcome to {{{{ shopp }}}}.")
    note = page.locator(".entry-form .finding.error", has_text="shopp")
    note.wait_for()
    assert says.get_attribute("aria-invalid") == "true"
    assert note.locator("xpath=..").get_attribute("id") in (says.get_attribute("aria-describedby") or "")
    page.get_by_role("button", name=re.compile("1 mistake")).click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("Warranty")).click()
    assert page.evaluate("document.activeElement.value").endswith("{{ shopp }}.")
    mend = note.get_by_role("button")
    mend.focus()
    page.keyboard.press("Enter")
    note.wait_for(state="detached")
    assert says.input_value() == f"{before} Welcome to {{{{ shop }}}}."
    assert page.evaluate("document.activeElement !== document.body"), "the focus is lost"


def test_a_simulated_call_is_saved_as_a_test(open_page: Open, site: ConsoleSite) -> None:
    page = _opened(open_page("/builder/answers"))
    page.get_by_role("button", name="Test", exact=True).click()
    page.wait_for_selector(".panel .said .agent")
    page.get_by_label("The caller says").fill("do you wrap gifts")
    page.keyboard.press("Enter")
    page.wait_for_selector(".panel .said .caller")
    page.get_by_role("button", name="Save as a test").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Save it").click()
    dialog.get_by_text("Say in a few words what it shows.").wait_for()
    page.keyboard.type("somebody wants a present wrapped")
    page.keyboard.press("Enter")
    dialog.get_by_text(re.compile("Saved in ")).wait_for()
    held = "".join(one.text for one in site.context.desk.tests.read_all())
    assert "call: somebody wants a present wrapped" in held
    assert "user: do you wrap gifts" in held


def test_two_people_who_write_into_one_field_are_shown_both_texts(open_page: Open, site: ConsoleSite) -> None:
    address = "/builder/answers?name=gift_cards"
    one, other = _opened(open_page(address, who="sam")), _opened(open_page(address, who="ana"))
    one.context.set_offline(True)
    one.get_by_label(SAYS).fill("Sam's words.")
    other.get_by_label(SAYS).fill("Ana's words.")
    _saved(other)
    one.context.set_offline(False)
    conflict = one.get_by_role("group", name="Two people have changed this")
    conflict.wait_for()
    assert "Sam's words." in conflict.inner_text()
    assert "Ana's words." in conflict.inner_text()
    conflict.get_by_role("button", name="Take mine").click()
    conflict.wait_for(state="detached")
    wait_until(other, "document.querySelector('.entry-form textarea').value === \"Sam's words.\"")
    assert "says: Sam's words." in _text_of(site, "knowledge.yaml")


def _states(page: Any) -> Iterator[str]:
    """Bring the builder into one state after the other; yields what each is called."""

    def go(path: str) -> None:
        page.goto(path)
        _opened(page)

    def dialog(button: str | re.Pattern[str], within: str = ".draft-bar") -> None:
        page.locator(within).get_by_role("button", name=button).click()
        page.wait_for_selector("dialog .dialog-body:not(:has(p.muted:only-child))")

    go("/builder/procedures?name=returns")
    for kind in ("Decide", "To a person", "Ask a system"):
        page.locator(".step", has=page.locator(".step-kind", has_text=re.compile(f"^{kind}$"))).first.click()
        yield f"a step: {kind}"
    page.get_by_role("button", name="Map", exact=True).click()
    page.wait_for_selector(".map-view svg")
    yield "the map"
    page.keyboard.press("Control+k")
    page.keyboard.type("return")
    page.wait_for_selector(".found button")
    yield "find"
    page.keyboard.press("Escape")
    page.locator(".draft-bar").get_by_role("button", name="Test", exact=True).click()
    for said in ("it arrived broken", "10437", "78701"):
        page.wait_for_selector(".panel .said .agent")
        page.wait_for_selector(".panel:not([aria-busy])")
        page.get_by_label("The caller says").fill(said)
        page.keyboard.press("Enter")
    page.wait_for_selector(".pending")
    page.locator("summary", has_text="What it tells").click()
    yield "a test call that waits for a system"
    page.get_by_role("button", name="Save as a test").click()
    yield "save as a test"
    go("/builder/prompts?name=handover")
    yield "a prompt of cases"
    page.get_by_role("button", name="New prompt").click()
    yield "a new prompt"
    go("/builder/answers?name=return_policy")
    page.get_by_label(SAYS).fill("We take {{ thing }} back.")
    page.wait_for_selector(".entry-form .finding.error")
    yield "an answer with a mistake, changed"
    dialog(re.compile("mistake"))
    yield "findings"
    page.keyboard.press("Escape")
    dialog(re.compile("Draft: "))
    yield "drafts"
    page.keyboard.press("Escape")
    dialog(re.compile("change"))
    yield "changes"
    page.keyboard.press("Escape")
    dialog("Publish")
    page.get_by_role("button", name="Test and publish").click()
    yield "publish, the reason missing"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.skipif(not AXE.is_file(), reason="make console fetches axe-core")
def test_axe_finds_nothing_in_any_state_of_the_builder(open_page: Open, scheme: str) -> None:
    page = open_page("/live", who="ana", color_scheme=scheme, bypass_csp=True)
    found = {state: findings for state in _states(page) if (findings := axe_findings(page))}
    assert not found


def test_no_state_of_the_builder_scrolls_sideways_on_a_small_screen(open_page: Open) -> None:
    page = open_page("/live", who="ana", viewport={"width": 360, "height": 740})
    wide = {}
    for state in _states(page):
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if over > 0:
            wide[state] = over
    assert not wide


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.skipif(not AXE.is_file(), reason="make console fetches axe-core")
def test_axe_finds_nothing_on_any_page_of_the_builder(open_page: Open, scheme: str) -> None:
    page = open_page("/live", who="ana", color_scheme=scheme, bypass_csp=True)
    found = {}
    for path in PAGES:
        page.goto(path)
        _opened(page)
        if findings := axe_findings(page):
            found[path] = findings
    assert not found
