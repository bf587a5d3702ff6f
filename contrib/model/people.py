"""Speech of people: the 55 training speakers of AN4 and the training groups of Speech Commands.

A folder of recordings has ``segments.tsv`` (docs/accuracy.md, "People's single answers"). Speakers that measure the
model are left out: the groups g18 to g23 of Speech Commands; AN4's other speakers lie in a folder of their own.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from contrib.model.pronunciation import unknown_words
from contrib.model.speech_files import RATE, SpeechWriter, read_list

MEASURING_GROUPS = frozenset(f"g{number}" for number in range(18, 24))
"""Groups of Speech Commands speakers who are never trained on."""


def said_words(text: str, utterance: str) -> str:
    """What was said; of "unknown", the word stands in the utterance's id ("8494fba8_happy_...")."""
    return utterance.split("_")[1] if text == "unknown" else text


def collect(recordings: Path, folder: Path, name: str, left_out: Callable[[str], bool] = lambda speaker: False) -> None:
    """Copy the utterances of a folder of recordings into one source, without the speakers left out."""
    if any(True for _ in read_list(folder / f"{name}.jsonl")):
        return  # made before; it takes seconds and is never half done
    sounds: dict[str, NDArray[np.float64]] = {}
    lines = (recordings / "segments.tsv").read_text(encoding="utf-8").splitlines()
    with SpeechWriter(folder, name) as writer:
        for row in csv.DictReader(lines, delimiter="\t"):
            words = said_words(row["text"], row["utterance"])
            if left_out(row["speaker"]) or unknown_words(words.split()):
                continue
            if row["file"] not in sounds:
                sounds[row["file"]], rate = soundfile.read(recordings / row["file"])
                if rate != RATE:
                    raise ValueError(f"{row['file']}: {rate} Hz instead of {RATE}")
            start = int(row["start_sample"])
            writer.add(sounds[row["file"]][start : start + int(row["samples"])], row["speaker"], words)
    print(f"{name}: {writer.count} utterances, {writer.seconds / 60:.1f} min")


def collect_people(recordings: Path, folder: Path) -> None:
    """Both collections, from their folders below ``recordings``."""
    collect(recordings / "an4-train", folder, "an4")
    collect(
        recordings / "speech-commands-train", folder, "speech_commands", lambda speaker: speaker in MEASURING_GROUPS
    )
