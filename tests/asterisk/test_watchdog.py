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
