"""The recipe of the bundled model, as far as it needs neither PyTorch nor voices."""

from __future__ import annotations

import numpy as np
import pytest

from agent.accuracy.kokoro import VOICES
from agent.speech.model import bundled_model
from contrib.model.people import MEASURING_GROUPS, said_words
from contrib.model.speech_files import (
    NEVER_TRAINED,
    RATE,
    ForbiddenVoiceError,
    Speech,
    SpeechWriter,
    read_list,
    refuse_measuring_voice,
)
from contrib.model.texts import MIX, WORDS, TextSource


def tone(seconds):
    return np.sin(np.arange(int(RATE * seconds)) / 10)


def test_two_sources_of_one_seed_say_the_same():
    first, second = TextSource(5), TextSource(5)
    assert [first.draw() for _ in range(50)] == [second.draw() for _ in range(50)]
    assert {TextSource(5).draw()[0] for _ in range(3)} != {kind for kind, _ in (first.draw() for _ in range(300))}


def test_the_bundled_model_knows_every_word_that_is_spoken():
    known = set((bundled_model() / "vocabulary.txt").read_text(encoding="utf-8").split())
    texts = TextSource(1)
    unknown = {word for kind in texts.kinds for _ in range(300) for word in texts.kinds[kind]()} - known
    assert unknown <= set(WORDS["surnames"]) | set(WORDS["towns"]), unknown


@pytest.mark.parametrize("kind", sorted(MIX))
def test_voices_read_spelled_letters_as_capitals_and_say_every_word(kind):
    texts = TextSource(2)
    for _ in range(100):
        words = texts.kinds[kind]()
        written = texts.as_written(kind, words)
        assert written.replace(",", "").rstrip(".?").lower().split() == words
        if kind in {"spell", "letters", "code"}:
            assert all(word.strip(",.?").isupper() for word in written.split() if len(word.strip(",.?")) == 1)


def test_numbers_are_said_in_words():
    texts = TextSource(1)
    texts.random.seed(1)
    assert texts.number(19_047)[:2] == ["nineteen", "thousand"]
    assert texts.number(40) == ["forty"]
    assert len(texts.plain_digits(7)) == 7


def test_an_unknown_kind_is_told():
    with pytest.raises(ValueError, match="no such kinds of text: songs"):
        TextSource(1, {"songs": 1.0})


@pytest.mark.parametrize("voice", [*sorted(NEVER_TRAINED), "espeak:en-us+f3", "joe:1.1", "af_heart+bf_emma"])
def test_voices_that_measure_are_never_trained_on(voice, tmp_path):
    with pytest.raises(ForbiddenVoiceError), SpeechWriter(tmp_path, "voice") as writer:
        writer.add(tone(1), voice, "yes")
    assert not list(read_list(tmp_path / "voice.jsonl"))


def test_every_kokoro_voice_that_measures_is_refused():
    for name in VOICES:
        with pytest.raises(ForbiddenVoiceError):
            refuse_measuring_voice(name)


def test_a_source_that_was_cut_off_goes_on_behind_its_last_whole_utterance(tmp_path):
    with SpeechWriter(tmp_path, "voice") as writer:
        assert writer.add(tone(1), "hibari", "yes")
        assert not writer.add(np.zeros(RATE), "hibari", "no")
        assert not writer.add(tone(20), "hibari", "no")
    with (tmp_path / "voice.i16").open("ab") as sound, (tmp_path / "voice.jsonl").open("a") as lines:
        sound.write(b"\1" * 999)
        lines.write('{"start": 16000, "sam')
    with SpeechWriter(tmp_path, "voice") as writer:
        assert (writer.count, writer.seconds) == (1, 1.0)
        writer.add(tone(2), "flite_awb", "no thanks")
    speech = Speech(tmp_path, ["voice"])
    assert [one.words for one in speech.utterances] == ["yes", "no thanks"]
    assert [len(speech.samples(i)) for i in range(2)] == [RATE, 2 * RATE]
    assert np.abs(speech.samples(1)).max() == pytest.approx(0.6 * 32767, rel=0.01)


def test_the_word_of_an_unknown_command_stands_in_its_id():
    assert said_words("unknown", "8494fba8_happy_8494fba8_nohash_0") == "happy"
    assert said_words("down", "8494fba8_8494fba8_nohash_0_down") == "down"
    assert "g18" in MEASURING_GROUPS
    assert "g17" not in MEASURING_GROUPS
