"""The surveys.answer operation: checks what a caller answered to the satisfaction survey."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.common.service_error import ServiceError
from agent.shop import arguments as take

MAX_SCORE = 10
MAX_QUESTIONS = 20
MAX_COMMENT_CHARS = 1000


async def survey_answer(arguments: Mapping[str, Any], _key: str) -> dict[str, Any]:
    """Return the answer as it is kept: ``scores`` by question, and a ``comment``.

    No system is asked: the webhook ``survey.answered`` takes answers to where they are wanted.
    Raises ``bad_request`` for scores that are no whole numbers from 0 to 10.
    """
    scores = arguments.get("scores")
    if not isinstance(scores, Mapping) or not 0 < len(scores) <= MAX_QUESTIONS:
        raise ServiceError("bad_request", "argument 'scores' must be a mapping: question -> score")
    for question, score in scores.items():
        if not isinstance(score, int) or isinstance(score, bool) or not 0 <= score <= MAX_SCORE:
            raise ServiceError("bad_request", f"the score of {question!r} must be a whole number from 0 to {MAX_SCORE}")
    number = take.text(arguments, "number", take.MAX_NUMBER_CHARS, optional=True)
    comment = take.text(arguments, "comment", MAX_COMMENT_CHARS, optional=True, cut=True)
    return {"survey": {"number": number, "scores": dict(scores), "comment": comment}}
