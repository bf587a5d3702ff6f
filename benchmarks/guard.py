"""The regression guard: costs as ratios within one run, held against a stored baseline. ``--write`` stores a new one.

``python -m benchmarks.guard`` prints what it finds. A ratio may be ``allowed`` times the baseline's: generous, for CI
machines differ and are shared; what it catches is a turn that has become many times as dear. The dialog is measured in
CPU time of its thread, which a busy machine hardly changes.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import vosk

from agent.common.audio import SAMPLE_RATE
from agent.dialog.contract import Effect, EffectFailed, TurnInput
from agent.dialog.pack.loader import FlowPack
from agent.flows import english_pack
from agent.speech.model import resolve_model
from benchmarks.grammar_cost import all_phrases, one_turn
from benchmarks.text_call import text_call

BASELINE = Path(__file__).resolve().parent / "baseline.json"
CALL = ("where is my order", "one zero four seven three", "six oh six one four")
_ROUNDS = 7


def calibration_seconds() -> float:
    """Plain Python that does the same on every machine: what the others are compared with."""
    began = time.thread_time()
    words: dict[str, int] = {}
    for number in range(20_000):
        word = str(number % 1000)
        words[word] = words.get(word, 0) + len(word)
    return time.thread_time() - began


def best_ratio(work: Callable[[], float], other: Callable[[], float], rounds: int = _ROUNDS) -> float:
    """Return the least of each over some rounds, taken in turn: what a neighbour on the machine adds is left out."""
    pairs = [(work(), other()) for _ in range(rounds)]
    return min(one for one, _ in pairs) / max(1e-9, min(two for _, two in pairs))


def turn_cost(pack: FlowPack) -> float:
    """Return the cost of a call's turns in the dialog / the calibration loop."""
    return best_ratio(lambda: dialog_seconds(pack), calibration_seconds)


def dialog_seconds(pack: FlowPack) -> float:
    """Hold a short call in text; return what the rules took."""
    conversation = text_call(pack)
    began = time.thread_time()
    turn = conversation.start()
    for said in CALL:
        conversation.completeness(said)
        turn = conversation.hear(TurnInput(text=said))
    if isinstance(turn.then, Effect):
        conversation.hear(EffectFailed(turn.then.name, "unavailable"))
    return time.thread_time() - began


def grammar_costs(pack: FlowPack) -> dict[str, float]:
    """Return large / small for making a recogniser and for decoding a second of noise."""
    vosk.SetLogLevel(-1)
    model = vosk.Model(str(resolve_model("bundled", Path())))
    phrases = all_phrases(pack)
    noise = np.random.default_rng(7).normal(0, 2000, SAMPLE_RATE).astype("<i2").tobytes()

    def times(size: int) -> tuple[float, float]:
        entries = json.dumps([*phrases[:size], "[unk]"])
        return one_turn(lambda: vosk.KaldiRecognizer(model, SAMPLE_RATE, entries), noise)

    pairs = [(times(len(phrases)), times(100)) for _ in range(_ROUNDS)]
    return {
        f"{what}, every phrase / 100": min(large[at] for large, _ in pairs) / min(small[at] for _, small in pairs)
        for at, what in enumerate(("making a recogniser", "decoding a chunk"))
    }


def measured_ratios(pack: FlowPack) -> dict[str, float]:
    """Return every ratio that needs no telephone."""
    return {"a call's turns / the calibration loop": turn_cost(pack), **grammar_costs(pack)}


def ratios_over_baseline(ratios: dict[str, float], baseline: dict[str, Any]) -> list[str]:
    """Return what is dearer than the baseline allows, for people."""
    return [
        f"{what}: {ratio:.2f}, where {baseline[what]['ratio']:.2f} was measured and"
        f" {baseline[what]['allowed']:g} times that is allowed"
        for what, ratio in ratios.items()
        if ratio > baseline[what]["ratio"] * baseline[what]["allowed"]
    ]


def read_baseline() -> dict[str, Any]:
    """Return the stored baseline: name -> ratio, allowed."""
    stored: dict[str, Any] = json.loads(BASELINE.read_text(encoding="utf-8"))
    return stored


def main(arguments: Sequence[str]) -> int:
    """Print the ratios; with ``--write`` store them, keeping what is allowed."""
    ratios = measured_ratios(FlowPack.load(english_pack()))
    baseline = read_baseline()
    for what, ratio in ratios.items():
        print(f"{what}: {ratio:.3f} (baseline {baseline.get(what, {}).get('ratio', '-')})")
        if "--write" in arguments:
            baseline[what] = {"allowed": 4.0} | baseline.get(what, {}) | {"ratio": round(ratio, 3)}
    if "--write" in arguments:
        BASELINE.write_text(json.dumps(baseline, indent=2) + "\n", encoding="utf-8")
        return 0
    return 1 if ratios_over_baseline(ratios, baseline) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
