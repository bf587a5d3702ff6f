"""The shipped English pack, its score and its calls in text, read once for all tests of a process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from agent.dialog.tools.text_call_model import LocatedTextCall, read_text_calls
from agent.flows import english_pack
from agent.speech.wording import filters
from agent.understanding.score_files import usual_scores

RENDER = SandboxRenderer(filters)
HOME = Path(os.environ.get("ORDERLINE_HOME") or Path(__file__).resolve().parents[1] / "var")
SCORES = HOME / "shared" / "understanding"
"""Where commands keep theirs, too: what is fitted for one test is there for all."""
TEXT_CALL_FILES = sorted((Path(__file__).parent / "flows").glob("*.yaml"))


@cache
def shipped_pack() -> FlowPack:
    """Return the pack as the agent loads it. It is immutable, so that tests may share it."""
    return FlowPack.load(english_pack(), RENDER.filters)


@cache
def scored_pack() -> FlowPack:
    """Return the same with its fitted score, which takes half a minute once and is kept in ``var``.

    Another worker that wants it meanwhile waits for the file and does not fit it a second time.
    """
    SCORES.mkdir(parents=True, exist_ok=True)
    with (SCORES / ".fitting.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return shipped_pack().with_score(usual_scores(SCORES))


def fitted_score_file() -> Path:
    """Return the file in which the score of the shipped pack stands."""
    teaching = scored_pack().teaching
    assert teaching is not None
    return usual_scores(SCORES).path(teaching)


@cache
def shipped_text_calls() -> tuple[LocatedTextCall, ...]:
    """Return every call of ``tests/flows``."""
    return tuple(read_text_calls(TEXT_CALL_FILES))


def load_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give commands the shipped pack of this process, and the scores kept for all tests."""
    load, shipped = FlowPack.load, shipped_pack()

    def loading(directory: Path | str, filters: Collection[str] | None = None, *others: Any) -> FlowPack:
        as_shipped = Path(directory) == english_pack() and filters == RENDER.filters and not any(others)
        return shipped if as_shipped else load(directory, filters, *others)

    monkeypatch.setattr(FlowPack, "load", loading)
    monkeypatch.setenv("ORDERLINE_HOME", str(HOME))
