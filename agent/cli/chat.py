"""The dialog in a terminal: ``orderline chat``, ``flows`` and ``understand``, with the demo shop."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar

from agent.call.caller_lookup import CallerLookup, CallerProfile
from agent.common.service_error import ServiceError
from agent.common.untrusted import encodable
from agent.dialog.contract import Effect, EffectFailed, EffectSucceeded
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.numbers.format import NumberFormat
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from agent.dialog.tools.chat import chat, chat_json
from agent.dialog.tools.flow_commands import (
    GRAPH_WRITERS,
    check_flows,
    explain_numbers,
    play_flow_tests,
    show_all_flows,
    show_flow,
)
from agent.dialog.tools.schema import schema_text
from agent.errors import OrderlineError
from agent.flows import english_pack
from agent.languages.registry import USUAL, find_language
from agent.shop.answers import complete_answer
from agent.shop.demo.shop import open_demo_shop
from agent.shop.services import ShopServices
from agent.speech.model import bundled_model
from agent.speech.wording import filters
from agent.understanding.score_files import usual_scores

T = TypeVar("T")


@dataclass(frozen=True)
class ChatOptions:
    """How a chat begins."""

    flows: Path | None = None
    """Directory of a flow pack; the English one when None."""
    as_json: bool = False
    caller: str = ""
    """The number the call comes from: its orders are known, and its customer is greeted by name."""
    now: datetime | None = None
    """Time of the call, and of the shop; the present when None."""
    entry: str = "inbound"
    """How the call comes in."""


def chat_in_terminal(options: ChatOptions) -> int:
    """Hold one conversation between standard input and output, with a demo shop that is gone afterwards."""
    render = SandboxRenderer(filters)
    pack = FlowPack.load(options.flows or english_pack(), render.filters).with_score(usual_scores())
    began = time.monotonic()
    start = options.now.astimezone() if options.now is not None else _now()
    with demo_shop(lambda: start + timedelta(seconds=time.monotonic() - began)) as shop:
        known = shop.caller_profile(options.caller)
        facts = CallFacts(
            now=start,
            shop_name="Maple and Finch",
            caller_number=options.caller,
            entry=options.entry,
            call_id="chat",
            known={pack.story.about: known.order_numbers} if pack.story.about else {},
            customer=known.customer,
        )
        hold = chat_json if options.as_json else chat
        hold(Conversation(pack, facts, render), shop, caller_lines(as_json=options.as_json), sys.stdout)
    return 0


def caller_lines(*, as_json: bool) -> Iterator[str]:
    """Yield what is typed or piped in; bytes that are no text stand as question marks and end nothing."""
    if sys.stdin.isatty() and not as_json:
        with contextlib.suppress(EOFError):
            while True:
                yield input("caller: ")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    yield from sys.stdin


def check(directory: Path | None, *, as_json: bool = False) -> int:
    """Check a flow pack; 0 when it can be used."""
    vocabulary = (bundled_model() / "vocabulary.txt").read_text(encoding="utf-8").split()
    return check_flows(
        directory or english_pack(),
        sys.stdout,
        SandboxRenderer(filters),
        frozenset(vocabulary),
        as_json=as_json,
        scores=usual_scores(),
    )


def print_flow(directory: Path | None, flow: str, form: str, output: Path | None) -> int:
    """Print one flow as Mermaid or SVG, or write it into a file; ``form`` goes by the file's ending when empty."""
    form = form or ("svg" if output is not None and output.suffix == ".svg" else "mermaid")
    _put(show_flow(directory or english_pack(), flow, form, SandboxRenderer(filters)), output)
    return 0


def write_flows(directory: Path | None, form: str, output: Path) -> int:
    """Write every flow of a pack into a directory, as Mermaid and SVG or as the one asked for."""
    forms = [form] if form else list(GRAPH_WRITERS)
    for file in show_all_flows(directory or english_pack(), forms, output, SandboxRenderer(filters)):
        print(file)
    return 0


def schema(what: str, output: Path | None) -> int:
    """Print the JSON Schema of pack files or of calls in text."""
    _put(schema_text(what), output)
    return 0


def _put(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{output} cannot be written: {error.strerror}") from error


class OutputError(OrderlineError):
    """A file that cannot be written."""

    code = "output"


def run_text_calls(directory: Path | None, files: Sequence[Path]) -> int:
    """Play calls in text, with answers that the shop can give; 0 when all went as written."""
    pack, renderer = directory or english_pack(), SandboxRenderer(filters)
    return play_flow_tests(pack, files, sys.stdout, renderer, check_answer=complete_answer, scores=usual_scores())


def print_number_readings(number_format: NumberFormat, known: Sequence[str], text: str, so_far: str = "") -> int:
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
    for reading in explain_numbers(number_format, known, lines, find_language(USUAL).numbers, so_far):
        # what came in as broken UTF-8 goes out as question marks
        print(encodable(json.dumps(reading, ensure_ascii=False)))
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


class RunCoroutine(Protocol):
    """Runs one coroutine to its end in the event loop that the shop was opened in."""

    def __call__(self, work: Coroutine[Any, Any, T], /) -> T:
        """Return its result, or raise what it raises."""


class ShopEffects:
    """Does a conversation's effects on a shop, one after the other."""

    def __init__(self, run: RunCoroutine, services: ShopServices) -> None:
        self._run = run
        self._services = services

    def __call__(self, effect: Effect) -> EffectSucceeded | EffectFailed:
        """Do one effect at once."""
        try:
            result = self._run(self._perform(effect))
        except ServiceError as error:
            return EffectFailed(effect.id, error.code, error.message, error.reason)
        except TimeoutError:
            return EffectFailed(effect.id, "timed_out", f"{effect.name} took longer than {effect.deadline_seconds:g} s")
        return EffectSucceeded(effect.id, result)

    async def _perform(self, effect: Effect) -> Mapping[str, Any]:
        async with asyncio.timeout(effect.deadline_seconds):
            return await self._services.perform(effect.name, effect.arguments, effect.key or effect.id)

    def caller_profile(self, phone: str) -> CallerProfile:
        """Return what the shop knows of a phone number."""
        return self._run(self._look_up(phone))

    async def _look_up(self, phone: str) -> CallerProfile:
        introduction = CallerLookup(self._services, phone)
        try:
            return await introduction.whole()
        finally:
            await introduction.close()


@contextlib.contextmanager
def demo_shop(now: Callable[[], datetime] = _now) -> Iterator[ShopEffects]:
    """Yield a demo shop of its own, which is gone afterwards; ``now`` is its clock."""
    with tempfile.TemporaryDirectory(prefix="orderline-") as folder, asyncio.Runner() as runner:
        shop = runner.run(open_demo_shop(Path(folder), now=now))
        try:
            services = ShopServices.of(shop.systems, policy=shop.policy, today=lambda: now().date())
            yield ShopEffects(runner.run, services)
        finally:
            runner.run(shop.close())
