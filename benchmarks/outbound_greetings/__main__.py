"""``make outbound-greetings``: sixty-six greetings by seven voices, and what the opening of a call makes of each.

No telephone: the recogniser, the opening and the procedures are those of the agent, over a mu-law line with a little
noise. People must be spoken with, and be the right person when they say so; of machines none may be told more than the
opening sentence (and, behind a voicemail's tone, the one neutral message), and none may count as somebody reached.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from agent.accuracy.call_listener import CallListenerFactory
from agent.accuracy.codecs import through_codec
from agent.common.audio import SAMPLE_RATE
from agent.dialog.engine.state import CallFacts
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from agent.flows import english_pack
from agent.rehearsal.audio import Pcm, voiced_span
from agent.rehearsal.called_customer import silence, tone
from agent.rehearsal.script import DEFAULT_LEVEL_DBFS, Speech
from agent.rehearsal.voices import Voices
from agent.speech.model import bundled_model
from agent.speech.wording import filters
from benchmarks.outbound_greetings.opening_call import FarEnd, OpeningCalls, OpeningOutcome

VOICES = (
    "joe", "espeak:en-us", "espeak:en-us+f3", "espeak:en-us+linda", "espeak:en-gb", "espeak:en-gb+f2",
    "espeak:en-gb-scotland",
)  # fmt: skip
"""None of them is the agent's own."""
GREETINGS = Path(__file__).with_name("greetings.yaml")
ANSWER = "yes, this is James"
NOW = datetime(2026, 11, 24, 16, 15, tzinfo=UTC)
_NOISE_RMS = 12.0
"""Of 16-bit samples: a quiet line, -69 dBFS."""
_BEEP: Mapping[str, Sequence[Pcm]] = {
    "beep": (tone(1000.0, 0.4),),
    "beeps": (tone(1000.0, 0.4), silence(0.35), tone(1000.0, 0.4)),
}
_NOTHING_SAID_SECONDS = 1.2
_OPENING, _MESSAGE, _WHO_CALLS = "outbound_opening", "outbound_message", "outbound_screener"
_ALSO = {"voicemail": (_MESSAGE,), "screener": (_WHO_CALLS, _MESSAGE)}
"""What these may be told besides; each once."""
_CONTENT = re.compile(r"\b(order|parcel|package|refund|return|item|10473)\b", re.IGNORECASE)
_REACHED = ("person", "right_person", "wrong_number")


@dataclass(frozen=True)
class GreetedCall:
    """One greeting by one voice, and what came of it."""

    kind: str
    greeting: str
    voice: str
    message: bool
    """Whether a voicemail is left a message."""
    outcome: OpeningOutcome
    problem: str
    """Empty when it is as it must be."""


def problem_of(kind: str, outcome: OpeningOutcome) -> str:
    """Return what is wrong with the outcome of a call to a person or a machine; empty when nothing is."""
    if kind == "person":
        return "" if outcome.reached == "right_person" else f"a person, taken for {outcome.reached or 'nobody'}"
    if outcome.reached in _REACHED:
        return f"a machine, recorded as {outcome.reached}"
    if _CONTENT.search(outcome.words):
        return "a machine, told what it is about"
    allowed = {_OPENING, *_ALSO.get(kind, ())}
    if set(outcome.said) - allowed or len(outcome.said) > len(set(outcome.said)):
        return f"a machine, told {', '.join(outcome.said)}"
    return ""


def greeting_pcm(pieces: Sequence[Any], voices: Voices, voice: str) -> tuple[Pcm, float]:
    """Return what is played, and when its first words end (0 when it begins with a long silence), in seconds."""
    made: list[Pcm] = []
    ends = 0.0
    for piece in pieces:
        if isinstance(piece, int | float):
            made.append(silence(float(piece)))
        elif piece in _BEEP:
            made += _BEEP[piece]
        else:
            pcm = voices.render_now(Speech(piece, piece, voice), DEFAULT_LEVEL_DBFS)
            before = sum(map(len, made)) / SAMPLE_RATE
            if not ends and before < _NOTHING_SAID_SECONDS:
                span = voiced_span(pcm)
                ends = before + (span[1] if span is not None else len(pcm)) / SAMPLE_RATE
            made.append(pcm)
    return through_codec(np.concatenate(made).astype("<i2"), "ulaw"), ends


def planned(each: int, only: Sequence[str]) -> Iterator[tuple[str, Sequence[Any], str, bool]]:
    """Give (kind, greeting, voice, whether messages are left): every greeting by ``each`` voices, in turn."""
    greetings: Mapping[str, Sequence[Sequence[Any]]] = yaml.safe_load(GREETINGS.read_text(encoding="utf-8"))
    index = 0
    for kind, list_of in greetings.items():
        for greeting in list_of if not only or kind in only else ():
            for turn in range(each):
                yield kind, greeting, VOICES[(index + turn * 3) % len(VOICES)], bool((index + turn) % 2)
            index += 1


async def _held(
    calls: OpeningCalls, voices: Voices, number: int, plan: tuple[str, Sequence[Any], str, bool]
) -> GreetedCall:
    kind, greeting, voice, message = plan
    noise = np.random.default_rng(number)
    pcm, ends = greeting_pcm(greeting, voices, voice)
    answer = voices.render_now(Speech(ANSWER, ANSWER, voice), DEFAULT_LEVEL_DBFS) if kind == "person" else None
    far = FarEnd(pcm, answer, lambda count: noise.normal(0.0, _NOISE_RMS, count).astype("<i2"))
    facts = CallFacts(
        now=NOW,
        shop_name="Maple and Finch",
        entry="outbound",
        call_id=f"greeting-{number}",
        job={"purpose": "delivery", "name": "James", "call_back": "+12025550100", "message": message},
        matter={"order_number": "10473", "delivered_on": "2026-11-23", "parcels": 1},
        job_key=f"delivery:{number}",
    )
    outcome = await calls.hold(facts, far, ends)
    text = " ".join(str(piece) for piece in greeting)
    return GreetedCall(kind, text, voice, message, outcome, problem_of(kind, outcome))


async def measure(home: Path, each: int, only: Sequence[str] = (), model: Path | None = None) -> list[GreetedCall]:
    """Hold every call; ``home`` keeps what the voices have rendered."""
    render = SandboxRenderer(filters)
    pack = FlowPack.load(english_pack(), render.filters)
    calls = OpeningCalls(CallListenerFactory(model or bundled_model()), pack, render)
    voices = Voices(home / "shared" / "callers")
    return [await _held(calls, voices, number, plan) for number, plan in enumerate(planned(each, only), 1)]


def table(found: Sequence[GreetedCall]) -> str:
    """Return the table, with a line for everything that is wrong."""
    lines = [f"{'who':<12}{'greetings':>10}{'calls':>7}{'wrong':>7}{'first word: median s':>22}{'worst s':>9}"]
    for kind in dict.fromkeys(one.kind for one in found):
        own = [one for one in found if one.kind == kind]
        words = [one.outcome.first_word_seconds for one in own if one.outcome.first_word_seconds is not None]
        timed = (
            f"{statistics.median(words):>22.2f}{max(words):>9.2f}"
            if kind == "person" and words
            else f"{'-':>22}{'-':>9}"
        )
        wrong = sum(bool(one.problem) for one in own)
        lines.append(f"{kind:<12}{len({one.greeting for one in own}):>10}{len(own):>7}{wrong:>7}{timed}")
    for one in found:
        if one.problem:
            heard = " | ".join(one.outcome.heard)
            lines.append(f"  {one.voice}: {one.greeting}\n    {one.problem}; said {one.outcome.said}; heard: {heard}")
    return "\n".join(lines)


def main() -> int:
    """Measure, print the table, and say in the last line how many calls were right; 0 when all were."""
    parser = argparse.ArgumentParser(prog="make outbound-greetings", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--home", type=Path, default=Path("var"), help="where rendered voices are kept (var)")
    parser.add_argument(
        "--each", type=int, default=2, metavar="N", help=f"voices for each greeting (2, at most {len(VOICES)})"
    )
    parser.add_argument("--only", nargs="+", default=(), metavar="KIND", help="person, voicemail, screener, menu")
    parser.add_argument("--model", type=Path, help="directory of another model than the bundled one")
    parser.add_argument("--json", action="store_true", help="print every call as JSON instead of the table")
    options = parser.parse_args()
    began = time.monotonic()
    found = asyncio.run(measure(options.home, min(options.each, len(VOICES)), options.only, options.model))
    wrong = sum(bool(one.problem) for one in found)
    if options.json:
        json.dump([asdict(one) for one in found], sys.stdout, indent=2)
        print()
    else:
        print(table(found))
        print(f"{len({one.voice for one in found})} voices, {time.monotonic() - began:.0f} s")
        print(f"{len(found) - wrong} passed, {wrong} failed")
    return 0 if not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
