"""Number capture against the tables of what callers really say."""

import pytest

from tests.dialog.numbers import spoken_forms
from tests.dialog.numbers.spoken_forms import CORRECTIONS, FORMS, SpokenForm, is_right, is_wrong_without_asking, outcome

EVERYTHING = [*FORMS, *CORRECTIONS]
_WANTED = 0.97


def test_the_table_holds_at_least_four_hundred_different_forms() -> None:
    assert len({(form.said.lower(), form.pattern) for form in FORMS}) >= 400


def test_no_number_that_the_caller_did_not_give_is_taken_without_asking() -> None:
    wrong = [
        f"{form.said!r} ({form.pattern}): {form.expected} expected, {outcome(form.read())}"
        for form in EVERYTHING
        if is_wrong_without_asking(form, form.read())
    ]
    assert wrong == []


@pytest.mark.parametrize("forms", [FORMS, CORRECTIONS], ids=["numbers", "corrections"])
def test_at_least_ninety_seven_of_a_hundred_forms_are_understood_as_meant(forms: list[SpokenForm]) -> None:
    right = sum(is_right(form, form.read()) for form in forms)
    assert right / len(forms) >= _WANTED


def test_every_miss_has_a_reason_and_nothing_else_has_one() -> None:
    assert {form.said for form, _ in spoken_forms.misses(EVERYTHING)} == set(spoken_forms.reasons())
    assert all(spoken_forms.reasons().values())


def test_the_page_shows_the_tables_as_they_are() -> None:
    page = spoken_forms.PAGE.read_text(encoding="utf-8")
    assert spoken_forms.page_with(page, spoken_forms.tables()) == page, (
        "run python -m tests.dialog.numbers.spoken_forms --write"
    )


@pytest.mark.parametrize(
    ("expected", "value", "asks", "right", "silent"),
    [
        ("10473", "10473", False, True, False),
        ("10473", "10474", False, False, True),
        ("10473", "10473", True, False, False),
        ("confirm 10473", "10473", False, False, True),
        ("confirm 10473 or 10474", "10474", True, True, False),
        ("ask", "10473", False, False, True),
        ("ask", "10473", True, True, False),
        ("reject", "10473", True, False, False),
        ("part 104", "10473", False, False, True),
    ],
)
def test_the_yardstick_itself_is_strict(expected: str, value: str, asks: bool, right: bool, silent: bool) -> None:
    form = SpokenForm("t", "c", "99999", "", expected, (), "", "")
    reading = spoken_forms.NumberReading(value, complete=True, must_confirm=asks)
    assert (is_right(form, reading), is_wrong_without_asking(form, reading)) == (right, silent)
