"""Brings a dialog to a chosen question, with the shipped flows and the demo shop."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.accuracy.errors import AccuracyError
from agent.accuracy.open_decisions import decide
from agent.accuracy.trial_types import OpenDecision
from agent.common.service_error import ServiceError
from agent.dialog.contract import Effect, EffectFailed, EffectSucceeded, Event, Listen, TurnInput
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.numbers.format import symbols_of
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from agent.dialog.tools.text_call import TextCall, TextCallExchange, event_from_line
from agent.dialog.understanding.source import ScoreSource
from agent.flows import english_pack
from agent.shop.demo.shop import open_demo_shop
from agent.shop.services import ShopServices
from agent.speech.wording import filters

NOW = dt.datetime(2026, 11, 24, 10, 15, tzinfo=dt.timezone(dt.timedelta(hours=-6)))
"""Every call is held at this moment: dates in prompts and in the shop do not change between runs."""

_NO_NUMBER = ("where is my order", "i don't have my order number")
QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "request": (),
    "order_number": ("where is my order",),
    "postcode": ("where is my order", "10473"),
    "phone": _NO_NUMBER,
    "read_back": ("where is my order", "one oh seventy three"),
    "return_reason": ("i want to return something", "58124", "89101", "the rain jacket"),
    "return_condition": ("i want to return something", "58124", "89101", "the rain jacket", "it is too small"),
}
"""Question -> what the caller said before it, in text. ``request`` is the greeting; ``read_back`` "is that right?"."""
READ_BACK_VALUE = "10723"
"""What is read back at ``read_back``."""
_EXISTING = "orders.existing"
LETTERS = "order_number@AA-99999"
"""The order number of a shop whose numbers look like AA-99999; same question, other format. Any format may follow."""


@dataclass(frozen=True)
class DialogProgress:
    """Where a conversation stands."""

    kind: str
    """``collect``, ``confirm``, ``confirm_request``; ``""`` when the call is over."""
    slot: str
    values: Mapping[str, str]
    doubts: frozenset[str]
    requests: tuple[str, ...]
    asked_request: str
    """The request that "did you mean" is asked about."""


class CallInProgress:
    """One call in progress."""

    def __init__(self, call: TextCall, exchange: TextCallExchange) -> None:
        self._call = call
        self.exchange = exchange
        """What the agent did last."""

    @property
    def listen(self) -> Listen:
        """What it listens for. Raises :class:`AccuracyError` when the call is over."""
        if not isinstance(self.exchange.turn.then, Listen):
            raise AccuracyError("the call is over")
        return self.exchange.turn.then

    @property
    def conversation(self) -> Conversation:
        """The dialog itself."""
        return self._call.conversation

    def give(self, event: Event) -> TextCallExchange:
        """Hand in what was heard."""
        self.exchange = self._call.give(event)
        return self.exchange

    def standing(self) -> DialogProgress:
        """Return where it stands."""
        state: dict[str, Any] = self._call.conversation.snapshot()["state"]
        focus = state["focus"] or {"kind": "", "slot": "", "request": None}
        slots: dict[str, dict[str, Any]] = state["slots"]
        return DialogProgress(
            focus["kind"],
            focus["slot"],
            {name: slot["value"] for name, slot in slots.items()},
            frozenset(name for name, slot in slots.items() if slot["doubt"]),
            tuple(state["requests"]),
            (focus["request"] or {}).get("flow", ""),
        )


class DialogSetup:
    """The procedures and the shop, ready for any number of calls, one at a time."""

    def __init__(
        self,
        runner: asyncio.Runner,
        services: ShopServices,
        scores: ScoreSource | None = None,
        existing: frozenset[str] = frozenset(),
    ) -> None:
        """``existing`` are numbers that the shop has besides the demo's, as symbols without separators."""
        self._runner = runner
        self._existing = existing
        self._scores = scores
        self._services = services
        self._render = SandboxRenderer(filters)
        self._packs: dict[str, FlowPack] = {}
        self._calls = 0

    def pack(self, question: str) -> FlowPack:
        """Return the procedures a question belongs to."""
        slot, _, number_format = question.partition("@")
        name = question if number_format else ""
        if name not in self._packs:
            formats = {slot: number_format} if number_format else {}
            pack = FlowPack.load(english_pack(), self._render.filters, formats)
            # a number's format changes nothing of how open requests are scored, and each score takes long to fit
            self._packs[name] = pack if self._scores is None or formats else pack.with_score(self._scores)
        return self._packs[name]

    def decide(self, event: TurnInput, recognizer: str) -> OpenDecision:
        """Return what the first sentence of a call is taken for, as a recogniser of this name heard it."""
        return decide(self.pack("request"), self._facts(recognizer), self._render, event)

    def _facts(self, recognizer: str = "") -> CallFacts:
        self._calls += 1
        call_id = f"accuracy-{self._calls}"
        return CallFacts(now=NOW, shop_name="Maple and Finch", call_id=call_id, recognizer=recognizer)

    def at(self, question: str, recognizer: str = "") -> CallInProgress:
        """Begin a call and bring it to the question. Raises :class:`AccuracyError` when it does not get there.

        ``recognizer`` is the name of what hears in it: the procedures may have thresholds for it.
        """
        asked = question.partition("@")[0]
        said = QUESTIONS.get(asked)
        if said is None:
            raise AccuracyError(
                f"There is no question {question!r}; there are {', '.join(QUESTIONS)}, "
                "and after an @ a format of the number."
            )
        call = TextCall(Conversation(self.pack(question), self._facts(recognizer), self._render), self._perform)
        exchange = call.start()
        for line in said:
            exchange = call.give(event_from_line(line))
        held = CallInProgress(call, exchange)
        wanted = "order_number" if asked == "read_back" else asked
        if held.standing().slot != wanted:
            raise AccuracyError(f"The procedures did not come to the question {question!r} with {', '.join(said)!r}.")
        return held

    def _perform(self, effect: Effect) -> EffectSucceeded | EffectFailed:
        if effect.name == _EXISTING:
            numbers = effect.arguments["numbers"]
            return EffectSucceeded(
                effect.id, {"numbers": [one for one in numbers if symbols_of(one) in self._existing]}
            )
        key = effect.key or f"accuracy-{self._calls}:{effect.id}"
        try:
            return EffectSucceeded(
                effect.id, self._runner.run(self._services.perform(effect.name, effect.arguments, key))
            )
        except ServiceError as error:
            return EffectFailed(effect.id, error.code, error.message, error.reason)


@contextlib.contextmanager
def open_dialog_setup(
    runner: asyncio.Runner, scores: ScoreSource | None = None, existing: frozenset[str] = frozenset()
) -> Iterator[DialogSetup]:
    """Yield a stage with a demo shop of its own, which is gone afterwards; the same runner serves the listeners.

    Without ``scores`` rules alone decide. ``existing``: codes that the shop has (:class:`DialogSetup`).
    """
    with tempfile.TemporaryDirectory(prefix="orderline-accuracy-") as folder:
        shop = runner.run(open_demo_shop(Path(folder), now=lambda: NOW))
        try:
            services = ShopServices.of(shop.systems, policy=shop.policy, today=NOW.date, pause=_at_once)
            yield DialogSetup(runner, services, scores, existing)
        finally:
            runner.run(shop.close())


async def _at_once(_: float) -> None:
    return


def prompt_ids(exchange: TextCallExchange) -> Sequence[str]:
    """Return the ids of what the agent said."""
    return [prompt.id for prompt in exchange.said]


__all__ = [
    "LETTERS",
    "NOW",
    "QUESTIONS",
    "READ_BACK_VALUE",
    "CallInProgress",
    "DialogProgress",
    "DialogSetup",
    "open_dialog_setup",
    "prompt_ids",
]
