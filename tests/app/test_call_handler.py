"""Who is asked about the recording when a call begins."""

from __future__ import annotations

import pytest

from agent.app.call_handler import must_ask
from agent.dialog.engine.consent import ConsentAnswer


@pytest.mark.parametrize(
    ("entry", "answer", "outlived", "asked"),
    [
        ("inbound", "", False, True),
        ("queue_failed", "given", False, False),
        ("transfer_back", "refused", False, False),
        ("queue_failed", "", False, True),
        ("transfer_back", "", False, True),
        ("transfer_back", "", True, False),
    ],
)
def test_a_caller_whose_answer_is_not_known_is_asked_whatever_way_the_call_comes(
    entry: str, answer: ConsentAnswer, outlived: bool, asked: bool
) -> None:
    assert must_ask(entry, answer, outlived=outlived) is asked
