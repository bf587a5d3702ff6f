"""One simulated call on a pack that may not be published yet: turn by turn, with every service's answer chosen."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from agent.builder.answer_choices import AnswerChoice, AnswerChoices, failed
from agent.builder.simulation_input import CallerTurn, CallSetup
from agent.dialog.contract import (
    Effect,
    EffectFailed,
    EffectSucceeded,
    HandOverAction,
    HangUp,
    Listen,
    Prompt,
    QueueReport,
    Turn,
)
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import Renderer
from agent.dialog.tools.private_words import job_and_matter
from agent.dialog.tools.text_call_runner import SHOP_NAME
from agent.dialog.turn_report import AnswerReading, StepTaken
from agent.errors import OrderlineError

MOST_TURNS = 200
_MOST_EFFECTS = 20


class SimulationError(OrderlineError):
    """Something that cannot be done in a simulated call as it stands."""

    code = "simulation"


@dataclass(frozen=True)
class AnsweredEffect:
    """A service that was called, and its answer."""

    effect: Effect
    outcome: EffectSucceeded | EffectFailed
    choice: str = ""
    """The id of the choice; ``""`` for an answer of one's own."""
    slow: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return JSON-like data."""
        lost = self.outcome if isinstance(self.outcome, EffectFailed) else None
        return {
            "service": self.effect.name,
            "arguments": dict(self.effect.arguments),
            "result": dict(self.outcome.result) if isinstance(self.outcome, EffectSucceeded) else None,
            "failed": lost.code if lost else None,
            "reason": (lost.reason or None) if lost else None,
            "choice": self.choice,
            "slow": self.slow,
        }


@dataclass(frozen=True)
class SimulatedExchange:
    """What one turn brought."""

    given: CallerTurn | None
    """None for the greeting."""
    turn: Turn
    """The last turn of the dialog."""
    said: tuple[Prompt, ...]
    trail: tuple[StepTaken, ...]
    effects: tuple[AnsweredEffect, ...]
    reading: AnswerReading | None
    understood: str
    slots: Mapping[str, str]
    variables: Mapping[str, Any]
    choices: tuple[AnswerChoice, ...] = ()
    """Of the service that is waited for."""
    queue: QueueReport | None = None
    """How the queue stood, where it was looked at."""

    @property
    def outcome(self) -> str:
        """How the call ended; ``""`` while it goes on."""
        then = self.turn.then
        return then.outcome if isinstance(then, HangUp) else "handed_over" if isinstance(then, HandOverAction) else ""

    def to_json(self) -> dict[str, Any]:
        """Return JSON-like data: the console's contract for one turn."""
        then, reading = self.turn.then, self.reading
        handed = then if isinstance(then, HandOverAction) else None
        return {
            "over": bool(self.outcome),
            "outcome": self.outcome or None,
            "said": [{"id": prompt.id, "text": prompt.text} for prompt in self.said],
            "understood": self.understood,
            "result": reading.result if reading else "",
            "decision": reading.decision if reading else "",
            "candidates": [
                {"meaning": one.meaning, "score": round(one.score, 4)}
                for one in (reading.candidates if reading else ())
            ],
            "trail": [
                {"flow": one.flow, "step": one.step, "kind": one.kind, "way": one.way, "reached": one.reached}
                for one in self.trail
            ],
            "flow": self.turn.flow,
            "step": self.turn.step,
            "listening": then.slot if isinstance(then, Listen) else None,
            "slots": dict(self.slots),
            "variables": dict(self.variables),
            "effects": [effect.to_json() for effect in self.effects],
            "pending": {
                "service": then.name,
                "arguments": dict(then.arguments),
                "choices": [choice.to_json() for choice in self.choices],
            }
            if isinstance(then, Effect)
            else None,
            "handover": {
                "reason": handed.reason,
                "summary": handed.summary,
                "queue": handed.queue,
                "priority": handed.priority,
                "facts": dict(handed.facts),
            }
            if handed
            else None,
        }


@dataclass
class _Gathering:
    """What the turns of one exchange brought so far."""

    said: list[Prompt] = field(default_factory=list)
    trail: list[StepTaken] = field(default_factory=list)
    effects: list[AnsweredEffect] = field(default_factory=list)
    reading: AnswerReading | None = None
    understood: str = ""
    queue: QueueReport | None = None

    def add(self, turn: Turn) -> None:
        self.said += turn.say
        self.trail += turn.trail
        self.reading = self.reading or turn.reading
        self.understood = self.understood or turn.understood


class SimulatedCall:
    """One call in text whose every turn can be taken back. The same turns always give the same exchanges."""

    def __init__(self, pack: FlowPack, setup: CallSetup, choices: AnswerChoices, render: Renderer) -> None:
        """Begin the call. Raises :class:`SimulationError` where the pack has no such way in."""
        self.pack = pack
        self.setup = setup
        self._choices = choices
        self._render = render
        entry = setup.entry or ("inbound" if setup.outbound is None else "outbound")
        if entry not in ("inbound", "outbound", *pack.contents.entries):
            raise SimulationError(f"The pack has no entry '{entry}'.")
        job, matter = job_and_matter(setup.outbound, entry)
        facts = CallFacts(
            now=_with_zone(setup.now), shop_name=SHOP_NAME, caller_number=setup.caller, entry=entry,
            call_id="simulation", known=setup.known, survey=setup.survey, calls_back=setup.calls_back,
            second_facts=setup.second_facts, job=job, matter=matter,
        )  # fmt: skip
        self._conversation = Conversation(pack, facts, render)
        self.exchanges: list[SimulatedExchange] = []
        self._before: list[dict[str, Any]] = []
        """The conversation before each exchange but the first."""
        self.exchanges.append(self._run(self._conversation.start(), None, _Gathering()))
        self.last_ms = 0.0

    @property
    def last(self) -> SimulatedExchange:
        """The latest exchange."""
        return self.exchanges[-1]

    @property
    def inputs(self) -> list[CallerTurn]:
        """Everything that was handed in, in order."""
        return [exchange.given for exchange in self.exchanges if exchange.given is not None]

    def take(self, given: CallerTurn) -> SimulatedExchange:
        """Hand one turn in.

        Raises :class:`SimulationError` where the call does not wait for it; nothing changes then.
        """
        began = time.monotonic()
        then = self.last.turn.then
        if self.last.outcome:
            raise SimulationError("The call is over: step back, or begin another one.")
        if len(self.exchanges) > MOST_TURNS:
            raise SimulationError(f"A simulated call has {MOST_TURNS} turns at most.")
        gathering = _Gathering()
        before = self._conversation.snapshot()
        if isinstance(then, Effect) and not given.hangup:
            event, choice = self._answer(then, given)
            self._note_answer(gathering, then, event, choice)
            turn = self._conversation.hear(event)
        elif given.by_service:
            raise SimulationError("No service is waited for.")
        else:
            turn = self._conversation.hear(given.event())
        exchange = self._run(turn, given, gathering)
        self._before.append(before)
        self.exchanges.append(exchange)
        self.last_ms = 1000 * (time.monotonic() - began)
        return exchange

    def back(self, turns: int = 1) -> SimulatedExchange:
        """Take the latest turns back. Raises :class:`SimulationError` where there are not so many."""
        if not 1 <= turns <= len(self._before):
            raise SimulationError("There is no turn to take back.")
        snapshot = self._before[-turns]
        self._conversation = Conversation.restore(self.pack, snapshot, self._render)
        del self._before[-turns:], self.exchanges[-turns:]
        return self.last

    def _answer(self, effect: Effect, given: CallerTurn) -> tuple[EffectSucceeded | EffectFailed, AnswerChoice | None]:
        if given.answer is not None:
            choice = self._choices.find(effect.name, given.answer)
            if choice is None:
                raise SimulationError(f"{effect.name} has no answer '{given.answer}'.")
            return choice.event(effect), choice
        if given.result is not None:
            return EffectSucceeded(effect.id, given.result), None
        if given.failed is not None:
            return failed(effect, given.failed), None
        raise SimulationError(f"{effect.name} is waited for: choose what it answers.")

    def _run(self, turn: Turn, given: CallerTurn | None, gathering: _Gathering) -> SimulatedExchange:
        gathering.add(turn)
        for _ in range(_MOST_EFFECTS):
            then = turn.then
            if isinstance(then, Effect) and (choice := self._chosen(then)) is not None:
                event = choice.event(then)
                self._note_answer(gathering, then, event, choice)
                turn = self._conversation.hear(event)
                gathering.add(turn)
            elif isinstance(then, HandOverAction) and self.setup.queue is not None and gathering.queue is None:
                turn = self._ask_queue(turn, gathering, self.setup.queue)
            else:
                break
        return self._exchange(turn, given, gathering)

    def _chosen(self, effect: Effect) -> AnswerChoice | None:
        wanted = self.setup.outcomes.get(effect.name)
        return self._choices.find(effect.name, wanted) if wanted is not None else None

    def _ask_queue(self, turn: Turn, gathering: _Gathering, standing: Any) -> Turn:
        report = gathering.queue = QueueReport(standing, 5 if standing == "too_long" else 0)
        answer = self._conversation.hear(report)
        if not isinstance(answer.then, HandOverAction):  # nobody takes the call: what announced it is not said
            gathering.said = gathering.said[: len(gathering.said) - len(turn.say)]
        gathering.add(answer)
        return answer

    @staticmethod
    def _note_answer(
        gathering: _Gathering,
        effect: Effect,
        outcome: EffectSucceeded | EffectFailed,
        choice: AnswerChoice | None,
    ) -> None:
        slow = choice is not None and choice.kind == "slow"
        if slow and effect.filler is not None:
            gathering.said.append(effect.filler)
        gathering.effects.append(AnsweredEffect(effect, outcome, choice.id if choice else "", slow))

    def _exchange(self, turn: Turn, given: CallerTurn | None, gathering: _Gathering) -> SimulatedExchange:
        if not turn.flow and self.exchanges:  # the caller is gone: it ended where it was
            turn = replace(turn, flow=self.last.turn.flow, step=self.last.turn.step)
        then = turn.then
        return SimulatedExchange(
            given, turn, tuple(gathering.said), tuple(gathering.trail), tuple(gathering.effects), gathering.reading,
            gathering.understood, self._conversation.slots, dict(self._conversation.state.variables),
            self._choices.of(then.name) if isinstance(then, Effect) else (), gathering.queue,
        )  # fmt: skip


def _with_zone(now: datetime) -> datetime:
    return now if now.tzinfo is not None else now.astimezone()
