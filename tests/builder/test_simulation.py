from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.builder.answer_choices import AnswerChoices, KnownAnswers, choices_at, sample_answer
from agent.builder.checking import CheckRules, check_files
from agent.builder.saved_test import saved_test_yaml
from agent.builder.simulation import SimulatedCall, SimulationError
from agent.builder.simulation_input import CallerTurn, CallSetup
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from agent.dialog.tools.text_call_model import text_calls_of
from agent.dialog.tools.text_call_runner import play
from agent.shop.answers import ANSWERS, complete_answer
from agent.speech.wording import filters
from tests.builder.fruit_pack import TESTS, edited, fruit_files

RENDER = SandboxRenderer(filters)


def fruit_pack() -> FlowPack:
    pack = check_files(fruit_files(), CheckRules()).pack
    assert pack is not None
    return pack


def begun(**setup: object) -> SimulatedCall:
    pack = fruit_pack()
    known = KnownAnswers.of(text_calls_of("fruit.yaml", TESTS)[0])
    return SimulatedCall(pack, CallSetup.model_validate(setup), AnswerChoices(pack.contents, known), RENDER)


def take(call: SimulatedCall, **turn: object) -> dict[str, Any]:
    return call.take(CallerTurn.model_validate(turn)).to_json()


def test_a_call_stops_at_a_service_and_goes_the_way_of_the_answer_that_is_chosen() -> None:
    call = begun()
    take(call, say="I want fruit!")
    waiting = take(call, say="an apple")
    assert waiting["pending"]["service"] == "shop.buy"
    assert waiting["pending"]["arguments"] == {"name": "apple"}
    ids = [choice["id"] for choice in waiting["pending"]["choices"]]
    assert ids == ["one_apple", "sold_out", "unavailable", "slow"]
    gone = take(call, answer="sold_out")
    assert next(one["text"] for one in gone["said"]) == "We have none left."
    ways = [(one["step"], one["way"]) for one in gone["trail"]]
    assert ("buying", "failed.sold_out") in ways
    assert ("gone", "next") in ways or any(step == "gone" for step, _ in ways)


def test_a_service_whose_outcome_is_set_beforehand_does_not_stop_the_call() -> None:
    call = begun(outcomes={"shop.buy": "one_apple"})
    take(call, say="i want fruit")
    done = take(call, say="an apple")
    assert done["pending"] is None
    assert [(one["service"], one["choice"]) for one in done["effects"]] == [("shop.buy", "one_apple")]
    assert done["variables"]["basket"] == "apple"


def test_a_slow_service_is_bridged_with_the_packs_own_words() -> None:
    call = begun(outcomes={"shop.buy": "slow"})
    take(call, say="i want fruit")
    done = take(call, say="an apple")
    assert [one["text"] for one in done["said"]][:2] == ["One moment.", "There you are."]


def test_a_turn_taken_back_may_be_taken_otherwise() -> None:
    call = begun()
    take(call, say="i want fruit")
    take(call, say="an apple")
    take(call, answer="sold_out")
    call.back(2)
    assert call.last.to_json()["listening"] == "fruit"
    assert take(call, say="a pear")["slots"]["fruit"] == "pear"


@pytest.mark.parametrize(
    ("turns", "refused"),
    [
        ([], {"answer": "one_apple"}),
        ([{"say": "i want fruit"}, {"say": "an apple"}], {"say": "hello"}),
        ([{"say": "i want fruit"}, {"say": "an apple"}], {"answer": "two_apples"}),
        ([{"hangup": True}], {"say": "hello"}),
    ],
)
def test_what_the_call_does_not_wait_for_changes_nothing(
    turns: list[dict[str, object]], refused: dict[str, object]
) -> None:
    call = begun()
    for turn in turns:
        take(call, **turn)
    before = call.last.to_json()
    with pytest.raises(SimulationError):
        take(call, **refused)
    assert call.last.to_json() == before
    assert len(call.inputs) == len(turns)


def test_there_is_nothing_before_the_greeting() -> None:
    with pytest.raises(SimulationError):
        begun().back(1)


def test_an_unknown_way_in_is_refused() -> None:
    with pytest.raises(SimulationError, match="no entry"):
        begun(entry="queue_failed")


TURNS = st.sampled_from(
    [
        {"say": "i want fruit"}, {"say": "an apple"}, {"say": "what"}, {"say": "start over"}, {"say": "cancel"},
        {"silence": 5}, {"keys": "0"}, {"answer": "one_apple"}, {"answer": "sold_out"}, {"answer": "slow"},
        {"failed": "unavailable"}, {"hangup": True},
    ]
)  # fmt: skip


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(TURNS, max_size=8), st.integers(min_value=1, max_value=8))
def test_turns_taken_back_and_taken_again_give_the_same_call(turns: list[dict[str, object]], back: int) -> None:
    call = begun()
    for turn in turns:
        try:
            take(call, **turn)
        except SimulationError:
            continue
    taken, states = call.inputs, [exchange.to_json() for exchange in call.exchanges]
    if not taken:
        return
    count = min(back, len(taken))
    call.back(count)
    assert [exchange.to_json() for exchange in call.exchanges] == states[:-count]
    for given_turn in taken[-count:]:
        call.take(given_turn)
    assert [exchange.to_json() for exchange in call.exchanges] == states


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(TURNS, max_size=8))
def test_every_simulated_call_passes_as_the_test_it_is_written_as(turns: list[dict[str, object]]) -> None:
    call = begun()
    for turn in turns:
        try:
            take(call, **turn)
        except SimulationError:
            continue
    if call.last.to_json()["pending"]:
        take(call, answer="one_apple")
    text = "calls:\n" + saved_test_yaml("as simulated: 'no'", call.setup, call.exchanges)
    calls, findings = text_calls_of("saved.yaml", text)
    assert not findings
    (located,) = calls
    assert located.script.call == "as simulated: 'no'"
    assert play(call.pack, located, RENDER).problems == ()


def test_a_written_test_fails_when_the_procedure_goes_another_way() -> None:
    call = begun()
    take(call, say="i want fruit")
    take(call, say="an apple")
    take(call, answer="sold_out")
    text = "calls:\n" + saved_test_yaml("sold out", call.setup, call.exchanges)
    (located,) = text_calls_of("saved.yaml", text)[0]
    other = check_files(
        edited(fruit_files(), "say: We have none left.\n        next: end", "handover: sold_out"), CheckRules()
    ).pack
    assert other is not None
    assert play(other, located, RENDER).problems


def test_the_least_answer_of_every_shop_service_is_one_it_can_give() -> None:
    for service in ANSWERS:
        complete_answer(service, sample_answer(service))


def test_the_states_of_a_result_come_from_what_the_shop_can_say() -> None:
    assert "delivered" in choices_at("orders.find", "order.status")
    assert choices_at("orders.find", "order.colour") == ()
    assert choices_at("shop.buy", "basket") == ()
