"""People's recordings of single answers, by what their texts say."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from agent.accuracy.dialog_setup import DialogSetup, open_dialog_setup
from agent.accuracy.errors import AccuracyError
from agent.accuracy.segments import RecordedSegment, segment_trials, segments_in, symbols_of_text
from agent.accuracy.sound_files import read_span

HEAD = "file\tspeaker\tutterance\tstart_sample\tsamples\ttext\n"


@pytest.fixture(scope="module")
def stage() -> Iterator[DialogSetup]:
    with asyncio.Runner() as runner, open_dialog_setup(runner) as ready:
        yield ready


def segment(text: str, utterance: str = "u1") -> RecordedSegment:
    return RecordedSegment(Path("a.flac"), "ann", utterance, 0, 16000, text)


def test_a_list_names_the_pieces_of_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "people"
    folder.mkdir()
    (folder / "segments.tsv").write_text(HEAD + "ann.flac\tann\tu1\t400\t16000\tOne two\n", encoding="utf-8")
    assert segments_in(tmp_path) == [RecordedSegment(folder / "ann.flac", "ann", "u1", 400, 16000, "one two")]


def test_a_folder_without_a_list_and_a_list_that_is_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AccuracyError, match=r"segments\.tsv"):
        segments_in(tmp_path)
    (tmp_path / "segments.tsv").write_text("name\ttext\na\tone\n", encoding="utf-8")
    with pytest.raises(AccuracyError, match="not a list of segments"):
        segments_in(tmp_path)


@pytest.mark.parametrize(
    ("text", "symbols"),
    [("one oh seven", "107"), ("k l five zero", "KL50"), ("seventy one", ""), ("yes", ""), ("", "")],
)
def test_a_text_spells_what_its_words_are(text: str, symbols: str) -> None:
    assert symbols_of_text(text) == symbols


@pytest.mark.parametrize(
    ("text", "lot", "question", "kind", "value"),
    [
        ("one five two one seven", "five digits", "order_number@99999", "number", "15217"),
        ("four oh seven", "digit strings", "order_number@999", "number", "407"),
        ("a m y", "spelled letters", "order_number@AAA", "number", "AMY"),
        ("k l five two", "letters and digits", "order_number@AA99", "number", "KL52"),
        ("yes", "yes and no", "read_back", "yes_no", "yes"),
        ("rubout", "other words", "read_back", "foreign", ""),
    ],
)
def test_the_text_says_what_is_asked_and_what_is_right(
    stage: DialogSetup, text: str, lot: str, question: str, kind: str, value: str
) -> None:
    (trial,) = segment_trials([segment(text)], stage)
    item = trial.item
    assert (item.lot, item.question, item.kind, item.answer.value) == (lot, question, kind, value)
    assert item.span == (0, 16000)


def test_a_word_recorded_to_be_refused_is_named_by_its_utterance(stage: DialogSetup) -> None:
    (trial,) = segment_trials([segment("unknown", "84fba8_marvin_0")], stage)
    assert (trial.item.kind, trial.item.answer.first) == ("foreign", "marvin")


def test_words_that_mean_something_at_the_question_and_whole_sentences_are_left_out(stage: DialogSetup) -> None:
    assert segment_trials([segment("nope"), segment("enter fifty one"), segment("seven")], stage) == []


def test_a_piece_of_a_file_is_read_as_telephone_audio(tmp_path: Path) -> None:
    tone = 0.25 * np.sin(2 * np.pi * 500 * np.arange(32000) / 16000)
    tone[:16000] = 0.0
    soundfile.write(tmp_path / "a.flac", tone, 16000)
    silent, loud = (read_span(tmp_path / "a.flac", start, start + 8000) for start in (0, 16000))
    assert len(loud) == 4000
    assert int(np.abs(silent).max()) < 100 < int(np.abs(loud).max())
    with pytest.raises(AccuracyError, match="cannot be read"):
        read_span(tmp_path / "b.flac", 0, 10)
