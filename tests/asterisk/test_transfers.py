"""Transfers of calls the agent has: everybody in the application has a way to the queue that does not need it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from agent.asterisk.ari.client import AriClient
from agent.asterisk.channel import AsteriskCallerLine, StasisOptions
from agent.asterisk.feature_codes import spy_groups
from agent.asterisk.stasis_app import StasisApplication
from agent.call.inbox_events import CallTransferred, HoldBegan, HoldEnded
from agent.call.ports import CallerLine, Media
from tests.asterisk.fake_asterisk import FakeAsterisk
from tests.waiting import until

IN_STASIS = {"app_name": "Stasis", "app_data": "orderline,inbound,7000"}


class Calls:
    """Holds each call until the test lets it end, and keeps what arrives in its inbox."""

    def __init__(self, ari: AriClient) -> None:
        self.events: dict[str, list[object]] = {}
        self.telephony = StasisApplication(ari, self._hold, StasisOptions())

    async def _hold(self, line: CallerLine, media: Media) -> None:
        seen = self.events.setdefault(line.channel_id, [])
        while not seen or not isinstance(seen[-1], CallTransferred):
            seen.append(await line.inbox.get())

    async def ring(self, asterisk: FakeAsterisk, channel_id: str) -> None:
        await asterisk.ring(channel_id, "inbound", "7000")
        asterisk.channels[channel_id]["dialplan"] = IN_STASIS
        await until(lambda: channel_id in self.events)


@pytest.fixture
async def calls(asterisk: FakeAsterisk) -> AsyncIterator[Calls]:
    client = AriClient(asterisk.url, "orderline", "secret", "orderline")
    held = Calls(client)
    async with client:
        yield held
        await held.telephony.close()


async def test_who_takes_the_callers_place_is_sent_through_the_dialplan_and_the_call_before_is_over(
    asterisk: FakeAsterisk, calls: Calls
) -> None:
    await calls.ring(asterisk, "c1")
    await asterisk.swap("c1", "l2", "Local/_attended@transfer-00000001;2")
    await until(lambda: ("l2", "orderline", "enter") in asterisk.continued)
    assert asterisk.variables["l2", "ORDERLINE_DIALLED"] == "7000"
    await until(lambda: calls.telephony.live_calls == 0)
    assert calls.events["c1"] == [CallTransferred()], "neither a hang-up nor a fault"


@pytest.mark.parametrize("args", [[], ["sales"], [""]])
async def test_whoever_comes_without_our_dialplan_is_sent_through_it(
    asterisk: FakeAsterisk, calls: Calls, args: list[str]
) -> None:
    await asterisk.ring("c1", *args)
    await until(lambda: ("c1", "orderline", "enter") in asterisk.continued)
    assert calls.telephony.live_calls == 0


CONTINUE = ("POST", "/ari/channels/c1/continue")


async def test_whoever_could_not_be_sent_through_the_dialplan_at_first_is_sent_when_asterisk_answers_again(
    asterisk: FakeAsterisk, calls: Calls
) -> None:
    asterisk.failing = [CONTINUE, ("POST", "/ari/channels/c1/variable")]
    await asterisk.ring("c1")
    await until(lambda: ("c1", "orderline", "enter") in asterisk.continued)
    assert not asterisk.failing


async def test_whoever_went_through_the_dialplan_although_the_answer_got_lost_is_not_sent_again(
    asterisk: FakeAsterisk, calls: Calls
) -> None:
    asterisk.failing, asterisk.done_all_the_same = [CONTINUE], True
    await asterisk.ring("c1")
    await until(lambda: bool(asterisk.continued))
    asterisk.channels["c1"]["dialplan"] = IN_STASIS
    await until(lambda: ("GET", "/ari/channels/c1") in asterisk.requests)
    await calls.telephony.close()
    assert asterisk.continued == [("c1", "orderline", "enter")]


async def test_the_leg_of_a_blind_transfer_by_the_caller_ends_and_rings_nobody(
    asterisk: FakeAsterisk, calls: Calls
) -> None:
    await calls.ring(asterisk, "c1")
    await asterisk.swap("c1", "l1", "Local/602@from-phones-00000001;1")
    await until(lambda: "l1" not in asterisk.channels)
    assert asterisk.continued == []
    assert calls.events["c1"] == [CallTransferred()]


async def test_a_transfer_that_a_callers_phone_asks_for_is_declined_and_the_call_goes_on(
    asterisk: FakeAsterisk, calls: Calls
) -> None:
    await calls.ring(asterisk, "c1")
    assert asterisk.variables["c1", "PJSIP_TRANSFER_HANDLING()"] == "ari-only"
    by = {"source_channel": {"id": "c1"}}
    await asterisk.emit({"type": "ChannelTransfer", "refer_to": {}, "referred_by": by})
    await until(lambda: asterisk.transfers == [("c1", "channel_declined")])
    answer = {"type": "ChannelTransfer", "state": "channel_declined", "refer_to": {}, "referred_by": by}
    await asterisk.emit(answer)
    await asterisk.emit({"type": "ChannelTransfer", "refer_to": {}, "referred_by": by})
    await until(lambda: len(asterisk.transfers) >= 2)
    assert len(asterisk.transfers) == 2, "an answer is no question"
    assert calls.events["c1"] == []


@pytest.mark.parametrize("version", ["18.10.0", "20.12.0", "21.7.9", "22.2.1"])
async def test_an_asterisk_that_cannot_leave_transfers_to_us_is_not_asked_to(version: str) -> None:
    fake = FakeAsterisk()
    fake.version = version
    await fake.start()
    client = AriClient(fake.url, "orderline", "secret", "orderline")
    held = Calls(client)
    async with client:
        await held.ring(fake, "c1")
        assert ("c1", "PJSIP_TRANSFER_HANDLING()") not in fake.variables
        await held.telephony.close()
    await fake.stop()


async def test_on_the_way_to_staff_transfers_work_again_and_no_supervisor_is_left_listening(
    asterisk: FakeAsterisk, ari: AriClient
) -> None:
    await asterisk.ring("c1", "inbound")
    asterisk.variables["c1", "ORDERLINE_TRANSFERS_HELD"] = "1"
    options = StasisOptions(handover_context="a-context-of-the-administrators")
    line = AsteriskCallerLine(ari, asterisk.channels["c1"], ["inbound"], options)
    await line.hand_over({}, "caller_asked")
    assert asterisk.variables["c1", "PJSIP_TRANSFER_HANDLING()"] == "core"
    assert asterisk.variables["c1", "ORDERLINE_TRANSFERS_HELD"] == ""
    assert asterisk.variables["c1", "SPYGROUP"] == ""


def test_supervisors_find_a_call_by_the_agents_side_alone() -> None:
    numbers = ("12025550143", "2025550143", "0012025550143")
    groups = set(spy_groups("+1 (202) 555-0143", "US").split(":"))
    assert groups >= {"orderline", "orderline-agent"}
    assert groups - {"orderline", "orderline-agent"} == {
        f"{group}-{digits}" for group in ("orderline", "orderline-agent") for digits in numbers
    }


async def test_a_hold_is_told_once_and_its_end_too(asterisk: FakeAsterisk, calls: Calls) -> None:
    await calls.ring(asterisk, "c1")
    for kind in ("ChannelUnhold", "ChannelHold", "ChannelHold", "ChannelUnhold"):
        await asterisk.emit({"type": kind, "channel": {"id": "c1"}})
    await until(lambda: len(calls.events["c1"]) >= 2)
    assert calls.events["c1"] == [HoldBegan(), HoldEnded()]


async def test_a_hold_whose_end_may_have_been_missed_is_over(asterisk: FakeAsterisk, calls: Calls) -> None:
    await calls.ring(asterisk, "c1")
    await asterisk.emit({"type": "ChannelHold", "channel": {"id": "c1"}})
    await until(lambda: calls.events["c1"] == [HoldBegan()])
    await asterisk.drop_event_sockets()
    await until(lambda: calls.events["c1"] == [HoldBegan(), HoldEnded()])


async def test_the_leg_of_a_blind_transfer_to_an_agent_that_died_ends_too(asterisk: FakeAsterisk) -> None:
    stray = {"id": "l1", "name": "Local/602@from-phones-00000001;1", "state": "Up"}
    asterisk.channels["l1"] = stray | {"dialplan": {"app_name": "Stasis", "app_data": "orderline"}}
    asterisk.variables["l1", "BLINDTRANSFER"] = "PJSIP/c1"
    client = AriClient(asterisk.url, "orderline", "secret", "orderline")
    held = Calls(client)
    async with client:
        await until(lambda: "l1" not in asterisk.channels)
        assert asterisk.continued == []
        await held.telephony.close()


async def test_who_came_by_a_transfer_to_an_agent_that_died_is_sent_through_the_dialplan_too(
    asterisk: FakeAsterisk,
) -> None:
    stray = {"id": "l2", "name": "Local/_attended@transfer-00000001;2", "state": "Up"}
    asterisk.channels["l2"] = stray | {"dialplan": {"app_name": "Stasis", "app_data": "orderline"}}
    client = AriClient(asterisk.url, "orderline", "secret", "orderline")
    held = Calls(client)
    async with client:
        await until(lambda: ("l2", "orderline", "enter") in asterisk.continued)
        await held.telephony.close()
