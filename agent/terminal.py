"""The dialog without a telephone: ``orderline chat``, ``flows`` and ``understand``, joined to the demo shop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from agent.call.errors import ServiceError
from agent.dialog.chat import chat, chat_json
from agent.dialog.commands import check_flows, explain_numbers, play_flow_tests
from agent.dialog.engine import CallFacts, Conversation
from agent.dialog.loader import FlowPack
from agent.dialog.number_format import NumberFormat
from agent.dialog.rendering import SandboxRenderer
from agent.dialog.turns import Done, Effect, Failed
from agent.flows import english_pack
from agent.shop.demo.shop import open_demo_shop
from agent.shop.services import ShopServices
from agent.speech.model import bundled_model
from agent.speech.wording import filters


def chat_in_terminal(directory: Path | None, *, as_json: bool) -> int:
    """Hold one conversation between standard input and output, with a demo shop that is gone afterwards."""
    render = SandboxRenderer(filters)
    pack = FlowPack.load(directory or english_pack(), render.filters)
    facts = CallFacts(now=_now(), shop_name="Maple and Finch", call_id="chat")
    with demo_shop() as perform:
        hold = chat_json if as_json else chat
        hold(Conversation(pack, facts, render), perform, sys.stdin, sys.stdout)
    return 0


def check(directory: Path | None) -> int:
    """Check a flow pack; 0 when it can be used."""
    vocabulary = (bundled_model() / "vocabulary.txt").read_text(encoding="utf-8").split()
    return check_flows(directory or english_pack(), sys.stdout, SandboxRenderer(filters), vocabulary)


def test(directory: Path | None, files: Sequence[Path]) -> int:
    """Play calls in text; 0 when all went as written."""
    return play_flow_tests(directory or english_pack(), files, sys.stdout, SandboxRenderer(filters))


def understand(number_format: NumberFormat, known: Sequence[str], text: str, so_far: str = "") -> int:
    """Print what spoken numbers are understood as, one JSON object a line; ``text`` may name a file of lines.

    ``-`` reads the lines from standard input. Returns 1 when a file cannot be read or holds nothing.
    """
    for number in known:
        if number_format.normalise(number) is None:
            print(f"orderline: {number.strip()} is no number of this format; left out", file=sys.stderr)
    try:
        lines = _lines(text)
    except (OSError, UnicodeDecodeError) as error:
        print(f"orderline: cannot read {text}: {error}", file=sys.stderr)
        return 1
    if not lines:
        print(f"orderline: {text} holds no lines", file=sys.stderr)
        return 1
    for reading in explain_numbers(number_format, known, lines, so_far):
        # what came in as broken UTF-8 goes out as question marks
        print(json.dumps(reading, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8"))
    return 0


def _lines(text: str) -> Sequence[str]:
    """Return the sentence itself, or the lines of the file it names."""
    if text == "-":
        return [line for line in sys.stdin.read().splitlines() if line.strip()]
    try:
        is_file = Path(text).is_file()
    except (OSError, ValueError):
        # a sentence may be too long for a file name, or hold what none may hold
        is_file = False
    if not is_file:
        return [text]
    return [line for line in Path(text).read_text(encoding="utf-8").splitlines() if line.strip()]


def _now() -> datetime:
    return datetime.now().astimezone()


class _Performer:
    """Does a conversation's effects on the demo shop, one after the other."""

    def __init__(self, runner: asyncio.Runner, services: ShopServices) -> None:
        self._runner = runner
        self._services = services

    def __call__(self, effect: Effect) -> Done | Failed:
        try:
            result = self._runner.run(self._services.perform(effect.name, effect.arguments, effect.id))
        except ServiceError as error:
            return Failed(effect.id, error.code, error.message, error.reason)
        return Done(effect.id, result)


@contextlib.contextmanager
def demo_shop() -> Iterator[_Performer]:
    """Yield a function that does effects on a demo shop of its own, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="orderline-") as folder, asyncio.Runner() as runner:
        shop = runner.run(open_demo_shop(Path(folder), now=_now))
        try:
            yield _Performer(runner, ShopServices.of(shop.systems, policy=shop.policy))
        finally:
            runner.run(shop.close())
