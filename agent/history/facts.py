"""What the index holds of one call, taken out of its record. Pure; any JSON is taken, of every version of Orderline."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.common.untrusted import storable
from agent.history.loose_json import MOST_VALUE_CHARS, items, mapping, number, string, text, whole
from agent.history.report_facts import CallBasics, Value, report_facts, shared
from agent.history.words import side_of_call

_LATEST_MS = 2**42 - 1
"""In the year 2109. Times outside 1970..2109 are taken for one of the two."""
_MOST_OFFSET = 24 * 60 - 1
_MOST = 1e15
_PAIR = re.compile(r"\b(\w+)=([^,;\s]+)")
_NUMBERS = re.compile(r"\d+")
_ANY = "any"


@dataclass(frozen=True, slots=True)
class FinishedCall:
    """One call as the index knows it."""

    id: str
    started_ms: int
    """Milliseconds since 1970, UTC."""
    offset_minutes: int
    """Of the shop's clock from UTC when the call began."""
    written_ms: int
    """When the record was stored, or last changed."""
    duration_ms: int
    caller: str
    dialled: str
    direction: str
    outcome: str
    ended_by: str
    reason: str
    """Why it was handed over; ``""`` where it was not."""
    queue: str
    edition: str
    asked: str
    """The first thing that was asked for; ``""`` where nothing was."""
    last_step: str
    orders: tuple[str, ...]
    score: int | None
    """The caller's answer to the question how the call was."""
    latency_ms: int | None
    """The slowest response of the call; None where none was measured."""
    turns: int
    faults: int
    values: tuple[Value, ...]
    """What it can be found by, each once."""
    caller_words: tuple[str, ...]
    agent_words: tuple[str, ...]
    sums: Mapping[Value, int]
    """What reports add up of it besides the values."""
    misheard: tuple[tuple[str, str], ...]
    """Slot and words of each answer that was not understood."""
    wait_ms: int | None
    """In the staff queue."""
    greeting_ms: int | None
    """From the answer to the first words."""
    has_matter: bool
    """Whether another call of the same number can be about the same: not for withheld numbers, outbound calls and
    calls that came back from the queue."""

    @property
    def first_seq(self) -> int:
        """Where the call stands in the order of time: the first place it may have (see ``tables.calls.seq``)."""
        return (self.started_ms << 10) | (zlib.crc32(self.id.encode()) & 1023)

    @property
    def words_mark(self) -> int:
        """Another number where other words were said."""
        both = " ".join((*self.caller_words, "\n", *self.agent_words))
        return int.from_bytes(hashlib.blake2b(both.encode(), digest_size=7).digest(), "big")


def call_facts(record: Mapping[str, Any], written_ms: int) -> FinishedCall:
    """Return what is known of a call from its redacted record, as ``call_record`` makes it. Never raises on JSON.

    ``written_ms`` is when it was stored (milliseconds since 1970); it stands in where the record has no start.
    """
    caller, handover = mapping(record.get("caller")), mapping(record.get("handover"))
    turns = [one for one in items(record.get("turns")) if isinstance(one, dict)]
    started_ms, offset = _start(record, written_ms)
    steps = _steps(record, turns)
    meant = [pair for turn in turns if (told := turn.get("understood")) for pair in _PAIR.findall(string(told))]
    asked = _asked(record, turns, meant)
    faults = [str(fault) for fault in items(record.get("faults"))]
    responses = [value for turn in turns if (value := number(turn.get("response_ms"))) is not None]
    score = _score(record, meant)
    duration_ms, latency_ms = whole(number(record.get("duration_seconds")), 1000) or 0, max(responses, default=None)
    single = _single(record, handover)
    counted = report_facts(
        record,
        turns,
        CallBasics(
            outcome=single["outcome"],
            reason=single["reason"],
            edition=single["edition"],
            number=text(caller.get("number")),
            direction=single["direction"],
            duration_ms=duration_ms,
            latency_ms=whole(latency_ms, 1),
            requests=asked,
            score=score,
        ),
    )
    values = dict.fromkeys((*_values(single, record, steps, asked, faults, score), *counted.values))
    return FinishedCall(
        id=text(record.get("id")),
        started_ms=started_ms,
        offset_minutes=offset,
        written_ms=max(0, min(written_ms, _LATEST_MS)),
        duration_ms=duration_ms,
        caller=text(caller.get("number")),
        dialled=text(caller.get("dialled")),
        asked=asked[0][0] if asked else "",
        last_step=steps[-1] if steps else "",
        orders=_orders(record, handover, meant),
        score=score,
        latency_ms=whole(latency_ms, 1),
        turns=len(turns),
        faults=len(faults),
        values=tuple(map(shared, values)),
        caller_words=side_of_call(string(turn.get("heard")) for turn in turns),
        agent_words=side_of_call(string(turn.get("agent")) for turn in turns),
        sums=counted.sums,
        misheard=counted.misheard,
        wait_ms=counted.wait_ms,
        greeting_ms=counted.greeting_ms,
        has_matter=counted.has_matter,
        **single,
    )


def order_key(number: str) -> str:
    """Return an order number as it is compared: ``ab-1043`` and ``AB1043`` are the same."""
    return "".join(one for one in number if one.isalnum()).upper()


# --- parts --------------------------------------------------------------------------------------------


def _single(record: Mapping[str, Any], handover: Mapping[str, Any]) -> dict[str, str]:
    """Return the facts of which a call has one each."""
    return {
        "outcome": text(record.get("outcome")),
        "ended_by": text(record.get("ended_by")),
        "reason": text(handover.get("reason")),
        "queue": text(handover.get("queue")),
        "edition": text(record.get("edition")),
        "direction": (text(record.get("direction")) or "inbound").lower(),
    }


def _start(record: Mapping[str, Any], written_ms: int) -> tuple[int, int]:
    """Return when the call began, in milliseconds since 1970, and how far the shop's clock was from UTC, in minutes."""
    ms, offset = None, 0
    try:
        moment = dt.datetime.fromisoformat(string(record.get("started_at")))
        shift = moment.utcoffset()
        offset = max(-_MOST_OFFSET, min(round(shift.total_seconds() / 60), _MOST_OFFSET)) if shift else 0
        local = moment.replace(tzinfo=dt.UTC) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        ms = (local - dt.timedelta(minutes=offset)) // dt.timedelta(milliseconds=1)
    except ValueError:
        pass
    exact = number(record.get("started_utc"))
    if exact is not None and exact > 0:
        ms = whole(exact, 1000)
    return max(0, min(written_ms if ms is None else ms, _LATEST_MS)), offset


def _steps(record: Mapping[str, Any], turns: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the steps in order; of records without a trail, those that said something."""
    taken = [one for one in items(record.get("trail")) if isinstance(one, dict)] or turns
    named = ((text(one.get("flow")), text(one.get("step"))) for one in taken)
    return [f"{flow}.{step}"[:MOST_VALUE_CHARS] for flow, step in named if flow and step]


def _asked(
    record: Mapping[str, Any], turns: Sequence[Mapping[str, Any]], meant: Iterable[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Return what was asked for, each with its result.

    Records without a list of it: what the opening question (``request``) was understood to ask for, and whatever else
    was understood that is the name of a flow of the call.
    """
    told = [one for one in items(record.get("intents")) if isinstance(one, dict)]
    if told:
        pairs = [(text(one.get("intent")), text(one.get("result"))) for one in told]
        return [(intent, result) for intent, result in pairs if intent]
    flows = {text(turn.get("flow")) for turn in turns}
    asked = (value for name, value in meant if value in flows or name == "request")
    return [(flow, "") for flow in dict.fromkeys(asked)]


def _orders(
    record: Mapping[str, Any], handover: Mapping[str, Any], meant: Iterable[tuple[str, str]]
) -> tuple[str, ...]:
    held = [mapping(record.get("slots")), mapping(handover.get("facts"))]
    held += [mapping(one.get("about")) for one in items(record.get("intents")) if isinstance(one, dict)]
    found = [value for part in held for name, value in part.items() if name in ("order_number", "order")]
    for fact in items(record.get("facts")):
        if isinstance(fact, dict) and (
            fact.get("name") == "order_number"
            or (fact.get("name") in ("number", "order.number") and string(fact.get("operation")).startswith("orders."))
        ):
            found.append(fact.get("value"))
    found += [value for name, value in meant if name == "order_number"]
    return tuple(dict.fromkeys(key for one in found if (key := order_key(text(one)))))


def _score(record: Mapping[str, Any], meant: Iterable[tuple[str, str]]) -> int | None:
    """Return the answer to the survey's question: of its operation, else what was understood."""
    told = (*mapping(record.get("slots")).items(), *meant)
    found: list[object] = [value for name, value in told if name.endswith("survey_score")]
    for fact in items(record.get("facts")):
        if isinstance(fact, dict) and fact.get("operation") == "surveys.answer":
            found.append(fact.get("value"))
    numbers = [int(digits) for one in found if (digits := text(one)).isdecimal() and len(digits) <= 2]
    return numbers[-1] if numbers else None


def _values(
    single: Mapping[str, str],
    record: Mapping[str, Any],
    steps: Iterable[str],
    asked: Iterable[tuple[str, str]],
    faults: Iterable[str],
    score: int | None,
) -> Iterator[Value]:
    yield from ((kind, value) for kind, value in single.items() if value)
    for step in steps:
        yield "step", step
    for intent, result in asked:
        yield "asked", intent
        if result:
            yield "result", f"{intent}={result}"
    for fault in faults:
        yield "fault", _ANY
        yield "fault", _NUMBERS.sub("#", storable(fault))[:MOST_VALUE_CHARS]
    if score is not None:
        yield "score", str(score)
    if purpose := text(record.get("purpose")):
        yield "purpose", purpose
    for fact in items(record.get("facts")):
        if isinstance(fact, dict) and isinstance(fact.get("value"), (str, int)):
            name = f"{text(fact.get('operation'))}.{text(fact.get('name'))}"
            if not _one_of_many(name):
                yield "fact", f"{name}={text(fact.get('value'))}"[:MOST_VALUE_CHARS]


def _one_of_many(name: str) -> bool:
    """Tell facts that are different in every call: they are found by order, or by their words."""
    return name.endswith(("number", ".id", "_id", ".key"))
