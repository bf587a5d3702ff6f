"""A branch, a prompt and a reason made in the browser, tried, published and taken back: by keyboard, and by mouse."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.flows import english_pack
from tests.browser.builder_user import (
    HOLD_ON,
    NEW_WORDS,
    PUBLISHED,
    BuilderUser,
    KeyboardUser,
    MouseUser,
    add_costly_branch,
    publish,
    restore_first_edition,
    try_costly_branch,
)
from tests.browser.console_site import ConsoleSite, console_site

Open = Callable[..., Any]
TEST = """
calls:
  - call: a caller asks about the sale
    lines:
      - user: tell me about the autumn sale
        agent: percent
"""


@pytest.fixture
def procedures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the English procedures."""
    copied = tmp_path_factory.mktemp("procedures") / "en"
    shutil.copytree(english_pack(), copied)
    return copied


@pytest.fixture
def site(procedures: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleSite]:
    """A console that publishes into a copy of the English procedures; a new one when a test is run once more."""
    state, tests = tmp_path_factory.mktemp("builder") / "state", tmp_path_factory.mktemp("flow-tests")
    (tests / "sale.yaml").write_text(TEST, encoding="utf-8")
    console = {"port": 0, "tests_directory": str(tests)}
    with console_site(state, calls=40, flows_directory=str(procedures), console=console) as running:
        yield running


@pytest.mark.parametrize("kind", [KeyboardUser, MouseUser])
def test_a_branch_is_made_tried_published_and_taken_back(
    open_page: Open, site: ConsoleSite, procedures: Path, kind: type[BuilderUser]
) -> None:
    before = {path.name: path.read_text(encoding="utf-8") for path in procedures.rglob("*.yaml")}
    user = kind(open_page("/live", who="ana"))
    add_costly_branch(user)
    try_costly_branch(user)
    publish(user)
    returns = (procedures / "flows" / "returns.yaml").read_text(encoding="utf-8")
    added = [line for line in returns.splitlines() if line not in before["returns.yaml"].splitlines()]
    assert added == [
        "      - if: chosen.price > 50 and return_reason == 'defective'",
        "        then: costly_defect",
        "      - id: costly_defect",
        "        handover: costly_defect",
        "        say: costly_defect",
    ]
    prompts = (procedures / "prompts.yaml").read_text(encoding="utf-8")
    assert f'costly_defect: "{NEW_WORDS}"\n' in prompts  # quoted as its neighbours are
    assert f'      costly_defect: "{HOLD_ON}"\n' in prompts
    restore_first_edition(user)
    _first_edition_is_compared(user)
    assert {path.name: path.read_text(encoding="utf-8") for path in procedures.rglob("*.yaml")} == before


def _first_edition_is_compared(user: BuilderUser) -> None:
    """With what is in force, which is the same, and with the one that was published."""
    page = user.page
    user.press("Compare edition 1 with another one")
    page.get_by_text("They are the same.").wait_for()
    user.choose("Up to", f"edition 2: {PUBLISHED}")
    page.locator("dialog .sentences", has_text="is new").wait_for()
    assert "+        then: costly_defect" in page.locator("dialog .diff .plus").all_inner_texts()
    user.press("Close")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Compare edition 1 with another one"
