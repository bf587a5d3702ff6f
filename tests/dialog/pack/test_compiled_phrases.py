"""Phrases are compiled from phrases alone, and only once while nothing that callers say is changed."""

from __future__ import annotations

import pytest

from agent.builder.checking import CheckRules, check_files
from agent.dialog.contract import TurnInput
from agent.dialog.pack.compiled_phrases import RememberedPhrases, compile_phrases, without_words_said
from agent.languages.registry import find_language
from tests.builder.fruit_pack import edited, fruit_files
from tests.shipped_pack import shipped_pack

RULES = CheckRules()


@pytest.mark.slow
def test_the_shipped_pack_without_its_words_said_is_understood_as_the_whole_of_it() -> None:
    contents, language = shipped_pack().contents, find_language("en")
    bare = without_words_said(contents)
    assert not any(flow.steps or flow.description for flow in bare.flows.values())
    compiled, whole = compile_phrases(bare, language), shipped_pack().grammars
    assert compiled.problems == ()
    assert list(compiled.grammars.fixed) == list(whole)
    for name, grammar in whole.items():
        other = compiled.grammars.fixed[name]
        assert (other.phrases, other.words, other.samples) == (grammar.phrases, grammar.words, grammar.samples), name
        for text in grammar.phrases[::7]:
            assert other.match(TurnInput(text)) == grammar.match(TurnInput(text)), (name, text)


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("say: There you are.", "say: Here you are.", False),
        ("description: to buy fruit", "description: to buy an apple", False),
        ("        filler: One moment.\n", "", False),
        ("[i want fruit, buy fruit]", "[i want fruit, buy fruit, sell me fruit]", True),
        ("[i want fruit, buy fruit]", "[buy fruit, i want fruit]", True),  # the first one wins
    ],
)
def test_phrases_are_compiled_again_where_one_of_them_has_changed(old: str, new: str, *, again: bool) -> None:
    phrases = RememberedPhrases()
    before = check_files(fruit_files(), RULES, phrases).pack
    after = check_files(edited(fruit_files(), old, new), RULES, phrases).pack
    assert before is not None
    assert after is not None
    assert (after.grammars is not before.grammars) is again
    assert after.contents != before.contents


def test_what_is_wrong_with_a_phrase_is_told_every_time_on_the_line_where_it_stands_by_now() -> None:
    phrases = RememberedPhrases()
    wrong = edited(fruit_files(), "[i want fruit, buy fruit]", '["i want (fruit"]')
    moved = edited(wrong, "description: to begin with", "description: >-\n      to\n      begin with")
    places = []
    for files in (wrong, moved):
        (found,) = [
            one.finding for one in check_files(files, RULES, phrases).findings if "(fruit" in one.finding.message
        ]
        assert "(fruit" in files[found.file].splitlines()[found.line - 1]
        places.append(found.line)
    assert places[1] == places[0] + 2


def test_the_words_of_a_remembered_pack_are_checked_against_the_recognisers() -> None:
    phrases = RememberedPhrases()
    rules = CheckRules(vocabulary=frozenset({"i", "want", "buy"}))
    for files in (fruit_files(), edited(fruit_files(), "There you are.", "Here you are.")):
        told = [one for one in check_files(files, rules, phrases).findings if "'fruit'" in one.finding.message]
        assert [one.finding.keys[:3] for one in told] == [("flows", "buy", "triggers")]
