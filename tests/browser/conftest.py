"""A real Chromium, and a console for it to look at."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.real_chromium import chromium_in
from tests.browser.console_site import PASSWORD, ConsoleSite, console_site

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is among the packages for tests")

AXE = Path(__file__).parents[2] / "console" / "node_modules" / "axe-core" / "axe.min.js"
"""Fetched by ``make console`` (npm); it is no part of the repository."""


@pytest.fixture(scope="module")  # while it is open no other test of this process can have an event loop
def chromium(home: RehearsalHome) -> Iterator[Any]:
    """The browser: $CHROMIUM, the machine's own, or one that is fetched on the first run."""
    found = chromium_in(home.directory)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(found.program),
            env={**os.environ, **found.environment},
            args=["--autoplay-policy=no-user-gesture-required"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleSite]:
    """A console over a made-up year of calls."""
    with console_site(tmp_path_factory.mktemp("console") / "state", calls=600) as running:
        yield running


@pytest.fixture
def open_page(chromium: Any, site: ConsoleSite) -> Iterator[Callable[..., Any]]:
    """``open_page(path, who, **of_context)`` opens a page as somebody; what goes wrong in it fails the test."""
    contexts: list[Any] = []
    wrong: list[str] = []

    def open_it(path: str, who: str = "sam", **of_context: Any) -> Any:
        # outside requests fail: nothing may leave the machine
        context = chromium.new_context(
            storage_state=site.signed_in.get(who) if who else None, base_url=site.base, **of_context
        )
        context.set_default_timeout(120_000)
        contexts.append(context)
        context.route(lambda url: not url.startswith((site.base, "data:", "blob:")), lambda route: route.abort())
        context.on("requestfailed", lambda request: _note_foreign(request, site.base, wrong))
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
        page.on("console", lambda said: _note_violation(said.text, wrong))
        if who and who not in site.signed_in:
            sign_in(page, who)
            site.signed_in[who] = context.storage_state()
        page.goto(path)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert not wrong, wrong


def sign_in(page: Any, who: str) -> None:
    """Sign in at the console's own form."""
    page.goto("/login")
    page.get_by_label("Name").fill(who)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login" not in url)


def wait_until(page: Any, expression: str, seconds: float = 30.0) -> None:
    """Wait until a JavaScript expression is true. The pages' policy forbids what Playwright's own waiting does."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"not true within {seconds:.0f} s: {expression}"
        page.wait_for_timeout(30)


def _note_foreign(request: Any, base: str, wrong: list[str]) -> None:
    if not request.url.startswith((base, "data:", "blob:")):
        wrong.append(f"a request to {request.url}")


def _note_violation(text: str, wrong: list[str]) -> None:
    if "Content Security Policy" in text or "TrustedHTML" in text or "TrustedScript" in text:
        wrong.append(text)
