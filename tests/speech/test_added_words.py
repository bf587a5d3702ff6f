"""A shop's own words in the bundled model: heard, and nothing else is heard worse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from agent.speech.added_words import AddedWords, add_words, read_word_list
from agent.speech.engines.hibari import HibariEngine
from agent.speech.model import ModelError, bundled_model
from agent.speech.pronunciation import WordPronouncer, phones_of
from agent.speech.recognizer import VoskRecognizer

WORDS = "zorvex quibblet\nthrelkeld\tTH R EH L K EH L D\norder\n"
PHRASES = (
    "where is my zorvex",
    "the quibblet is broken",
    "i live in threlkeld",
    "where is my order",
    "i live in boston",
)


def made_by(tmp_path: Path, text: str, name: str = "own") -> AddedWords:
    return add_words(bundled_model(), read_word_list(text), tmp_path / name, WordPronouncer())


@pytest.fixture(scope="module")
def own_words(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VoskRecognizer]:
    target = tmp_path_factory.mktemp("models") / "own"
    add_words(bundled_model(), read_word_list(WORDS), target, WordPronouncer())
    recognizer = VoskRecognizer(target, workers=1, stall_seconds=60.0)
    yield recognizer
    recognizer.close()


async def heard(recognizer: VoskRecognizer, voice: HibariEngine, text: str, phrases: Sequence[str]) -> str:
    quiet = np.random.default_rng(1).normal(0, 4, 2400).astype(np.int16)
    stream = recognizer.listen(phrases)
    await stream.feed(np.concatenate([quiet, voice.synthesise(text), quiet]).tobytes())
    return (await stream.finish()).text


async def test_added_words_are_heard_and_the_others_as_before(own_words: VoskRecognizer) -> None:
    voice = HibariEngine()
    assert own_words.missing_words(PHRASES) == {}
    for phrase in PHRASES:
        assert await heard(own_words, voice, phrase.replace("i ", "I "), PHRASES) == phrase


async def test_a_sentence_without_the_words_is_not_taken_for_one_with_them(own_words: VoskRecognizer) -> None:
    text = await heard(own_words, HibariEngine(), "The weather was very nice in the mountains.", PHRASES)
    assert text not in PHRASES


def test_words_are_told_with_how_they_are_pronounced_and_known_ones_stay(tmp_path: Path) -> None:
    done = made_by(tmp_path, WORDS)
    assert done.known == ("order",)
    assert list(done.added) == ["zorvex", "quibblet", "threlkeld"]
    assert done.added["threlkeld"] == (("TH", "R", "EH", "L", "K", "EH", "L", "D"),)
    assert "threlkeld" in (tmp_path / "own" / "vocabulary.txt").read_text(encoding="utf-8").split()


def test_a_model_with_added_words_takes_more(tmp_path: Path) -> None:
    made_by(tmp_path, "zorvex\tZ AO R V EH K S")
    first, second = tmp_path / "own", tmp_path / "more"
    add_words(first, read_word_list("quibblet\tK W IH B L AH T"), second, WordPronouncer())
    recognizer = VoskRecognizer(second, workers=1)
    assert recognizer.missing_words(("zorvex quibblet",)) == {}
    recognizer.close()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("zorvex\tZ AO RR V", "no phone 'RR'"),
        ("zorvex\tZ", "too short"),
        ("two words\tT UW", "Line 1"),
        ("model4", "Line 1"),
        ("# nothing", "no word"),
    ],
)
def test_a_list_that_cannot_be_used_says_why_and_leaves_nothing_behind(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ModelError, match=told):
        made_by(tmp_path, text)
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_there_is_kept_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    made_by(tmp_path, "zorvex\tZ AO R V EH K S")
    again = read_word_list("quibblet\tK W IH B L AH T")
    with pytest.raises(ModelError, match="already there"):
        add_words(bundled_model(), again, tmp_path / "own", WordPronouncer())
    add_words(bundled_model(), again, tmp_path / "own", WordPronouncer(), replace=True)
    words = (tmp_path / "own" / "graph" / "words.txt").read_text(encoding="utf-8")
    assert "quibblet" in words
    assert "zorvex" not in words
    assert [path.name for path in tmp_path.iterdir()] == ["own"]


@pytest.mark.parametrize(
    ("spoken", "phones"), [("fˈɪnʧ", "F IH N CH"), ("bˈɜɹd", "B ER D"), ("lˈAT", "L EY T"), ("ˈOvəɹ", "OW V ER")]
)
def test_sounds_are_written_in_the_phones_of_the_model(spoken: str, phones: str) -> None:
    assert " ".join(phones_of(spoken)) == phones


def test_a_sound_without_a_phone_is_told() -> None:
    with pytest.raises(ValueError, match="x"):
        phones_of("lɒx")
