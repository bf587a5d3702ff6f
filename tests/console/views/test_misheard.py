"""Sentences that nothing took, grouped."""

from __future__ import annotations

from typing import Any

from agent.console.views.misheard import misheard


def record(call_id: str, *answers: tuple[str, str]) -> dict[str, Any]:
    turns = [
        {"agent": "How can I help?", "heard": heard, "result": result, "flow": "main", "step": "greet"}
        for heard, result in answers
    ]
    return {"id": call_id, "started_at": "2026-11-30T12:00:00-05:00", "turns": turns}


def test_the_same_words_stand_together_the_most_frequent_first() -> None:
    view = misheard(
        [
            record("a", ("It's the blue lamp!", "no_match"), ("nope", "understood")),
            record("b", ("its the blue lamp", "no_match"), ("what", "no_match"), ("", "no_input")),
        ]
    )
    assert [(group.sentence, group.times) for group in view.groups] == [("It's the blue lamp!", 2), ("what", 1)]
    assert (view.turns, view.answers, view.silent, view.calls) == (3, 4, 1, 2)
    assert [place.link for place in view.groups[0].places] == ["/calls/a", "/calls/b"]


def test_the_first_places_are_named_and_the_others_are_behind_the_sentence() -> None:
    view = misheard([record(name, ("what", "no_match")) for name in "abcde"])
    group = view.groups[0]
    assert (group.times, [place.link for place in group.places]) == (5, ["/calls/a", "/calls/b", "/calls/c"])
    assert group.places[0].text == "30 Nov 12:00, at some place"


def test_answers_to_secret_questions_are_left_out() -> None:
    one = record("a", ("six oh six one four", "no_match"))
    one["turns"][0]["secret"] = True
    assert misheard([one]).groups == ()
