"""What the index holds of a call: from records of every version, and from any JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.call.records import (
    Caller,
    CallRecord,
    IntentRecord,
    OperationFact,
    TrailStep,
    TurnRecord,
)
from agent.history.facts import call_facts
from agent.records.call_record import call_record
from tests.history.stored import record, turn

OLD = record(
    "old.1",
    turns=[
        turn("How can I help?", "track my order", "request=order_status", flow="main", step="greet", response_ms=None),
        turn(
            "What's the number?", "one oh four", "order_number=10437", flow="identify", step="number", response_ms=262.3
        ),
        turn("It comes today.", "no", "another=nothing", flow="order_status", step="tell", response_ms=901.6),
        turn("From one to five?", "four", "survey_score=4", flow="survey", step="ask", response_ms=300.0),
    ],
    handover={"reason": "caller_request", "queue": "support", "facts": {"order_number": "10437"}},
    faults=["no answer within 3 s"],
)


def test_a_record_of_an_older_version_tells_its_steps_requests_order_and_score_by_its_turns() -> None:
    facts = call_facts(OLD, 5)
    assert facts.asked == "order_status"
    assert facts.last_step == "survey.ask"
    assert facts.orders == ("10437",)
    assert (facts.score, facts.latency_ms, facts.turns, facts.faults) == (4, 902, 4, 1)
    assert (facts.reason, facts.queue, facts.direction, facts.edition) == ("caller_request", "support", "inbound", "")
    assert ("step", "identify.number") in facts.values
    assert ("asked", "order_status") in facts.values
    assert ("fault", "any") in facts.values
    assert ("fault", "no answer within # s") in facts.values
    assert facts.caller_words[:3] == ("track", "my", "order")


def test_a_record_with_all_fields_is_taken_at_its_word() -> None:
    whole = CallRecord(
        "new.1",
        Caller("+1 202 555 0143", "", "7000"),
        "2026-11-30T12:00:00.250-05:00",
        duration_seconds=31.5,
        outcome="answered",
        ended_by="agent",
        edition="a1b2",
        direction="outbound",
        purpose="delivery_notice",
        turns=[TurnRecord(0.0, "Hello", "hi", response_ms=250.0)],
        trail=[TrailStep("main", "greet", "collect", 0.0, "answered"), TrailStep("returns", "sure", "collect", 4.0)],
        intents=[
            IntentRecord("returns", 2.0, "answered", about={"order_number": "AB-99"}),
            IntentRecord("questions", 9.0),
        ],
        facts=[
            OperationFact("returns.create", "reason", "too_small", 5.0),
            OperationFact("orders.find", "number", "77-1", 3.0),
        ],
    )
    facts = call_facts(json.loads(json.dumps(call_record(whole))), 5)
    assert facts.started_ms % 1000 == 250
    assert (facts.asked, facts.last_step, facts.edition, facts.direction) == (
        "returns",
        "returns.sure",
        "a1b2",
        "outbound",
    )
    assert {("asked", "returns"), ("asked", "questions"), ("result", "returns=answered")} <= set(facts.values)
    assert ("fact", "returns.create.reason=too_small") in facts.values
    assert ("purpose", "delivery_notice") in facts.values
    assert set(facts.orders) == {"AB99", "771"}
    assert not any("77-1" in value for kind, value in facts.values if kind == "fact")


@pytest.mark.parametrize(
    ("fields", "ms"),
    [
        ({"started_at": "2026-11-30T12:00:00.123-05:00"}, 1796058000123),
        ({"started_at": "2026-11-30T17:00:00+00:00"}, 1796058000000),
        ({"started_at": "2026-11-30T12:00:00-05:00", "started_utc": 1796058000.5}, 1796058000500),
        ({"started_at": "yesterday"}, 42),
        ({"started_at": None}, 42),
        ({"started_at": "0001-01-01T00:00:00+14:00"}, 0),
        ({"started_at": "9999-12-31T23:59:59-14:00"}, 2**42 - 1),
        ({"started_at": "2026-11-30T12:00:00.000-05:00", "started_utc": float("nan")}, 1796058000000),
    ],
)
def test_the_beginning_is_known_to_the_millisecond_and_never_out_of_bounds(fields: dict[str, Any], ms: int) -> None:
    assert call_facts(record(**fields), 42).started_ms == ms


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys((*OLD, "trail", "intents", "facts", "started_utc"), _JSON)))
def test_no_record_is_too_odd(odd: dict[str, Any]) -> None:
    facts = call_facts(odd, 42)
    assert 0 <= facts.first_seq < 2**62
    assert all(isinstance(value, str) and "\0" not in value for _, value in facts.values)
    json.dumps([facts.caller, facts.outcome, *facts.orders]).encode()
