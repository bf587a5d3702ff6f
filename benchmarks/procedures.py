"""``python -m benchmarks.procedures [--before CHECKOUT]``: what an edition of the procedures costs a busy agent.

CPU milliseconds of loading and reloading, of grammars with a caller's own choices, of understanding and of decoding;
and how long the event loop stands still while an edited file is taken up. Given a second checkout it measures both in
turn, so that what disturbs the machine disturbs both.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import logging
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import vosk

from agent.dialog.contract import TurnInput, Word
from agent.dialog.grammar.choices import Option
from agent.dialog.grammar.turn_grammar import TurnGrammar
from agent.dialog.pack.loader import FlowPack
from agent.dialog.pack.reloader import FlowPackReloader
from agent.dialog.templating.rendering import SandboxRenderer
from agent.flows import english_pack
from agent.speech.engines.hibari import HibariEngine
from agent.speech.model import bundled_model
from agent.speech.recognizer import CHUNK_BYTES, VoskRecognizer
from agent.speech.wording import filters

ROUNDS = 3
THINGS = ("Lamp", "Table", "Chair", "Coat", "Scarf", "Boots", "Mug", "Case", "Rug", "Bowl")
SAID = ("where is my order", "i want to return something because it is broken", "the weather is nice today isn't it")
DECODED = ("Where is my order?", "I want to return something.", "One oh four seven three.", "Talk to a person.")

Figures = dict[str, float]


def measure() -> Figures:
    """Measure the ``agent`` that is imported."""
    logging.disable(logging.WARNING)
    vosk.SetLogLevel(-1)
    figures, pack = asyncio.run(_editions())
    recognizer = VoskRecognizer(bundled_model())
    for grammar in pack.grammars.values():
        recognizer.listen(grammar.phrases, grammar.words, grammar.samples)
    made: list[TurnGrammar] = []

    def make(slot: str, number: int) -> None:
        made.append(pack.grammar_with(slot, _choices(number)))

    for slot in ("return_item", "which_order", "street"):
        figures[f"grammar of {slot} with three new choices"] = _median_ms(functools.partial(make, slot), 10)
    figures["opening an ear for such a grammar"] = _median_ms(
        lambda number: recognizer.listen(made[number].phrases, made[number].words, made[number].samples), len(made)
    )
    grammar = pack.grammars["collect:request"]
    heard = [TurnInput(text, tuple(Word(word, 0.9) for word in text.split())) for text in SAID]
    figures["understanding three sentences"] = _median_ms(lambda _: [grammar.match(one) for one in heard], 20)
    begun = [" ".join(text.split()[:end]) for text in SAID for end in range(1, len(text.split()) + 1)]
    figures["judging all their beginnings"] = _median_ms(lambda _: [grammar.completeness(one) for one in begun], 10)
    figures["decoding a turn, grammar included"] = asyncio.run(_decoding(recognizer, pack))
    return figures


async def _editions() -> tuple[Figures, FlowPack]:
    """Load the procedures, then edit one file again and again; return the last edition as well."""
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(shutil.copytree(english_pack(), Path(scratch) / "flows"))
        procedures = FlowPackReloader(directory, SandboxRenderer(filters).filters, _prepared, datetime.now)
        began = time.process_time()
        await procedures.load()
        figures["first load"] = (time.process_time() - began) * 1000
        reloads, halts = [], []
        for number in range(5):
            file = directory / "knowledge.yaml"
            file.write_text(f"{file.read_text(encoding='utf-8')}\n# {number}\n", encoding="utf-8")
            await procedures.look()
            began = time.process_time()
            halts.append(await _longest_halt_ms(procedures))
            reloads.append((time.process_time() - began) * 1000)
    figures["hot reload"] = statistics.median(reloads)
    figures["longest halt of the event loop in it"] = statistics.median(halts)
    return figures, procedures.current


async def _prepared(_: FlowPack) -> None:
    return


async def _longest_halt_ms(procedures: FlowPackReloader) -> float:
    taking_up = asyncio.create_task(procedures.look())
    longest = 0.0
    while not taking_up.done():
        began = time.perf_counter()
        await asyncio.sleep(0.002)
        longest = max(longest, time.perf_counter() - began - 0.002)
    return longest * 1000


async def _decoding(recognizer: VoskRecognizer, pack: FlowPack) -> float:
    voice = HibariEngine()
    audio = [voice.synthesise(text).tobytes() for text in DECODED]
    grammar = pack.grammars["collect:request"]
    turns = []
    for pcm in (*audio, *audio):
        began = time.process_time()
        hearing = recognizer.listen(grammar.phrases, grammar.words, grammar.samples)
        for start in range(0, len(pcm), CHUNK_BYTES):
            await hearing.feed(pcm[start : start + CHUNK_BYTES])
        await hearing.finish()
        turns.append((time.process_time() - began) * 1000)
    recognizer.close()
    return statistics.fmean(turns)


def _choices(number: int) -> tuple[Option, ...]:
    kinds = ("Brass Desk", "Oak Bedside", "Woollen Warm")
    return tuple(Option(f"{kind}{number}", f"{kind} {THINGS[number]}") for kind in kinds)


def _median_ms(work: Callable[[int], object], times: int) -> float:
    taken = []
    for number in range(times):
        began = time.thread_time()
        work(number)
        taken.append((time.thread_time() - began) * 1000)
    return statistics.median(taken)


def _measured_in(checkout: Path) -> Figures:
    """Measure another checkout's agent in a process of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), "--figures"]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run(command, env=environment, cwd=checkout, check=True, capture_output=True, text=True)
    return {str(name): float(value) for name, value in json.loads(done.stdout.splitlines()[-1]).items()}


def _rows(checkouts: list[Path], rounds: int) -> Iterator[tuple[str, list[float]]]:
    measured: list[list[Figures]] = [[] for _ in checkouts]
    for _ in range(rounds):
        for figures, checkout in zip(measured, checkouts, strict=True):
            figures.append(_measured_in(checkout))
    for name in measured[0][0]:
        yield name, [statistics.median(one[name] for one in figures) for figures in measured]


def main() -> None:
    """Print a table: one column, or before and now."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.procedures", description=__doc__)
    parser.add_argument("--before", type=Path, help="another checkout to compare with")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--figures", action="store_true", help="measure the agent on PYTHONPATH and print JSON")
    options = parser.parse_args()
    if options.figures:
        print(json.dumps(measure()))
        return
    here = Path(__file__).resolve().parents[1]
    checkouts = [here] if options.before is None else [options.before.resolve(), here]
    print("| ms | " + " | ".join(["before", "now"][-len(checkouts) :]) + " |\n|---|" + "---|" * len(checkouts))
    for name, values in _rows(checkouts, options.rounds):
        print(f"| {name} | " + " | ".join(f"{value:.1f}" for value in values) + " |")


if __name__ == "__main__":
    main()
