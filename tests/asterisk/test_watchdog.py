"""The dead-man timer is re-armed for as long as the dialplan lets the call last, whatever time it is on which host."""

from __future__ import annotations

import asyncio
import time

import pytest

from agent.asterisk.ari.client import AriClient
from agent.asterisk.channel import AsteriskCallerLine, StasisOptions
from agent.asterisk.watchdog import keep_watchdog_armed
from agent.common.tasks import cancel_and_wait
from tests.asterisk.fake_asterisk import FakeAsterisk
from tests.waiting import until

TIMER = ("POST", "/ari/channels/c1/variable")


@pytest.mark.parametrize("ahead_seconds", [0.0, 1200.0, -1200.0])
async def test_a_call_is_looked_after_although_the_clocks_of_both_hosts_differ(ahead_seconds: float) -> None:
    asterisk = FakeAsterisk()
    await asterisk.start()
    asterisk.clock_ahead_seconds = ahead_seconds
    async with AriClient(asterisk.url, "orderline", "secret", "orderline") as ari:
        await asterisk.ring("c1", "inbound", "7000")
        asterisk.variables["c1", "ORDERLINE_DEADLINE"] = str(int(time.time() + ahead_seconds + 900))
        options = StasisOptions(rearm_seconds=0.01)
        line = AsteriskCallerLine(ari, asterisk.channels["c1"], ["inbound"], options)
        watchdog = asyncio.create_task(keep_watchdog_armed(ari, line, options))
        await until(lambda: asterisk.requests.count(TIMER) > 3)
        assert not watchdog.done()
        await cancel_and_wait(watchdog)
    await asterisk.stop()


@pytest.mark.parametrize("ahead_seconds", [0.0, 1200.0, -1200.0])
async def test_past_the_dialplans_deadline_it_is_left_to_the_dialplan(ahead_seconds: float) -> None:
    asterisk = FakeAsterisk()
    await asterisk.start()
    asterisk.clock_ahead_seconds = ahead_seconds
    async with AriClient(asterisk.url, "orderline", "secret", "orderline") as ari:
        await asterisk.ring("c1", "inbound", "7000")
        asterisk.variables["c1", "ORDERLINE_DEADLINE"] = str(int(time.time() + ahead_seconds - 1))
        options = StasisOptions(rearm_seconds=0.01)
        line = AsteriskCallerLine(ari, asterisk.channels["c1"], ["inbound"], options)
        async with asyncio.timeout(10):
            await keep_watchdog_armed(ari, line, options)
    assert TIMER not in asterisk.requests
    await asterisk.stop()


async def test_one_answer_that_never_comes_is_not_waited_for() -> None:
    asterisk = FakeAsterisk()
    await asterisk.start()
    client = AriClient(asterisk.url, "orderline", "secret", "orderline", request_timeout_seconds=60)
    async with client as ari:
        await asterisk.ring("c1", "inbound", "7000")
        options = StasisOptions(rearm_seconds=0.01)
        line = AsteriskCallerLine(ari, asterisk.channels["c1"], ["inbound"], options)
        watchdog = asyncio.create_task(keep_watchdog_armed(ari, line, options))
        await until(lambda: ("c1", "TIMEOUT(absolute)") in asterisk.variables)
        asterisk.unanswered = [TIMER]
        await until(lambda: not asterisk.unanswered)
        asterisk.variables.pop(("c1", "TIMEOUT(absolute)"))
        await until(lambda: ("c1", "TIMEOUT(absolute)") in asterisk.variables)
        await cancel_and_wait(watchdog)
    await asterisk.stop()


async def test_other_requests_that_hang_keep_no_rearming_waiting() -> None:
    asterisk = FakeAsterisk()
    await asterisk.start()
    client = AriClient(asterisk.url, "orderline", "secret", "orderline", request_timeout_seconds=60, connection_limit=2)
    async with client as ari:
        await asterisk.ring("c1", "inbound", "7000")
        asterisk.unanswered = [("GET", "/ari/channels/c1")] * 2
        hanging = [asyncio.create_task(ari.channels.get("c1")) for _ in range(2)]
        await until(lambda: not asterisk.unanswered)
        options = StasisOptions(deadman_seconds=60)
        await AsteriskCallerLine(ari, asterisk.channels["c1"], ["inbound"], options).rearm()
        assert asterisk.variables["c1", "TIMEOUT(absolute)"] == "60"
        await cancel_and_wait(*hanging)
    await asterisk.stop()


async def test_a_hand_over_that_asterisk_is_slow_to_answer_rearms_the_timer_itself() -> None:
    asterisk = FakeAsterisk()
    await asterisk.start()
    async with AriClient(asterisk.url, "orderline", "secret", "orderline") as ari:
        await asterisk.ring("c1", "inbound", "7000")
        options = StasisOptions(deadman_seconds=60, rearm_seconds=0.0)
        line = AsteriskCallerLine(ari, asterisk.channels["c1"], ["inbound"], options)
        await line.rearm()
        asterisk.variables.pop(("c1", "TIMEOUT(absolute)"))
        await line.hand_over({"ORDERLINE_REASON": "caller_asked"}, "caller_asked")
        assert asterisk.variables["c1", "TIMEOUT(absolute)"] == "60"
        assert ("c1", "orderline-handover", "caller_asked") in asterisk.continued
    await asterisk.stop()


@pytest.mark.parametrize("seconds", [3, 5, 60])
def test_two_slow_answers_in_a_row_leave_time_for_a_third_rearming(seconds: int) -> None:
    options = StasisOptions(deadman_seconds=seconds)
    assert options.rearm_seconds + 2 * options.answer_seconds < seconds
