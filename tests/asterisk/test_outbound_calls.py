"""The way out: a call is placed once, its fate is told in order, and whatever cannot be followed is not dialled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from agent.asterisk.ami_database import ManagerUnavailable
from agent.asterisk.ari.client import AriClient
from agent.asterisk.outbound_calls import DIAL_EVENT_TYPES, AsteriskTrunk, TrunkOptions
from agent.asterisk.outbound_entry import OutboundCall
from agent.call.dialling import DialEnd, DialProgress, DialRefused, DialRequest, DialState, DialUncertain
from tests.asterisk.fake_asterisk import FakeAsterisk
from tests.waiting import until

ATTEMPT = "ob-0123456789abcdef-z"
REQUEST = DialRequest(ATTEMPT, "delivery:10473:all", "delivery", "+12025550143", "+12025550100", 25)


class Listener:
    def __init__(self) -> None:
        self.told: list[DialProgress] = []

    async def dial_progressed(self, progress: DialProgress) -> None:
        self.told.append(progress)

    @property
    def states(self) -> list[DialState]:
        return [progress.state for progress in self.told]


@pytest.fixture
def listener() -> Listener:
    return Listener()


class KnownMarks:
    """What the dialplan noted."""

    def __init__(self) -> None:
        self.noted: set[str] = set()
        self.families: set[str] = set()
        self.gone = False

    async def get(self, family: str, key: str) -> str:
        if self.gone:
            raise ManagerUnavailable("The manager interface does not answer: it is gone")
        self.families.add(family)
        return "answered 1764536400" if key in self.noted else ""


@pytest.fixture
def marks() -> KnownMarks:
    return KnownMarks()


@pytest.fixture
async def trunk(asterisk: FakeAsterisk, listener: Listener, marks: KnownMarks) -> AsyncIterator[AsteriskTrunk]:
    ari = AriClient(
        asterisk.url, "orderline", "secret", "orderline-outbound",
        event_types=DIAL_EVENT_TYPES, request_timeout_seconds=0.5,
    )  # fmt: skip
    ari.open()
    trunk = AsteriskTrunk(
        ari, TrunkOptions("PJSIP/{digits}@carrier", "PJSIP/carrier", app="shop", message_file="/m/message"), marks
    )
    await trunk.start(listener)
    await until(lambda: not trunk.problem)
    yield trunk
    await trunk.close()


async def test_a_call_goes_into_the_dialplan_with_all_it_needs(asterisk: FakeAsterisk, trunk: AsteriskTrunk) -> None:
    await trunk.dial(REQUEST)
    query, variables = asterisk.originated[ATTEMPT]
    assert query["endpoint"] == "PJSIP/12025550143@carrier"
    assert (query["context"], query["extension"], query["timeout"]) == ("orderline-outbound", "s", "25")
    assert query["callerId"] == "+12025550100"
    assert "app" not in query
    assert variables["ORDERLINE_JOB"] == "delivery:10473:all"
    assert variables["ORDERLINE_NUMBER"] == "+12025550143"
    assert variables["ORDERLINE_MESSAGE"] == "/m/message"
    assert variables["CHANNEL(accountcode)"] == ATTEMPT
    assert variables["ORDERLINE_APP"] == "shop", "the agent's, not the dialler's own"


async def test_the_steps_of_a_call_are_told_once_and_in_order(
    asterisk: FakeAsterisk, trunk: AsteriskTrunk, listener: Listener
) -> None:
    await trunk.dial(REQUEST)
    for status in ("", "RINGING", "RINGING"):
        await asterisk.emit({"type": "Dial", "dialstatus": status, "peer": {"id": ATTEMPT}})
    await asterisk.emit({"type": "ChannelStateChange", "channel": {"id": ATTEMPT, "state": "Up"}})
    await asterisk.emit({"type": "ChannelDestroyed", "cause": 16, "channel": {"id": ATTEMPT}})
    await asterisk.emit({"type": "ChannelDestroyed", "cause": 16, "channel": {"id": ATTEMPT}})
    await until(lambda: DialState.ENDED in listener.states)
    assert listener.states == [DialState.DIALLED, DialState.RANG, DialState.ANSWERED, DialState.ENDED]
    assert listener.told[-1].end is DialEnd.ANSWERED


async def test_a_busy_line_is_told_with_its_numbers(
    asterisk: FakeAsterisk, trunk: AsteriskTrunk, listener: Listener
) -> None:
    await trunk.dial(REQUEST)
    await asterisk.emit({"type": "ChannelDestroyed", "cause": 17, "tech_cause": 486, "channel": {"id": ATTEMPT}})
    await until(lambda: DialState.ENDED in listener.states)
    assert listener.told[-1] == DialProgress(ATTEMPT, DialState.ENDED, DialEnd.BUSY, 17, 486)


async def test_other_calls_of_the_trunk_are_none_of_its_business(
    asterisk: FakeAsterisk, trunk: AsteriskTrunk, listener: Listener
) -> None:
    await trunk.dial(REQUEST)
    await asterisk.emit({"type": "ChannelDestroyed", "cause": 16, "channel": {"id": "a caller"}})
    await asterisk.emit({"type": "Dial", "dialstatus": "RINGING", "peer": {"id": ATTEMPT}})
    await until(lambda: DialState.RANG in listener.states)
    assert {progress.attempt for progress in listener.told} == {ATTEMPT}


async def test_a_trunk_asterisk_does_not_know_refuses(asterisk: FakeAsterisk, trunk: AsteriskTrunk) -> None:
    asterisk.originate_status = 500
    with pytest.raises(DialRefused):
        await trunk.dial(REQUEST)


async def test_a_gateway_error_and_a_late_answer_leave_it_open(asterisk: FakeAsterisk, trunk: AsteriskTrunk) -> None:
    asterisk.originate_status = 502
    with pytest.raises(DialUncertain):
        await trunk.dial(REQUEST)
    asterisk.frozen.clear()
    with pytest.raises(DialUncertain):
        await trunk.dial(REQUEST)
    asterisk.frozen.set()


async def test_a_second_dial_of_a_live_attempt_is_the_first_one(asterisk: FakeAsterisk, trunk: AsteriskTrunk) -> None:
    await trunk.dial(REQUEST)
    await trunk.dial(REQUEST)
    assert sum(path == "/ari/channels" for method, path in asterisk.requests if method == "POST") == 2
    assert await trunk.find(ATTEMPT) is DialState.DIALLED


async def test_nothing_is_dialled_that_cannot_be_followed(asterisk: FakeAsterisk, trunk: AsteriskTrunk) -> None:
    asterisk.subscribing_fails = True
    opened = asterisk.events_opened
    await asterisk.drop_event_sockets()
    await asterisk.wait_for_events_opened(opened + 1)
    await until(lambda: "does not tell" in trunk.problem)
    with pytest.raises(DialRefused):
        await trunk.dial(REQUEST)
    assert asterisk.originated == {}


async def test_a_call_that_ended_during_a_reconnection_is_looked_up(
    asterisk: FakeAsterisk, trunk: AsteriskTrunk, listener: Listener
) -> None:
    await trunk.dial(REQUEST)
    await asterisk.drop_event_sockets()
    del asterisk.channels[ATTEMPT]
    await until(lambda: DialState.ENDED in listener.states)
    assert listener.told[-1].end is DialEnd.UNKNOWN
    assert asterisk.subscriptions == ["endpoint:PJSIP/carrier"] * 2


async def test_a_call_that_rings_is_cancelled_and_one_that_was_answered_is_not(
    asterisk: FakeAsterisk, trunk: AsteriskTrunk, listener: Listener
) -> None:
    await trunk.dial(REQUEST)
    asterisk.channels[ATTEMPT]["state"] = "Up"
    assert not await trunk.cancel(ATTEMPT)
    assert ATTEMPT in asterisk.channels
    assert not await trunk.cancel("ob-nobody-z")
    other = DialRequest("ob-1-z", "j", "survey", "+12025550144", "", 25)
    await trunk.dial(other)
    assert await trunk.cancel("ob-1-z")
    await until(lambda: DialState.ENDED in listener.states)
    assert listener.told[-1].attempt == "ob-1-z"


async def test_the_dialplans_note_tells_of_an_answer(trunk: AsteriskTrunk, marks: KnownMarks) -> None:
    assert not await trunk.was_answered(ATTEMPT)
    marks.noted.add(ATTEMPT)
    assert await trunk.was_answered(ATTEMPT)
    assert marks.families <= {f"orderline_outbound/{month:02}" for month in range(1, 13)}


async def test_a_manager_that_does_not_answer_leaves_it_uncertain(trunk: AsteriskTrunk, marks: KnownMarks) -> None:
    marks.gone = True
    with pytest.raises(DialUncertain):
        await trunk.was_answered(ATTEMPT)


@pytest.mark.parametrize("number", ["", "+1 202", "1;hang", "+1202555@evil", "${SHELL(x)}"])
async def test_a_number_that_is_none_never_reaches_asterisk(
    asterisk: FakeAsterisk, trunk: AsteriskTrunk, number: str
) -> None:
    with pytest.raises(DialRefused):
        await trunk.dial(DialRequest(ATTEMPT, "j", "delivery", number, "", 25))
    assert asterisk.originated == {}


async def test_the_load_is_that_of_the_endpoint(asterisk: FakeAsterisk, trunk: AsteriskTrunk) -> None:
    asterisk.endpoint_channels = ["a", "b"]
    assert await trunk.channels() == 2


@pytest.mark.parametrize(
    "party", [{"caller": {"number": "2025550143"}}, {"connected": {"number": "+12025550143"}, "caller": {}}]
)
async def test_a_customer_in_the_queue_or_with_the_staff_is_on_the_line(
    asterisk: FakeAsterisk, trunk: AsteriskTrunk, party: dict[str, Any]
) -> None:
    asterisk.channels["staff.1"] = {"id": "staff.1", "state": "Up", "caller": {"number": "101"}}
    assert not await trunk.on_the_line("+12025550143")
    asterisk.channels["in.1"] = {"id": "in.1", "state": "Up", **party}
    assert await trunk.on_the_line("+12025550143")


async def test_an_absent_asterisk_is_waited_for_and_nothing_is_dialled(listener: Listener) -> None:
    ari = AriClient("http://127.0.0.1:9", "orderline", "secret", "orderline-outbound")
    ari.open()
    trunk = AsteriskTrunk(ari, TrunkOptions("PJSIP/{number}@carrier", "PJSIP/carrier"), KnownMarks())
    await trunk.start(listener)
    with pytest.raises(DialRefused):
        await trunk.dial(REQUEST)
    with pytest.raises(DialUncertain):
        await trunk.channels()
    with pytest.raises(DialUncertain):
        await trunk.on_the_line("+12025550143")
    await trunk.close()
    await asyncio.sleep(0)


def test_what_the_dialplan_passes_to_stasis_names_the_call_on_each_visit() -> None:
    call = OutboundCall("delivery:10473:all", ATTEMPT, "delivery", "+12025550143")
    four = [call.job, call.attempt, call.purpose, call.number]
    assert OutboundCall.of(["outbound", *four]) == call
    assert OutboundCall.of(("queue_failed", "TIMEOUT", *four)) == call
    assert OutboundCall.of(["inbound", "7000"]) is None
    assert OutboundCall.of(["queue_failed", "TIMEOUT"]) is None
    assert OutboundCall.of([]) is None
