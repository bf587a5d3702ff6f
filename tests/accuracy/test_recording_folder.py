"""A folder of recordings with their texts, in any of the usual layouts."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.accuracy.dialog_setup import open_dialog_setup
from agent.accuracy.errors import AccuracyError
from agent.accuracy.recording_folder import LabelledRecording, folder_trials, recordings_in


def wav(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / f"{name}.wav").write_bytes(b"RIFF")
    return folder


def test_a_text_lies_beside_each_recording_with_what_must_be_understood(tmp_path: Path) -> None:
    wav(tmp_path, "a", "b")
    (tmp_path / "a.txt").write_text("Where is my order?\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("ten four seventy three\norder_number: 10473\n", encoding="utf-8")
    assert recordings_in(tmp_path) == [
        LabelledRecording(tmp_path / "a.wav", "Where is my order?"),
        LabelledRecording(tmp_path / "b.wav", "ten four seventy three", "order_number", "10473"),
    ]


def test_one_file_may_list_them_all(tmp_path: Path) -> None:
    wav(tmp_path, "a", "b")
    (tmp_path / "transcripts.tsv").write_text(
        "a.wav\twhere is my order\nb\tone two three four five\torder_number: 12345\n", encoding="utf-8"
    )
    assert [(one.text, one.value) for one in recordings_in(tmp_path)] == [
        ("where is my order", ""), ("one two three four five", "12345"),
    ]  # fmt: skip


def test_corpora_list_name_and_text_below_each_speaker(tmp_path: Path) -> None:
    below = wav(tmp_path / "speaker-7" / "chapter", "s-0001")
    (below / "s.trans.txt").write_text("s-0001 AND SO IT WENT ON\n", encoding="utf-8")
    assert recordings_in(tmp_path) == [LabelledRecording(below / "s-0001.wav", "AND SO IT WENT ON")]


def test_recordings_without_a_text_are_left_out_and_none_at_all_is_an_error(tmp_path: Path) -> None:
    wav(tmp_path, "a")
    with pytest.raises(AccuracyError, match=r"transcripts\.tsv"):
        recordings_in(tmp_path)
    with pytest.raises(AccuracyError, match="no folder"):
        recordings_in(tmp_path / "nowhere")


def test_a_slot_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path) -> None:
    wav(tmp_path, "a")
    (tmp_path / "a.txt").write_text("ten\norder_nr: 10\n", encoding="utf-8")
    with pytest.raises(AccuracyError, match=r"a\.wav.*order_number"):
        recordings_in(tmp_path)


def test_what_must_be_understood_is_what_the_text_itself_means(tmp_path: Path) -> None:
    said = [
        LabelledRecording(tmp_path / "1.wav", "Where is my order?"),
        LabelledRecording(tmp_path / "2.wav", "10473"),
        LabelledRecording(tmp_path / "3.wav", "the baby is finally asleep"),
        LabelledRecording(tmp_path / "4.wav", "one zero four seven three", "order_number", "10473"),
    ]
    with asyncio.Runner() as runner, open_dialog_setup(runner) as stage:
        items = [trial.item for trial in folder_trials(said, stage)]
    assert [(item.kind, item.question, item.answer.value) for item in items] == [
        ("meaning", "request", "request=order_status"),
        ("meaning", "order_number", "order_number=10473"),
        ("foreign", "request", ""),
        ("number", "order_number", "10473"),
    ]
