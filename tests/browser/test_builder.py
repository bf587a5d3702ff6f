"""The builder in a real browser: edits by keyboard, drafts that outlive everything, other people, publishing."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agent.flows import english_pack
from tests.browser.conftest import AXE, wait_until
from tests.browser.console_site import ConsoleSite, console_site
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
