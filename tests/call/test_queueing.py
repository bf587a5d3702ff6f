"""Whether a person can be had, and how long it takes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from agent.call.queue_desk import QueueDesk, QueuePlan, filled_url
from agent.call.queueing import QueueRules, QueueState, minutes_of, report_on
from agent.dialog.turns import HandOver, QueueReport

ZONE = ZoneInfo("America/Chicago")
SHOP_HOURS = {day: ((time(8), time(18)),) for day in range(5)} | {5: ((time(9), time(12)), (time(13), time(0)))}
MONDAY_TEN = datetime(2026, 11, 23, 10, 0, tzinfo=ZONE)
FREE = QueueState(logged_in=3, available=2, callers=0, hold_seconds=90, talk_seconds=240)
BUSY = QueueState(logged_in=3, available=0, callers=2, hold_seconds=90, talk_seconds=240)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("now", "state", "expected"),
    [
        (MONDAY_TEN, FREE, QueueReport("open")),
        (MONDAY_TEN, BUSY, QueueReport("open", 4)),  # three callers to be served by three people in four minutes each
        (MONDAY_TEN, None, QueueReport("unknown")),
        (MONDAY_TEN, QueueState(0, 0, 0), QueueReport("empty")),
        (MONDAY_TEN, QueueState(2, 0, 5, 30, 30), QueueReport("full")),
        (MONDAY_TEN, QueueState(1, 0, 3, 30, 300), QueueReport("too_long", 20)),
        (MONDAY_TEN, QueueState(1, 0, 0), QueueReport("open")),  # nobody has waited yet: nothing is claimed
        (at("2026-11-23T07:59"), FREE, QueueReport("closed", opens="2026-11-23T08:00-06:00")),
        (at("2026-11-23T18:00"), FREE, QueueReport("closed", opens="2026-11-24T08:00-06:00")),
        (at("2026-11-28T12:30"), FREE, QueueReport("closed", opens="2026-11-28T13:00-06:00")),
        (at("2026-11-28T23:59"), FREE, QueueReport("open")),
        (at("2026-11-29T00:00"), FREE, QueueReport("closed", opens="2026-11-30T08:00-06:00")),
        (at("2026-11-26T10:00"), FREE, QueueReport("holiday", opens="2026-11-27T08:00-06:00")),
        (at("2026-11-25T19:00"), FREE, QueueReport("closed", opens="2026-11-27T08:00-06:00")),
    ],
)
def test_a_queue_is_judged_by_holiday_hours_people_room_and_wait(
    now: datetime, state: QueueState | None, expected: QueueReport
) -> None:
    rules = QueueRules(ZONE, SHOP_HOURS, {date(2026, 11, 26)}, max_wait_seconds=600, max_callers=5)
    assert report_on(rules, now, state) == expected


def test_hours_are_those_of_the_queues_own_zone_in_summer_and_winter() -> None:
    rules = QueueRules(ZONE, SHOP_HOURS)
    assert report_on(rules, datetime(2026, 7, 6, 13, 30, tzinfo=UTC), FREE).standing == "open"
    assert report_on(rules, datetime(2026, 11, 23, 13, 30, tzinfo=UTC), FREE).standing == "closed"


def test_a_queue_without_hours_is_always_open_and_one_without_days_never_opens() -> None:
    assert report_on(QueueRules(ZONE), at("2026-11-29T03:00"), FREE) == QueueReport("open")
    assert report_on(QueueRules(ZONE, {}), MONDAY_TEN, FREE) == QueueReport("closed")


@pytest.mark.parametrize(
    ("seconds", "minutes"), [(None, 0), (0, 0), (29, 0), (30, 1), (80, 1), (90, 2), (240, 4), (600, 10), (640, 15)]
)
def test_a_wait_is_told_in_whole_minutes_and_a_long_one_in_fives(seconds: float | None, minutes: int) -> None:
    assert minutes_of(seconds) == minutes


class Figures:
    def __init__(self, state: QueueState | None) -> None:
        self.given = state
        self.asked: list[str] = []

    async def state(self, name: str) -> QueueState | None:
        self.asked.append(name)
        return self.given


class Whisper:
    async def make(self, call_id: str, values: object) -> str:
        return f"/spool/{call_id}"


def desk(figures: Figures, **more: QueuePlan) -> QueueDesk:
    plans = {"humans": QueuePlan(lambda: QueueRules(ZONE, SHOP_HOURS)), **more}
    return QueueDesk(plans, figures, Whisper(), lambda: MONDAY_TEN)


async def test_only_configured_queues_are_used_and_asked() -> None:
    figures = Figures(FREE)
    asked = desk(figures, returns=QueuePlan(lambda: QueueRules(ZONE)))
    assert [asked.name(name) for name in ("", "returns", "sales)")] == ["humans", "returns", "humans"]
    await asked.report("returns")
    await asked.report("nowhere")
    assert figures.asked == ["returns", "humans"]


async def test_a_closed_queue_is_not_asked_for_its_figures() -> None:
    figures = Figures(FREE)
    closed = QueueDesk({"humans": QueuePlan(lambda: QueueRules(ZONE, {}))}, figures, Whisper(), lambda: MONDAY_TEN)
    assert (await closed.report("")).standing == "closed"
    assert figures.asked == []


async def test_screen_pop_and_whisper_go_where_they_are_wanted() -> None:
    plan = QueuePlan(lambda: QueueRules(ZONE), "https://crm.example/?t={ticket}&o={order}", whisper=True)
    handover = HandOver("return", "", "returns", facts={"order_number": "10&x=<1>", "verified": True})
    both = desk(Figures(FREE), returns=plan)
    assert await both.variables(handover, "T-1", "call-1", "2025550143") == {
        "ORDERLINE_QUEUE": "returns",
        "ORDERLINE_URL": "https://crm.example/?t=T-1&o=10%26x%3D%3C1%3E",
        "ORDERLINE_WHISPER": "/spool/call-1",
    }
    assert await both.variables(HandOver("x", ""), "", "call-1", "") == {
        "ORDERLINE_QUEUE": "humans",
        "ORDERLINE_URL": "",
    }


def test_no_value_can_stand_for_another_or_make_the_address_longer_than_a_header() -> None:
    assert (
        filled_url("https://a/{ticket}/{caller}", {"ticket": "{caller}", "caller": "1"}) == "https://a/%7Bcaller%7D/1"
    )
    assert filled_url("https://a/{ticket}", {"ticket": "x" * 600}) == ""
