"""One way to compare telephone numbers, whoever wrote or keyed them."""

from __future__ import annotations

import pytest

from agent.common.phone_numbers import e164, is_keyed, keyed_forms, same_phone

US_FORMS = ["+12025550143", "12025550143", "2025550143", "0012025550143", "01112025550143", "(202) 555-0143"]
UK_FORMS = ["+447700900123", "447700900123", "07700900123", "00447700900123", "07700 900123", "+44 (0)7700 900123"]


@pytest.mark.parametrize(("forms", "region"), [(US_FORMS, "US"), (UK_FORMS, "GB")])
def test_every_form_of_a_number_is_the_same_number(forms: list[str], region: str) -> None:
    assert {e164(form, region) for form in forms} == {forms[0]}
    for one in forms:
        for other in forms:
            assert same_phone(one, other, region), (one, other)
            assert is_keyed(one, other, region), (one, other)


def test_another_number_is_another_number() -> None:
    assert not same_phone("2025550143", "2025550144")
    assert not is_keyed("2025550144", "+12025550143")
    assert not is_keyed("0143", "+12025550143")
    assert not is_keyed("", "+12025550143")
    assert not is_keyed("2025550143", "")
    assert not same_phone("", "")


def test_an_extension_is_keyed_as_it_is() -> None:
    assert keyed_forms("601") == ("601",)
    assert is_keyed("601", "601")
    assert not is_keyed("1", "601")


def test_what_has_no_digits_cannot_be_keyed() -> None:
    assert keyed_forms("anonymous") == ()
    assert keyed_forms("") == ()


def test_the_forms_for_a_key_pad_are_digits_alone() -> None:
    assert keyed_forms("+12025550143") == ("12025550143", "2025550143", "0012025550143")
    assert set(keyed_forms("+447700900123", "GB")) == {
        "447700900123", "07700900123", "7700900123", "00447700900123",
    }  # fmt: skip
