"""Whether a person can be had: hours, holidays and figures in, one honest report out."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from agent.call.queue_rules import QueueRules, QueueState, queue_report, rounded_minutes
from agent.call.queue_status import QueueDefinition, StaffQueues, fill_screen_pop_url
from agent.dialog.contract import HandOverAction, QueueReport

ZONE = ZoneInfo("America/Chicago")
OFFICE = ((time(8), time(18)),)
WEEK = dict.fromkeys(range(5), OFFICE)
BUSY = QueueState(logged_in=2, available=0, callers=3, hold_seconds=60, talk_seconds=240)
FREE = QueueState(logged_in=2, available=1, callers=0)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("now", "standing", "opens"),
    [
        ("2026-11-23T08:00", "open", ""),
        ("2026-11-23T17:59", "open", ""),
        ("2026-11-23T18:00", "closed", "2026-11-24T08:00-06:00"),
        ("2026-11-23T07:59", "closed", "2026-11-23T08:00-06:00"),
        ("2026-11-20T19:00", "closed", "2026-11-23T08:00-06:00"),  # Friday evening
        ("2026-11-26T10:00", "holiday", "2026-11-27T08:00-06:00"),
        ("2026-11-25T20:00", "closed", "2026-11-27T08:00-06:00"),  # the holiday is passed over
    ],
)
def test_hours_and_holidays_decide_before_any_figure(now: str, standing: str, opens: str) -> None:
    report = queue_report(QueueRules(ZONE, WEEK, {date(2026, 11, 26)}), at(now), FREE)
    assert (report.standing, report.opens) == (standing, opens)


def test_a_day_that_ends_at_midnight_is_open_until_then() -> None:
    rules = QueueRules(ZONE, {0: ((time(18), time(0)),)})
    assert queue_report(rules, at("2026-11-23T23:59"), FREE).standing == "open"
    assert queue_report(rules, at("2026-11-24T00:00"), FREE).standing == "closed"


@pytest.mark.parametrize(
    ("state", "more", "expected"),
    [
        (None, {}, QueueReport("unknown")),
        (FREE, {}, QueueReport("open")),
        (QueueState(0, 0, 0), {}, QueueReport("empty")),
        (BUSY, {"max_callers": 3}, QueueReport("full")),
        (BUSY, {"max_callers": 4}, QueueReport("open", 8)),
        (BUSY, {"max_wait_seconds": 300}, QueueReport("too_long", 8)),
        (BUSY, {"max_wait_seconds": 480}, QueueReport("open", 8)),
        (QueueState(1, 0, 0), {"max_wait_seconds": 1}, QueueReport("open")),  # nothing known to go by
    ],
)
def test_figures_decide_while_it_is_open(state: QueueState | None, more: dict[str, int], expected: QueueReport) -> None:
    assert queue_report(QueueRules(ZONE, **more), at("2026-11-23T10:00"), state) == expected


@pytest.mark.parametrize(("seconds", "minutes"), [(None, 0), (29, 0), (30, 1), (89, 1), (90, 2), (600, 10), (660, 15)])
def test_a_wait_is_told_in_minutes(seconds: float | None, minutes: int) -> None:
    assert rounded_minutes(seconds) == minutes


class _Figures:
    def __init__(self, state: QueueState | None) -> None:
        self._state = state
        self.asked: list[str] = []

    problem = ""

    async def state(self, name: str) -> QueueState | None:
        self.asked.append(name)
        return self._state


class _Whispers:
    async def make(self, call_id: str, values: object) -> str:
        return f"/var/whispers/{call_id}"


def desk(figures: _Figures, plan: QueueDefinition) -> StaffQueues:
    return StaffQueues({"humans": plan, "billing": plan}, figures, _Whispers(), lambda: at("2026-11-23T20:00"))


async def test_a_closed_queue_is_not_asked_for() -> None:
    figures = _Figures(FREE)
    report = await desk(figures, QueueDefinition(lambda: QueueRules(ZONE, WEEK))).report("")
    assert report.standing == "closed"
    assert figures.asked == []


async def test_calls_go_to_no_queue_that_is_not_set() -> None:
    figures = _Figures(FREE)
    at_work = desk(figures, QueueDefinition(lambda: QueueRules(ZONE)))
    await at_work.report("billing")
    await at_work.report("premium-rate")
    assert figures.asked == ["billing", "humans"]
    variables = await at_work.variables(HandOverAction("complaint", "", "premium-rate"), "T-1", "call-1", "2025550143")
    assert variables == {"ORDERLINE_QUEUE": "humans", "ORDERLINE_URL": ""}


async def test_the_person_gets_an_address_and_a_whisper_where_they_are_set() -> None:
    plan = QueueDefinition(
        lambda: QueueRules(ZONE), "https://crm.example/t?id={ticket}&o={order}&v={verified}", whisper=True
    )
    handover = HandOverAction("complaint", "", facts={"order_number": "10&x=1", "verified": True})
    variables = await desk(_Figures(FREE), plan).variables(handover, "T-1", "call-1", "2025550143")
    assert variables["ORDERLINE_URL"] == "https://crm.example/t?id=T-1&o=10%26x%3D1&v=yes"
    assert variables["ORDERLINE_WHISPER"] == "/var/whispers/call-1"


def test_an_address_that_got_too_long_is_left_out_whole() -> None:
    assert fill_screen_pop_url("https://crm.example/{reason}", {"reason": "x" * 600}) == ""
