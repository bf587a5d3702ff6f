"""Procedures in a real browser: new ones, steps copied to another tab, headings, calls on the map."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agent.builder.yaml_document import document
from agent.flows import english_pack
from tests.browser.conftest import AXE
from tests.browser.console_site import ConsoleSite, console_site
from tests.browser.test_accessible import axe_findings

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleSite]:
    """A console over a copy of the English procedures, with finished calls."""
    procedures = tmp_path_factory.mktemp("procedures") / "en"
    shutil.copytree(english_pack(), procedures)
    with console_site(
        tmp_path_factory.mktemp("tools") / "state", calls=300, flows_directory=str(procedures)
    ) as running:
        yield running


def _procedure(open_page: Open, name: str) -> Any:
    page = open_page(f"/builder/procedures?name={name}", who="ana")
    page.wait_for_selector(".draft-bar:not([hidden])")
    return page


def _saved(page: Any) -> None:
    page.wait_for_selector(".saved.good:has-text('Saved ')")


def _files(site: ConsoleSite) -> dict[str, str]:
    drafts = site.run(site.context.drafts.list())
    found: dict[str, str] = site.run(site.context.drafts.get(drafts[0].id)).files()
    return found


def _steps(site: ConsoleSite, file: str, flow: str) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = document(file, _files(site)[file]).data["flows"][flow]["steps"]
    return steps


def test_a_procedure_is_made_from_a_template_by_keyboard_in_a_file_of_its_own(
    open_page: Open, site: ConsoleSite
) -> None:
    page = _procedure(open_page, "returns")
    page.get_by_role("button", name="New procedure").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("to have a gift wrapped")
    page.keyboard.press("Tab")
    page.get_by_label("It begins as").select_option("person")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="To have a gift wrapped").wait_for()
    assert page.locator(".steps .step").count() == 2
    _saved(page)
    steps = _steps(site, "flows/to_have_a_gift_wrapped.yaml", "to_have_a_gift_wrapped")
    assert [next(iter(step)) for step in steps] == ["say", "handover"]


def test_steps_are_copied_in_one_tab_and_pasted_into_another_procedure_in_another(
    open_page: Open, site: ConsoleSite
) -> None:
    page = _procedure(open_page, "returns")
    other = page.context.new_page()
    rows = page.locator(".steps .step")
    copied = rows.nth(0).locator(".summary").inner_text()
    rows.nth(0).focus()
    page.keyboard.press("Control+c")
    rows.nth(1).click()
    page.get_by_role("button", name="Copy this one too").click()
    other.goto("/builder/procedures?name=shop_cancelled")
    other.wait_for_selector(".draft-bar:not([hidden])")
    before = other.locator(".steps .step").count()
    other.locator(".steps .step").nth(0).focus()
    other.keyboard.press("Control+v")
    _saved(other)
    assert other.locator(".steps .step").count() == before + 2
    assert other.locator(".steps .step").nth(1).locator(".summary").inner_text() == copied
    other.get_by_role("button", name="Undo").click()
    other.locator(".steps .step").nth(before).wait_for(state="detached")
    assert other.locator(".steps .step").count() == before, "what was pasted together is one step to undo"


def test_headings_of_the_file_are_sections_of_the_outline_and_can_be_written(
    open_page: Open, site: ConsoleSite
) -> None:
    page = _procedure(open_page, "returns")
    sections = page.locator(".steps .heading")
    before = sections.count()
    assert before, "the shipped procedure has headings"
    page.locator(".steps .step").nth(1).click()
    page.get_by_label("Heading above it").fill("What is to be returned first")
    page.keyboard.press("Tab")
    page.locator(".steps .heading", has_text="What is to be returned first").wait_for()
    assert "# What is to be returned first\n" in _files(site)["flows/returns.yaml"]
    assert sections.count() == before + 1


def test_the_map_tells_the_calls_of_the_last_days(open_page: Open) -> None:
    page = _procedure(open_page, "main")
    page.get_by_role("button", name="Map").click()
    page.locator(".map-view svg").wait_for()
    page.get_by_label("With the calls of the last 30 days").check()
    page.locator(".map-view svg text", has_text=re.compile(r"\d calls?")).first.wait_for()


@pytest.mark.skipif(not AXE.is_file(), reason="make console fetches axe-core")
def test_axe_finds_nothing_in_an_outline_with_headings_and_an_open_step(open_page: Open) -> None:
    page = open_page("/builder/procedures?name=returns", who="ana", bypass_csp=True)
    page.wait_for_selector(".draft-bar:not([hidden])")
    page.locator(".steps .step").nth(0).click()
    assert not axe_findings(page)
    page.get_by_role("button", name="New procedure").click()
    assert not axe_findings(page)
