"""How well a model alone hears people it never heard, and how much work that is: fixed grammars, no agent around it.

    python -m contrib.model.evaluate MODEL [MODEL ...] --recordings DIR

The recordings pass an old telephone line as in ``orderline accuracy --recordings`` (docs/accuracy.md): 200 to 3400 Hz,
mu-law, noise at an rms of 4 of 32768 under a voice at -22 dBFS. All models hear the same sound. What the whole agent
makes of a model, and all synthetic voices, are measured by ``orderline accuracy``.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import vosk
from numpy.typing import NDArray
from scipy.signal import butter, resample_poly, sosfilt

from contrib.model.augment import FULL_SCALE, coded
from contrib.model.people import MEASURING_GROUPS, said_words
from contrib.model.texts import LETTERS, WORDS

RATE = 8_000
DIGITS = [*WORDS["digits"], "oh"]
CHUNK = RATE // 10
VOICE_DBFS, NOISE_RMS = -22, 4.0


class Saying(NamedTuple):
    """An utterance to be heard: 16-bit sound at 8 kHz and its words."""

    kind: str
    words: list[str]
    sound: bytes


GRAMMARS = {
    "digit strings": DIGITS,
    "spelled letters": LETTERS,
    "letters and digits": [*LETTERS, *DIGITS],
    "yes or no": ["yes", "no"],
    "other words": ["yes", "no"],
}


def kind_of(words: Sequence[str]) -> str | None:
    """What an utterance measures, by its words alone; None: nothing here."""
    digits, letters = [word in DIGITS for word in words], [len(word) == 1 for word in words]
    if len(words) == 1:
        return "yes or no" if words[0] in ("yes", "no") else None if digits[0] or letters[0] else "other words"
    if all(digits):
        return "digit strings" if len(words) >= 3 else None
    if all(letters):
        return "spelled letters"
    return "letters and digits" if all(d or c for d, c in zip(digits, letters, strict=True)) else None


def old_line(samples: NDArray[np.float64], rng: np.random.Generator) -> bytes:
    """16 kHz sound behind an old telephone line."""
    band = butter(4, [200, 3400], "bandpass", fs=RATE, output="sos")
    voice = sosfilt(band, resample_poly(samples, 1, 2))
    loud = voice[np.abs(voice) > 0.02 * np.abs(voice).max()]
    voice *= 10 ** (VOICE_DBFS / 20) * FULL_SCALE / np.sqrt(np.mean(loud**2))
    line = np.concatenate([np.zeros(RATE // 2), voice, np.zeros(RATE)])
    line += rng.normal(0, NOISE_RMS, len(line))
    return coded(line.astype(np.float32), "mulaw").astype("<i2").tobytes()


def sayings(recordings: Path) -> Iterator[Saying]:
    """The utterances of the speakers kept for measuring, each with a noise of its own."""
    for folder in ("an4-dev", "speech-commands-train"):
        lines = (recordings / folder / "segments.tsv").read_text(encoding="utf-8").splitlines()
        sounds: dict[str, NDArray[np.float64]] = {}
        for number, row in enumerate(csv.DictReader(lines, delimiter="\t")):
            words = said_words(row["text"], row["utterance"]).split()
            kind = kind_of(words)
            if folder.startswith("speech") and (row["speaker"] not in MEASURING_GROUPS or len(words) > 1):
                continue
            if kind is None or (folder == "an4-dev" and kind == "other words"):
                continue
            if row["file"] not in sounds:
                sounds[row["file"]], _ = soundfile.read(recordings / folder / row["file"])
            start = int(row["start_sample"])
            part = sounds[row["file"]][start : start + int(row["samples"])]
            yield Saying(kind, words, old_line(part, np.random.default_rng(number)))


def heard(model: vosk.Model, grammar: Sequence[str], sound: bytes) -> list[str]:
    """The words a model hears in a sound."""
    recogniser = vosk.KaldiRecognizer(model, RATE, json.dumps([*grammar, "[unk]"]))
    texts = []
    for start in range(0, len(sound), 2 * CHUNK):
        if recogniser.AcceptWaveform(sound[start : start + 2 * CHUNK]):
            texts.append(json.loads(recogniser.Result())["text"])
    texts.append(json.loads(recogniser.FinalResult())["text"])
    return " ".join(texts).split()


def right(saying: Saying, words: Sequence[str]) -> bool:
    """Whether an utterance was heard as it should be; of other words, nothing may be taken for yes or no."""
    if saying.kind == "other words":
        return not set(words) & {"yes", "no"}
    noughts = ["zero" if word == "oh" else word for word in words if word != "[unk]"]
    return noughts == ["zero" if word == "oh" else word for word in saying.words]


def evaluate(models: Sequence[Path], recordings: Path) -> str:
    """The table of all models, as Markdown: right of all, the share with its 95 % interval, work a second of sound."""
    vosk.SetLogLevel(-1)
    all_sayings = list(sayings(recordings))
    columns = []
    for path in models:
        model = vosk.Model(str(path))
        begun = time.process_time()
        columns.append([right(one, heard(model, GRAMMARS[one.kind], one.sound)) for one in all_sayings])
        work = (time.process_time() - begun) / sum(len(one.sound) / 2 / RATE for one in all_sayings)
        print(f"{path.name}: {1000 * work:.1f} ms of a core for a second of sound")
    lines = [
        "| people never heard | n | " + " | ".join(str(path) for path in models) + " |",
        "|---" * (2 + len(models)) + "|",
    ]
    for kind in GRAMMARS:
        places = [place for place, one in enumerate(all_sayings) if one.kind == kind]
        cells = [share(sum(column[place] for place in places), len(places)) for column in columns]
        lines.append(f"| {kind} | {len(places)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def share(count: int, of: int) -> str:
    """A count, its share and the share's 95 % interval (Wilson)."""
    z, part = 1.96, count / of
    centre = (part + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * (part * (1 - part) / of + z * z / (4 * of * of)) ** 0.5
    return f"{count} ({part:.0%}, {centre - half:.0%}-{centre + half:.0%})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--recordings", type=Path, required=True)
    options = parser.parse_args()
    print(evaluate(options.models, options.recordings))
