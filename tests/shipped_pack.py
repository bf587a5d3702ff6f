"""The shipped English pack and its calls in text, read once for all tests of a process: each takes seconds to read."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from agent.dialog.tools.text_call_model import LocatedTextCall, read_text_calls
from agent.flows import english_pack
from agent.speech.wording import filters
from agent.understanding.score_files import usual_scores

RENDER = SandboxRenderer(filters)
HOME = Path(os.environ.get("ORDERLINE_HOME") or Path(__file__).resolve().parents[1] / "var")
SCORES = HOME / "understanding"
TEXT_CALL_FILES = sorted((Path(__file__).parent / "flows").glob("*.yaml"))


@cache
def shipped_pack() -> FlowPack:
    """Return the pack as the agent loads it. It is immutable, so that tests may share it."""
    return FlowPack.load(english_pack(), RENDER.filters)


@cache
def scored_pack() -> FlowPack:
    """Return the same with its fitted score, which takes half a minute once and is kept in ``var``."""
    return shipped_pack().with_score(usual_scores(SCORES))


def fitted_scores() -> Path:
    """Return the directory in which the score of the shipped pack stands."""
    scored_pack()
    return SCORES


@cache
def shipped_text_calls() -> tuple[LocatedTextCall, ...]:
    """Return every call of ``tests/flows``."""
    return tuple(read_text_calls(TEXT_CALL_FILES))
