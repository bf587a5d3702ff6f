"""What a caller answers to the survey, as it is kept."""

from __future__ import annotations

from typing import Any

import pytest

from agent.common.service_error import ServiceError
from agent.shop.surveys import survey_answer


async def test_scores_come_back_with_the_order_and_the_comment() -> None:
    given = {"number": "10473", "scores": {"call": 4}, "comment": " quick "}
    assert await survey_answer(given, "k") == {"survey": {"number": "10473", "scores": {"call": 4}, "comment": "quick"}}


async def test_order_and_comment_may_be_missing() -> None:
    assert (await survey_answer({"scores": {"call": 0}}, "k"))["survey"]["number"] == ""


@pytest.mark.parametrize(
    "scores", [None, {}, 4, [4], {"call": 11}, {"call": -1}, {"call": "4"}, {"call": True}, {"call": 4.5}]
)
async def test_what_is_no_score_is_refused(scores: Any) -> None:
    with pytest.raises(ServiceError, match="scor") as caught:
        await survey_answer({"scores": scores}, "k")
    assert caught.value.code == "bad_request"
