"""Sentences drawn from phrase templates."""

from __future__ import annotations

import random

import pytest

from agent.dialog.errors import TemplateError
from agent.dialog.grammar.synonyms import Synonyms
from agent.dialog.grammar.template_draws import SentenceDrawer, is_drawable
from agent.dialog.grammar.wildcard_phrases import WildcardCompiler

RULES = {"want": ["i want to", "(can | could) i"], "thing": ["the lamp", "(a | my) [new] coat"]}
LISTS = {"color": {"red": ["red", "~ (bright | dark) red", "~~ red + color"], "blue": ["blue"]}}
SAME = {"do not": ["don't", "dont"], "i want to": ["i wanna"]}


def drawer(same: dict[str, list[str]] | None = None) -> SentenceDrawer:
    return SentenceDrawer(RULES, LISTS, ["order_number"], same or {})


def draws(template: str, count: int = 200, same: dict[str, list[str]] | None = None) -> list[str]:
    return list(drawer(same).draw(template, count, random.Random(1)))


@pytest.mark.parametrize(
    "template",
    [
        "~ <want> (return | send back) <thing>",
        "~ [please] take {color} (one; two; three)",
        "~ [<want>] [really] (keep | give away) [it | <thing>]",
        "<want> return <thing>",
    ],
)
def test_whatever_is_drawn_is_a_sentence_of_the_template(template: str) -> None:
    phrase = WildcardCompiler(RULES, LISTS, Synonyms()).compile(template)
    found = draws(template)
    assert len(found) == 200
    assert len(set(found)) > 4
    for sentence in found:
        tokens = tuple(sentence.split())
        assert any(reach.end == len(tokens) for reach in phrase.ends(tokens, 0)), sentence


def test_any_word_cuts_a_sentence_in_two_and_short_pieces_are_left_out() -> None:
    assert set(draws("~ i want my * to be sent")) == {"i want my", "to be sent"}
    assert set(draws("~ return * now please")) == {"now please"}
    assert set(draws("~ refund")) == {"refund"}


def test_nothing_is_drawn_of_numbers_and_of_keyword_patterns() -> None:
    assert draws("~ where is {order_number}") == []
    assert draws("~~ (where | when) + order") == []
    assert not is_drawable("~~ (where | when) + order")
    assert is_drawable("~ where is it")
    assert not is_drawable("where is it")


def test_equal_wordings_stand_for_each_other() -> None:
    found = set(draws("~ i want to go i do not stay", same=SAME))
    assert found == {f"{want} go i {dont} stay" for want in ("i want to", "i wanna") for dont in ("do not", "don't")}


def test_the_same_seed_gives_the_same_sentences_and_the_same_rules_an_equal_drawer() -> None:
    assert draws("~ <want> <thing>") == draws("~ <want> <thing>")
    assert drawer() == drawer()
    assert hash(drawer()) == hash(drawer())
    assert drawer() != drawer(SAME)


def test_rules_that_go_in_a_circle_are_an_error() -> None:
    circle = SentenceDrawer({"a": ["b <a>"]}, {}, [], {})
    with pytest.raises(TemplateError, match="circle"):
        list(circle.draw("~ <a>", 1, random.Random(1)))
