"""Splitting prompts into sentences and clauses."""

import pytest

from agent.speech.sentence_splitter import pause_after, split_for_speech


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Thank you. Your order is on its way!", ["Thank you.", "Your order is on its way!"]),
        ("Is that right? Yes or no.", ["Is that right?", "Yes or no."]),
        ("Dr. Smith and J. Doe live here. Really.", ["Dr. Smith and J. Doe live here.", "Really."]),
        ("It is 4.5 kilos, e.g. a book.", ["It is 4.5 kilos, e.g. a book."]),
        ("  Just   this \n one ", ["Just this one"]),
        ('She said "Wait." Then she left.', ['She said "Wait."', "Then she left."]),
        ("", []),
        (" \n ", []),
    ],
)
def test_a_prompt_is_cut_after_its_sentences_and_nowhere_else(text: str, pieces: list[str]):
    assert split_for_speech(text) == pieces


def test_a_long_sentence_is_cut_at_its_clauses_but_not_into_scraps():
    text = (
        "Your parcel has left our warehouse in Springfield, it should reach you tomorrow between nine and noon, "
        "and the driver will ring you, twice."
    )
    assert split_for_speech(text) == [
        "Your parcel has left our warehouse in Springfield,",
        "it should reach you tomorrow between nine and noon,",
        "and the driver will ring you, twice.",
    ]


def test_the_pieces_together_say_the_whole_prompt():
    text = (
        "Good news. Order one, zero, four, is out for delivery today; "
        "it left the depot at eight, and is ten stops away. OK?"
    )
    assert " ".join(split_for_speech(text)) == text


def test_the_pause_between_sentences_is_longer_than_between_clauses():
    assert len(pause_after("Thank you.")) > len(pause_after("in Springfield,")) > 0
    assert not any(pause_after("Thank you."))
