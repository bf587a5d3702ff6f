"""How long a caller waited in the queue comes into the record once, whoever tells it and whenever."""

from __future__ import annotations

import asyncio

import pytest

from agent.call.queue_waits import QueueWaits
from agent.telemetry.event_bus import EventBus
from agent.telemetry.events import CallBegan, CallFinished, CallingParty, HandedOver, QueueWaitEnded
from agent.telemetry.published_event import PublishedEvent

CALL = "1764057600.12"


class Watched:
    """The waits of a bus whose clock is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0
        self.kept: list[tuple[str, float, str]] = []
        self.told: list[PublishedEvent] = []
        self.bus = EventBus(clock=lambda: self.now)
        self.waits = QueueWaits(self._keep, self.bus)
        self.bus.subscribe(self.waits.update)
        self.bus.subscribe(self.told.append, QueueWaitEnded)

    async def _keep(self, call_id: str, seconds: float, how: str) -> bool:
        self.kept.append((call_id, seconds, how))
        return True

    def hands_over(self, call_id: str = CALL) -> None:
        self.bus.publish(HandedOver(call_id, "caller_asked", "", 0, summary="", ticket="", facts={}))

    def ends(self, call_id: str = CALL, outcome: str = "handed_over") -> None:
        self.bus.publish(CallFinished(call_id, outcome, "handover", 20.0, None))

    def comes_back(self, entry: str) -> None:
        caller = CallingParty("2025550143", "", "7000")
        self.bus.publish(CallBegan(f"{CALL}-ab12cd34", caller, "7000", entry, continues=CALL))

    async def settled(self) -> list[tuple[str, float, str]]:
        for _ in range(5):
            await asyncio.sleep(0)
        return self.kept


async def test_the_pbx_tells_how_long_a_caller_waited_who_was_answered_or_hung_up() -> None:
    for how in ("answered", "hung_up"):
        watched = Watched()
        watched.hands_over()
        watched.ends()
        watched.waits.left_the_queue(CALL, 74.0, how)
        assert await watched.settled() == [(CALL, 74.0, how)]
        assert [(one.event.call_id, one.call_seq) for one in watched.told] == [(CALL, 3)]


async def test_staff_who_answer_before_the_record_is_written_are_waited_for() -> None:
    watched = Watched()
    watched.hands_over()
    watched.waits.left_the_queue(CALL, 0.0, "answered")
    assert await watched.settled() == []
    watched.ends()
    assert await watched.settled() == [(CALL, 0.0, "answered")]


@pytest.mark.parametrize(
    ("entry", "how"), [("queue_failed", "timed_out"), ("queue_escape", "left"), ("transfer_back", "unknown")]
)
async def test_a_caller_who_comes_back_has_waited_until_then(entry: str, how: str) -> None:
    watched = Watched()
    watched.hands_over()
    watched.ends()
    watched.now += 300.0
    watched.comes_back(entry)
    assert await watched.settled() == [(CALL, 300.0, how)]


async def test_a_wait_is_told_once() -> None:
    watched = Watched()
    watched.hands_over()
    watched.ends()
    watched.waits.left_the_queue(CALL, 74.0, "answered")
    watched.waits.left_the_queue(CALL, 74.0, "hung_up")
    watched.comes_back("transfer_back")
    assert await watched.settled() == [(CALL, 74.0, "answered")]


async def test_of_the_visits_of_a_channel_the_latest_waits() -> None:
    watched = Watched()
    for call_id in (CALL, f"{CALL}-ab12cd34"):
        watched.hands_over(call_id)
        watched.ends(call_id)
    watched.waits.left_the_queue(CALL, 5.0, "answered")
    assert await watched.settled() == [(f"{CALL}-ab12cd34", 5.0, "answered")]


async def test_other_calls_of_the_pbx_and_hand_overs_that_did_not_happen_are_nothing() -> None:
    watched = Watched()
    watched.hands_over()
    watched.ends(outcome="caller_hung_up")
    for channel in ("1764057600.1", "1764057600.123", CALL):
        watched.waits.left_the_queue(channel, 9.0, "answered")
    assert await watched.settled() == []


async def test_a_call_that_was_not_taken_waits_like_any_other() -> None:
    watched = Watched()
    watched.ends()
    watched.waits.left_the_queue(CALL, 12.0, "hung_up")
    assert await watched.settled() == [(CALL, 12.0, "hung_up")]


async def test_callers_nothing_is_ever_heard_of_are_forgotten_some_day() -> None:
    watched = Watched()
    for number in range(1200):
        watched.hands_over(f"17640.{number}")
        watched.ends(f"17640.{number}")
    watched.waits.left_the_queue("17640.10", 1.0, "answered")
    watched.waits.left_the_queue("17640.1199", 2.0, "answered")
    assert await watched.settled() == [("17640.1199", 2.0, "answered")]
