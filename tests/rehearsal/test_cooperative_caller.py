from __future__ import annotations

import pytest

from agent.rehearsal.cooperative_caller import reaction


@pytest.mark.parametrize(
    ("text", "said", "answer"),
    [
        ("I heard nine two one, zero three for the postcode. Is that right?", "nine two one zero three", "yes"),
        ("I heard nine zero one, zero three for the postcode. Is that right?", "nine two one zero three", "no"),
        ("I heard one zero four, seven three. Is that right?", "ten four seventy three", "yes"),
        ("I heard one zero four, seven three. Is that right?", "10473", "yes"),
        ("I heard M F, two zero eight, four one. Is that right?", "mike foxtrot two oh eight four one", "yes"),
        ("I heard N F, two zero eight, four one. Is that right?", "mike foxtrot two oh eight four one", "no"),
    ],
)
def test_a_number_read_back_is_confirmed_when_it_is_the_one_that_was_said(text: str, said: str, answer: str) -> None:
    assert reaction(["order_number.confirm_prompt"], text, said) == answer


def test_a_request_read_back_is_confirmed() -> None:
    assert reaction(["confirm_request"], "You want to know where the order is. Is that right?", "my parcel") == "yes"


@pytest.mark.parametrize("prompt", ["nomatch_1", "postcode.nomatch.2", "order_number.noinput.1", "go_on", "not_that"])
def test_what_was_not_understood_is_said_again(prompt: str) -> None:
    assert reaction([prompt], "Sorry, I didn't get that.", "one zero four") == "again"


def test_an_ordinary_answer_needs_no_reaction() -> None:
    assert reaction(["status.in_transit", "another.prompt"], "It comes tomorrow. Anything else?", "10473") == ""


@pytest.mark.parametrize(
    ("read", "answer"), [("one zero four, seven three", "yes"), ("one zero four, three seven", "no")]
)
def test_a_number_read_back_with_a_request_is_compared(read: str, answer: str) -> None:
    text = f"Order {read}. Would you like to know where the order is?"
    assert reaction(["confirm_numbered_request"], text, "where is order one oh four seven three") == answer
