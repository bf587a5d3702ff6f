"""The speech on disk: one file of samples and one list of utterances for each source (a voice, a group of people).

``NAME.i16`` holds 16-bit samples at 16 kHz, utterance after utterance; ``NAME.jsonl`` one line for each: where it
begins (``start``, samples), its length (``samples``), who speaks, and its words. Both grow together, so a run that was
stopped goes on where it was: what has no line yet is cut off.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
"""Samples a second of the stored speech."""
SHORTEST_SECONDS, LONGEST_SECONDS = 0.15, 9.4
PEAK = 0.6 * 32767
"""Each utterance is stored at this peak; levels are drawn anew at every use (augment.py)."""

NEVER_TRAINED = frozenset(
    {
        "joe",
        "espeak",
        "af_bella",
        "af_sarah",
        "am_michael",
        "am_fenrir",
        "bf_emma",
        "bm_george",
        "flite_rms",
        "flite_slt",
    }
)
"""Voices that measure the model (docs/accuracy.md) and live callers; none of them may train it."""


class ForbiddenVoiceError(ValueError):
    """A voice that measures the model was about to train it."""


def refuse_measuring_voice(speaker: str) -> None:
    """Raise for a speaker that is, or is mixed from, a voice of ``NEVER_TRAINED``; "a+b" names a mixture."""
    for voice in speaker.split("+"):
        if voice in NEVER_TRAINED or voice.split(":")[0].startswith(("espeak", "joe")):
            raise ForbiddenVoiceError(f"{voice} measures the model and is never trained on")


@dataclass(frozen=True)
class Utterance:
    """One utterance: ``start`` and ``samples`` at 16 kHz, ``words`` separated by spaces."""

    start: int
    samples: int
    speaker: str
    words: str


class SpeechWriter:
    """Adds utterances to a source; opened again, it goes on behind the last whole one."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.list_path, self.samples_path = folder / f"{name}.jsonl", folder / f"{name}.i16"
        known = list(read_list(self.list_path))
        whole = self.list_path.read_bytes() if self.list_path.exists() else b""
        self.list_length = whole.rfind(b"\n") + 1
        self.count = len(known)
        self.length = known[-1].start + known[-1].samples if known else 0

    def __enter__(self) -> SpeechWriter:
        self.samples_path.touch()
        self.sound = self.samples_path.open("r+b")
        self.sound.truncate(self.length * 2)
        self.sound.seek(self.length * 2)
        with self.list_path.open("ab") as lines:
            lines.truncate(self.list_length)
        self.list = self.list_path.open("a", encoding="utf-8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sound.close()
        self.list.close()

    @property
    def seconds(self) -> float:
        """How much speech the source holds."""
        return self.length / RATE

    def add(self, samples: NDArray[np.floating], speaker: str, words: str) -> bool:
        """Store one utterance (any scale, 16 kHz); False when it is silent, too short or too long."""
        refuse_measuring_voice(speaker)
        peak = float(np.abs(samples).max(initial=0.0))
        if peak < 1e-3 or not SHORTEST_SECONDS <= len(samples) / RATE <= LONGEST_SECONDS:
            return False
        self.sound.write((samples / peak * PEAK).astype("<i2").tobytes())
        self.sound.flush()
        self.list.write(json.dumps(asdict(Utterance(self.length, len(samples), speaker, words))) + "\n")
        self.list.flush()
        self.length += len(samples)
        self.count += 1
        return True


def read_list(path: Path) -> Iterator[Utterance]:
    """The utterances of a list; a last line cut off in writing is left out."""
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            yield Utterance(**json.loads(line))


class Speech:
    """All sources read together: ``utterances[i]`` with ``sources[i]`` its source, ``samples(i)`` its sound."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        self.utterances: list[Utterance] = []
        self.sources: list[str] = []
        self._sound: dict[str, NDArray[np.int16]] = {}
        for name in names:
            self._sound[name] = np.fromfile(folder / f"{name}.i16", "<i2")
            for utterance in read_list(folder / f"{name}.jsonl"):
                refuse_measuring_voice(utterance.speaker)
                self.utterances.append(utterance)
                self.sources.append(name)

    def samples(self, index: int) -> NDArray[np.float32]:
        """The sound of one utterance, 16 kHz, on the scale of 16-bit samples."""
        one = self.utterances[index]
        return self._sound[self.sources[index]][one.start : one.start + one.samples].astype(np.float32)
