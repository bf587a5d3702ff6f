"""The worked example of docs/impact.md is what the command prints, and the picture is what it draws."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent.impact.inputs import ImpactInputs
from agent.impact.inputs_file import read_inputs
from agent.impact.model import ImpactResult, estimate
from agent.impact.output.page import wait_picture
from agent.impact.output.terminal import terminal_text

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def result() -> ImpactResult:
    return estimate(read_inputs(DOCS / "impact-example.yaml", ImpactInputs()))


def test_every_printed_block_of_the_page_is_printed_by_the_command(result: ImpactResult) -> None:
    printed = terminal_text(result)
    page = (DOCS / "impact.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    assert len(blocks) >= 4
    for block in blocks:
        assert block.rstrip("\n") in printed


def test_the_picture_is_drawn_by_the_command(result: ImpactResult) -> None:
    assert (DOCS / "impact.svg").read_text(encoding="utf-8") == wait_picture(result)
