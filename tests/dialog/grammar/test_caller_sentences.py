"""Sentences of callers who never read the phrases: how many are understood, and that none is misunderstood."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import yaml

from agent.dialog.grammar.turn_grammar import GrammarMatch
from agent.dialog.tools.chat import heard_text
from tests.shipped_pack import shipped_pack

HERE = Path(__file__).parent
PACK = shipped_pack()
SENTENCES_BY_GROUP = {
    lot: table
    for lot, table in yaml.safe_load((HERE / "caller_sentences.yaml").read_text(encoding="utf-8")).items()
    if lot != "missed"
}
MISSED = frozenset(yaml.safe_load((HERE / "caller_sentences.yaml").read_text(encoding="utf-8"))["missed"])
FOREIGN_SENTENCES = yaml.safe_load((HERE / "foreign_sentences.yaml").read_text(encoding="utf-8"))
FOREIGN = FOREIGN_SENTENCES["foreign"]
LEAST_UNDERSTOOD = 0.92
OPENING, YES_OR_NO = "collect:request", "collect:return_sure"


def meant(match: GrammarMatch | None) -> str:
    """Name what was understood as the table does."""
    if match is None:
        return ""
    meaning, values = match.meaning, dict(match.meaning.values)
    if meaning.kind == "request":
        named = {"questions": ("topic", "topic"), "promotion": ("promotion", "promotion")}.get(meaning.name)
        return f"{named[0]}:{values[named[1]]}" if named else meaning.name
    return meaning.name if meaning.kind == "value" else f"{meaning.kind}:{meaning.name}"


@cache
def sentences(lot: str) -> tuple[tuple[str, str, str], ...]:
    """Return what is expected, what is said, and what is understood."""
    found = []
    for expected, said in SENTENCES_BY_GROUP[lot].items():
        grammar = PACK.grammars[YES_OR_NO if expected in ("yes", "no") else OPENING]
        found += [(expected, sentence, meant(grammar.match(heard_text(sentence)))) for sentence in said]
    return tuple(found)


@pytest.mark.parametrize("lot", SENTENCES_BY_GROUP)
def test_no_sentence_is_understood_as_something_else(lot: str) -> None:
    assert [(sentence, expected, got) for expected, sentence, got in sentences(lot) if got not in ("", expected)] == []


@pytest.mark.parametrize("lot", SENTENCES_BY_GROUP)
def test_nearly_all_sentences_are_understood(lot: str) -> None:
    results = [(sentence, got == expected) for expected, sentence, got in sentences(lot)]
    understood = sum(right for _, right in results)
    assert understood >= LEAST_UNDERSTOOD * len(results)
    assert {sentence for sentence, right in results if not right} <= MISSED


def test_what_is_listed_as_missed_is_still_missed() -> None:
    understood = {said for lot in SENTENCES_BY_GROUP for expected, said, got in sentences(lot) if got == expected}
    assert MISSED & understood == set()


@pytest.mark.parametrize("sentence", FOREIGN)
def test_nothing_that_is_not_for_the_shop_is_acted_on(sentence: str) -> None:
    accepted = {
        key: meant(match) for key, grammar in PACK.grammars.items() if (match := grammar.match(heard_text(sentence)))
    }
    # a remark to somebody in the room is known as one: nothing is done, and it costs nothing
    assert set(accepted.values()) <= {"command:aside"}


@pytest.mark.parametrize("sentence", FOREIGN_SENTENCES["like_numbers"])
def test_what_sounds_like_a_number_is_taken_for_nothing_but_a_number(sentence: str) -> None:
    matches = [match for grammar in PACK.grammars.values() if (match := grammar.match(heard_text(sentence)))]
    assert matches
    assert all(match.number_slot and match.reading is not None for match in matches)


def test_a_sentence_counts_in_the_middle_of_any_question() -> None:
    for key, grammar in PACK.grammars.items():
        assert meant(grammar.match(heard_text("This is absolutely ridiculous!"))) == "escalate:anger", key
        assert meant(grammar.match(heard_text("I want to speak to a real person"))) == "command:agent", key
        assert meant(grammar.match(heard_text("Do you have any promotions right now?"))) == "promotions", key
