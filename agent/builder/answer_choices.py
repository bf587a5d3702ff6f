"""What a service of a pack can answer in a simulated call: results its tests know, states, failures, slowness."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from agent.dialog.contract import Effect, EffectFailed, EffectSucceeded
from agent.dialog.model.model import PackFile, ServiceCallStep
from agent.dialog.tools.text_call_model import LocatedTextCall
from agent.shop.answers import ANSWERS, complete_answer

SLOW = "slow"
_OTHERWISE = "otherwise"
_MOST_STATES = 40
_TEXTS = ("1", "42", "USD")
_LEAST: Mapping[str, Mapping[str, Any]] = {
    "returns.eligibility": {
        "eligibility": {
            "allowed": True,
            "days_left": 20,
            "items": [
                {"line": "1", "sku": "SCF-118", "name": "Wool Scarf", "quantity": 1, "price": 34.0, "allowed": True}
            ],
        }
    },
    "orders.changeable": {
        "changeable": {"status": "delivered", "cancel_reason": "delivered", "change_reason": "delivered"}
    },
    "shipments.investigate": {"case": {"number": "1", "answer_by": "2026-12-01"}},
}
"""The usual answers whose parts must agree with one another, which their shape does not say."""
_REFUSED: Mapping[str, Mapping[str, Any]] = {
    "returns.eligibility": {"eligibility": {"allowed": False, "reason": "window_over"}}
}
"""What the same services say when they say no: their other states are made of it."""
_WORDS = {
    "not_found": "not found",
    "not_allowed": "refused",
    "unavailable": "the system does not answer",
    "timed_out": "no answer in time",
}


@dataclass(frozen=True)
class AnswerChoice:
    """One thing a service can answer."""

    id: str
    """``on_its_way``, ``order.status=delivered``, ``not_allowed.window_over``, ``slow``."""
    words: str
    kind: Literal["result", "failure", "slow"]
    result: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return JSON-like data."""
        return {"id": self.id, "words": self.words, "kind": self.kind, "result": self.result}

    def event(self, effect: Effect) -> EffectSucceeded | EffectFailed:
        """Return the outcome of an effect that is answered like this."""
        if self.kind == "failure":
            return failed(effect, self.id)
        return EffectSucceeded(effect.id, copy.deepcopy(dict(self.result or {})))


def failed(effect: Effect, failure: str) -> EffectFailed:
    """Return a failure: a code, or a code with its reason behind a dot."""
    code, _, reason = failure.partition(".")
    return EffectFailed(effect.id, code, reason=reason)


@dataclass(frozen=True)
class KnownAnswers:
    """What the calls in text of a pack let its services answer."""

    results: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    """Service -> name -> result."""
    failures: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Service -> failures with their reasons."""

    @classmethod
    def of(cls, calls: Iterable[LocatedTextCall]) -> KnownAnswers:
        """Collect them from calls in text; a name that stands for two things keeps the first."""
        results: dict[str, dict[str, Mapping[str, Any]]] = {}
        failures: dict[str, dict[str, None]] = {}
        for call in calls:
            effects = (line.effect for line in call.script.lines if line.effect is not None)
            for service, answer in (pair for effect in effects for pair in effect.items()):
                if not isinstance(answer, str):
                    continue
                result = call.answers.get(answer)
                if isinstance(result, Mapping) and "failed" not in result:
                    results.setdefault(service, {}).setdefault(answer, result)
                elif result is None:
                    failures.setdefault(service, {}).setdefault(answer)
        return cls(results, {service: tuple(found) for service, found in failures.items()})


class AnswerChoices:
    """The choices of every service of one pack."""

    def __init__(self, contents: PackFile, known: KnownAnswers) -> None:
        self._contents = contents
        self._known = known
        self._made: dict[str, tuple[AnswerChoice, ...]] = {}

    def of(self, service: str) -> tuple[AnswerChoice, ...]:
        """Return what a service can answer, the usual first."""
        if service not in self._made:
            results = tuple(self._results(service))
            slow = AnswerChoice(SLOW, "late, then as usual", "slow", results[0].result) if results else None
            self._made[service] = (*results, *self._failures(service), *((slow,) if slow else ()))
        return self._made[service]

    def find(self, service: str, choice: str) -> AnswerChoice | None:
        """Return a choice by its id; None for one that the service does not have."""
        return next((one for one in self.of(service) if one.id == choice), None)

    def _results(self, service: str) -> Iterator[AnswerChoice]:
        named = list(_usable(service, self._known.results.get(service, {}).items()))
        if not named:
            named = list(_usable(service, [("done", sample_answer(service))]))
        for name, result in named:
            yield AnswerChoice(name, name.replace("_", " "), "result", result)
        bases = [*(result for _, result in named), *([_REFUSED[service]] if service in _REFUSED else [])]
        for place, words, value in self._states(service):
            changed = _with_state(service, bases, place, value)
            if changed is not None:
                told = {True: "yes", False: "no"}.get(value) if isinstance(value, bool) else str(value)
                shown = (told or "none").replace("_", " ")
                yield AnswerChoice(f"{place}={told}", f"{words or place}: {shown}", "result", changed)

    def _states(self, service: str) -> Iterator[tuple[str, str, Any]]:
        """Yield (place, words, value) for what the pack says a result tells by one of a few words."""
        described = self._contents.services.get(service)
        count = 0
        for place, told in (described.returns if described is not None else {}).items():
            values = (True, False) if told.kind == "yes_no" else choices_at(service, place)
            if told.kind in ("yes_no", "choice"):
                for value in values:
                    count += 1
                    if count <= _MOST_STATES:
                        yield place, told.words, value

    def _failures(self, service: str) -> Iterator[AnswerChoice]:
        described = self._contents.services.get(service)
        declared = described.failures if described is not None else ()
        mapped = (
            code
            for flow in self._contents.flows.values()
            for step in flow.steps
            if isinstance(step, ServiceCallStep) and step.call == service
            for code in step.failed
        )
        told = dict.fromkeys((*declared, *mapped, *self._known.failures.get(service, ())))
        for failure in told:
            code, _, reason = failure.partition(".")
            if failure != _OTHERWISE and code in declared:
                words = _WORDS.get(code, code.replace("_", " "))
                yield AnswerChoice(failure, f"{words}: {reason.replace('_', ' ')}" if reason else words, "failure")


def _usable(
    service: str, answers: Iterable[tuple[str, Mapping[str, Any] | None]]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the answers that the service can give, completed with what it gives besides."""
    for name, answer in answers:
        if answer is None:
            continue
        try:
            yield name, possible_answer(service, answer)
        except ValueError:
            continue


def _with_state(service: str, bases: Iterable[Mapping[str, Any]], place: str, value: Any) -> Mapping[str, Any] | None:
    """Return the first of some answers that may have a value at a place, with it; None where none may."""
    changed = (("", with_value(base, place, value)) for base in bases if has_place(base, place))
    return next((result for _, result in _usable(service, changed)), None)


def possible_answer(service: str, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an answer with everything the service gives besides; as it is for a service of the pack's own.

    Raises ValueError, in words for whoever wrote the answer, when the shop's service cannot give it.
    """
    return complete_answer(service, answer) if service in ANSWERS else answer


def has_place(result: Mapping[str, Any], place: str) -> bool:
    """Return whether a result holds a place (``order.status``)."""
    here: Any = result
    for part in place.split("."):
        if not isinstance(here, Mapping) or part not in here:
            return False
        here = here[part]
    return True


def with_value(result: Mapping[str, Any], place: str, value: Any) -> dict[str, Any]:
    """Return a copy of a result with another value at a place that it has."""
    changed = copy.deepcopy(dict(result))
    *way, last = place.split(".")
    here: Any = changed
    for part in way:
        here = here[part]
    here[last] = value
    return changed


def choices_at(service: str, place: str) -> tuple[Any, ...]:
    """Return the words that the shop's service can give at a place of its result; none where nobody knows."""
    if service not in ANSWERS:
        return ()
    schema = ANSWERS[service].model_json_schema()
    here: Mapping[str, Any] = schema
    for part in place.split("."):
        here = _resolved(here, schema).get("properties", {}).get(part, {})
    return tuple(value for value in _resolved(here, schema).get("enum", ()) if value != "")


def sample_answer(service: str) -> Mapping[str, Any]:
    """Return the least that the shop's service can answer, made from the shape of its answers."""
    if service not in ANSWERS:
        return {}
    if service in _LEAST:
        return _LEAST[service]
    schema = ANSWERS[service].model_json_schema()
    sample = _sample(schema, schema)
    return sample if isinstance(sample, dict) else {}


def _resolved(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in part:
        part = schema["$defs"][str(part["$ref"]).rpartition("/")[2]]
    return part


def _sample(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    part = _resolved(part, schema)
    if "enum" in part:
        return next((value for value in part["enum"] if value), part["enum"][0])
    if "anyOf" in part:
        return _sample(part["anyOf"][0], schema)
    match part.get("type"):
        case "object":
            needed = part.get("required", ())
            return {name: _sample(part["properties"][name], schema) for name in needed if name in part["properties"]}
        case "array":
            return [_sample(part["items"], schema)] if part.get("minItems") else []
        case "boolean":
            return True
        case "integer" | "number":
            return 1
        case _:
            return next((text for text in _TEXTS if re.search(part.get("pattern", ""), text)), _TEXTS[0])
