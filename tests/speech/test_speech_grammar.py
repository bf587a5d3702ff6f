"""The list of entries a turn's grammar is made of."""

import json

import pytest

from agent.speech.grammar import GrammarError, build_grammar, missing_words

VOCABULARY = {"yes", "no", "please", "where", "is", "my", "order", "café", "[unk]"}


def knows(word: str) -> bool:
    return word in VOCABULARY


def test_phrases_come_first_then_words_then_the_unknown_entry():
    grammar = build_grammar(["Where is  my order", "yes"], ["no"], knows)
    assert grammar.entries == ("where is my order", "yes", "no", "[unk]")


def test_an_entry_stands_once_however_often_it_is_given():
    grammar = build_grammar(["yes", "YES", "no", "yes "], ["no", "[unk]"], knows)
    assert grammar.entries == ("yes", "no", "[unk]")


def test_a_phrase_with_an_unknown_word_is_left_out_whole_and_named():
    grammar = build_grammar(["where is my parcel", "where is my order"], [], knows)
    assert grammar.entries == ("where is my order", "[unk]")
    assert grammar.dropped == {"where is my parcel": ["parcel"]}


def test_words_beyond_ascii_stay_readable_for_vosk():
    grammar = build_grammar(["café"], [], knows)
    assert "café" in grammar.json
    assert json.loads(grammar.json) == ["café", "[unk]"]


def test_a_model_without_the_unknown_entry_gets_none():
    assert build_grammar(["yes"], [], {"yes"}.__contains__).entries == ("yes",)


def test_nothing_left_to_listen_for_is_refused_because_vosk_would_crash():
    with pytest.raises(GrammarError, match="Nothing to listen for"):
        build_grammar(["qwerty"], [], {"yes"}.__contains__)


def test_a_grammar_too_large_to_compile_in_time_is_refused_with_its_size():
    with pytest.raises(GrammarError, match="11 phrases; the limit is 10"):
        build_grammar([f"yes {'no ' * n}" for n in range(11)], [], knows, max_entries=10)


def test_missing_words_are_listed_per_phrase_once_each():
    assert missing_words(["yes", "ship my ship", "my order"], knows) == {"ship my ship": ["ship"]}


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("where is my order", True),
        ("yes", True),
        ("no yes no", True),
        ("where is my", False),
        ("where is my order yes", True),
        ("[unk] yes", False),
        ("where is my yes", False),
        ("yes where is no", False),
        ("[unk]", False),
        ("", False),
    ],
)
def test_a_text_is_allowed_when_it_is_one_entry_or_loose_words_with_an_entry_around_them(text: str, allowed: bool):
    grammar = build_grammar(["where is my order"], ["yes", "no"], knows)
    assert grammar.allows(text) is allowed
    assert grammar.has_phrases


def test_a_grammar_of_loose_words_alone_has_no_phrases():
    assert not build_grammar([], ["yes", "no"], knows).has_phrases


def test_samples_weigh_in_before_the_entries_and_unknown_ones_are_left_out():
    grammar = build_grammar(["where is my order"], ["yes", "no"], knows, ["yes no", "yes no", "no zorgblat"])
    assert json.loads(grammar.json) == ["yes no", "yes no", "where is my order", "yes", "no", "[unk]"]
    assert not grammar.allows("zorgblat")


def test_yes_and_no_weigh_more_where_both_may_be_the_whole_answer():
    requests = [f"where is order {word}" for word in ("my", "order", "no", "yes", "please")] * 40
    phrases = [*dict.fromkeys(requests), "yes", "no"]
    grammar = build_grammar(phrases, [], knows, ["where is my order"] * 100)
    entries = json.loads(grammar.json)
    assert entries.count("no") == entries.count("yes") > 1
    assert grammar.entries.count("no") == 1


def test_a_yes_is_not_made_so_likely_that_yes_please_is_lost():
    phrases = ["yes", "no", "yes please", "where is my order"]
    grammar = build_grammar(phrases, [], knows, ["where is my order"] * 200)
    counted = {answer: grammar.weights.count(answer) for answer in ("yes", "yes please", "no thanks")}
    assert counted["yes"] > counted["yes please"] > 0
    assert counted["no thanks"] == 0  # what the turn does not expect is not made likely


def test_a_turn_that_asks_no_such_question_does_not_expect_yes_and_no():
    phrases = ["where is my order", "yes please"]
    assert build_grammar(phrases, ["no", "yes"], knows, ["where is my order"] * 100).weights == ()
