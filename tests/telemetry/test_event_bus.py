"""The event bus: every event is numbered and reaches all who asked for it, whatever one of them does."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from agent.errors import OrderlineError
from agent.telemetry.event_bus import EventBus
from agent.telemetry.events import CallFinished, ListeningStarted
from agent.telemetry.published_event import PublishedEvent
from tests.call_events import agent_said, call_began, call_finished


def test_events_of_all_calls_are_numbered_from_one_without_a_gap() -> None:
    bus = EventBus()
    seen: list[PublishedEvent] = []
    bus.subscribe(seen.append)
    for call_id in ("call-1", "call-2", "call-1"):
        bus.publish(call_began(call_id))
    assert [(one.seq, one.event.call_id) for one in seen] == [(1, "call-1"), (2, "call-2"), (3, "call-1")]


def test_events_are_counted_while_nobody_listens() -> None:
    bus = EventBus()
    bus.publish(call_began())
    assert bus.publish(agent_said()).seq == 2


def test_a_process_that_starts_anew_is_told_apart_by_its_epoch() -> None:
    before, after = EventBus(), EventBus()
    assert before.publish(call_began()).epoch == before.epoch
    assert after.publish(call_began()).epoch != before.epoch


def test_all_subscribers_see_the_same_number_and_the_same_time() -> None:
    noon = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    times = iter((12.5, 13.0))
    bus = EventBus(clock=lambda: next(times), wall=lambda: noon)
    one: list[PublishedEvent] = []
    two: list[PublishedEvent] = []
    bus.subscribe(one.append)
    bus.subscribe(two.append)
    bus.publish(call_began())
    bus.publish(agent_said())
    assert one == two
    assert [(event.at, event.at_seconds) for event in one] == [(noon, 12.5), (noon, 13.0)]


def test_a_subscriber_gets_the_kinds_it_asked_for() -> None:
    bus = EventBus()
    seen: list[str] = []
    bus.subscribe(lambda published: seen.append(published.event.event), CallFinished, ListeningStarted)
    for event in (call_began(), agent_said(), ListeningStarted("call-1", ""), call_finished()):
        bus.publish(event)
    assert seen == ["listening", "call_ended"]


def test_who_has_left_gets_no_more_and_may_leave_twice() -> None:
    bus = EventBus()
    seen: list[PublishedEvent] = []
    unsubscribe = bus.subscribe(seen.append)
    bus.publish(call_began())
    unsubscribe()
    unsubscribe()
    bus.publish(agent_said())
    assert [one.event.event for one in seen] == ["call_started"]


def test_who_leaves_while_an_event_is_passed_on_takes_it_from_nobody() -> None:
    bus = EventBus()
    seen: list[PublishedEvent] = []

    def leave(_: PublishedEvent) -> None:
        unsubscribe()

    unsubscribe = bus.subscribe(leave)
    bus.subscribe(seen.append)
    bus.publish(call_began())
    assert len(seen) == 1


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), ZeroDivisionError("x"), OrderlineError("x")])
def test_a_subscriber_that_fails_costs_neither_the_call_nor_the_others(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: PublishedEvent) -> None:
        raise error

    bus = EventBus()
    seen: list[PublishedEvent] = []
    bus.subscribe(fail)
    bus.subscribe(seen.append)
    bus.publish(call_began())
    bus.publish(call_finished())
    assert [one.seq for one in seen] == [1, 2]
    failures = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert [one.getMessage() for one in failures] == [
        "A subscriber of the event bus has failed at call_started",
        "A subscriber of the event bus has failed at call_ended",
    ]
