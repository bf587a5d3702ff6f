"""Six calls of the demo shop, counted by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.history.local import LocalHistory
from agent.reports.measured import measured_facts
from agent.reports.model import Cell, Report, Table
from agent.reports.periods import Period
from agent.reports.registry import build_report
from agent.reports.step_traffic import StepTraffic, step_traffic
from tests.history.stored import record, turn, write


def _call(number: int, day: int, time: str, caller: str, **fields: Any) -> dict[str, Any]:
    return record(
        f"call.{number}",
        started_at=f"2026-11-{day:02d}T{time}-05:00",
        caller={"number": caller, "name": "", "dialled": "7000"},
        edition="0001",
        greeting_ms=20.0,
        **fields,
    )


def _step(flow: str, step: str, way: str, kind: str = "collect") -> dict[str, Any]:
    return {"flow": flow, "step": step, "kind": kind, "at_seconds": 0.0, "way": way}


def _status(value: str) -> dict[str, Any]:
    return {"operation": "orders.verify", "name": "order.status", "value": value, "at_seconds": 9.0, "code": "ok"}


GREET = turn("How can I help?", "where is my order", "request=order_status", slot="request", result="understood")
SCORE = turn("From one to five?", "five", "survey_score=5", slot="survey_score", result="understood", response_ms=400.0)
CALLS = [
    # 1: told that the order is on its way, gives a 5; calls again on the same matter the same evening (call 2)
    _call(
        1,
        2,
        "10:00:00.000",
        "2025550143",
        duration_seconds=30.0,
        intents=[{"intent": "order_status", "result": "answered"}],
        facts=[_status("in_transit")],
        turns=[GREET, SCORE],
        slots={"survey_score": "5"},
        trail=[_step("main", "greet", "answered"), _step("order_status", "answer", "next", "say")],
    ),
    # 2: the same caller, the same question, hangs up at the postcode
    _call(
        2,
        2,
        "20:00:00.000",
        "2025550143",
        duration_seconds=12.0,
        outcome="caller_hung_up",
        ended_by="caller",
        intents=[{"intent": "order_status", "result": "hung_up"}],
        turns=[GREET, turn("What's the postcode?", slot="postcode")],
        trail=[_step("main", "greet", "answered"), _step("identify", "postcode", "hung_up")],
    ),
    # 3: another caller, delayed, fine
    _call(
        3,
        2,
        "11:00:00.000",
        "2025550144",
        duration_seconds=40.0,
        intents=[{"intent": "order_status", "result": "answered"}],
        facts=[_status("delayed")],
        turns=[turn("How can I help?", "The blue one!", "", slot="request", result="no_match"), GREET],
        trail=[_step("main", "greet", "answered"), _step("order_status", "answer", "next", "say")],
    ),
    # 4: a return is made, too small
    _call(
        4,
        3,
        "12:00:00.000",
        "2025550145",
        duration_seconds=100.0,
        intents=[{"intent": "returns", "result": "answered", "about": {"reason": "too_small"}}],
        facts=[
            _status("delivered"),
            {"operation": "returns.create", "name": "reason", "value": "too_small", "at_seconds": 80.0, "code": "ok"},
        ],
        turns=[GREET],
        trail=[_step("main", "greet", "answered"), _step("returns", "sure", "answered")],
    ),
    # 5: asks for a person, waits 15 s
    _call(
        5,
        3,
        "13:00:00.000",
        "2025550146",
        duration_seconds=10.0,
        outcome="handed_over",
        ended_by="handover",
        intents=[{"intent": "returns", "result": "handed_over"}],
        handover={"reason": "caller_request", "queue": "support"},
        queue_wait={"queue": "support", "standing": "open", "waited_seconds": 15.0, "ended": "answered"},
        turns=[GREET],
        trail=[_step("main", "greet", "person.caller_asked")],
    ),
    # 6: a withheld number; goes to a person and hangs up after 40 s in the queue
    _call(
        6,
        3,
        "23:59:59.999",
        "",
        duration_seconds=20.0,
        outcome="handed_over",
        ended_by="handover",
        intents=[{"intent": "complaint", "result": "handed_over"}],
        handover={"reason": "complaint", "queue": "support"},
        queue_wait={"queue": "support", "standing": "open", "waited_seconds": 40.0, "ended": "hung_up"},
        turns=[GREET],
        trail=[_step("main", "greet", "answered"), _step("complaint", "to", "handed_over", "handover")],
    ),
]
ZONE = dt.timezone(dt.timedelta(hours=-5))
PERIOD = Period.days(dt.date(2026, 11, 2), dt.date(2026, 11, 3), ZONE)
NOW_MS = PERIOD.until_ms + 8 * 86_400_000


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHistory]:
    calls: Path = tmp_path_factory.mktemp("hand") / "calls.sqlite"
    write(calls, CALLS)
    local = LocalHistory(calls)
    local.catch_up()
    yield local
    local.close()


def report(history: LocalHistory, name: str, **options: Any) -> Report:
    return build_report(name, history.index, PERIOD, now_ms=NOW_MS, **options)


def rows(table: Table) -> dict[str, dict[str, Any]]:
    return {
        str(row[0].value): {c.name: cell.value for c, cell in zip(table.columns, row, strict=True)}
        for row in table.rows
    }


def row(table: Table, place: int = 0) -> dict[str, Cell]:
    return {column.name: cell for column, cell in zip(table.columns, table.rows[place], strict=True)}


def test_volume(history: LocalHistory) -> None:
    by_day = rows(report(history, "volume", by="day").table("calls"))
    assert [(day, one["calls"]) for day, one in by_day.items()] == [("2026-11-02", 3), ("2026-11-03", 3)]
    assert by_day["2026-11-02"]["answered"] == 2
    assert by_day["2026-11-03"]["handed_over"] == 2


def test_what_was_asked(history: LocalHistory) -> None:
    asked = rows(report(history, "asked").table("requests"))
    assert {name: one["calls"] for name, one in asked.items()} == {"order_status": 3, "returns": 2, "complaint": 1}
    assert asked["order_status"]["answered"] == 2
    assert asked["order_status"]["hung_up"] == 1


def test_states_and_reasons(history: LocalHistory) -> None:
    states = rows(report(history, "orders").table("by_status"))
    assert {name: one["calls"] for name, one in states.items()} == {"delayed": 1, "delivered": 1, "in_transit": 1}
    reasons = rows(report(history, "returns").table("reasons"))
    assert {name: (one["calls"], one["made"]) for name, one in reasons.items()} == {"too_small": (1, 1)}


def test_containment(history: LocalHistory) -> None:
    """Contained: 1 to 4 of 6. Truly: 3 and 4, since 1 was followed by 2 and 2 did not end well; of 5 with a number."""
    one = row(report(history, "contained").table("contained"))
    assert (one["contained"].calls, one["contained"].of) == (4, 6)
    assert (one["true_24h"].calls, one["true_24h"].of) == (2, 5)
    assert (one["true_7d"].calls, one["true_7d"].of) == (2, 5)
    facts = measured_facts(history.index, PERIOD, now_ms=NOW_MS)
    status = facts.by_intent["order_status"]
    assert status.contained is not None
    assert (status.contained.part, status.contained.of) == (3, 3)
    assert status.true_24h is not None
    assert (status.true_24h.part, status.true_24h.of) == (1, 3)
    assert facts.overall.agent_seconds is not None
    assert facts.overall.agent_seconds.mean == pytest.approx((30 + 12 + 40 + 100 + 10 + 20) / 6)


def test_windows_that_are_open_do_not_count(history: LocalHistory) -> None:
    made_at = PERIOD.since_ms + 34 * 3_600_000  # the second day at ten: the first ten hours of the first one are over
    one = row(build_report("contained", history.index, PERIOD, now_ms=made_at).table("contained"))
    assert one["true_24h"].of == 0
    one = row(build_report("contained", history.index, PERIOD, now_ms=made_at + 3_600_000).table("contained"))
    assert (one["true_24h"].calls, one["true_24h"].of) == (0, 1)  # call 1 alone
    assert one["true_7d"].value is None


def test_transfers_waiting_and_service_level(history: LocalHistory) -> None:
    reasons = rows(report(history, "transfers").table("by_reason"))
    assert {name: one["calls"] for name, one in reasons.items()} == {"caller_request": 1, "complaint": 1}
    level = row(report(history, "waiting").table("service_level"))
    assert [level[name].value for name in ("answered", "in_time", "abandoned", "after")] == [1, 1, 1, 1]
    assert (level["service_level"].value, level["service_level"].of) == (0.5, 2)  # 1 / (1 + 1)


def test_handle_time(history: LocalHistory) -> None:
    one = row(report(history, "time").table("handle_time"))
    assert one["mean"].value == pytest.approx(212 / 6)
    assert 20 < float(one["median"].value or 0) <= 20 * 1.05  # 10 12 20 | 30 40 100


def test_satisfaction(history: LocalHistory) -> None:
    one = row(report(history, "score").table("over_time"))
    assert [one[name].value for name in ("asked", "answered", "response_rate", "csat", "mean")] == [1, 1, 1.0, 1.0, 5.0]


def test_drop_off_and_what_was_not_understood(history: LocalHistory) -> None:
    steps = report(history, "dropoff").table("steps")
    by_step = {str(one[1].value): [cell.value for cell in one[2:]] for one in steps.rows}
    assert by_step["main.greet"][:5] == [6, 0, 0, 0, 1]
    assert by_step["identify.postcode"][:2] == [1, 1]
    slots = rows(report(history, "nomatch").table("slots"))
    assert (slots["request"]["turns"], slots["request"]["no_match"]) == (7, 1)
    words = rows(report(history, "misheard").table("words"))
    assert {said: (one["calls"], one["slots"]) for said, one in words.items()} == {"the blue one": (1, "request")}


def test_the_calls_at_each_step(history: LocalHistory) -> None:
    found = step_traffic(history.index, PERIOD)
    assert found["main.greet"] == StepTraffic(6, {"person": 1})
    assert found["identify.postcode"] == StepTraffic(1, {"hung_up": 1})
    assert found["returns.sure"].left == {}


def test_latency(history: LocalHistory) -> None:
    one = row(report(history, "latency").table("latency"))
    assert one["responses"].value == 1
    assert one["response_p95"].value == 410  # the bin of 400 ms ends there
    assert one["greeting_p50"].value == 21
