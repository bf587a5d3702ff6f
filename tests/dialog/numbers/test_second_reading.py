"""A number heard by the turn's grammar, beside the same sound read as single digits and letters."""

from __future__ import annotations

import pytest

from agent.dialog.numbers import capture
from agent.dialog.numbers.format import NumberFormat
from agent.dialog.numbers.reading import NumberReading
from agent.dialog.numbers.second_reading import second_reading
from agent.dialog.numbers.words import symbol_words_for
from agent.languages.en.numbers import NUMBERS

FIVE = NumberFormat("99999")
CODE = NumberFormat("AA-99999")


def read(text: str, number_format: NumberFormat) -> NumberReading:
    return capture.understand(text, number_format, vocabulary=NUMBERS)


def beside(text: str, *spelled: str, number_format: NumberFormat = FIVE, known: str = "") -> NumberReading | None:
    heard = read(text, number_format)
    return second_reading(
        heard if heard.value is not None or heard.partial else None,
        text,
        spelled,
        lambda one: read(one, number_format),
        frozenset(known.split()),
        NUMBERS,
    )


def asked(reading: NumberReading | None) -> str:
    """Return the number that is asked about, "" where nothing is."""
    return reading.value or "" if reading is not None and reading.must_confirm else ""


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("what is five oh four four", "one five oh four four"),
        ("to six eight four four", "two six eight four four"),
        ("one five two seven", "one five two one seven"),
    ],
)
def test_words_or_a_gap_among_digits_are_put_right_and_asked_about(text: str, spelled: str) -> None:
    value = FIVE.normalise("".join("0" if word == "oh" else str(NUMBERS.digits[word]) for word in spelled.split()))
    assert asked(beside(text, spelled)) == value


def test_the_first_reading_of_the_right_length_counts() -> None:
    assert asked(beside("want for two one seven", "four two one seven", "one four two one seven")) == "14217"


def test_a_number_that_fails_its_check_digit_is_passed_over() -> None:
    luhn = NumberFormat("99999", "luhn")
    spelled = ("one seven eight nine four", "one seven eight nine seven")
    assert luhn.passes_check("17897")
    assert not luhn.passes_check("17894")
    assert asked(beside("want seven eight nine", *spelled, number_format=luhn)) == "17897"


def test_the_callers_own_number_comes_first_among_the_readings() -> None:
    spelled = ("nine five two one seven", "one five two one seven")
    assert asked(beside("want five two one seven", *spelled)) == "95217"
    assert asked(beside("want five two one seven", *spelled, known="15217")) == "15217"


@pytest.mark.parametrize(
    "text",
    [
        "i want to speak to somebody about one of the two things",
        "well one or two of them i think",
        "is there any one here at all",
        "",
    ],
)
def test_speech_that_is_no_number_is_none_whatever_digits_it_sounds_like(text: str) -> None:
    assert asked(beside(text, "nine one two eight two", "one two nine one two")) == ""


def test_half_a_number_that_both_heard_stays_half_a_number() -> None:
    reading = beside("one five oh", "one five zero", "one five oh oh oh")
    assert reading is not None
    assert (reading.value, reading.partial) == (None, "150")


def test_a_number_both_heard_is_taken() -> None:
    reading = beside("one five two one seven", "one five two one seven", "one five two seven")
    assert reading is not None
    assert (reading.value, reading.must_confirm) == ("15217", False)


def test_two_readings_of_the_same_length_that_differ_are_asked_about() -> None:
    reading = beside("one five two one seven", "one nine two one seven", "one five two one seven")
    assert reading is not None
    assert (reading.value, reading.must_confirm, reading.alternatives) == ("15217", True, ("19217",))
    assert asked(beside("um one five two one seven please", "one nine two one seven")) == "15217"


def test_the_callers_own_number_is_taken_whatever_else_it_sounds_like() -> None:
    assert asked(beside("one five two one seven", "one nine two one seven", known="15217")) == ""


def test_numbers_said_in_groups_are_not_compared_with_single_digits() -> None:
    reading = beside("ten four seventy three", "nine four seven eight three")
    assert reading is not None
    assert (reading.value, reading.must_confirm) == ("10473", False)


def test_the_symbols_of_a_format_are_its_digits_and_letters_alone() -> None:
    assert set(symbol_words_for(FIVE, NUMBERS)) == {*NUMBERS.saying.units, "oh"}
    code = set(symbol_words_for(CODE, NUMBERS))
    assert {"a", "z", "oh", "seven"} <= code
    assert code.isdisjoint({"bravo", "ten", "seventy", "double", "hundred", "as", "in", "dash"})
    assert "seven" not in symbol_words_for(NumberFormat("AAA"), NUMBERS)
