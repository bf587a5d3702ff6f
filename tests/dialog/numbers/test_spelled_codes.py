"""Codes with letters, heard by the turn's grammar and read once more as letters and digits alone."""

from __future__ import annotations

import pytest

from agent.dialog.numbers import capture
from agent.dialog.numbers.format import NumberFormat
from agent.dialog.numbers.reading import NumberReading
from agent.dialog.numbers.spelled_codes import spelled_code
from agent.dialog.numbers.spelling_distance import nearest_codes, spelling_distance
from agent.languages.en.numbers import NUMBERS

CODE = NumberFormat("AA-99999")
SIX_LETTERS = NumberFormat("AAAAAA")


def beside(text: str, *spelled: str, number_format: NumberFormat = CODE, known: str = "") -> NumberReading | None:
    def read(one: str) -> NumberReading:
        return capture.understand(one, number_format, vocabulary=NUMBERS)

    heard = read(text)
    known_here = frozenset(known.split())
    given = heard if heard.value is not None or heard.partial else None
    return spelled_code(given, text, spelled, read, known_here, number_format, NUMBERS)


def taken(reading: NumberReading | None) -> str:
    return reading.value or "" if reading is not None and not reading.must_confirm else ""


def asked(reading: NumberReading | None) -> str:
    return reading.value or "" if reading is not None and reading.must_confirm else ""


def test_plainly_spelled_letters_are_read_back_even_where_both_readings_agree() -> None:
    assert asked(beside("t k one two three four five", "t k one two three four five")) == "TK-12345"


def test_the_callers_own_code_is_taken_when_it_was_heard_as_it_is() -> None:
    assert taken(beside("t k one two three four five", "p k one two three four five", known="TK-12345")) == "TK-12345"


@pytest.mark.parametrize(
    "said",
    [
        "tango kilo one two three four five",
        "t tango k kilo one two three four five",
        "t as in tango k as in kilo one two three four five",
        "t for tango k for kilo one two three four five",
    ],
)
def test_letters_said_by_the_alphabet_are_taken(said: str) -> None:
    assert taken(beside(said, "p a k a one two three four five")) == "TK-12345"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("p echo one two three four five", "PE-12345"),
        ("tango k one two three four five", "TK-12345"),
        ("zee ay one two three four five", "ZA-12345"),
        ("double t echo one two three four five", ""),
    ],
)
def test_a_plain_letter_needs_its_own_word_of_the_alphabet(said: str, code: str) -> None:
    assert asked(beside(said)) == code
    assert taken(beside(said)) == ""


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("alfa x-ray one two three four five", "AX-12345"),
        ("alpha x ray one two three four five", "AX-12345"),
        ("double tango one two three four five", "TT-12345"),
        ("tango kilo one o two o three", "TK-10203"),
        ("uh t for tango um k like kilo one two three four five", "TK-12345"),
    ],
)
def test_every_letter_with_its_word_is_taken(said: str, code: str) -> None:
    assert taken(beside(said)) == code


def test_one_word_of_the_alphabet_among_letters_was_probably_a_letter() -> None:
    heard = beside("c o n n r echo", "c o n n e r", number_format=SIX_LETTERS)
    assert asked(heard) == "CONNER"


def test_the_reading_as_letters_alone_goes_before_words_among_letters() -> None:
    heard = beside("h o b a part e", "h o b a r t", "h o b a r k", number_format=SIX_LETTERS)
    assert heard is not None
    assert (heard.value, heard.must_confirm, heard.alternatives[:1]) == ("HOBART", True, ("HOBARK",))


def test_a_repeated_letter_counts_as_it_was_said() -> None:
    heard = beside("p double t e r s", "p b l t e r s", "p o b t e r", number_format=SIX_LETTERS)
    assert asked(heard) == "PTTERS"


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("p k one two three four five", "p k one two three four five"),
        ("k one two three four five", "t a one two three four five"),
        ("d as one two three four five", "d j one two three four five"),
    ],
)
def test_the_own_code_that_sounds_like_what_was_heard_is_read_back(text: str, spelled: str) -> None:
    assert asked(beside(text, spelled, known="TK-12345 MF-90210")) == "TK-12345"


def test_an_own_code_with_other_digits_is_not_offered() -> None:
    assert asked(beside("t k one two nine four six", "t k one two nine four six", known="TK-12345")) == "TK-12946"


@pytest.mark.parametrize("text", ["i want to talk to a person", "can you tell me what it is", "no i do not", ""])
def test_a_sentence_is_no_code_whatever_letters_it_sounds_like(text: str) -> None:
    heard = beside(text, "t k one two three four five", known="TK-12345")
    assert heard is None or heard.value is None


def test_letters_that_are_quite_another_string_are_not_borne_out() -> None:
    assert asked(beside("m o one", "t k one two three four five")) == ""
    assert asked(beside("p one two three four five", "t k one two three four five")) == "TK-12345"


def test_letters_of_the_same_sound_cost_less_than_others() -> None:
    def cost(heard: str, meant: str) -> float:
        return spelling_distance(heard, meant, NUMBERS)

    assert cost("TK", "TK") == 0
    assert 0 < cost("PK", "TK") < cost("RK", "TK")
    assert cost("T0", "TO") == 0
    assert cost("T1", "T2") > cost("TA", "TZ")
    assert cost("", "TK") > cost("T", "TK") > 0
    assert cost("RRRR", "TKSM") > spelling_distance("TKSM", "TKSM", NUMBERS, most=1.0)
    assert spelling_distance("RRRR", "TKSM", NUMBERS, most=1.0) == float("inf")


def test_the_nearest_codes_come_first_and_far_ones_not_at_all() -> None:
    near = nearest_codes(["PK12345"], ["RB-99999", "TK-12345", "DJ-12345"], NUMBERS, 0.34)
    assert [one.value for one in near] == ["TK-12345", "DJ-12345"]
    assert 0 < near[0].per_symbol < near[1].per_symbol <= 0.34
    assert nearest_codes([], ["TK-12345"], NUMBERS, 0.34) == ()
