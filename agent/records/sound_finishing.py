"""Makes the finished recording of one call: both sides on the record's clock, silent where the words are not kept."""

from __future__ import annotations

import math
import os
import wave
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agent.common.audio import SAMPLE_RATE
from agent.records.sound_files import STAFF, RawPart
from agent.records.sound_timing import LONGEST_GAP_SECONDS, Samples, completed

LONGEST_SECONDS = 4 * 3600.0
"""More is in no recording: a time beyond it is a mistake."""
MARGIN_SECONDS = 0.25
"""A silent span begins so much earlier and ends so much later than the words."""
_TOLERANCE_SECONDS = 0.1
"""Two measures of when a part began that differ by less than this agree."""


@dataclass(frozen=True)
class PlacedPart:
    """A part and when it began."""

    raw: RawPart
    from_seconds: float
    """On the record's clock."""
    uncertain_seconds: float = 0.0
    """How much earlier or later it may have been."""


def place(raw: RawPart, from_seconds: float | None, answered_utc: float | None) -> PlacedPart:
    """Say when a part began: by the agent's clock, compared with the end of the file less its length.

    Sound that is missing somewhere in the middle makes the two differ; then the silent spans get so much wider.
    """
    by_end = None if answered_utc is None else raw.changed_at - raw.seconds - answered_utc
    if from_seconds is None:  # the staff's part: only the file tells
        return PlacedPart(raw, max(0.0, by_end or 0.0))
    apart = abs(by_end - from_seconds) if by_end is not None else 0.0
    return PlacedPart(raw, from_seconds, apart if apart > _TOLERANCE_SECONDS else 0.0)


def finish(
    parts: Sequence[PlacedPart], silent: Iterable[Mapping[str, Any]], target: Path, spoken: Sequence[float] = ()
) -> float:
    """Write the stereo WAV file and return its seconds; all of it or nothing is there afterwards. Raises OSError.

    ``spoken`` are the times at which the agent's prompts were handed over, on the record's clock.
    """
    pieces = [(part, *_sides(part, spoken)) for part in parts]
    ends = [_index(part.from_seconds) + max(len(left), len(right)) for part, left, right in pieces]
    sound = np.zeros((min(max(ends, default=0), _index(LONGEST_SECONDS)), 2), dtype=np.int16)
    for part, left, right in pieces:
        for side, samples in enumerate((left, right)):
            start = _index(part.from_seconds)
            room = max(0, len(sound) - start)
            sound[start : start + len(samples), side] = samples[:room]
    wider = max((part.uncertain_seconds for part in parts), default=0.0)
    for span in silent:
        _silence(sound, span, MARGIN_SECONDS + wider)
    _write(sound, target)
    return round(len(sound) / SAMPLE_RATE, 3)


def _silence(sound: Samples, span: Mapping[str, Any], margin_seconds: float) -> None:
    start = max(0, _index(float(span["from_seconds"]) - margin_seconds))
    until = span.get("until_seconds")
    end = len(sound) if until is None else _index(float(until) + margin_seconds)
    if span.get("side") == "caller":
        sound[start:end, 0] = 0
    else:
        sound[start:end] = 0


def _sides(part: PlacedPart, spoken: Sequence[float]) -> tuple[Samples, Samples]:
    caller, agent = (_read(file) for file in part.raw.files)
    if part.raw.part == STAFF:
        return caller, agent
    length = max(len(caller), len(agent)) / SAMPLE_RATE
    own = [at - part.from_seconds for at in spoken if 0 <= at - part.from_seconds <= length + LONGEST_GAP_SECONDS]
    return completed(caller, agent, own)


def _read(file: Path) -> Samples:
    """Return a side's samples, none where there is no file: nothing came from that side."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        content = b""
    return np.frombuffer(content[: len(content) // 2 * 2], dtype="<i2")


def _index(seconds: float) -> int:
    if not math.isfinite(seconds):
        return 0
    return round(min(max(seconds, 0.0), LONGEST_SECONDS) * SAMPLE_RATE)


def _write(sound: Samples, target: Path) -> None:
    draft = target.with_suffix(".part")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            with wave.open(file, "wb") as recording:
                recording.setnchannels(2)
                recording.setsampwidth(2)
                recording.setframerate(SAMPLE_RATE)
                recording.writeframes(sound.astype("<i2").tobytes())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
