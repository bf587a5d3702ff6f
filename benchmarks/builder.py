"""Times of the builder on a real console: check of a draft after an edit, and turns of a simulated call.

``python -m benchmarks.builder --edits 100``. Nothing else should run on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.edit_sessions.console_process import killable_console
from benchmarks.edit_sessions.editor import EditingBrowser
from benchmarks.figures import spread
from benchmarks.targets import TargetRow

CHECK_MS, TURN_MS = 1500.0, 100.0
_WHO = "ann"
_PHRASE_EVERY = 4
"""Every fourth edit is a phrase; the others are words that are said."""
_WORDS = ("lamp", "boots", "coat", "candle", "rug", "chair", "mug", "vase", "shelf", "scarf")
CONVERSATIONS: tuple[tuple[str, ...], ...] = (
    ("where is my order", "one oh four three seven one", "yes", "no thanks"),
    ("i want to return something", "one oh four three seven one", "the lamp", "it's broken", "yes", "no"),
    ("do you have any promotions", "what about the autumn sale", "when are you open", "no thank you"),
    ("i'd like to change my delivery address", "what", "i don't know", "a person please"),
)
"""What callers say, one conversation a line; a service that is asked gives the first of its answers."""


async def measure_builder(directory: Path, edits: int) -> dict[str, Any]:
    """Return times as :func:`benchmarks.figures.spread`.

    ``check_ms`` is after every edit; ``phrase_ms`` after those of phrases alone, which have grammars compiled anew.
    """
    async with (
        killable_console(directory, [_WHO]) as console,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        person = EditingBrowser(console.url, _WHO, console.people[_WHO], http)
        await person.sign_in()
        draft = await person.ask("POST", "/drafts", {"name": "Benchmark", "client": "benchmark"})
        person.draft = draft["id"]
        await person.reload()
        await person.ask("POST", "/check", {"source": {"draft": person.draft}})  # the process gets warm
        edit_ms, check_ms, phrase_ms = await _edits(person, edits)
        begin_ms, turn_ms = await _turns(person, edits)
    times = {
        "edit_ms": edit_ms, "check_ms": check_ms, "phrase_ms": phrase_ms, "begin_ms": begin_ms, "turn_ms": turn_ms,
    }  # fmt: skip
    return {name: spread(values) for name, values in times.items()}


async def _edits(person: EditingBrowser, edits: int) -> tuple[list[float], list[float], list[float]]:
    chance = random.Random(1)  # noqa: S311 - the same edits every time
    edit_ms, check_ms, phrase_ms = [], [], []
    for number in range(edits):
        phrase = number % _PHRASE_EVERY == _PHRASE_EVERY - 1
        if phrase:
            path = _add_phrase(person, chance, number)
        else:
            path = chance.choice(_places(person))
            person.put(path, f"{person.value(path)} And this is edit {number}.")
        began = time.perf_counter()
        await person.flush()
        edit_ms.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        found = await person.ask("POST", "/check", {"source": {"draft": person.draft}})
        check_ms.append((time.perf_counter() - began) * 1000)
        if phrase:
            phrase_ms.append(check_ms[-1])
        if not found["usable"]:
            raise RuntimeError(f"the edit of {path} is a mistake: {found['findings'][:1]}")
    return edit_ms, check_ms, phrase_ms


def _add_phrase(person: EditingBrowser, chance: random.Random, number: int) -> list[str | int]:
    """Add a way of asking for an answer, and return where it stands."""
    answers = person.tree["knowledge"]["answers"]
    name = chance.choice([name for name, answer in sorted(answers.items()) if isinstance(answer["ask"], list)])
    words = " ".join(_WORDS[int(digit)] for digit in str(number))
    place: list[str | int] = ["knowledge", "answers", name, "ask", len(answers[name]["ask"])]
    person.act({"op": "insert", "path": place, "value": f"i have a question about the {words}"})
    return place


def _places(person: EditingBrowser) -> list[list[str | int]]:
    """Return texts all over the pack: answers, prompts, words of steps."""
    tree = person.tree
    found: list[list[str | int]] = [["knowledge", "answers", name, "says"] for name in tree["knowledge"]["answers"]]
    found += [
        ["prompts", name] for name, value in tree["prompts"].items() if isinstance(value, str) and "{" not in value
    ]
    for name, flow in tree["flows"].items():
        for place, step in enumerate(flow["steps"]):
            words = step.get("say")
            if isinstance(words, str) and " " in words and "{" not in words:
                found.append(["flows", name, "steps", place, "say"])
    return found


async def _turns(person: EditingBrowser, calls: int) -> tuple[list[float], list[float]]:
    begin_ms, turn_ms = [], []
    for number in range(calls):
        began = time.perf_counter()
        state = await person.ask("POST", "/simulations", {"source": {"draft": person.draft}})
        begin_ms.append((time.perf_counter() - began) * 1000)
        path, words = f"/simulations/{state['id']}", list(CONVERSATIONS[number % len(CONVERSATIONS)])
        while not state["over"] and (state["pending"] or words):
            pending = state["pending"]
            turn = {"answer": pending["choices"][0]["id"]} if pending else {"say": words.pop(0)}
            began = time.perf_counter()
            state = await person.ask("POST", f"{path}/turns", turn)
            turn_ms.append((time.perf_counter() - began) * 1000)
        await person.ask("DELETE", path)
    return begin_ms, turn_ms


def rows(times: dict[str, Any]) -> list[TargetRow]:
    """Return the builder's targets with what was measured."""
    return [
        _row("check of a draft after an edit, p95", times["check_ms"], CHECK_MS),
        _row("turn of a simulated call, p95", times["turn_ms"], TURN_MS),
    ]


def _row(what: str, measured: dict[str, Any], limit: float) -> TargetRow:
    if measured["p95"] is None:
        return TargetRow(what, f"<= {limit:g} ms", "not measured", False)
    over = measured["p95"] - limit
    told = f"{measured['p95']:.0f} ms of {measured['n']}"
    return TargetRow(what, f"<= {limit:g} ms", told, over <= 0, f"by {over:.0f} ms" if over > 0 else "")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.builder", description=__doc__)
    parser.add_argument("--edits", type=int, default=100, help="how many edits, and as many simulated calls (100)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="orderline-builder-") as directory:
        times = asyncio.run(measure_builder(Path(directory), options.edits))
    for name, measured in times.items():
        told = "  ".join(f"{part} {measured[part]}" for part in ("p50", "p95", "p99", "max", "n"))
        print(f"{name:<10} {told}")
    found = rows(times)
    for row in found:
        print(f"{row.what:<40} {row.target:<12} {row.measured:<16} {row.verdict}")
    return 0 if all(row.holds for row in found) else 1


if __name__ == "__main__":
    sys.exit(main())
