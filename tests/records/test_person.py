"""A person is found in every way in which a phone number or an order number is written or spoken, and in no other."""

from __future__ import annotations

import pytest

from agent.records.person import NoPerson, caller, of_order

NUMBER = "+12025550143"


@pytest.mark.parametrize(
    "text",
    [
        "+12025550143",
        "12025550143",
        "0012025550143",
        "2025550143",
        "(202) 555-0143",
        "+1 202 555 0143",
        "call 202.555.0143 back",
        "02025550143",
    ],
)
def test_a_phone_number_is_found_however_it_is_written(text: str) -> None:
    for given in (NUMBER, "202 555 0143", "(202) 555-0143"):
        assert caller(given, "US").in_text(text), given


@pytest.mark.parametrize("text", ["12025550144", "20255501431", "92025550143", "order 5550143", "no number", ""])
def test_another_number_is_not(text: str) -> None:
    assert not caller(NUMBER, "US").in_text(text)


def test_a_national_number_of_another_country_is_found_in_its_international_form() -> None:
    person = caller("0151 15550123", "DE")
    assert person.in_text("+4915115550123")
    assert person.in_text("0151 15550123")
    assert person.is_number("004915115550123")


def test_a_number_that_was_said_is_found() -> None:
    assert caller(NUMBER, "US").in_speech("two oh two five five five oh one four three")
    assert not caller(NUMBER, "US").in_speech("two oh two five five five oh one four four")


def test_an_extension_is_found_as_the_caller_alone() -> None:
    person = caller("6001", "US")
    assert person.is_number("6001")
    assert person.in_data({"caller": {"number": "6001"}})
    assert not person.in_data({"turns": [{"heard": "6001"}]}), "that may be an order"


@pytest.mark.parametrize("text", ["10473", "order 10473.", "10 473", "10-473"])
def test_an_order_number_is_found_in_digits(text: str) -> None:
    assert of_order("10473").in_text(text)


@pytest.mark.parametrize("text", ["110473", "104731", "a10473", "10474"])
def test_another_order_is_not(text: str) -> None:
    assert not of_order("10473").in_text(text)


def test_an_order_that_was_said_is_found() -> None:
    person = of_order("10473")
    assert person.in_data({"turns": [{"heard": "one oh four seven three"}]})
    assert person.in_data({"turns": [{"heard": "ten four seventy three"}]})
    assert not person.in_data({"turns": [{"heard": "one oh four seven four"}]})


def test_letters_of_an_order_count_whatever_their_case() -> None:
    person = of_order("ab-10473")
    assert person.in_data({"slots": {"order_number": "AB-10473"}})
    assert person.in_text("order ab10473")


def test_a_short_order_number_is_looked_for_in_its_own_field_alone() -> None:
    person = of_order("17")
    assert person.in_data({"slots": {"order_number": "17"}})
    assert not person.in_data({"turns": [{"agent": "It costs 17 dollars."}]})


def test_ids_and_times_of_ours_are_no_numbers_of_people() -> None:
    person = of_order("10473")
    assert not person.in_data({"id": "1764500000.10473", "started_at": "2026-11-30T10:00:00.473", "turns": []})


@pytest.mark.parametrize("text", ["", "nobody", "+"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(NoPerson):
        caller(text, "US")
    if not text.isalpha():
        with pytest.raises(NoPerson):
            of_order(text)


def test_a_report_does_not_say_the_number() -> None:
    assert caller(NUMBER, "US").shown == "the number ending 43"
