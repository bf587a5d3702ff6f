"""What services can answer in a simulated call where no test of the pack has told an answer yet."""

from __future__ import annotations

from agent.builder.answer_choices import AnswerChoices, KnownAnswers, possible_answer
from agent.dialog.pack.loader import FlowPack
from tests.shipped_pack import shipped_pack


def _choices() -> AnswerChoices:
    pack: FlowPack = shipped_pack()
    return AnswerChoices(pack.contents, KnownAnswers())


def test_the_usual_answer_about_a_return_lets_it_go_on_with_an_item_and_its_price() -> None:
    usual = _choices().of("returns.eligibility")[0]
    assert usual.kind == "result"
    assert usual.result is not None
    eligibility = usual.result["eligibility"]
    assert eligibility["allowed"]
    assert [item["allowed"] for item in eligibility["items"]] == [True]
    assert eligibility["items"][0]["price"] > 0


def test_a_return_that_is_refused_can_be_chosen_with_each_of_its_reasons() -> None:
    results = {one.id: one.result for one in _choices().of("returns.eligibility") if one.kind == "result"}
    refused = {id: result for id, result in results.items() if result and not result["eligibility"]["allowed"]}
    assert {"eligibility.allowed=no", "eligibility.reason=window_over", "eligibility.reason=non_returnable"} <= set(
        refused
    )
    for result in refused.values():
        assert possible_answer("returns.eligibility", result) == result
