"""Measures the cost of grammar size: making a recogniser and decoding a chunk, by number of entries."""

from __future__ import annotations

import asyncio
import functools
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import vosk

from agent.common.audio import SAMPLE_RATE
from agent.dialog.pack.loader import FlowPack
from agent.flows import english_pack
from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.script import Speech
from agent.rehearsal.voices import Voices
from agent.speech.model import resolve_model
from agent.speech.recognizer import CHUNK_BYTES
from benchmarks.figures import spread

SIZES = (10, 100, 300, 1000, 3000)
ROUNDS = 30
SAID = "where is my order"


async def measure_grammar_cost(home: RehearsalHome, say: Callable[[str], None], rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure the shipped grammars cut to different sizes, in turn, in one run."""
    pcm = (await Voices(home.shared / "callers", None).render(Speech(SAID, SAID, "joe"), -20.0)).tobytes()
    return await asyncio.to_thread(measure, pcm, say, SIZES, rounds)


def measure(pcm: bytes, say: Callable[[str], None], sizes: Sequence[int], rounds: int) -> dict[str, Any]:
    """Measure on this sound: lists of these sizes, and the list of every phrase there is."""
    vosk.SetLogLevel(-1)
    model = vosk.Model(str(resolve_model("bundled", Path())))
    phrases = all_phrases(FlowPack.load(english_pack()))
    lists = {size: json.dumps([*phrases[:size], "[unk]"]) for size in (*sizes, len(phrases)) if size <= len(phrases)}
    times: dict[int, tuple[list[float], list[float]]] = {size: ([], []) for size in lists}
    for _ in range(rounds):  # in turn, so that what disturbs the machine disturbs all of them
        for size, entries in lists.items():
            make_ms, chunk_ms = one_turn(functools.partial(vosk.KaldiRecognizer, model, SAMPLE_RATE, entries), pcm)
            times[size][0].append(make_ms)
            times[size][1].append(chunk_ms)
    rows: list[dict[str, Any]] = [
        {"entries": size, "make_ms": spread(make, 3), "chunk_ms": spread(chunk, 3)}
        for size, (make, chunk) in times.items()
    ]
    for row in rows:
        say(
            f"  {row['entries']:5d} entries: a recogniser {row['make_ms']['p50']:.1f} ms,"
            f" a 40 ms chunk {row['chunk_ms']['p50']:.2f} ms"
        )
    small, large = rows[0], rows[-1]
    return {
        "rounds": rounds,
        "rows": rows,
        "pairs": {
            f"making a recogniser, {large['entries']} entries / {small['entries']}": _ratio(large, small, "make_ms"),
            f"decoding a chunk, {large['entries']} entries / {small['entries']}": _ratio(large, small, "chunk_ms"),
        },
    }


def one_turn(make: Callable[[], Any], pcm: bytes) -> tuple[float, float]:
    """Return (ms to make a recogniser, mean ms of a 40 ms chunk)."""
    began = time.perf_counter()
    recognizer = make()
    made = time.perf_counter()
    chunks = [pcm[start : start + CHUNK_BYTES] for start in range(0, len(pcm), CHUNK_BYTES)]
    for chunk in chunks:
        recognizer.AcceptWaveform(chunk)
        recognizer.PartialResult()
    return (made - began) * 1000, (time.perf_counter() - made) * 1000 / len(chunks)


def all_phrases(pack: FlowPack) -> list[str]:
    """Return every phrase the procedures listen for anywhere; those of the turn with most of them come first."""
    turns = sorted((one.phrases for one in pack.grammars.values()), key=len, reverse=True)
    return list(dict.fromkeys(phrase for phrases in turns for phrase in phrases))


def _ratio(one: dict[str, Any], other: dict[str, Any], what: str) -> float:
    return round(float(one[what]["p50"]) / max(0.001, float(other[what]["p50"])), 2)
