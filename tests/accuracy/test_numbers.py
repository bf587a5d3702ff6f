"""Made-up numbers are different, repeatable, and every way of saying one means that number."""

from __future__ import annotations

import pytest

from agent.accuracy import numbers
from agent.accuracy.trial_types import SpokenAnswer
from agent.dialog.numbers.capture import understand
from agent.dialog.numbers.format import NumberFormat, symbols_of
from agent.languages.en.numbers import NUMBERS

FIVE = NumberFormat("99999")


def means(words: str, number_format: NumberFormat = FIVE) -> set[str]:
    reading = understand(words.replace(",", ""), number_format, vocabulary=NUMBERS)
    return {value for value in (reading.value, *reading.alternatives) if value is not None}


def test_the_same_seed_draws_the_same_different_numbers() -> None:
    drawn = numbers.order_numbers(50, "joe")
    assert drawn == numbers.order_numbers(50, "joe")
    assert drawn != numbers.order_numbers(50, "hibari")
    assert len(set(drawn)) == 50


@pytest.mark.parametrize("value", numbers.order_numbers(40, "test"))
def test_both_sayings_mean_the_number_and_so_does_the_repetition(value: str) -> None:
    for answer in (numbers.digit_by_digit(value, "test"), numbers.in_other_ways(value, "test")):
        assert value in means(answer.first), answer
        assert means(answer.again) == {value}


def test_the_other_ways_are_other_ways() -> None:
    plain = {"zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}
    said = [numbers.in_other_ways(value, "test").first for value in numbers.order_numbers(40, "test")]
    assert sum(bool(set(words.split()) - plain) for words in said) >= 38


def test_telephone_numbers_are_of_the_range_for_fiction() -> None:
    assert all("-555-01" in phone for phone in numbers.phones(30, "test"))


def test_letters_are_spelt_plainly_or_by_the_alphabet() -> None:
    assert numbers.spelt("AB-10473", by_alphabet=False) == SpokenAnswer(
        "AB-10473", "a, b, one zero four seven three", "alpha bravo one zero four seven three"
    )
    assert symbols_of("AB-10473") == "AB10473"
    code = NumberFormat("AA-99999")
    for value in numbers.codes(20, "test"):
        assert value in means(numbers.spelt(value, by_alphabet=True).first, code)


def test_made_up_codes_have_the_shape_of_the_one_they_stand_beside() -> None:
    made = numbers.of_same_shape("AB-123", 20)
    assert made == numbers.of_same_shape("AB-123", 20)
    assert all(NumberFormat("AA999").normalise(code) == code for code in made)
    assert len(set(made)) > 1
