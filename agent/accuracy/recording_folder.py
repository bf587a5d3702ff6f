"""Reads a folder of recordings with their texts: an administrator's own calls, or a speech corpus.

Texts stand in ``NAME.txt`` beside ``NAME.wav``, or in ``transcripts.tsv``, ``transcripts.txt`` or ``*.trans.txt``, one
recording a line: the name, then a tab or a space, then the text, then (after another tab) what must be understood.
What must be understood is ``slot: value`` (``order_number: 10473``); in a ``.txt`` it stands on a line of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.accuracy.dialog_setup import QUESTIONS, DialogSetup
from agent.accuracy.errors import AccuracyError
from agent.accuracy.numbers import in_groups
from agent.accuracy.trial_runner import NOTHING, seed_of
from agent.accuracy.trial_types import Kind, LineCondition, SpokenAnswer, Trial, TrialItem
from agent.dialog.contract import TurnInput
from agent.dialog.tools.text_call import as_recognised

_LISTS = ("transcripts.tsv", "transcripts.txt")
_TRUTH = re.compile(r"([a-z_]+)\s*[:=]\s*(.+)")
_KINDS: Mapping[str, Kind] = {
    "order_number": "number", "postcode": "number", "phone": "number", "request": "request",
}  # fmt: skip
_NUMBER_QUESTIONS = ("order_number", "phone")
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class LabelledRecording:
    """One file, what is said in it, and what must be understood."""

    path: Path
    text: str
    slot: str = ""
    value: str = ""


def recordings_in(folder: Path) -> list[LabelledRecording]:
    """Read a folder and everything below it. Raises :class:`AccuracyError` when nothing in it can be used."""
    if not folder.is_dir():
        raise AccuracyError(f"There is no folder {folder}.")
    listed = {path: line for place in _lists(folder) for path, line in _read_list(place)}
    found: list[LabelledRecording] = []
    for path in sorted(folder.rglob("*.wav")):
        if path in listed:
            found.append(_recording(path, *listed[path]))
        elif path.with_suffix(".txt").is_file():
            text, *truths = path.with_suffix(".txt").read_text(encoding="utf-8-sig").strip().splitlines() or [""]
            found.append(_recording(path, text, " ".join(truths)))
    if not found:
        raise AccuracyError(
            f"{folder} holds no recording with its text: beside each NAME.wav there must be a NAME.txt, or a line in "
            "transcripts.tsv (docs/accuracy.md)."
        )
    return found


def folder_trials(recordings: list[LabelledRecording], stage: DialogSetup) -> list[Trial]:
    """Return the trials of recordings: each as it is, at the question it answers.

    Where nothing says what must be understood, it is what the agent understands of the text itself, at the first
    question at which it understands anything (a bare number answers the question for it); a text that means nothing
    to it must not be taken for anything.
    """
    line = LineCondition("as recorded", "recordings", codec="none")
    return [Trial(_item(recording, stage), line, seed_of(str(recording.path.name))) for recording in recordings]


def _item(recording: LabelledRecording, stage: DialogSetup) -> TrialItem:
    name, speaker = str(recording.path.name), recording.path.parent.name
    if recording.slot:
        stated = _KINDS.get(recording.slot, "choice")
        again = in_groups(recording.value) if stated == "number" else recording.text
        answer = SpokenAnswer(recording.value, recording.text, again)
        return TrialItem(name, recording.slot, stated, speaker, recording.slot, ((recording.slot, answer),),
                         recording.path,
                    once=True)  # fmt: skip
    question, meaning = _meaning(recording.text, stage)
    answer = SpokenAnswer(meaning, recording.text, recording.text)
    kind: Kind = "meaning" if meaning else "foreign"
    lot = question if meaning else "not for the agent"
    return TrialItem(name, lot, kind, speaker, question, ((question, answer),), recording.path)


def _meaning(text: str, stage: DialogSetup) -> tuple[str, str]:
    """Return the first question at which a text means something, and what."""
    said = as_recognised(re.sub(r"\d", lambda digit: f" {_WORDS[int(digit[0])]} ", text))
    only_a_number = set(said.split()) <= {*_WORDS, "oh"}
    for question in (*_NUMBER_QUESTIONS, *QUESTIONS) if only_a_number else QUESTIONS:
        held = stage.at(question)
        understood = held.give(TurnInput(said)).understood
        if understood not in NOTHING and not understood.endswith("..."):
            return question, understood
    return "request", ""


def _lists(folder: Path) -> Iterator[Path]:
    yield from (path for name in _LISTS for path in sorted(folder.rglob(name)))
    yield from sorted(folder.rglob("*.trans.txt"))


def _read_list(path: Path) -> Iterator[tuple[Path, tuple[str, str]]]:
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        columns = line.split("\t") if "\t" in line else line.split(" ", 1)
        if len(columns) < 2 or not columns[0].strip():
            continue
        name = columns[0].strip()
        wav = path.parent / (name if name.endswith(".wav") else f"{name}.wav")
        yield wav, (columns[1].strip(), columns[2].strip() if len(columns) > 2 else "")


def _recording(path: Path, text: str, truth: str = "") -> LabelledRecording:
    if not truth:
        return LabelledRecording(path, text.strip())
    stated = _TRUTH.fullmatch(truth.strip())
    if stated is None or stated[1] not in QUESTIONS:
        known = ", ".join(name for name in QUESTIONS if name != "read_back")
        raise AccuracyError(
            f"{path}: {truth!r} does not say what must be understood, like order_number: 10473 ({known})."
        )
    return LabelledRecording(path, text.strip(), stated[1], stated[2].strip())


__all__ = ["LabelledRecording", "folder_trials", "recordings_in"]
