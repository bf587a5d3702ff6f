"""Sentences for the recogniser where a request is open."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from agent.call.ports import RecognitionResult
from agent.dialog.grammar import grammar_builder, open_sentences
from agent.dialog.grammar.grammar_builder import PackGrammars, collect_key
from agent.dialog.grammar.turn_grammar import TurnGrammar
from agent.dialog.model.model import PackFile
from agent.dialog.pack.loader import FlowPack
from agent.flows import english_pack
from agent.languages.registry import find_language
from agent.rehearsal.script import Speech
from agent.rehearsal.voices import Voices
from agent.speech.model import bundled_model
from agent.speech.recognizer import VoskRecognizer

PACK = """
rules:
  thing: (lamp | chair)
same:
  do not: ["don't"]
slots:
  request: {type: request, prompt: hello}
  more: {type: request, prompt: hello}
  color: {type: choice, prompt: hello, choices: {red: red, blue: blue}}
  number: {type: number, format: "99999", prompt: hello}
not_for_us:
  bank: ["i want to open an account"]
flows:
  returns:
    description: a return
    triggers: ["~ i do not want (my | the) <thing>", "~~ return + lamp", "return it"]
    examples: ["take this <thing> back", "number {number} broke"]
    steps: [{say: done}]
"""


@pytest.fixture(scope="module")
def grammars() -> Mapping[str, TurnGrammar]:
    contents = PackFile.model_validate(yaml.safe_load(PACK))
    return PackGrammars(contents, lambda place, problem: pytest.fail(f"{place}: {problem}"), find_language("en")).fixed


def test_an_open_request_is_heard_with_examples_draws_and_what_is_not_ours(
    grammars: Mapping[str, TurnGrammar],
) -> None:
    for slot in ("request", "more"):
        samples = set(grammars[collect_key(slot)].samples)
        assert {"take this lamp back", "take this chair back", "i want to open an account"} <= samples
        assert {"i do not want my lamp", "i don't want the chair"} <= samples
        assert not {"return lamp", "return it"} & samples


def test_other_questions_hear_none_of_them(grammars: Mapping[str, TurnGrammar]) -> None:
    for slot in ("color", "number"):
        samples = set(grammars[collect_key(slot)].samples)
        assert not {"take this lamp back", "i want to open an account", "i do not want my lamp"} & samples


def test_a_sentence_that_is_heard_is_understood_no_more_than_before(grammars: Mapping[str, TurnGrammar]) -> None:
    grammar = grammars[collect_key("request")]
    assert "take this lamp back" not in grammar.phrases


def test_the_shipped_pack_has_the_same_sentences_each_time_and_draws_them_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = FlowPack.load(english_pack()).grammars[collect_key("request")].samples
    misses = open_sentences.drawn.cache_info().misses
    assert FlowPack.load(english_pack()).grammars[collect_key("request")].samples == first
    assert open_sentences.drawn.cache_info().misses == misses
    assert 4000 < len(first) < 16000


WORDINGS = (
    "you charged my credit card twice", "i never got the second box", "somebody else signed for my parcel",
    "i want to swap these trousers for a smaller pair", "why was i billed two times for one order",
    "my package says delivered but nothing is here",
)  # fmt: skip


@pytest.mark.slow
def test_the_sentences_let_callers_be_heard_in_their_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wordings that no procedure lists, by a voice the weights were not trained on in their last stage."""
    grammar = FlowPack.load(english_pack()).grammars[collect_key("request")]
    monkeypatch.setattr(grammar_builder, "open_sentences", lambda *_: ())
    without = FlowPack.load(english_pack()).grammars[collect_key("request")].samples
    recognizer = VoskRecognizer(bundled_model(), workers=1, stall_seconds=60.0)

    async def heard(text: str, samples: tuple[str, ...]) -> RecognitionResult:
        pcm = Voices(tmp_path).render_now(Speech(text, text, "joe", 1.0), -20.0)
        hearing = recognizer.listen(grammar.phrases, grammar.words, samples)
        await hearing.feed(bytes(8000) + pcm.astype("<i2").tobytes() + bytes(8000))
        return await hearing.finish()

    try:
        both = dict.fromkeys(("with", "without"), 0)
        for said in WORDINGS:
            both["with"] += words_right(said, asyncio.run(heard(said, grammar.samples)).text)
            both["without"] += words_right(said, asyncio.run(heard(said, without)).text)
        assert both["with"] > both["without"] + len(WORDINGS) // 2, both
    finally:
        recognizer.close()


def words_right(said: str, heard: str) -> int:
    return sum(word in heard.split() for word in said.split())
