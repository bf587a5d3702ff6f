"""What reports count of one call, taken out of its record. Pure; any JSON is taken, of every version of Orderline.

docs/reports.md has the definitions in words. What a call can be found by is a :data:`Value`; what is only added up is a
*sum*: its kind and value with an amount.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.history.bins import bin_of
from agent.history.loose_json import MOST_VALUE_CHARS, mapping, mappings, number, string, text, whole
from agent.history.words import words_of

Value = tuple[str, str]
"""Kind and value of something a call can be found by: ``("step", "returns.sure")``."""
Request = tuple[str, str]
"""What was asked for, and what came of it (``""`` where that is not known)."""

_TO_PEOPLE = frozenset({"handed_over", "taken_over", "transferred", "rescued", "failed", "lost"})
"""Outcomes of calls that went to people, or that broke."""
_WITH_PEOPLE = frozenset({"handed_over", "nobody_there", "taken_over"})
"""Results of requests for which a person was wanted or reached."""
_DROPPED = frozenset({"cancelled", "not_meant"})
"""Results of requests that the caller did not have, or did not want any more."""
_NOT_SOLVED = _WITH_PEOPLE | {"hung_up", "goodbye", "fault", ""}
_LEAVING = frozenset({"hung_up", "no_match", "no_input", "taken_over", "fault"})
"""Ways (docs/records.md) that are reported as leaving a step; ``person.*`` is one of them as well."""
_UNHEARD = ("no_match", "no_input")
_SILENT_STEPS = frozenset({"if", "set", "next", "link"})
_FEWEST_DIGITS = 3
_MOST_MISHEARD = 40
_DIGITS = re.compile(r"\d+")
_SURVEY = "survey_score"


@dataclass(frozen=True, slots=True)
class Answered:
    """A question of the call, and what became of the answer."""

    slot: str
    result: str
    """``understood``, ``partial``, ``no_match``, ``no_input``."""
    heard: str


@dataclass(frozen=True, slots=True)
class CallBasics:
    """What :func:`agent.history.facts.call_facts` has found already."""

    outcome: str
    reason: str
    edition: str
    number: str
    """The caller's, as it is kept."""
    direction: str
    duration_ms: int
    latency_ms: int | None
    requests: Sequence[Request]
    score: int | None


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What reports count of one call."""

    values: tuple[Value, ...]
    sums: Mapping[Value, int]
    """What is added up besides the values, and how much of it."""
    misheard: tuple[tuple[str, str], ...]
    """Slot and words of each answer that was not understood."""
    wait_ms: int | None
    """In the staff queue; None where it is not known."""
    greeting_ms: int | None
    """From the answer to the first words."""
    has_matter: bool
    """Whether another call of the same number can be about the same: not for withheld numbers, outbound calls and
    calls that came back from the queue."""


@functools.lru_cache(maxsize=50_000)
def shared(value: Value) -> Value:
    """Return an equal value, the same one each time: many calls with the same values are sent and compared faster."""
    return value


@functools.lru_cache(maxsize=50_000)
def paired(first: str, second: str) -> str:
    """Return two values as one, from which :func:`parted` gets both back."""
    return f"{len(first)}:{first}{second}"


def parted(pair: str) -> tuple[str, str]:
    """Return the two values that :func:`paired` made one of."""
    length, _, both = pair.partition(":")
    return both[: int(length)], both[int(length) :]


def report_facts(record: Mapping[str, Any], turns: Sequence[Mapping[str, Any]], basics: CallBasics) -> ReportFacts:
    """Return what reports count. Never raises on JSON."""
    answers = _answers(turns)
    steps, left = _steps(record, turns, basics.outcome)
    wait = mapping(record.get("queue_wait"))
    waited, greeting = whole(number(wait.get("waited_seconds")), 1000), whole(number(record.get("greeting_ms")), 1)
    standing, ended = text(wait.get("standing")), text(wait.get("ended"))
    contained = _contained(record, basics)
    solved = contained and _solved(basics)
    shown = _is_whole(basics.number)
    has_matter = shown and basics.direction == "inbound" and not text(record.get("continues"))
    values = [
        ("contained", "yes" if contained else "no"),
        ("number", "shown" if shown else "withheld"),
        *_about(record),
        *(("left", one) for one in left),
        *_survey(turns, basics.score),
        *(("listened", one.slot) for one in answers),
        *((one.result, one.slot) for one in answers if one.result in _UNHEARD),
        *((kind, value) for kind, value in (("standing", standing), ("wait_ended", ended)) if value),
    ]
    if solved:
        values.append(("solved", "yes"))
    sums = Counter[Value]()
    _count_requests(sums, basics, contained=contained, solved=solved, has_matter=has_matter)
    sums.update({("edition_step", paired(basics.edition, step)): 1 for step in steps})
    sums.update({("edition_left", paired(basics.edition, one)): 1 for one in left})
    sums.update(("turns_listened", one.slot) for one in answers)
    sums.update((f"turns_{one.result}", one.slot) for one in answers if one.result in _UNHEARD)
    _count_times(sums, turns, basics, greeting)
    if waited is not None and ended:
        sums["wait_bin", paired(ended, str(bin_of(waited)))] = 1
    if basics.reason:
        sums["reason_standing", paired(basics.reason, standing)] = 1
    unclear = ((one.slot, _grouped(one.heard)) for one in answers if one.result == "no_match")
    misheard = tuple((slot, words) for slot, words in unclear if words)[:_MOST_MISHEARD]
    shared_sums = {shared(value): amount for value, amount in sums.items()}
    return ReportFacts(tuple(values), shared_sums, misheard, waited, greeting, has_matter)


# --- what became of the call ---------------------------------------------------------------------------


def _contained(record: Mapping[str, Any], basics: CallBasics) -> bool:
    """Tell calls that ended without a person wanted or reached."""
    if basics.outcome in _TO_PEOPLE or isinstance(record.get("handover"), dict):
        return False
    if any(result in _WITH_PEOPLE for _, result in basics.requests):
        return False
    return not any(text(one.get("way")).startswith("person.") for one in mappings(record.get("trail")))


def _solved(basics: CallBasics) -> bool:
    """Tell calls whose every request came to its end; of old records, calls that came to theirs."""
    results = [result for _, result in basics.requests if result not in _DROPPED]
    if results and not any(results):
        return basics.outcome == "answered"
    return bool(results) and not any(result in _NOT_SOLVED for result in results)


def _count_requests(
    sums: Counter[Value], basics: CallBasics, *, contained: bool, solved: bool, has_matter: bool
) -> None:
    for intent, result in basics.requests:
        sums["requests", intent] += 1
        if result:
            sums["requests_result", f"{intent}={result}"] += 1
    true_of_call = {"contained": contained, "matter": has_matter, "matter_solved": has_matter and solved}
    for intent in dict.fromkeys(intent for intent, _ in basics.requests):
        sums["length_bin_asked", paired(intent, str(bin_of(basics.duration_ms)))] = 1
        sums.update({(f"{name}_asked", intent): 1 for name, is_true in true_of_call.items() if is_true})
    sums.update({(name, ""): 1 for name in ("matter", "matter_solved") if true_of_call[name]})


def _count_times(
    sums: Counter[Value], turns: Sequence[Mapping[str, Any]], basics: CallBasics, greeting: int | None
) -> None:
    for turn in turns:
        response = whole(number(turn.get("response_ms")), 1)
        if response is not None:
            sums["response_bin", str(bin_of(response))] += 1
    sums["length_bin", str(bin_of(basics.duration_ms))] = 1
    for kind, ms in (("slowest_bin", basics.latency_ms), ("greeting_bin", greeting)):
        if ms is not None:
            sums[kind, str(bin_of(ms))] = 1


# --- parts ---------------------------------------------------------------------------------------------


def _answers(turns: Sequence[Mapping[str, Any]]) -> list[Answered]:
    """Return what was asked and how it was answered; of records without a ``result``, as far as the words tell."""
    found = []
    for place, turn in enumerate(turns):
        slot = text(turn.get("slot"))
        if not slot:
            continue
        heard, result = string(turn.get("heard")), text(turn.get("result"))
        if not result and "result" not in turn:
            if heard or text(turn.get("understood")):
                result = "understood" if text(turn.get("understood")) else "no_match"
            elif place + 1 < len(turns):  # after the last question the call may have ended before the answer
                result = "no_input"
        if result:
            found.append(Answered(slot, result, heard))
    return found


def _steps(record: Mapping[str, Any], turns: Sequence[Mapping[str, Any]], outcome: str) -> tuple[list[str], list[str]]:
    """Return the steps that say or ask something, and how calls left them (``returns.sure=hung_up``), each once."""
    taken = mappings(record.get("trail")) or turns
    steps, left = [], []
    for one in taken:
        flow, step, way = text(one.get("flow")), text(one.get("step")), text(one.get("way"))
        if not (flow and step) or one.get("kind") in _SILENT_STEPS:
            continue
        name = f"{flow}.{step}"[:MOST_VALUE_CHARS]
        steps.append(name)
        if way.startswith("person."):
            left.append(f"{name}=person")
        elif way in _LEAVING:
            left.append(f"{name}={way}")
    if steps and outcome == "caller_hung_up" and not any(one.endswith("=hung_up") for one in left):
        left.append(f"{steps[-1]}=hung_up")
    return list(dict.fromkeys(steps)), list(dict.fromkeys(left))


def _about(record: Mapping[str, Any]) -> Iterator[Value]:
    """Yield the states of orders that were told, reasons of returns and promotions asked for."""
    for fact in mappings(record.get("facts")):
        operation, name, value = (text(fact.get(key)) for key in ("operation", "name", "value"))
        if not value:
            continue
        if (
            operation.startswith(("orders.", "shipments."))
            and name.endswith("status")
            and fact.get("code", "ok") == "ok"
        ):
            yield "status", value
        elif operation == "returns.create" and name == "reason":
            yield "return_reason", value
        elif operation == "promotions.check" and name == "promotion":
            yield "promotion", value
    for request in mappings(record.get("intents")):
        about = mapping(request.get("about"))
        if text(request.get("intent")) == "returns" and (reason := text(about.get("reason"))):
            yield "return_reason", reason
        if promotion := text(about.get("promotion")):
            yield "promotion", promotion


def _survey(turns: Iterable[Mapping[str, Any]], score: int | None) -> Iterator[Value]:
    if score is not None or any(text(turn.get("slot")).endswith(_SURVEY) for turn in turns):
        yield "survey", "asked"
    if score is not None:
        yield "survey", "answered"


def _grouped(heard: str) -> str:
    """Return words as they are grouped: without capitals and signs, every number as ``#``."""
    return _DIGITS.sub("#", " ".join(words_of(heard)))[:MOST_VALUE_CHARS].strip()


def _is_whole(number: str) -> bool:
    """Tell numbers that are kept whole from withheld ones and from those cut to their last digits."""
    digits = sum("0" <= one <= "9" for one in number)
    return digits >= _FEWEST_DIGITS and number.lstrip("+").isalnum()
