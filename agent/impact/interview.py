"""Asks for the inputs in the terminal, a dozen questions; an empty answer keeps what stands in brackets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.impact.errors import InvalidImpactInput
from agent.impact.inputs import ImpactInputs

_MOST_TRIES = 5


@dataclass(frozen=True)
class _Question:
    name: str
    text: str
    percent: bool = False


_VOLUME = (
    _Question("calls_per_week", "How many calls do you get in a normal week?"),
    _Question("open_days", "On how many days of the week, from Monday on?"),
    _Question("opens_hour", "From what hour (0-23)?"),
    _Question("closes_hour", "Until what hour (1-24)?"),
)
_REST = (
    _Question("kinds.status.handle_seconds", 'How many seconds does "where is my order" take your staff, wrap-up too?'),
    _Question("kinds.returns.handle_seconds", "And a return?"),
    _Question("kinds.other.handle_seconds", "And everything else?"),
    _Question("currency", "In which currency do you count?"),
    _Question("staff_cost_per_hour", "What does an hour of a staff member cost?"),
    _Question("shrinkage", "What part of paid time is not at the phone (breaks, training), in percent?", percent=True),
    _Question("event_calls", "How many calls come on a sale day (0: leave it out)?"),
)


def interview(base: ImpactInputs, ask: Callable[[str], str], say: Callable[[str], None]) -> ImpactInputs:
    """Return the inputs with what was answered, marked as yours.

    ``ask`` shows a prompt and returns the answer, ``say`` prints a line. Raises :class:`InvalidImpactInput` where the
    answers end (EOF) or one cannot be made sense of in five tries.
    """
    say("An empty answer keeps the value in brackets.")
    try:
        return _answered(base, ask, say)
    except EOFError as error:
        raise InvalidImpactInput("the answers ended before the last question") from error


def _answered(base: ImpactInputs, ask: Callable[[str], str], say: Callable[[str], None]) -> ImpactInputs:
    inputs = base
    for question in _VOLUME if base.week is None else ():
        inputs = _one(inputs, question, ask, say)
    inputs = _shares(inputs, ask, say)
    for question in _REST:
        if "kinds." not in question.name or question.name.split(".")[1] in base.kinds:
            inputs = _one(inputs, question, ask, say)
    return inputs


def _shares(inputs: ImpactInputs, ask: Callable[[str], str], say: Callable[[str], None]) -> ImpactInputs:
    """Ask what part of the calls is about orders and returns; the rest is everything else."""
    if set(inputs.kinds) != {"status", "returns", "other"}:
        return inputs

    def take(status: float, returns: float) -> ImpactInputs:
        rest = 1 - status - returns
        return inputs.with_values(
            {"kinds.status.share": status, "kinds.returns.share": returns, "kinds.other.share": rest}, "yours"
        )

    for _ in range(_MOST_TRIES):
        try:
            status = _asked(
                inputs, _Question("kinds.status.share", "Of 100 calls, how many ask where an order is?", True), ask
            )
            returns = _asked(
                inputs, _Question("kinds.returns.share", "And how many want to send something back?", True), ask
            )
            if status is None and returns is None:
                return inputs
            kinds = inputs.kinds
            return take(
                kinds["status"].share if status is None else status,
                kinds["returns"].share if returns is None else returns,
            )
        except InvalidImpactInput as error:
            say(f"  That cannot be: {error.message.splitlines()[0]}")
    raise InvalidImpactInput("no answer that makes sense")


def _one(
    inputs: ImpactInputs, question: _Question, ask: Callable[[str], str], say: Callable[[str], None]
) -> ImpactInputs:
    for _ in range(_MOST_TRIES):
        try:
            value = _asked(inputs, question, ask)
            return inputs if value is None else inputs.with_values({question.name: value}, "yours")
        except InvalidImpactInput as error:
            say(f"  That cannot be: {error.message.splitlines()[0]}")
    raise InvalidImpactInput(f"{question.name}: no answer that makes sense")


def _asked(inputs: ImpactInputs, question: _Question, ask: Callable[[str], str]) -> Any:
    """Return the answer as a value, None for an empty one. Raises EOFError where there is none."""
    value: Any = inputs
    for part in question.name.split("."):
        value = value[part] if isinstance(value, dict) else getattr(value, part)
    shown = f"{100 * value:g}" if question.percent else value if isinstance(value, str) else f"{value:g}"
    answer = ask(f"{question.text} [{shown}] ").strip()
    if not answer:
        return None
    if not question.percent:
        return answer.replace(",", "") if question.name != "currency" else answer
    try:
        return float(answer.rstrip("% ")) / 100
    except ValueError as error:
        raise InvalidImpactInput(f"{answer!r} is no percentage") from error


__all__ = ["interview"]
