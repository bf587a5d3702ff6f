import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialog.errors import TemplateError
from agent.dialog.grammar.templates import Expander

EXPANDER = Expander(
    {"parcel": ["order", "(parcel | package)"], "round": ["<round> and round"]},
    {"reason": {"size": ["wrong size", "too (big | small)"], "mind": ["changed my mind"]}},
    ("number",),
)


def texts(template: str) -> list[str]:
    return [phrase.text for phrase in EXPANDER.expand(template)]


def test_alternatives_options_and_rules_are_multiplied_out() -> None:
    assert texts("Where is my <parcel> [please]") == [
        "where is my order please", "where is my order", "where is my parcel please", "where is my parcel",
        "where is my package please", "where is my package",
    ]  # fmt: skip


def test_a_number_slot_stays_a_place_and_a_list_slot_names_its_value() -> None:
    phrases = EXPANDER.expand("return {number} [it's] {reason}")
    assert {phrase.values for phrase in phrases} == {(("reason", "size"),), (("reason", "mind"),)}
    assert all(phrase.number_slots == ("number",) for phrase in phrases)
    assert "return {number} it's too big" in {phrase.text for phrase in phrases}


def test_parts_in_any_order() -> None:
    assert texts("(red; blue) hat") == ["red blue hat", "blue red hat"]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("(a|b", "cannot be read"),
        ("", "cannot be read"),
        ("[a]", None),
        ("<parsel>", "did you mean 'parcel'"),
        ("{numbr}", "did you mean 'number'"),
        ("<round>", "in a circle"),
        ("(a;b;c;d;e;f)", "more than five"),
    ],
)
def test_a_broken_template_says_what_is_wrong(template: str, message: str | None) -> None:
    if message is None:
        assert texts(template) == ["a"]
        return
    with pytest.raises(TemplateError, match=message):
        EXPANDER.expand(template)


def test_growth_is_bounded_before_anything_is_expanded() -> None:
    with pytest.raises(TemplateError, match="more than 400"):
        EXPANDER.expand("(a|b|c|d|e|f|g|h|i|j)" * 12)


@given(st.text("ab ()[]|<>{};:", max_size=40))
def test_no_template_text_fails_in_another_way(template: str) -> None:
    try:
        phrases = EXPANDER.expand(template)
    except TemplateError:
        return
    assert phrases
