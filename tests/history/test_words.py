"""What was said, as it is searched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.history.words import (
    MOST_PLACES,
    MOST_WORDS,
    TURN_END,
    InvalidWords,
    Term,
    search_terms,
    side_of_call,
    words_of,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Where is my order?", ("where", "is", "my", "order")),
        ("Don't, René!", ("dont", "rene")),
        ("I won’t", ("i", "wont")),
        ("STRASSE straße", ("strasse", "strasse")),
        ("order 10-437", ("order", "10", "437")),
        ("[postcode]", ("postcode",)),
        ("snake_case", ("snake", "case")),
        ("", ()),
        ("… !", ()),
        ("ﬁne", ("fine",)),
        ("\ud800 half", ("half",)),
        ("x" * 80, ("x" * 60,)),
    ],
)
def test_words_are_lower_case_without_signs_and_accents(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words


@given(st.text(max_size=40))
def test_words_of_words_are_the_same_words(text: str) -> None:
    words = words_of(text)
    assert words_of(" ".join(words)) == words
    assert all(word and " " not in word and TURN_END not in word and "'" not in word for word in words)


def test_no_phrase_reaches_from_one_turn_into_the_next() -> None:
    assert side_of_call(["late again", "", "no refund"]) == ("late", "again", TURN_END, "no", "refund")


def test_a_very_long_call_is_kept_within_bounds() -> None:
    assert len(side_of_call(f"word{number}" for number in range(MOST_WORDS))) == MOST_WORDS
    often = side_of_call(["yes"] * 400)
    assert often.count("yes") == MOST_PLACES


def test_all_words_of_a_query_must_be_said_and_quotes_keep_them_together() -> None:
    assert search_terms('late "no refund" pay*') == (
        Term(("late",)),
        Term(("no", "refund")),
        Term(("pay",), prefix=True),
    )
    assert search_terms('"my ref*"') == (Term(("my", "ref"), prefix=True),)
    assert search_terms('"an open quote') == (Term(("an", "open", "quote")),)
    assert search_terms("twenty-five") == (Term(("twenty", "five")),)


@pytest.mark.parametrize("query", ["", "  ", "?!", '""', "*", "a" * 501])
def test_a_query_without_a_word_is_refused(query: str) -> None:
    with pytest.raises(InvalidWords):
        search_terms(query)
