"""Somebody who works in the builder by keyboard alone or by mouse, and the work that both can do."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Any

MOST_TABS = 600
NEW_WORDS = "I'm sorry about that. With something that costs as much, a colleague decides."
HOLD_ON = "Please hold on."
PUBLISHED = "costly defective things are looked at by a person"
_FOCUSED = """() => {
    const one = document.activeElement, by = one.getAttribute("aria-labelledby");
    const name = one.getAttribute("aria-label") ?? (by && document.getElementById(by)?.textContent)
        ?? one.labels?.[0]?.textContent ?? one.textContent ?? "";
    return [one.tagName, name.replace(/\\s+/g, " ").trim()];
}"""
_PRESSED = ("A", "BUTTON", "SUMMARY")
_TYPED_INTO = ("INPUT", "TEXTAREA")


class BuilderUser(ABC):
    """Uses a page as people do. Names are those that a screen reader says."""

    def __init__(self, page: Any) -> None:
        self.page = page

    @abstractmethod
    def press(self, name: str) -> None:
        """Press a button, follow a link, open what is folded."""

    @abstractmethod
    def type_into(self, name: str, text: str) -> None:
        """Give a field another text."""

    @abstractmethod
    def choose(self, name: str, option: str) -> None:
        """Choose what begins so."""

    @abstractmethod
    def find(self, words: str, place: str) -> None:
        """Look for words in the whole pack, and open the place that is called so."""


class KeyboardUser(BuilderUser):
    """Has no mouse: reaches everything by Tab."""

    def press(self, name: str) -> None:
        self._reach(name, _PRESSED)
        self.page.keyboard.press("Enter")

    def type_into(self, name: str, text: str) -> None:
        self._reach(name, _TYPED_INTO)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def choose(self, name: str, option: str) -> None:
        self._reach(name, ("SELECT",))
        self.page.keyboard.type(option)
        chosen = self.page.evaluate("document.activeElement.selectedOptions[0].label")
        assert chosen.startswith(option), chosen

    def find(self, words: str, place: str) -> None:
        self.page.keyboard.press("Control+k")
        self.page.keyboard.type(words)
        for _ in range(10):
            self.page.keyboard.press("ArrowDown")
            if self._focused()[1].startswith(place):
                break
        assert self._focused()[1].startswith(place), self._focused()
        self.page.keyboard.press("Enter")

    def _reach(self, name: str, kinds: tuple[str, ...]) -> None:
        for _ in range(MOST_TABS):
            kind, called = self._focused()
            if called == name and kind in kinds:
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not come to {name!r}; last at {called!r}")

    def _focused(self) -> tuple[str, str]:
        kind, name = self.page.evaluate(_FOCUSED)
        return kind, name


class MouseUser(BuilderUser):
    """Clicks; types where something is to be written."""

    def press(self, name: str) -> None:
        self._one(name, _PRESSED).click()

    def type_into(self, name: str, text: str) -> None:
        self._one(name, _TYPED_INTO).click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def choose(self, name: str, option: str) -> None:
        select = self.page.get_by_label(name, exact=True).locator("visible=true").first
        labels = select.locator("option").all_inner_texts()
        select.select_option(label=next(label for label in labels if label.startswith(option)))

    def find(self, words: str, place: str) -> None:
        self.press("Find")
        self.page.get_by_label("Find anything").fill(words)
        self.page.locator(".found button", has=self.page.locator("b", has_text=place)).first.click()

    def _one(self, name: str, kinds: tuple[str, ...]) -> Any:
        roles = {"A": "link", "BUTTON": "button"}
        if kinds is _TYPED_INTO:
            return self.page.get_by_role("textbox", name=name, exact=True).or_(
                self.page.get_by_role("combobox", name=name, exact=True)
            ).locator("visible=true").first  # fmt: skip
        found = self.page.locator("summary", has_text=re.compile(f"^{re.escape(name)}"))
        for role in roles.values():
            found = found.or_(self.page.get_by_role(role, name=name, exact=True))
        return found.locator("visible=true").first


def opened(page: Any) -> None:
    """Wait until the draft is there."""
    page.wait_for_selector(".draft-bar:not([hidden])")


def saved(page: Any) -> None:
    """Wait until the console has everything that was typed."""
    page.wait_for_selector(".saved.good:has-text('Saved')")


def add_costly_branch(user: BuilderUser) -> None:
    """In returns: what costs more than 50 and is defective goes to a person, for a reason of its own, in own words."""
    page = user.page
    page.goto("/builder/prompts")
    opened(page)
    user.press("New prompt")
    user.type_into("Its name (“gift wrapping offered”)", "costly defect")
    page.keyboard.press("Enter")
    user.type_into("What is said", NEW_WORDS)
    user.find("handover", "Handover (prompt)")
    user.type_into("Another reason", "Costly defect")
    user.press("Add words for it")
    user.type_into("When it is costly defect", HOLD_ON)
    user.find("'part_missing': 'opened'", "Returns, step 35")
    page.wait_for_url("**/builder/procedures?name=returns*")
    opened(page)
    page.wait_for_selector(".step-details")
    user.choose("Kind of a new step after step 35", "Decide")
    user.press("Add a step here")
    user.type_into("Rule 1: value", "chosen.price")
    user.choose("Rule 1: comparison", "is more than")
    user.type_into("Rule 1: compared with", "50")
    user.press("Add a rule")
    user.type_into("Rule 2: value", "return_reason")
    user.type_into("Rule 2: compared with", "defective")
    user.choose("Kind of a new step at the end", "To a person")
    user.press("Add a step at the end")
    user.type_into("Reason", "Costly defect")
    user.choose("What is said", "Costly defect")
    user.find("chosen.price > 50", "Returns, step 36")
    user.choose("If so, goes to", "78")
    saved(page)
    page.wait_for_selector(".findings-button.good:has-text('No findings')", timeout=120_000)


def try_costly_branch(user: BuilderUser) -> None:
    """A test call in the panel comes to a person; its way is lit in the outline."""
    page = user.page
    user.press("Test")
    _turn_taken(page)
    for said in ("it's broken", "10437", "78701"):
        user.type_into("The caller says", said)
        page.keyboard.press("Enter")
        _turn_taken(page)
    user.press("Answer")  # that the order is the caller's
    _turn_taken(page)
    user.press("What it tells")
    user.type_into("Items 1 price", "149.5")
    user.press("Answer")
    _turn_taken(page)
    user.type_into("The caller says", "it arrived broken")
    page.keyboard.press("Enter")
    _turn_taken(page)
    told = page.locator(".panel").inner_text()
    assert NEW_WORDS in told, told
    assert "Handed over: Costly defect." in told, told
    lit = [int(text.split()[0]) for text in page.locator(".steps .lit > button").all_inner_texts()]
    assert lit[-3:] == [35, 36, 78], lit
    assert page.locator(".steps .last > button").inner_text().split()[0] == "78"


def publish(user: BuilderUser) -> None:
    """Publish the draft; without a reason the page says so at the field."""
    page = user.page
    user.press("Publish")
    page.wait_for_selector("#reason")
    user.press("Test and publish")
    assert "few words" in str(page.get_by_role("dialog").get_by_role("alert").first.inner_text())
    user.type_into("Why is it changed? It stands in the list of editions.", PUBLISHED)
    user.press("Test and publish")
    page.wait_for_selector("dialog .banner", timeout=120_000)
    assert page.locator("dialog .banner").inner_text().startswith("In force"), page.get_by_role("dialog").inner_text()
    with page.expect_navigation():
        user.press("Close")
    opened(page)


def restore_first_edition(user: BuilderUser) -> None:
    """Bring the first edition back from the list of editions."""
    page = user.page
    user.press("Editions")
    page.wait_for_url("**/builder/editions")
    page.wait_for_selector("table")
    user.press("Restore edition 1")
    page.wait_for_selector("#restore-reason")
    user.type_into("Why?", "as it was before")
    if isinstance(user, KeyboardUser):
        user.press("Restore edition 1")
    else:
        page.get_by_role("dialog").get_by_role("button", name="Restore edition 1").click()
    page.wait_for_selector("dialog .banner", timeout=120_000)
    assert page.locator("dialog .banner").inner_text().startswith("In force"), page.get_by_role("dialog").inner_text()
    page.get_by_role("dialog").wait_for()
    user.press("Close")


def _turn_taken(page: Any) -> None:
    page.wait_for_selector(".panel .said .agent")
    page.wait_for_selector(".panel:not([aria-busy])")
