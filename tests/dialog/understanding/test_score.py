"""What is done about candidates: acted, asked, offered, asked again, brought to a person."""

import pytest

from agent.dialog.model.understanding import Thresholds
from agent.dialog.understanding.score import decide

AT = Thresholds(act=0.7, confirm=0.35, choose=0.12)


@pytest.mark.parametrize(
    ("candidates", "decision", "meaning"),
    [
        ([], "again", ""),
        ([("returns", 0.7), ("money_back", 0.2)], "act", "returns"),
        ([("returns", 0.69)], "confirm", "returns"),
        ([("returns", 0.13)], "confirm", "returns"),
        ([("returns", 0.11)], "again", "returns"),
        ([("returns", 0.6), ("money_back", 0.1)], "confirm", "returns"),
        ([("returns", 0.6), ("money_back", 0.19)], "confirm", "returns"),
        ([("returns", 0.5), ("money_back", 0.3)], "choose", "returns"),
        ([("returns", 0.2), ("money_back", 0.15)], "choose", "returns"),
        ([("not_for_us:jobs", 0.8), ("returns", 0.1)], "person", "not_for_us:jobs"),
        ([("not_for_us:jobs", 0.5), ("returns", 0.4)], "again", "not_for_us:jobs"),
        ([("not_for_us:jobs", 0.2), ("returns", 0.18)], "confirm", "returns"),
        ([("command:agent", 0.4), ("complaint", 0.3)], "act", "command:agent"),
        ([("topic:hours", 0.9)], "act", "topic:hours"),
    ],
)
def test_the_score_decides_what_is_done(candidates: list[tuple[str, float]], decision: str, meaning: str) -> None:
    judged = decide(candidates, AT)
    assert (judged.decision, judged.meaning) == (decision, meaning)


def test_what_the_caller_has_said_no_to_is_not_offered_again() -> None:
    judged = decide([("returns", 0.9), ("money_back", 0.5)], AT, denied=["returns"])
    assert (judged.decision, judged.meaning) == ("confirm", "money_back")


def test_a_choice_has_its_two_requests_in_front() -> None:
    judged = decide([("not_for_us:jobs", 0.3), ("returns", 0.29), ("money_back", 0.2)], AT)
    assert judged.decision == "choose"
    assert [meaning for meaning, _ in judged.candidates[:2]] == ["returns", "money_back"]
