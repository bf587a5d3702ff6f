from __future__ import annotations

from typing import Any

import pytest

from agent.builder.answer_choices import AnswerChoices, KnownAnswers
from agent.builder.recorded_call import NotPlayable, RecordedCall, play_record
from agent.builder.saved_test import saved_test_yaml
from agent.dialog.templating.rendering import SandboxRenderer
from agent.dialog.tools.text_call_model import text_calls_of
from agent.dialog.tools.text_call_runner import play
from agent.shop.answers import complete_answer
from agent.speech.wording import filters
from tests.builder.fruit_pack import TESTS
from tests.builder.test_simulation import fruit_pack
from tests.shipped_pack import RENDER, shipped_pack, shipped_text_calls

NUMBER = "ten four seventy three"


def fruit_record(**more: Any) -> dict[str, Any]:
    turns = [
        {"agent": "What would you like", "heard": "i want fruit", "slot": "what", "confidence": 0.95},
        {"agent": "Which fruit", "heard": "a pear", "slot": "fruit", "confidence": 0.85},
    ]
    effects = [{"name": "shop.buy", "code": "sold_out"}]
    trail = [{"flow": "main", "step": "1"}, {"flow": "buy", "step": "1"}, {"flow": "buy", "step": "buying"},
             {"flow": "buy", "step": "gone"}]  # fmt: skip
    return {
        "turns": turns,
        "effects": effects,
        "trail": trail,
        "caller": {"number": "+447700900123"},
        "started_at": "2026-11-20T09:00:00-05:00",
        **more,
    }


def played(record: dict[str, Any]) -> RecordedCall:
    pack = fruit_pack()
    known = KnownAnswers.of(text_calls_of("fruit.yaml", TESTS)[0])
    return play_record(record, pack, AnswerChoices(pack.contents, known), SandboxRenderer(filters))


def test_a_record_is_played_with_the_answers_its_services_gave() -> None:
    found = played(fruit_record())
    effects = [effect.choice for exchange in found.call.exchanges for effect in exchange.effects]
    assert effects == ["sold_out"]
    assert len(found.notes) == 2
    assert found.call.inputs[1].confidence == 0.85, "what was heard badly stays so"


def test_a_result_is_found_by_the_way_the_call_went_afterwards() -> None:
    trail = [*fruit_record()["trail"][:3], {"flow": "buy", "step": "3"}]
    found = played(fruit_record(effects=[{"name": "shop.buy", "code": "ok"}], trail=trail))
    assert [effect.choice for exchange in found.call.exchanges for effect in exchange.effects] == ["one_apple"]


def test_the_callers_number_is_not_in_the_test() -> None:
    found = played(fruit_record())
    text = saved_test_yaml("a call", found.call.setup, found.call.exchanges)
    assert "7700900123" not in text
    assert '"2025550143"' in text or "'2025550143'" in text


def test_a_call_that_goes_another_way_by_now_says_from_where_on() -> None:
    trail = [*fruit_record()["trail"][:3], {"flow": "buy", "step": "refunded"}]
    assert any("buy.refunded" in note for note in played(fruit_record(trail=trail)).notes)


def test_no_test_is_made_of_a_call_that_was_placed() -> None:
    with pytest.raises(NotPlayable):
        played(fruit_record(direction="outbound"))


@pytest.mark.slow
def test_a_call_with_numbers_becomes_a_test_that_passes_and_holds_none_of_them() -> None:
    turns = [
        {"heard": "where is my order", "slot": "wish", "confidence": 1.0},
        {"heard": f"it's {NUMBER}", "slot": "order_number", "confidence": 1.0},
        {"heard": "[postcode]", "slot": "postcode", "confidence": 1.0, "secret": True},
    ]
    effects = [{"name": "orders.verify", "code": "ok"}]
    record = fruit_record(turns=turns, effects=effects, trail=[])
    pack = shipped_pack()
    choices = AnswerChoices(pack.contents, KnownAnswers.of(shipped_text_calls()))
    found = play_record(record, pack, choices, RENDER)
    text = saved_test_yaml("a real call", found.call.setup, found.call.exchanges)
    assert NUMBER not in text
    assert "10473" not in "".join(str(turn.to_json()) for turn in found.call.inputs)
    assert "orders.verify" in text
    (located,) = text_calls_of("saved.yaml", f"calls:\n{text}")[0]
    assert play(pack, located, RENDER, check_answer=complete_answer).problems == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("heard", "results", "kept"),
    [
        (("one oh", "four seven", "three"), ("partial", "partial", "understood"), ()),  # told in several breaths
        (("one oh four", "seven three"), ("no_match", "no_match"), ()),
        (("its the one for the blue lamp",), ("no_match",), ("its the one for the blue lamp",)),  # no number
        (("i don't have one",), ("understood",), ("i don't have one",)),
    ],
)
def test_parts_of_a_number_are_made_up_as_well(
    heard: tuple[str, ...], results: tuple[str, ...], kept: tuple[str, ...]
) -> None:
    more = {"slot": "order_number", "understood": "order_number=1", "confidence": 1.0}
    told = ({"heard": text, "result": result, **more} for text, result in zip(heard, results, strict=True))
    turns = [{"heard": "where is my order", "slot": "request"}, *told]
    pack = shipped_pack()
    choices = AnswerChoices(pack.contents, KnownAnswers.of(shipped_text_calls()))
    made = play_record(fruit_record(turns=turns, effects=[], trail=[]), pack, choices, RENDER).call.inputs
    said = [turn.say for turn in made if turn.say][1:]
    assert len(said) == len(heard)
    assert tuple(text for text in said if text in heard) == kept
    parts = [(text, other) for text, other in zip(heard, said, strict=True) if text not in kept]
    assert [len(other.split()) for _, other in parts] == [len(text.split()) for text, _ in parts], "as many digits"


def test_keys_of_a_number_are_others_and_those_of_a_choice_stay() -> None:
    turns = [{"heard": "i want fruit", "slot": "what"}, {"heard": "1", "slot": "fruit", "via": "keypad"}]
    assert played(fruit_record(turns=turns, effects=[], trail=[])).call.inputs[1].keys == "1"


@pytest.mark.parametrize("turn", [{"heard": "..."}, {"heard": "i want fruit", "confidence": -3}])
def test_what_no_caller_can_say_again_stops_nothing(turn: dict[str, Any]) -> None:
    first = {"agent": "What would you like", "slot": "what", **turn}
    assert played(fruit_record(turns=[first], effects=[], trail=[])).call.exchanges


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keyed", "result", "kept"),
    [("1", "understood", True), ("0", "understood", True), ("47", "partial", False), ("12*345", "no_match", False)],
)
def test_a_key_that_says_yes_or_asks_for_a_person_stays_and_a_part_of_a_number_does_not(
    keyed: str, result: str, *, kept: bool
) -> None:
    turn = {"heard": keyed, "via": "keypad", "slot": "order_number", "understood": "order_number=10473"}
    turns = [{"heard": "where is my order", "slot": "request"}, {**turn, "result": result}]
    pack = shipped_pack()
    choices = AnswerChoices(pack.contents, KnownAnswers.of(shipped_text_calls()))
    made = play_record(fruit_record(turns=turns, effects=[], trail=[]), pack, choices, RENDER).call.inputs
    assert (made[1].keys == keyed) is kept
    assert [one in "*#" for one in made[1].keys or ""] == [one in "*#" for one in keyed]


def test_what_was_told_to_a_secret_slot_that_is_gone_stands_as_other_words() -> None:
    turn = {"agent": "And your name?", "heard": "my mother's name is johnson", "slot": "gone", "secret": True}
    found = played(fruit_record(turns=[turn], effects=[], trail=[]))
    assert "johnson" not in str(found.call.inputs[0].to_json())
