"""From calls to figures."""

from __future__ import annotations

from agent.rehearsal.caller_measures import Lateness
from agent.rehearsal.result import ScriptedCallResult, TurnResult
from benchmarks.figures import by_kind, kind_of, spread, turns_of


def turn(said: str, *, via: str = "speech", slot: str = "", effects: tuple[str, ...] = (), ms: float | None = 300.0):
    return TurnResult("", said, said, ms, via, slot, effects, {"wait": 250.0, "recognition": 10.0})


def call(*turns: TurnResult) -> ScriptedCallResult:
    return ScriptedCallResult(
        "call", True, (), "answered", "agent", "2025550143", "id", True, 30.0, 20.0, turns, (), (), 1.0, None, None
    )


class TestTheKindOfATurn:
    def test_is_a_look_up_when_the_order_system_was_asked(self) -> None:
        assert kind_of(turn("60614", slot="postcode", effects=("orders.verify",))) == "look-up"

    def test_is_digits_when_a_number_was_asked_for(self) -> None:
        assert kind_of(turn("one oh four seven three", slot="order_number")) == "digits"

    def test_is_yes_or_no_by_what_the_caller_said(self) -> None:
        assert kind_of(turn("no thanks", slot="another")) == "yes/no"

    def test_is_a_request_otherwise(self) -> None:
        assert kind_of(turn("where is my order", slot="request")) == "request or menu"

    def test_is_keypad_whatever_was_asked(self) -> None:
        assert kind_of(turn("10473", via="keypad", effects=("orders.verify",))) == "keypad"


def test_what_the_agent_does_not_account_for_is_the_way_of_the_sound() -> None:
    (one,) = turns_of([call(turn("no thanks"))])
    assert one["spent_ms"] == {"wait": 250.0, "recognition": 10.0, "way": 40.0}


def test_a_turn_without_a_response_counts_for_nothing() -> None:
    assert turns_of([call(turn("no thanks", ms=None))]) == []


def test_all_spoken_turns_are_told_without_the_keyed_ones() -> None:
    turns = turns_of([call(turn("no"), turn("10473", via="keypad", ms=900.0))])
    table = by_kind(turns)
    assert table["spoken"]["max"] == 300.0
    assert table["keypad"]["p50"] == 900.0
    assert "digits" not in table


def test_percentiles_are_by_nearest_rank() -> None:
    found = spread([float(value) for value in range(1, 101)])
    assert (found["p50"], found["p95"], found["p99"], found["max"], found["n"]) == (50.0, 95.0, 99.0, 100.0, 100)
    assert spread([])["p50"] is None


def test_a_call_without_speech_has_no_late_audio() -> None:
    assert call().late == Lateness()
