"""The sound is silent where the words are not kept: the answer as a whole, and what the agent reads back."""

from __future__ import annotations

from typing import Any

from agent.records.redaction import redact_record


def record(*turns: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "1.1",
        "turns": [{"agent": "", "heard": "", "slot": "", **turn} for turn in turns],
        "slots": {"postcode": "97201"},
        "sound": {"name": "0" * 32, "parts": [], "staff": False, "silent": []},
    }


def silent(*turns: dict[str, Any]) -> list[tuple[float, float | None, str]]:
    spans = redact_record(record(*turns))["sound"]["silent"]
    return [(span["from_seconds"], span["until_seconds"], span["side"]) for span in spans]


ASK = {"at_seconds": 4.0, "audible_at_seconds": 4.2, "agent": "What is your postcode?", "slot": "postcode"}
THANKS = {"at_seconds": 9.0, "audible_at_seconds": 9.1, "agent": "Thank you."}


def test_the_answer_to_a_secret_question_is_silent_from_the_question_to_a_second_after_the_next_words() -> None:
    assert silent({**ASK, "heard": "nine seven two oh one"}, THANKS) == [(4.2, 10.1, "caller")]


def test_an_answer_that_was_not_understood_is_silent_as_well() -> None:
    for heard in ("", "[unk]", "and seven"):
        assert silent({**ASK, "heard": heard}, THANKS) == [(4.2, 10.1, "caller")]


def test_the_answer_to_the_last_question_is_silent_to_the_end() -> None:
    assert silent({**ASK, "heard": "nine seven"}) == [(4.2, None, "caller")]


def test_a_slot_that_the_pack_keeps_out_of_summaries_is_silent() -> None:
    assert silent({**ASK, "slot": "pin", "secret": True, "heard": "blue"}, THANKS) == [(4.2, 10.1, "caller")]


def test_a_card_number_said_where_nobody_asked_for_it_is_silent() -> None:
    said = {
        "at_seconds": 1.0,
        "agent": "Hello.",
        "heard": "four one one one one one one one one one one one one one one one",
    }
    assert silent(said, THANKS) == [(1.0, 10.1, "caller")]


def test_parts_of_a_card_number_are_silent_in_every_turn() -> None:
    parts = [
        {"at_seconds": float(at), "agent": "Yes?", "heard": heard}
        for at, heard in enumerate(["4111 1111", "1111 1111"])
    ]
    assert silent(*parts, THANKS) == [(0.0, 2.0, "caller"), (1.0, 10.1, "caller")]


def test_what_the_agent_reads_back_is_silent_on_both_sides() -> None:
    back = {"at_seconds": 9.0, "audible_at_seconds": 9.1, "agent": "Nine seven two oh one, right?", "heard": "yes"}
    following = {"at_seconds": 14.0, "agent": "Thank you."}
    assert silent(back, following) == [(9.1, 14.0, "both")]


def test_other_words_stay() -> None:
    assert silent({"at_seconds": 0.0, "agent": "How can I help?", "heard": "where is my order"}, THANKS) == []


def test_a_record_that_is_redacted_twice_keeps_its_spans() -> None:
    once = redact_record(record({**ASK, "heard": "nine seven two oh one"}, THANKS))
    assert once["sound"]["silent"][0] in redact_record(once)["sound"]["silent"]


def test_the_name_of_a_recording_is_not_taken_for_a_card_number() -> None:
    name = "4111111111111111" * 2
    assert redact_record({**record(), "sound": {"name": name}})["sound"]["name"] == name
