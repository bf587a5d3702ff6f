"""The rescuer frees callers whose controller is dead or hangs, and leaves those of a living one alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriAuthFailed
from agent.asterisk.heartbeat import (
    ApplicationTaken,
    Heartbeat,
    HeartbeatValue,
    ensure_single_controller,
    heartbeat_variable,
)
from agent.asterisk.rescuer import OVERDUE_SECONDS, Rescuer, RescuerOptions
from tests.asterisk.fake_asterisk import FakeAsterisk
from tests.waiting import until

OPTIONS = RescuerOptions(after_seconds=4.0, poll_seconds=0.01)
BEAT = heartbeat_variable("orderline")


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
async def ari(asterisk: FakeAsterisk) -> AsyncIterator[AriClient]:
    client = AriClient(asterisk.url, "orderline", "secret", "orderline", request_timeout_seconds=1.0)
    client.open()
    yield client
    await client.close()


def caller(asterisk: FakeAsterisk, name: str, app: str = "orderline", application: str = "Stasis") -> None:
    place = {"app_name": application, "app_data": f"{app},inbound,7000"}
    asterisk.channels[name] = {"id": name, "state": "Up", "dialplan": place}


async def test_callers_are_freed_when_the_heartbeat_has_stood_still_long_enough(
    asterisk: FakeAsterisk, ari: AriClient
) -> None:
    clock = Clock()
    rescuer = Rescuer(ari, OPTIONS, clock)
    caller(asterisk, "c1")
    caller(asterisk, "theirs", app="other")
    caller(asterisk, "queued", application="Queue")
    caller(asterisk, "orderline-media-1")
    asterisk.globals[BEAT] = "1.0 here 1"
    assert await rescuer.look() == 0
    clock.seconds += 3.9
    assert await rescuer.look() == 0
    clock.seconds += 0.1
    assert await rescuer.look() == 1
    assert asterisk.continued == [("c1", "orderline-rescue", "s")]
    assert rescuer.rescued == 1


async def test_a_beating_controller_keeps_its_callers(asterisk: FakeAsterisk, ari: AriClient) -> None:
    clock = Clock()
    rescuer = Rescuer(ari, OPTIONS, clock)
    caller(asterisk, "c1")
    for beat in range(30):
        asterisk.globals[BEAT] = f"{beat}.0 here 1"
        clock.seconds += 1.0
        assert await rescuer.look() == 0
    assert asterisk.continued == []


async def test_a_caller_who_has_just_come_in_is_given_the_same_time(asterisk: FakeAsterisk, ari: AriClient) -> None:
    clock = Clock()
    rescuer = Rescuer(ari, OPTIONS, clock)
    await rescuer.look()
    clock.seconds += 60
    caller(asterisk, "c1")
    assert await rescuer.look() == 0
    clock.seconds += 4
    assert await rescuer.look() == 1


@pytest.mark.parametrize("ahead_seconds", [0.0, 1200.0, -1200.0])
async def test_a_call_far_past_its_deadline_is_freed_even_from_a_beating_controller(
    asterisk: FakeAsterisk, ari: AriClient, ahead_seconds: float
) -> None:
    asterisk.clock_ahead_seconds = ahead_seconds
    now = time.time() + ahead_seconds  # the deadline is by the clock of Asterisk's host
    rescuer = Rescuer(ari, OPTIONS, Clock())
    caller(asterisk, "late")
    caller(asterisk, "in-time")
    caller(asterisk, "without")
    asterisk.variables["late", "ORDERLINE_DEADLINE"] = str(int(now - OVERDUE_SECONDS - 1))
    asterisk.variables["in-time", "ORDERLINE_DEADLINE"] = str(int(now + 60))
    for beat in range(10):
        asterisk.globals[BEAT] = f"{beat}.0 here 1"
        await rescuer.look()
    assert asterisk.continued == [("late", "orderline-rescue", "s")]


async def test_an_asterisk_that_comes_back_is_judged_anew(asterisk: FakeAsterisk, ari: AriClient) -> None:
    stop = asyncio.Event()
    rescuer = Rescuer(ari, OPTIONS)
    port = asterisk.port
    running = asyncio.create_task(rescuer.run(stop))
    await until(lambda: asterisk.requests)
    await asterisk.stop()
    asterisk.requests.clear()
    caller(asterisk, "c1")
    await asterisk.start(port)
    await until(lambda: asterisk.requests)
    assert asterisk.continued == [], "what was seen before the restart says nothing"
    stop.set()
    await running


async def test_a_wrong_password_ends_it(asterisk: FakeAsterisk) -> None:
    ari = AriClient(asterisk.url, "orderline", "wrong", "orderline")
    ari.open()
    with pytest.raises(AriAuthFailed):
        await Rescuer(ari, OPTIONS).run(asyncio.Event())
    await ari.close()


async def test_a_second_controller_is_refused_while_the_first_one_beats(asterisk: FakeAsterisk, ari: AriClient) -> None:
    async with AriClient(asterisk.url, "orderline", "secret", "orderline") as first:
        asterisk.globals[BEAT] = "1.0 elsewhere 4711"
        beating = asyncio.create_task(_beat(asterisk))
        with pytest.raises(ApplicationTaken, match="process 4711 on elsewhere"):
            await ensure_single_controller(ari)
        beating.cancel()
        heart = Heartbeat(first)
        heart.start()
        await until(lambda: "elsewhere" not in asterisk.globals[BEAT])
        assert HeartbeatValue.read(asterisk.globals[BEAT]) is not None
        await heart.stop()
        assert asterisk.globals[BEAT] == "", "a clean end lets the next one start at once"
        await ensure_single_controller(ari)


async def _beat(asterisk: FakeAsterisk) -> None:
    for number in range(2, 1000):
        asterisk.globals[BEAT] = f"{number}.0 elsewhere 4711"
        await asyncio.sleep(0.1)


def test_a_foreign_value_is_no_heartbeat() -> None:
    assert [HeartbeatValue.read(text) for text in ("", "x", "1 2", "1.0 here me")] == [None] * 4
    assert str(HeartbeatValue.read("1.0 here 12")) == "1.0 here 12"


async def test_a_password_changed_while_it_runs_does_not_end_it_and_is_taken_up(asterisk: FakeAsterisk) -> None:
    password = ["secret"]
    client = AriClient(asterisk.url, "orderline", "secret", "orderline", read_password=lambda: password[0])
    client.open()
    stop = asyncio.Event()
    running = asyncio.create_task(Rescuer(client, OPTIONS).run(stop))
    await until(lambda: len(asterisk.requests) > 4)
    asterisk.change_password("rotated")
    await until(lambda: client.refusal)
    password[0] = "rotated"
    await until(lambda: not client.refusal)
    assert not running.done()
    stop.set()
    await running
    await client.close()


async def test_who_came_by_a_transfer_and_was_not_taken_in_is_freed_from_a_living_controller_too(
    asterisk: FakeAsterisk, ari: AriClient
) -> None:
    clock = Clock()
    rescuer = Rescuer(ari, OPTIONS, clock)
    for name, data in (("l2", "orderline"), ("c1", "orderline,inbound,7000"), ("s1", "orderline,control,pause")):
        place = {"app_name": "Stasis", "app_data": data}
        asterisk.channels[name] = {"id": name, "state": "Up", "dialplan": place}
    for beat in range(5):
        asterisk.globals[BEAT] = f"{beat}.0 here 1"
        assert await rescuer.look() == (1 if beat == 4 else 0)
        clock.seconds += 1.0
    assert asterisk.continued == [("l2", "orderline-rescue", "s")]


async def test_a_customer_whom_a_dead_agent_called_hears_the_message_and_does_not_meet_the_queue(
    asterisk: FakeAsterisk, ari: AriClient
) -> None:
    clock = Clock()
    rescuer = Rescuer(ari, OPTIONS, clock)
    caller(asterisk, "c1")
    place = {"app_name": "Stasis", "app_data": "orderline,outbound,delivery:1:all,ob-1-z,delivery,+12025550143"}
    asterisk.channels["ob-1-z"] = {"id": "ob-1-z", "state": "Up", "dialplan": place}
    asterisk.globals[BEAT] = "1.0 here 1"
    await rescuer.look()
    clock.seconds += 5
    await rescuer.look()
    assert set(asterisk.continued) == {
        ("c1", "orderline-rescue", "s"), ("ob-1-z", "orderline-outbound", "message"),
    }  # fmt: skip


async def test_a_controller_that_is_about_to_stop_says_so(asterisk: FakeAsterisk, ari: AriClient) -> None:
    draining = False
    heart = Heartbeat(ari, draining=lambda: draining)
    heart.start()
    await until(lambda: BEAT in asterisk.globals)
    beat = HeartbeatValue.read(asterisk.globals[BEAT])
    assert beat is not None
    assert not beat.draining
    draining = True
    await until(lambda: asterisk.globals[BEAT].endswith(" draining"))
    beat = HeartbeatValue.read(asterisk.globals[BEAT])
    assert beat is not None
    assert (beat.draining, str(beat)) == (True, asterisk.globals[BEAT])
    await heart.stop()


async def test_a_caller_whom_another_instance_has_meanwhile_is_left_there(
    asterisk: FakeAsterisk, ari: AriClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The channels are read once and freed one after the other; the dead-man timer runs out between the two."""
    clock = Clock()
    rescuer = Rescuer(ari, OPTIONS, clock)
    for name in ("c1", "c2", "c3"):
        caller(asterisk, name)
    asterisk.globals[BEAT] = "1.0 here 1"
    await rescuer.look()
    clock.seconds += 4
    listed = ari.channels.list

    async def and_then_one_moves() -> list[dict[str, Any]]:
        channels = [dict(channel) for channel in await listed()]
        caller(asterisk, "c2", app="orderline-2")
        caller(asterisk, "c3", application="Queue")
        return channels

    monkeypatch.setattr(ari.channels, "list", and_then_one_moves)
    assert await rescuer.look() == 1
    assert asterisk.continued == [("c1", "orderline-rescue", "s")]
