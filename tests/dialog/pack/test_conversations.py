"""Whole conversations in callers' own words, played with the score of open requests as calls are."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from agent.dialog.pack.loader import FlowPack
from agent.dialog.tools.text_call_model import LocatedTextCall, read_text_calls
from agent.dialog.tools.text_call_runner import play
from agent.shop.answers import complete_answer
from agent.understanding.score_files import usual_scores
from tests.shipped_pack import RENDER, shipped_pack

FILES = sorted((Path(__file__).parents[2] / "flows" / "with_score").glob("*.yaml"))


@cache
def scored() -> FlowPack:
    """Return the shipped pack with its score, which is fitted once and kept."""
    home = os.environ.get("ORDERLINE_HOME") or Path(__file__).parents[3] / "var"
    return shipped_pack().with_score(usual_scores(Path(home) / "understanding"))


@pytest.mark.slow
@pytest.mark.parametrize("located", read_text_calls(FILES), ids=lambda located: f"{located.file}:{located.line}")
def test_a_conversation_goes_as_written(located: LocatedTextCall) -> None:
    result = play(scored(), located, RENDER, check_answer=complete_answer)
    assert not result.problems, "\n".join([*result.transcript, *result.problems])
