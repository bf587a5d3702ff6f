"""The pages in a real browser: what can be found, heard and done on them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from agent.call.queue_rules import QueueState
from tests.browser.conftest import wait_until
from tests.browser.console_site import ConsoleSite
from tests.browser.sample_calls import FULL_CALL, MISSED_CALL

Open = Callable[..., Any]


def test_who_is_not_signed_in_comes_to_the_page_after_signing_in(open_page: Open) -> None:
    page = open_page("/calls?outcome=caller_hung_up", who="")
    assert page.get_by_label("Name").evaluate("field => document.activeElement === field")
    page.keyboard.type("sam")
    page.keyboard.press("Tab")
    page.keyboard.type("seven quiet lanterns")
    page.keyboard.press("Enter")
    page.wait_for_url("**/calls?outcome=caller_hung_up")


def test_a_wrong_password_says_so_and_keeps_the_name(open_page: Open) -> None:
    page = open_page("/login", who="")
    page.get_by_label("Name").fill("sam")
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    assert page.get_by_role("alert").inner_text() == "Name, password or code is wrong."
    assert page.get_by_label("Name").input_value() == "sam"


def test_a_call_is_found_by_a_word_that_was_said(open_page: Open) -> None:
    page = open_page("/calls?when=30d")
    page.get_by_label("Words that were said").fill("blue lamp")
    page.get_by_role("button", name="Find").click()
    page.wait_for_url("**/calls?when=30d&words=blue+lamp&by=said")
    rows = page.locator("tr.call")
    assert rows.count() == 1
    rows.locator("a").click()
    page.wait_for_url(f"**/calls/{MISSED_CALL}")
    assert page.get_by_text("it's the one for the blue lamp").is_visible()


def test_a_filter_chosen_by_keyboard_alone_stands_in_the_address_and_in_the_export(open_page: Open) -> None:
    page = open_page("/calls?when=30d")
    page.locator("summary", has_text="Outcome").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")  # answered, caller hung up, ...
    name = page.evaluate("document.activeElement.value")
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent").strip() == "Outcome"
    page.get_by_role("button", name="Find").press("Enter")
    page.wait_for_url(re.compile(f"outcome={name}"))
    page.locator("summary", has_text="Export these calls").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    shown = int(page.locator(".lead .num").inner_text())
    assert len(lines) - 1 == shown > 0
    assert all(f",{name}," in line for line in lines[1:])


def test_callers_who_hung_up_at_the_postcode_question_are_found(open_page: Open) -> None:
    page = open_page("/calls?when=today")
    page.locator("summary", has_text="Ended at step").click()
    page.get_by_label("identify.postcode, hung up").check()
    page.get_by_role("button", name="Show these calls").click()
    page.wait_for_url(re.compile("left="))
    assert page.locator(f'a[href="/calls/{MISSED_CALL}"]').is_visible()


def test_a_period_that_is_clicked_counts_at_once_and_one_passed_over_by_keys_does_not(open_page: Open) -> None:
    page = open_page("/calls?when=7d")
    when = page.get_by_label("When")
    when.focus()
    when.select_option("30d")
    assert page.evaluate("document.querySelector('form[data-filters]').elements.when.value") == "30d"
    when.dispatch_event("pointerdown")
    when.select_option("yesterday")
    page.wait_for_url("**/calls?when=yesterday")
    assert "yesterday" in page.locator(".lead").inner_text()


def test_one_call_is_heard_on_two_channels_from_a_turn_on(open_page: Open) -> None:
    page = open_page(f"/calls/{FULL_CALL}")
    wait_until(page, "document.querySelector('audio').readyState > 0")
    assert round(page.evaluate("document.querySelector('audio').duration")) == 37
    page.get_by_role("button", name="Play from 0:08.8").click()
    wait_until(page, "document.querySelector('audio').currentTime > 8.9")
    page.wait_for_selector(".line.caller.playing:has-text('one oh four seven')")
    page.keyboard.press("k")
    wait_until(page, "document.querySelector('audio').paused")
    before = page.evaluate("document.querySelector('audio').currentTime")
    page.keyboard.press("l")
    assert page.evaluate("document.querySelector('audio').currentTime") == pytest.approx(before + 10, abs=0.5)
    page.keyboard.press("j")
    assert page.evaluate("document.querySelector('audio').currentTime") == pytest.approx(before, abs=0.5)
    page.get_by_role("button", name="Agent", exact=True).click()
    assert page.get_by_role("button", name="Agent", exact=True).get_attribute("aria-pressed") == "false"


def test_both_sides_are_drawn_where_they_speak(open_page: Open) -> None:
    page = open_page(f"/calls/{FULL_CALL}")
    page.wait_for_selector("canvas:visible")
    drawn = """() => {
        const canvas = document.querySelector("canvas"), pen = canvas.getContext("2d");
        const tall = (from, until, top) => {
            const [x, width] = [from / 37 * canvas.width, (until - from) / 37 * canvas.width];
            const half = canvas.height / 2;
            const data = pen.getImageData(x, top ? 0 : half, width, half).data;
            let inked = 0;
            for (let place = 3; place < data.length; place += 4) inked += data[place] > 0 ? 1 : 0;
            return inked / (data.length / 4);
        };
        return [tall(4.4, 5.9, true), tall(4.4, 5.9, false), tall(20, 25, true), tall(20, 25, false)];
    }"""
    wait_until(page, f"({drawn})()[0] > 0.1")
    caller_speaks, agent_silent, caller_silent, agent_speaks = page.evaluate(drawn)
    assert caller_speaks > 3 * agent_silent
    assert agent_speaks > 3 * caller_silent


def test_the_way_of_the_call_is_lit_on_the_map(open_page: Open) -> None:
    page = open_page(f"/calls/{MISSED_CALL}")
    assert page.locator('.flow-map [data-step="postcode"].last').count() == 1
    assert page.locator('.flow-map [data-step="number"].lit').count() == 1
    few = page.locator(".flow-map [data-step]").count()
    page.get_by_role("link", name="Whole procedures").click()
    page.wait_for_url("**?map=whole#map-head")
    assert page.locator(".flow-map [data-step]").count() > few


def test_a_note_is_kept_with_the_call(open_page: Open) -> None:
    page = open_page(f"/calls/{MISSED_CALL}")
    page.get_by_label("Add a note").fill("Call back <b>today</b>")
    page.get_by_role("button", name="Save the note").click()
    page.wait_for_url("**#notes")
    assert page.locator("#notes").get_by_text("Call back <b>today</b>").is_visible()


def test_a_viewer_hears_nothing_and_sees_two_digits(open_page: Open) -> None:
    page = open_page(f"/calls/{FULL_CALL}", who="vic")
    assert page.locator("audio").count() == 0
    assert page.get_by_text("Your role may not hear it").is_visible()
    assert "…43" in page.locator("h1").inner_text()
    assert "0143" not in page.content()


def test_shop_staff_see_promotions_and_answers_alone(open_page: Open) -> None:
    page = open_page("/", who="shop")
    page.wait_for_url("**/promotions")
    links = page.locator("nav.menu ul a").all_inner_texts()
    assert links == ["Answers", "Promotions", "Account"]
    assert page.request.get("/calls").status == 403


def test_pages_work_without_script(open_page: Open) -> None:
    page = open_page("/calls?when=30d", java_script_enabled=False)
    page.get_by_label("Words that were said").fill("blue lamp")
    page.get_by_role("button", name="Find").click()
    page.locator("tr.call a").click()
    assert page.get_by_text("it's the one for the blue lamp").is_visible()
    page.goto(f"/calls/{FULL_CALL}")
    assert page.locator("audio[controls]").is_visible()


def test_new_calls_go_to_the_queue_after_a_pause_that_is_confirmed(open_page: Open, site: ConsoleSite) -> None:
    page = open_page("/live")
    page.get_by_role("button", name="Pause: new calls to the queue").click()
    page.get_by_role("button", name="Send all new calls to the queue?").click()
    page.wait_for_selector("text=The agent is paused")
    assert site.agent.pause.now is not None
    assert site.agent.pause.now.by == "sam"
    page.get_by_role("button", name="Take calls again").click()
    page.wait_for_selector("text=Pause: new calls to the queue")
    assert site.agent.pause.now is None


def test_new_calls_are_switched_from_the_page_of_queues_too_and_it_says_so(open_page: Open, site: ConsoleSite) -> None:
    page = open_page("/queues")
    page.get_by_role("button", name="Pause: new calls to the queue").click()
    page.locator("button.sure").click()
    page.wait_for_url("**/live")
    assert site.agent.pause.now is not None
    page.goto("/queues")
    assert page.get_by_text("The agent is paused").is_visible()
    page.get_by_role("button", name="Take calls again").click()
    page.wait_for_url("**/live")
    assert site.agent.pause.now is None


def test_the_figures_of_a_queue_follow_it_while_somebody_looks(open_page: Open, site: ConsoleSite) -> None:
    page = open_page("/queues")
    complaints = page.locator('[data-queue="complaints"]')
    assert complaints.locator('[data-field="callers"]').inner_text() == "0"
    site.agent.figures.states["complaints"] = QueueState(logged_in=2, available=0, callers=5)
    page.wait_for_selector('[data-queue="complaints"] .tag.bad:has-text("Full")')
    assert complaints.locator('[data-field="callers"]').inner_text() == "5"


def test_an_admin_adds_an_account_and_is_told_what_is_wrong_with_it(open_page: Open) -> None:
    page = open_page("/people", who="ana")
    page.get_by_label("Name", exact=True).fill("kim")
    page.get_by_label("Password, 12 characters or more").fill("short")
    page.get_by_label("Viewer").check()
    page.get_by_role("button", name="Add the account").click()
    assert "12" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Name", exact=True).input_value() == "kim"
    page.get_by_label("Password, 12 characters or more").fill("nine patient rivers")
    page.get_by_role("button", name="Add the account").click()
    page.get_by_role("link", name="kim").click()
    page.get_by_role("button", name="Remove the account").click()
    page.get_by_role("button", name="Remove kim for good?").click()
    page.wait_for_url("**/people")
    assert page.get_by_role("link", name="kim").count() == 0


def test_what_was_done_stands_in_the_audit(open_page: Open) -> None:
    wait_until(open_page(f"/calls/{FULL_CALL}"), "document.querySelector('audio').readyState > 0")
    page = open_page("/audit?what=sound", who="ana")
    assert page.get_by_role("link", name=FULL_CALL).first.is_visible()
    page.get_by_role("link", name="Check the chain").click()
    assert page.get_by_text("are as they were written").is_visible()


def test_a_chart_s_bars_are_as_long_as_their_numbers(open_page: Open) -> None:
    page = open_page("/reports/volume?when=365d")
    lengths = page.evaluate(
        "[...document.querySelectorAll('figure rect.bar')].slice(0, 3).map((bar) => bar.getBoundingClientRect().width)"
    )
    assert len(lengths) == 3
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[-1] > 1


def test_the_impact_model_answers_with_plots_that_can_be_sent_on(open_page: Open) -> None:
    page = open_page("/impact")
    page.get_by_label("Calls of a normal week").fill("5000")
    page.get_by_role("button", name="Calculate").click()
    page.wait_for_selector("text=A normal week has 5,000 calls")
    assert page.locator("figure svg").count() >= 2
    assert "calls_per_week=5000" in page.url


def test_the_choice_of_colours_holds_from_page_to_page(open_page: Open) -> None:
    page = open_page("/account", color_scheme="light")
    page.get_by_label("Colours").select_option("dark")
    page.get_by_role("button", name="Save").click()
    page.goto("/calls")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
