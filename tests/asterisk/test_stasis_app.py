"""Calls taken from a small Asterisk that speaks ARI: media first, the caller never lost, nothing left behind."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from agent.asterisk import stasis_app
from agent.asterisk.ari.client import AriClient
from agent.asterisk.channel import StasisOptions
from agent.asterisk.feature_codes import FeatureCodes
from agent.asterisk.orphans import new_bridge_id, new_media_id
from agent.asterisk.stasis_app import StasisApplication
from agent.call.errors import CallReclaimedError, CallTakenOver, LineGone
from agent.call.inbox import InboxReader
from agent.call.inbox_events import (
    CallerHungUp,
    CallReclaimed,
    HandOverRequested,
    KeyPressed,
    PlaybackFinished,
    TakeOverRequested,
)
from agent.call.ports import CallerLine, Media
from agent.call.records import CallOrigin
from tests.asterisk.fake_asterisk import FakeAsterisk
from tests.waiting import until


async def until_idle(telephony: StasisApplication) -> None:
    await until(lambda: not telephony.live_calls)


async def test_media_and_bridge_are_up_before_the_call_is_answered(asterisk: FakeAsterisk, ari: AriClient) -> None:
    states: list[str] = []

    async def handle(line: CallerLine, media: Media) -> None:
        states.append(asterisk.channels["c1"]["state"])
        states.append(str(len(next(iter(asterisk.bridges.values())))))
        await line.answer()
        states.append(asterisk.channels["c1"]["state"])
        await media.play(bytes(320), "m1")
        event = await line.inbox.get()
        states.append(event.mark if isinstance(event, PlaybackFinished) else "?")
        await line.hang_up()

    telephony = StasisApplication(ari, handle, StasisOptions())
    await asterisk.ring("c1", "inbound", "7000")
    await asyncio.sleep(0)
    await until(lambda: len(states) == 4)
    await until_idle(telephony)
    assert states == ["Ring", "2", "Up", "m1"]
    assert asterisk.channels == {}
    assert asterisk.bridges == {}


async def test_keys_and_a_hang_up_arrive_in_the_calls_own_inbox(asterisk: FakeAsterisk, ari: AriClient) -> None:
    seen: list[object] = []

    async def handle(line: CallerLine, media: Media) -> None:
        await asterisk.emit({"type": "ChannelDtmfReceived", "digit": "5", "channel": {"id": line.id}})
        await asterisk.emit({"type": "ChannelDtmfReceived", "digit": "9", "channel": {"id": "somebody else"}})
        seen.append(await line.inbox.get())
        await asterisk.hang_up_caller(line.id)
        seen.append(await line.inbox.get())

    telephony = StasisApplication(ari, handle, StasisOptions())
    await asterisk.ring("c1", "inbound")
    await until(lambda: len(seen) == 2)
    await until_idle(telephony)
    assert seen == [KeyPressed("5"), CallerHungUp("Normal Clearing")]


async def test_a_call_whose_session_breaks_goes_to_a_person(asterisk: FakeAsterisk, ari: AriClient) -> None:
    async def handle(line: CallerLine, media: Media) -> None:
        raise RuntimeError("a defect of ours")

    telephony = StasisApplication(ari, handle, StasisOptions())
    await asterisk.ring("c1", "inbound")
    await until(lambda: asterisk.continued)
    await until_idle(telephony)
    assert asterisk.continued == [("c1", "orderline-handover", "agent_fault")]
    assert list(asterisk.channels) == ["c1"]
    assert asterisk.bridges == {}


async def test_a_call_without_media_goes_to_a_person(asterisk: FakeAsterisk, ari: AriClient) -> None:
    asterisk.media_leg_enters_stasis = False
    handled: list[str] = []

    async def handle(line: CallerLine, media: Media) -> None:
        handled.append(line.id)

    telephony = StasisApplication(ari, handle, StasisOptions())
    await asterisk.ring("c1", "inbound")
    await until(lambda: asterisk.continued)
    await until_idle(telephony)
    assert handled == []
    assert list(asterisk.channels) == ["c1"]


async def test_a_caller_who_leaves_during_the_set_up_is_no_fault(
    asterisk: FakeAsterisk, ari: AriClient, caplog: pytest.LogCaptureFixture
) -> None:
    handled: list[str] = []

    async def handle(line: CallerLine, media: Media) -> None:
        handled.append(line.id)

    telephony = StasisApplication(ari, handle, StasisOptions())
    await asterisk.ring("c1", "inbound")
    await asterisk.hang_up_caller("c1")
    await until(lambda: asterisk.requests and not telephony.live_calls)
    assert handled == []
    assert asterisk.channels == {}
    assert asterisk.bridges == {}
    assert [record.message for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


async def test_a_caller_who_leaves_while_the_call_is_answered_is_no_fault(
    asterisk: FakeAsterisk, ari: AriClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Asterisk refuses to answer a channel that is being hung up before it says so, and before the channel is gone."""
    asterisk.answering_fails = True

    async def handle(line: CallerLine, media: Media) -> None:
        await line.answer()

    telephony = StasisApplication(ari, handle, StasisOptions())
    await asterisk.ring("c1", "inbound")
    await until(lambda: ("GET", "/ari/channels/c1") in asterisk.requests)
    await asterisk.emit({"type": "ChannelHangupRequest", "channel": {"id": "c1"}})
    await until_idle(telephony)
    assert asterisk.continued == []
    assert [record.message for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


async def test_a_call_that_cannot_be_answered_goes_to_a_person(asterisk: FakeAsterisk, ari: AriClient) -> None:
    asterisk.answering_fails = True

    async def handle(line: CallerLine, media: Media) -> None:
        await line.answer()

    telephony = StasisApplication(ari, handle, StasisOptions())
    await asterisk.ring("c1", "inbound")
    await until(lambda: asterisk.continued)
    await until_idle(telephony)
    assert asterisk.continued == [("c1", "orderline-handover", "agent_fault")]


async def test_a_caller_who_leaves_before_the_answer_leaves_nothing_behind(
    asterisk: FakeAsterisk, ari: AriClient
) -> None:
    outcome: list[str] = []

    async def handle(line: CallerLine, media: Media) -> None:
        await asterisk.hang_up_caller(line.id)
        try:
            await line.answer()
        except LineGone as error:
            outcome.append(error.code)
            raise

    telephony = StasisApplication(ari, handle, StasisOptions())
    await asterisk.ring("c1", "inbound")
    await until(lambda: outcome)
    await until_idle(telephony)
    assert asterisk.continued == []
    assert asterisk.channels == {}
    assert asterisk.bridges == {}


async def test_the_dead_man_timer_is_armed_while_we_live_and_never_after_the_hand_over(
    asterisk: FakeAsterisk, ari: AriClient
) -> None:
    done = asyncio.Event()

    async def handle(line: CallerLine, media: Media) -> None:
        await until(lambda: ("c1", "TIMEOUT(absolute)") in asterisk.variables)
        await line.hand_over({"ORDERLINE_TICKET": "T-7"}, "caller_asked")
        asterisk.variables.pop(("c1", "TIMEOUT(absolute)"))
        await asyncio.sleep(0.1)
        done.set()

    telephony = StasisApplication(ari, handle, StasisOptions(rearm_seconds=0.01))
    await asterisk.ring("c1", "inbound")
    async with asyncio.timeout(8):
        await done.wait()
    await until_idle(telephony)
    assert ("c1", "TIMEOUT(absolute)") not in asterisk.variables
    assert asterisk.variables["c1", "ORDERLINE_TICKET"] == "T-7"
    assert asterisk.continued == [("c1", "orderline-handover", "caller_asked")]


async def test_stopping_the_agent_hands_live_calls_to_people(asterisk: FakeAsterisk, ari: AriClient) -> None:
    talking = asyncio.Event()

    async def handle(line: CallerLine, media: Media) -> None:
        talking.set()
        await asyncio.Event().wait()

    telephony = StasisApplication(ari, handle, StasisOptions())
    await asterisk.ring("c1", "inbound")
    await talking.wait()
    await telephony.close()
    assert asterisk.continued == [("c1", "orderline-handover", "agent_fault")]
    assert asterisk.bridges == {}


async def test_what_a_dead_controller_left_behind_is_taken_over_or_removed_and_nothing_else(
    asterisk: FakeAsterisk,
) -> None:
    in_stasis = {"app_name": "Stasis", "app_data": "orderline,inbound,7000"}
    asterisk.channels |= {
        "left": {"id": "left", "state": "Up", "dialplan": in_stasis},
        "orderline-media-old": {"id": "orderline-media-old", "dialplan": {}},
        "somebody-elses": {"id": "somebody-elses", "dialplan": {"app_name": "Stasis", "app_data": "other,x"}},
        "in-queue": {"id": "in-queue", "dialplan": {"app_name": "Queue", "app_data": "orderline-humans"}},
    }
    asterisk.bridges |= {"orderline-bridge-old": set(), "not-ours": set()}
    talking = asyncio.Event()

    taken: list[tuple[str, str, bool]] = []

    async def handle(line: CallerLine, media: Media) -> None:
        taken.append((line.id, line.entry, line.is_answered))
        if line.id == "left":
            await line.hand_over({}, "controller_restarted")
            return
        talking.set()
        await asyncio.Event().wait()

    ari = AriClient(asterisk.url, "orderline", "secret", "orderline")
    telephony = StasisApplication(ari, handle, StasisOptions())
    async with ari:
        await asterisk.wait_for_events_opened(1)
        await asterisk.ring("new", "inbound", "7000")
        asterisk.channels["new"]["dialplan"] = in_stasis
        await talking.wait()
        await until(lambda: "orderline-bridge-old" not in asterisk.bridges)
        await until(lambda: asterisk.continued)
        assert asterisk.continued == [("left", "orderline-handover", "controller_restarted")]
        assert ("left", "inbound", True) in taken
        assert set(asterisk.channels) >= {"new", "somebody-elses", "in-queue"}
        assert "orderline-media-old" not in asterisk.channels
        await until(lambda: len(asterisk.bridges) == 2)
        await telephony.close()


async def test_a_starting_instance_leaves_media_legs_and_bridges_of_the_others_alone(asterisk: FakeAsterisk) -> None:
    """Also where the name of one instance begins with that of another, and where a release without names made them."""
    other = {"app_name": "Stasis", "app_data": "orderline-2"}
    own = {"app_name": "Stasis", "app_data": "orderline"}
    places = {
        new_media_id("orderline"): own,
        new_media_id("orderline-2"): other,
        "orderline-media-0123456789abcdef": other,
        "orderline-media-fedcba9876543210": own,
    }
    asterisk.channels |= {name: {"id": name, "state": "Up", "dialplan": place} for name, place in places.items()}
    ours, theirs = new_bridge_id("orderline"), new_bridge_id("orderline-2")
    asterisk.bridges |= {
        ours: set(),
        theirs: set(),
        "orderline-bridge-0123456789abcdef": {"orderline-media-0123456789abcdef"},
        "orderline-bridge-fedcba9876543210": {"orderline-media-fedcba9876543210"},
    }

    async def handle(line: CallerLine, media: Media) -> None:
        raise AssertionError("nobody has called")

    ari = AriClient(asterisk.url, "orderline", "secret", "orderline")
    telephony = StasisApplication(ari, handle, StasisOptions())
    async with ari:
        await telephony.adopted.wait()
        assert set(asterisk.channels) == {name for name, place in places.items() if place is other}
        assert set(asterisk.bridges) == {theirs, "orderline-bridge-0123456789abcdef"}
        await telephony.close()


async def test_a_call_that_comes_back_on_its_channel_is_a_visit_of_its_own(
    asterisk: FakeAsterisk, ari: AriClient
) -> None:
    visits: list[tuple[str, str, bool]] = []

    async def handle(line: CallerLine, media: Media) -> None:
        visits.append((line.id, line.entry, line.is_answered))
        if line.entry == "inbound":  # back at once: before the answer to our request, and before anything is tidied up
            asterisk.channels["c1"]["state"] = "Up"
            returns = {"type": "StasisStart", "args": ["queue_failed", "FULL"], "channel": asterisk.channels["c1"]}
            await asterisk.emit(returns)
        await line.hand_over({}, "caller_asked")

    telephony = StasisApplication(ari, handle, StasisOptions())
    await asterisk.ring("c1", "inbound", "7000")
    await until(lambda: len(visits) == 2 and not telephony.live_calls)
    assert visits[0] == ("c1", "inbound", False)
    assert visits[1][0].startswith("c1-")
    assert visits[1][1:] == ("queue_failed", True)


async def test_a_supervisor_takes_the_call_of_a_number_and_no_other(asterisk: FakeAsterisk, ari: AriClient) -> None:
    seen: list[object] = []

    async def handle(line: CallerLine, media: Media) -> None:
        seen.append(await line.inbox.get())
        await line.release_to_supervisor()

    telephony = StasisApplication(ari, handle, StasisOptions())
    assert await telephony.take_over("", "601") == "", "there is no call"
    await asterisk.ring("c1", "inbound")
    await until(lambda: telephony.live_calls == 1)
    assert await telephony.take_over("9999999", "601") == ""
    assert seen == []
    assert await telephony.take_over("2025550143", "601") == "PJSIP/c1"
    assert ("c1", "orderline-taken-over", "s") in asterisk.continued
    assert seen == [TakeOverRequested("601")]
    await until_idle(telephony)


async def test_a_take_over_that_was_refused_does_not_happen_later(
    asterisk: FakeAsterisk, ari: AriClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stasis_app, "_TAKE_OVER_SECONDS", 0.05)
    refused, heard = asyncio.Event(), asyncio.Event()

    async def handle(line: CallerLine, media: Media) -> None:
        await refused.wait()  # busy with something else
        reader = InboxReader(line.inbox)
        await reader.next()  # raises CallTakenOver where the wish still stands
        heard.set()

    telephony = StasisApplication(ari, handle, StasisOptions())
    await asterisk.ring("c1", "inbound")
    await until(lambda: telephony.live_calls == 1)
    assert await telephony.take_over("", "601") == ""
    refused.set()
    await asyncio.wait_for(heard.wait(), 10)
    assert not any(context == "orderline-taken-over" for _, context, _ in asterisk.continued)


async def test_a_take_over_that_asterisk_is_slow_to_do_is_not_refused_to_the_supervisor(
    asterisk: FakeAsterisk, ari: AriClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted, late = asyncio.Event(), asyncio.Event()

    async def handle(line: CallerLine, media: Media) -> None:
        reader = InboxReader(line.inbox)
        try:
            while True:
                await reader.next()
        except CallTakenOver:
            accepted.set()
            await late.wait()
            await line.release_to_supervisor()

    async def time_is_over(released: asyncio.Event, seconds: float) -> bool:
        """Let the first wait end when the call is being given, and not before."""
        if not late.is_set():
            await accepted.wait()
            late.set()
            return False
        await released.wait()
        return True

    monkeypatch.setattr(stasis_app, "is_set_within", time_is_over)
    telephony = StasisApplication(ari, handle, StasisOptions())
    await asterisk.ring("c1", "inbound")
    await until(lambda: telephony.live_calls == 1)
    assert await asyncio.wait_for(telephony.take_over("", "601"), 20) == "PJSIP/c1"
    await until_idle(telephony)


@pytest.mark.parametrize(
    ("delivered", "keyed"),
    list(itertools.product(["+12025550143", "12025550143", "2025550143"], ["2025550143", "12025550143"])),
)
async def test_listening_and_taking_over_find_a_caller_by_the_same_numbers(
    asterisk: FakeAsterisk, ari: AriClient, delivered: str, keyed: str
) -> None:
    async def handle(line: CallerLine, media: Media) -> None:
        await line.inbox.get()
        await line.release_to_supervisor()

    telephony = StasisApplication(ari, handle, StasisOptions())
    await asterisk.ring("c1", "inbound", number=delivered)
    await until(lambda: any(name == "SPYGROUP" for _, name in asterisk.variables))
    groups = next(value for (_, name), value in asterisk.variables.items() if name == "SPYGROUP").split(":")
    assert {"orderline", "orderline-agent", f"orderline-{keyed}", f"orderline-agent-{keyed}"} <= set(groups)
    assert await telephony.take_over(keyed, "601") == "PJSIP/c1"
    await until_idle(telephony)


async def test_a_phone_code_is_obeyed_and_is_no_call(asterisk: FakeAsterisk, ari: AriClient) -> None:
    asked: list[str] = []
    taken: list[str] = []

    async def handle(line: CallerLine, media: Media) -> None:
        taken.append(line.id)

    telephony = StasisApplication(ari, handle, StasisOptions(), codes=FeatureCodes({"pause": asked.append}))
    await asterisk.ring("s1", "control", "pause", "", "601")
    await until(lambda: asked == ["601"])
    await until(lambda: ("s1", "", "") in asterisk.continued)
    assert asterisk.variables["s1", "ORDERLINE_ANSWER"] == "done"
    assert taken == []
    assert telephony.live_calls == 0


async def test_a_new_call_that_is_not_admitted_is_handed_over_unanswered_and_counted(
    asterisk: FakeAsterisk, ari: AriClient
) -> None:
    handled: list[str] = []
    rejected: list[tuple[str, str]] = []
    reasons = iter(["overload", "overload", ""])

    async def handle(line: CallerLine, media: Media) -> None:
        handled.append(line.id)

    async def reject(line: CallerLine, reason: str) -> None:
        rejected.append((line.id, reason))
        await line.hand_over({"ORDERLINE_REASON": reason}, reason)

    telephony = StasisApplication(ari, handle, StasisOptions(), admit=lambda live_calls: next(reasons), reject=reject)
    await asterisk.ring("c1", "inbound")
    await asterisk.ring("c2", "transfer_back")
    await asterisk.ring("c3", "inbound")
    await asterisk.ring("c4", "queue_failed", "FULL")
    await until(lambda: len(handled) == 2 and len(asterisk.continued) == 2)
    await until_idle(telephony)
    assert [reason for _, reason in rejected] == ["overload", "overload"]
    assert {channel for channel, _, _ in asterisk.continued} == {"c1", "c2"}
    assert asterisk.channels["c1"]["state"] == "Ring", "it is the queue that answers"
    assert telephony.counted == {"overload": 2}
    assert handled[0] == "c3"
    assert handled[1].startswith("c4-"), "whom the queue gives back has nobody else"


async def test_a_call_taken_to_the_dialplan_by_somebody_else_is_no_hang_up(
    asterisk: FakeAsterisk, ari: AriClient
) -> None:
    seen: list[object] = []

    async def handle(line: CallerLine, media: Media) -> None:
        seen.append(await line.inbox.get())

    telephony = StasisApplication(ari, handle, StasisOptions())
    await asterisk.ring("c1", "inbound")
    await until(lambda: telephony.live_calls == 1)
    await asterisk.emit({"type": "StasisEnd", "channel": {"id": "c1"}})
    await until(lambda: seen)
    assert isinstance(seen[0], CallReclaimed)
    await until_idle(telephony)


async def test_calls_that_left_while_the_event_stream_was_cut_are_noticed(
    asterisk: FakeAsterisk, ari: AriClient
) -> None:
    seen: dict[str, object] = {}
    in_stasis = {"app_name": "Stasis", "app_data": "orderline,inbound,7000"}

    async def handle(line: CallerLine, media: Media) -> None:
        seen[line.id] = await line.inbox.get()

    telephony = StasisApplication(ari, handle, StasisOptions())
    for name in ("gone", "taken", "there"):
        await asterisk.ring(name, "inbound")
        asterisk.channels[name]["dialplan"] = in_stasis
    await until(lambda: [len(inside) for inside in asterisk.bridges.values()] == [2, 2, 2])
    del asterisk.channels["gone"]
    asterisk.channels["taken"]["dialplan"] = {"app_name": "Queue", "app_data": "orderline-humans"}
    await asterisk.drop_event_sockets()
    await asterisk.wait_for_events_opened(2)
    await until(lambda: len(seen) == 2)
    assert isinstance(seen["gone"], CallerHungUp)
    assert isinstance(seen["taken"], CallReclaimed)
    await until(lambda: telephony.live_calls == 1)
    await telephony.close()


async def test_another_controller_that_takes_the_application_is_noticed_and_not_fought(
    asterisk: FakeAsterisk, ari: AriClient
) -> None:
    async def handle(line: CallerLine, media: Media) -> None:
        event = await line.inbox.get()
        assert event == HandOverRequested("agent_replaced")
        await line.hand_over({}, "agent_replaced")

    telephony = StasisApplication(ari, handle, StasisOptions())
    await asterisk.ring("c1", "inbound")
    await until(lambda: [len(inside) for inside in asterisk.bridges.values()] == [2])
    await asterisk.emit({"type": "ApplicationReplaced", "application": "orderline"})
    await until(telephony.replaced.is_set)
    await telephony.hand_over_all("agent_replaced")
    assert asterisk.continued == [("c1", "orderline-handover", "agent_replaced")]
    await asterisk.drop_event_sockets()
    await until(lambda: not ari.connected.is_set())
    await asyncio.sleep(0.8)  # longer than the first pause before a reconnection
    assert asterisk.events_opened == 1


OUTBOUND = ("outbound", "delivery:10473:all", "ob-1-z", "delivery", "+12025550143")


async def test_a_call_we_placed_carries_the_customers_number_and_its_job_not_our_own_caller_id(
    asterisk: FakeAsterisk, ari: AriClient
) -> None:
    seen: list[CallerLine] = []

    async def handle(line: CallerLine, media: Media) -> None:
        seen.append(line)
        await line.hang_up()

    telephony = StasisApplication(ari, handle, StasisOptions())
    await asterisk.ring("ob-1-z", *OUTBOUND, number="+12025550100")
    await until(lambda: seen)
    await until_idle(telephony)
    line = seen[0]
    assert (line.id, line.caller.number, line.caller.dialled) == ("ob-1-z", "+12025550143", "")
    assert line.origin == CallOrigin("outbound", "delivery", "delivery:10473:all", "ob-1-z")


async def test_a_customer_we_called_hears_the_message_when_the_session_breaks_or_the_call_is_not_taken(
    asterisk: FakeAsterisk, ari: AriClient
) -> None:
    refusing = ["", "paused"]

    async def handle(line: CallerLine, media: Media) -> None:
        raise RuntimeError("a defect of ours")

    telephony = StasisApplication(ari, handle, StasisOptions(), admit=lambda live_calls: refusing.pop(0))
    for channel_id in ("ob-1-z", "ob-2-z"):
        await asterisk.ring(channel_id, *OUTBOUND)
        await until(lambda channel_id=channel_id: asterisk.continued and asterisk.continued[-1][0] == channel_id)
    await until_idle(telephony)
    assert [place for _, *place in asterisk.continued] == [["orderline-outbound", "message"]] * 2


async def test_a_customer_called_by_an_agent_that_died_hears_the_message_and_is_not_taken_over(
    asterisk: FakeAsterisk,
) -> None:
    handled: list[str] = []

    async def handle(line: CallerLine, media: Media) -> None:
        handled.append(line.id)

    place = {"app_name": "Stasis", "app_data": ",".join(("orderline", *OUTBOUND))}
    asterisk.channels["ob-1-z"] = {"id": "ob-1-z", "state": "Up", "dialplan": place}
    ari = AriClient(asterisk.url, "orderline", "secret", "orderline")
    telephony = StasisApplication(ari, handle, StasisOptions())
    async with ari:
        await telephony.adopted.wait()
        await telephony.close()
    assert asterisk.continued[0] == ("ob-1-z", "orderline-outbound", "message")
    assert handled == []


IN_OURS = {"app_name": "Stasis", "app_data": "orderline,inbound,7000"}
IN_ANOTHER = {"app_name": "Stasis", "app_data": "orderline-2,stranded,inbound,7000"}


class StrandedBy:
    """Another instance's calls: which of them are known, and what was taken."""

    def __init__(self, **known: str) -> None:
        self._known = known
        self.asked: list[tuple[str, bool]] = []

    async def take(self, channel_id: str, *, answered: bool) -> str:
        self.asked.append((channel_id, answered))
        return self._known.get(channel_id, "")


async def strand(asterisk: FakeAsterisk, channel_id: str, state: str, *, begun: bool = True) -> None:
    """The dialplan sends a call that another instance had, or was only to have."""
    if state == "Up" and begun:
        asterisk.variables[channel_id, "ORDERLINE_BEGUN"] = "1"
    asterisk.channels[channel_id] = {"id": channel_id, "state": state, "caller": {"number": "2025550143"}}
    args = ["stranded", "inbound", "7000"]
    await asterisk.emit({"type": "StasisStart", "args": args, "channel": asterisk.channels[channel_id]})


async def test_a_conversation_of_a_dead_instance_goes_on_under_its_own_id(
    asterisk: FakeAsterisk, ari: AriClient
) -> None:
    taken: list[tuple[str, str, str, bool]] = []

    async def handle(line: CallerLine, media: Media) -> None:
        taken.append((line.id, line.entry, line.caller.dialled, line.adopted))
        await line.hang_up()

    others = StrandedBy(c1="c1-visit")
    telephony = StasisApplication(ari, handle, StasisOptions(), take_stranded=others.take)
    await strand(asterisk, "c1", "Up")
    await until(lambda: taken)
    await until_idle(telephony)
    assert taken == [("c1-visit", "inbound", "7000", True)]
    assert others.asked == [("c1", True)]


@pytest.mark.parametrize("state", ["Ring", "Up"])
async def test_a_caller_of_a_dead_instance_who_has_heard_nothing_of_it_is_a_new_call(
    asterisk: FakeAsterisk, ari: AriClient, state: str
) -> None:
    """One whose call was answered before, by a menu or by whoever transferred it, as well."""
    taken: list[tuple[str, bool]] = []

    async def handle(line: CallerLine, media: Media) -> None:
        taken.append((line.id, line.adopted))
        await line.hang_up()

    others = StrandedBy()
    telephony = StasisApplication(ari, handle, StasisOptions(), take_stranded=others.take)
    await strand(asterisk, "c1", state, begun=False)
    await until(lambda: taken)
    await until_idle(telephony)
    assert taken == [("c1", False)]
    assert others.asked == [("c1", False)], "noted before the call begins"


async def test_a_conversation_that_nobody_knows_goes_to_the_staff(asterisk: FakeAsterisk, ari: AriClient) -> None:
    async def handle(line: CallerLine, media: Media) -> None:
        raise AssertionError("nobody knows what was said")

    telephony = StasisApplication(ari, handle, StasisOptions(), take_stranded=StrandedBy().take)
    await strand(asterisk, "c1", "Up")
    await until(lambda: asterisk.continued)
    assert asterisk.continued == [("c1", "orderline-handover", "controller_restarted")]
    await telephony.close()


@pytest.mark.parametrize("wish", ["hand over", "hang up", "answer"])
async def test_an_instance_that_was_stopped_touches_no_call_that_another_has(
    asterisk: FakeAsterisk, ari: AriClient, wish: str
) -> None:
    """Its timer has not been re-armed for longer than the dead-man timer lasts."""
    done = asyncio.Event()

    async def handle(line: CallerLine, media: Media) -> None:
        asterisk.channels["c1"]["dialplan"] = IN_ANOTHER
        line._armed_at = asyncio.get_running_loop().time() - 6  # type: ignore[attr-defined]
        before = dict(asterisk.variables)
        match wish:
            case "hand over":
                with pytest.raises(CallReclaimedError):
                    await line.hand_over({"ORDERLINE_TICKET": "T-1"}, "asked_for")
            case "hang up":
                await line.hang_up()
            case "answer":
                with pytest.raises(LineGone):
                    await line.answer()
        assert asterisk.variables == before
        done.set()

    telephony = StasisApplication(ari, handle, StasisOptions(shared=True))
    asterisk.channels["c1"] = {"id": "c1", "state": "Ring", "caller": {}, "dialplan": IN_OURS}
    await asterisk.emit({"type": "StasisStart", "args": ["inbound", "7000"], "channel": asterisk.channels["c1"]})
    await done.wait()
    await until_idle(telephony)
    assert "c1" in asterisk.channels
    assert asterisk.continued == []
    assert asterisk.channels["c1"]["state"] == "Ring"


async def test_a_call_that_was_taken_before_its_beginning_was_heard_of_is_left_alone(
    asterisk: FakeAsterisk, ari: AriClient, caplog: pytest.LogCaptureFixture
) -> None:
    """The instance was stopped; the event that the call has come is an old one."""
    caplog.set_level("INFO")

    async def handle(line: CallerLine, media: Media) -> None:
        raise AssertionError("another instance has it")

    telephony = StasisApplication(ari, handle, StasisOptions(shared=True))
    asterisk.channels["c1"] = {"id": "c1", "state": "Ring", "caller": {}, "dialplan": IN_ANOTHER}
    await asterisk.emit({"type": "StasisStart", "args": ["inbound", "7000"], "channel": asterisk.channels["c1"]})
    await until(lambda: any("Another instance has the call" in record.message for record in caplog.records))
    await until_idle(telephony)
    assert asterisk.continued == []
    assert list(asterisk.channels) == ["c1"]
    assert ("c1", "TIMEOUT(absolute)") not in asterisk.variables


@pytest.mark.parametrize("shared", [True, False])
async def test_where_there_are_several_instances_a_call_says_that_it_has_begun(
    asterisk: FakeAsterisk, ari: AriClient, shared: bool
) -> None:
    armed = asyncio.Event()

    async def handle(line: CallerLine, media: Media) -> None:
        await until(lambda: ("c1", "TIMEOUT(absolute)") in asterisk.variables)
        armed.set()
        await line.inbox.get()

    telephony = StasisApplication(ari, handle, StasisOptions(shared=shared))
    asterisk.channels["c1"] = {"id": "c1", "state": "Ring", "caller": {}, "dialplan": IN_OURS}
    start = {"type": "StasisStart", "args": ["inbound", "7000"], "channel": asterisk.channels["c1"]}
    await asterisk.emit(start)
    await armed.wait()
    if shared:
        await until(lambda: asterisk.variables.get(("c1", "ORDERLINE_BEGUN")) == "1")
    await asterisk.hang_up_caller("c1")
    await until_idle(telephony)
    assert asterisk.variables.get(("c1", "ORDERLINE_BEGUN")) == ("1" if shared else None)


@pytest.mark.parametrize(("leaves", "hung_up"), [(True, True), (False, False)])
async def test_a_taken_call_that_ends_before_its_session_is_recorded(
    asterisk: FakeAsterisk, ari: AriClient, leaves: bool, hung_up: bool
) -> None:
    """The instance that died leaves the record to this one: the caller leaves meanwhile, or there is no media."""
    recorded: list[tuple[str, bool]] = []

    async def handle(line: CallerLine, media: Media) -> None:
        raise AssertionError("it has no media")

    async def record(line: CallerLine, *, hung_up: bool) -> None:
        recorded.append((line.id, hung_up))

    async def take(channel_id: str, *, answered: bool) -> str:
        if leaves:
            await asterisk.hang_up_caller("c1")
        return "c1-visit"

    asterisk.media_leg_enters_stasis = False
    telephony = StasisApplication(ari, handle, StasisOptions(), take_stranded=take, record_taken=record)
    await strand(asterisk, "c1", "Up")
    await until(lambda: recorded)
    await until_idle(telephony)
    assert recorded == [("c1-visit", hung_up)]


async def test_a_call_whose_session_has_begun_is_recorded_by_that_alone(asterisk: FakeAsterisk, ari: AriClient) -> None:
    async def handle(line: CallerLine, media: Media) -> None:
        raise RuntimeError("a defect of ours")

    async def record(line: CallerLine, *, hung_up: bool) -> None:
        raise AssertionError("twice")

    others = StrandedBy(c1="c1-visit")
    telephony = StasisApplication(ari, handle, StasisOptions(), take_stranded=others.take, record_taken=record)
    await strand(asterisk, "c1", "Up")
    await until(lambda: asterisk.continued)
    await until_idle(telephony)
    assert asterisk.continued == [("c1", "orderline-handover", "agent_fault")]


async def test_a_stranded_call_that_is_found_after_a_reconnection_is_taken_like_one_that_is_sent(
    asterisk: FakeAsterisk,
) -> None:
    """And once: while it is being taken it is found again."""
    handled: list[str] = []
    may_go_on = asyncio.Event()

    async def handle(line: CallerLine, media: Media) -> None:
        handled.append(line.id)
        await line.hang_up()

    others = StrandedBy(c1="c1-visit")

    async def take(channel_id: str, *, answered: bool) -> str:
        known = await others.take(channel_id, answered=answered)
        await may_go_on.wait()
        return known

    place = {"app_name": "Stasis", "app_data": "orderline,stranded,inbound,7000"}
    channel = {"id": "c1", "state": "Up", "caller": {}, "dialplan": place}
    asterisk.channels["c1"], asterisk.variables["c1", "ORDERLINE_BEGUN"] = channel, "1"
    ari = AriClient(asterisk.url, "orderline", "secret", "orderline")
    telephony = StasisApplication(ari, handle, StasisOptions(), claim=lambda _: "not asked", take_stranded=take)
    await ari.start()
    await until(lambda: others.asked)
    assert not telephony.adopted.is_set(), "or its record would be written as that of a lost call"
    heard: list[str] = []
    ari.on("*", lambda event: heard.append(event["type"]))
    start = {"type": "StasisStart", "args": ["stranded", "inbound", "7000"], "channel": channel}
    await asterisk.emit(start)
    await until(lambda: "StasisStart" in heard)
    may_go_on.set()
    await until(lambda: handled)
    await until_idle(telephony)
    await telephony.close()
    await ari.close()
    assert (handled, others.asked) == (["c1-visit"], [("c1", True)])
