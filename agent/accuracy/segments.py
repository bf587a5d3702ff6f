"""Reads people's recordings of single answers: numbers, spelled letters, codes, yes and no, and other words.

A folder holds ``segments.tsv`` and the sound it names: tab-separated, first line ``file speaker utterance start_sample
samples text``; FLAC or WAV of any rate, one channel. The text alone tells what an utterance is: digits are put to the
question for a number of that many digits, letters and codes to one for a code of that shape, yes, no and single other
words to "is that right?". What is none of these is left out.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.accuracy.dialog_setup import DialogSetup
from agent.accuracy.errors import AccuracyError
from agent.accuracy.trial_runner import NOTHING, seed_of
from agent.accuracy.trial_types import Kind, LineCondition, SpokenAnswer, Trial, TrialItem
from agent.dialog.contract import TurnInput
from agent.rehearsal.spoken_numbers import DIGIT_WORDS

SEGMENTS = "segments.tsv"
PEOPLE_SWEEP = "recordings"
TELEPHONE = LineCondition(
    "telephone", PEOPLE_SWEEP, noise="white", snr_db=56.0, level_dbfs=-22.0, band_hz=(200.0, 3400.0)
)
"""An old telephone line: 200 to 3400 Hz, mu-law, noise at an RMS of 4 of 32768 under a voice at -22 dBFS."""
DIGIT_STRINGS, FIVE_DIGITS = "digit strings", "five digits"
SPELLED, CODES, YES_NO, OTHER_WORDS = "spelled letters", "letters and digits", "yes and no", "other words"
_KINDS: Mapping[str, Kind] = {YES_NO: "yes_no", OTHER_WORDS: "foreign"}
FEWEST_SYMBOLS = 2
"""A single digit or letter is no number."""
_FIVE = 5
_DIGIT_OF = {**{word: digit for digit, word in DIGIT_WORDS.items()}, "oh": "0"}
_UNNAMED = "unknown"
"""The text of a word that was recorded to be refused; its name stands in the utterance's id (``ID_happy_...``)."""


@dataclass(frozen=True)
class RecordedSegment:
    """A piece of a sound file, and what is said in it."""

    file: Path
    speaker: str
    utterance: str
    start_sample: int
    samples: int
    text: str


def segments_in(folder: Path) -> list[RecordedSegment]:
    """Read all ``segments.tsv`` of a folder and below it. Raises :class:`AccuracyError` when there is none to use."""
    found: list[RecordedSegment] = []
    for listed in sorted(folder.rglob(SEGMENTS)):
        with listed.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                try:
                    found.append(
                        RecordedSegment(
                            listed.parent / row["file"], row["speaker"], row["utterance"], int(row["start_sample"]),
                            int(row["samples"]), row["text"].strip().lower(),
                        )
                    )  # fmt: skip
                except (KeyError, TypeError, ValueError) as error:
                    raise AccuracyError(f"{listed} is not a list of segments: {row} ({error!r})") from error
    if not found:
        raise AccuracyError(f"{folder} holds no {SEGMENTS} with a recording in it (docs/accuracy.md).")
    return found


def segment_trials(segments: Sequence[RecordedSegment], stage: DialogSetup) -> list[Trial]:
    """Return the trials of people's recordings over a telephone line; the same segment has the same noise each time."""
    items = (_item(segment, stage) for segment in segments)
    return [Trial(item, TELEPHONE, seed_of(item.id, item.speaker)) for item in items if item is not None]


def symbols_of_text(text: str) -> str:
    """Return what a text spells (``k l five oh`` is ``KL50``), ``""`` where it holds other words."""
    words = text.split()
    symbols = [_DIGIT_OF.get(word, word.upper() if len(word) == 1 and word.isalpha() else "") for word in words]
    return "".join(symbols) if all(symbols) else ""


def _item(segment: RecordedSegment, stage: DialogSetup) -> TrialItem | None:
    symbols = symbols_of_text(segment.text)
    if len(symbols) >= FEWEST_SYMBOLS:
        question = "order_number@" + "".join("9" if symbol.isdigit() else "A" for symbol in symbols)
        return _trial_item(segment, _lot(symbols), question, "order_number", symbols)
    if segment.text in ("yes", "no"):
        return _trial_item(segment, YES_NO, "read_back", "order_number", segment.text)
    word = segment.utterance.split("_")[1] if segment.text == _UNNAMED and "_" in segment.utterance else segment.text
    if symbols or " " in word or stage.at("read_back").give(TurnInput(word)).understood not in NOTHING:
        return None
    return _trial_item(segment, OTHER_WORDS, "read_back", "read_back", "", word)


def _lot(symbols: str) -> str:
    if symbols.isdigit():
        return FIVE_DIGITS if len(symbols) == _FIVE else DIGIT_STRINGS
    return SPELLED if symbols.isalpha() else CODES


def _trial_item(segment: RecordedSegment, lot: str, question: str, slot: str, value: str, text: str = "") -> TrialItem:
    kind = _KINDS.get(lot, "number")
    said = text or segment.text
    return TrialItem(
        segment.utterance, lot, kind, segment.speaker, question, ((slot, SpokenAnswer(value, said, said)),),
        segment.file, once=kind != "number", span=(segment.start_sample, segment.start_sample + segment.samples),
    )  # fmt: skip


__all__ = ["RecordedSegment", "segment_trials", "segments_in", "symbols_of_text"]
