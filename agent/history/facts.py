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
from agent.history.words import side_of_call

MOST_VALUE_CHARS = 200
_LATEST_MS = 2**42 - 1
"""In the year 2109. Times outside 1970..2109 are taken for one of the two."""
_MOST_OFFSET = 24 * 60 - 1
_MOST = 1e15
_PAIR = re.compile(r"\b(\w+)=([^,;\s]+)")
_NUMBERS = re.compile(r"\d+")
_ANY = "any"

Value = tuple[str, str]
"""Kind and value of something a call can be found by: ``("step", "returns.sure")``."""


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
    caller, handover = _mapping(record.get("caller")), _mapping(record.get("handover"))
    turns = [one for one in _list(record.get("turns")) if isinstance(one, Mapping)]
    started_ms, offset = _start(record, written_ms)
    steps = _steps(record, turns)
    meant = [pair for turn in turns if (told := turn.get("understood")) for pair in _PAIR.findall(_string(told))]
    asked = _asked(record, turns, meant)
    faults = [str(fault) for fault in _list(record.get("faults"))]
    responses = [value for turn in turns if (value := _number(turn.get("response_ms"))) is not None]
    score = _score(record, meant)
    single = {
        "outcome": _text(record.get("outcome")),
        "ended_by": _text(record.get("ended_by")),
        "reason": _text(handover.get("reason")),
        "queue": _text(handover.get("queue")),
        "edition": _text(record.get("edition")),
        "direction": _text(record.get("direction")) or "inbound",
    }
    return FinishedCall(
        id=_text(record.get("id")),
        started_ms=started_ms,
        offset_minutes=offset,
        written_ms=max(0, min(written_ms, _LATEST_MS)),
        duration_ms=_whole(_number(record.get("duration_seconds")), 1000) or 0,
        caller=_text(caller.get("number")),
        dialled=_text(caller.get("dialled")),
        asked=asked[0][0] if asked else "",
        last_step=steps[-1] if steps else "",
        orders=_orders(record, handover, meant),
        score=score,
        latency_ms=_whole(max(responses), 1) if responses else None,
        turns=len(turns),
        faults=len(faults),
        values=tuple(dict.fromkeys(_values(single, record, steps, asked, faults, score))),
        caller_words=side_of_call(_string(turn.get("heard")) for turn in turns),
        agent_words=side_of_call(_string(turn.get("agent")) for turn in turns),
        **single,
    )


def order_key(number: str) -> str:
    """Return an order number as it is compared: ``ab-1043`` and ``AB1043`` are the same."""
    return "".join(one for one in number if one.isalnum()).upper()


# --- parts --------------------------------------------------------------------------------------------


def _start(record: Mapping[str, Any], written_ms: int) -> tuple[int, int]:
    """Return when the call began, in milliseconds since 1970, and how far the shop's clock was from UTC, in minutes."""
    ms, offset = None, 0
    try:
        moment = dt.datetime.fromisoformat(_string(record.get("started_at")))
        shift = moment.utcoffset()
        offset = max(-_MOST_OFFSET, min(round(shift.total_seconds() / 60), _MOST_OFFSET)) if shift else 0
        local = moment.replace(tzinfo=dt.UTC) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        ms = (local - dt.timedelta(minutes=offset)) // dt.timedelta(milliseconds=1)
    except ValueError:
        pass
    exact = _number(record.get("started_utc"))
    if exact is not None and exact > 0:
        ms = _whole(exact, 1000)
    return max(0, min(written_ms if ms is None else ms, _LATEST_MS)), offset


def _steps(record: Mapping[str, Any], turns: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the steps in order; of records without a trail, those that said something."""
    taken = [one for one in _list(record.get("trail")) if isinstance(one, Mapping)] or turns
    named = ((_text(one.get("flow")), _text(one.get("step"))) for one in taken)
    return [f"{flow}.{step}"[:MOST_VALUE_CHARS] for flow, step in named if flow and step]


def _asked(
    record: Mapping[str, Any], turns: Sequence[Mapping[str, Any]], meant: Iterable[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Return what was asked for, each with its result.

    Records without a list of it: what the opening question (``request``) was understood to ask for, and whatever else
    was understood that is the name of a flow of the call.
    """
    told = [one for one in _list(record.get("intents")) if isinstance(one, Mapping)]
    if told:
        pairs = [(_text(one.get("intent")), _text(one.get("result"))) for one in told]
        return [(intent, result) for intent, result in pairs if intent]
    flows = {_text(turn.get("flow")) for turn in turns}
    asked = (value for name, value in meant if value in flows or name == "request")
    return [(flow, "") for flow in dict.fromkeys(asked)]


def _orders(
    record: Mapping[str, Any], handover: Mapping[str, Any], meant: Iterable[tuple[str, str]]
) -> tuple[str, ...]:
    held = [_mapping(record.get("slots")), _mapping(handover.get("facts"))]
    held += [_mapping(one.get("about")) for one in _list(record.get("intents")) if isinstance(one, Mapping)]
    found = [value for part in held for name, value in part.items() if name in ("order_number", "order")]
    for fact in _list(record.get("facts")):
        if isinstance(fact, Mapping) and (
            fact.get("name") == "order_number"
            or (fact.get("name") in ("number", "order.number") and _string(fact.get("operation")).startswith("orders."))
        ):
            found.append(fact.get("value"))
    found += [value for name, value in meant if name == "order_number"]
    return tuple(dict.fromkeys(key for one in found if (key := order_key(_text(one)))))


def _score(record: Mapping[str, Any], meant: Iterable[tuple[str, str]]) -> int | None:
    """Return the answer to the survey's question: of its operation, else what was understood."""
    told = (*_mapping(record.get("slots")).items(), *meant)
    found: list[object] = [value for name, value in told if name.endswith("survey_score")]
    for fact in _list(record.get("facts")):
        if isinstance(fact, Mapping) and fact.get("operation") == "surveys.answer":
            found.append(fact.get("value"))
    numbers = [int(text) for one in found if (text := _text(one)).isdecimal() and len(text) <= 2]
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
    if purpose := _text(record.get("purpose")):
        yield "purpose", purpose
    for fact in _list(record.get("facts")):
        if isinstance(fact, Mapping) and isinstance(fact.get("value"), (str, int)):
            name = f"{_text(fact.get('operation'))}.{_text(fact.get('name'))}"
            if not _one_of_many(name):
                yield "fact", f"{name}={_text(fact.get('value'))}"[:MOST_VALUE_CHARS]


def _one_of_many(name: str) -> bool:
    """Tell facts that are different in every call: they are found by order, or by their words."""
    return name.endswith(("number", ".id", "_id", ".key"))


# --- JSON that may be anything ------------------------------------------------------------------------


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _text(value: object) -> str:
    if type(value) is str and len(value) <= MOST_VALUE_CHARS and value.isascii() and "\0" not in value:
        return value  # nearly always
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int)):
        return storable(str(value))[:MOST_VALUE_CHARS]
    return ""


def _number(value: object) -> float | None:
    return (
        float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15 else None
    )


def _whole(value: float | None, factor: int) -> int | None:
    return None if value is None else round(value * factor)
