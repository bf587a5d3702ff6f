"""The dialplan on a real Asterisk: the caller reaches staff whatever the agent's program does."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from agent.rehearsal.pbx_pair import Pbx, running_pair
from agent.rehearsal.private_asterisk import Asterisk
from tests.rehearsal.rig import AriEventRecorder, Event, dial, phone_display

pytestmark = pytest.mark.asyncio(loop_scope="module")
Pair = tuple[Pbx, Pbx]

NO_CONTROLLER = (r"Stasis app 'orderline' doesn't exist", r"outbound websocket per-call config for app 'orderline'")
"""What Asterisk says when the agent's program is not connected."""
REFUSING_QUEUE = (r"app_queue.c: Unable to join queue '(nosuch|orderline-humans|orderline-humanstTx)'",)
"""What a queue that is unknown or has nobody to answer says of each call."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    async with running_pair(asterisk, tmp_path_factory.mktemp("dialplan"), print) as (pbx, phones):
        yield pbx, phones
        assert pbx.log_problems(expected=(*NO_CONTROLLER, *REFUSING_QUEUE)) == []
        assert phones.log_problems() == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def all_phones(pair: Pair) -> AsyncIterator[AriEventRecorder]:
    # One connection for all tests: Asterisk can lose the events of an application that reconnects within milliseconds
    # of leaving ("Stasis app 'rehearse' not registered").
    async with AriEventRecorder(pair[1], "rehearse") as ears:
        yield ears


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def administrator(pair: Pair) -> AsyncIterator[AriEventRecorder]:
    async with AriEventRecorder(pair[0], "administrator") as ears:
        yield ears


@pytest_asyncio.fixture(loop_scope="module")
async def phones(
    pair: Pair, all_phones: AriEventRecorder, administrator: AriEventRecorder
) -> AsyncIterator[AriEventRecorder]:
    """The carrier and the phones; nothing of a test is left for the next."""
    pbx, _ = pair
    await forget_settings(administrator)
    yield all_phones
    for channel in await all_phones.ari.channels.list():
        await all_phones.ari.channels.hangup(channel["id"])
    await shown(pbx, "core show channels count", r"(?m)^0 active channels")
    await shown(pbx, "ari show apps", r"(?m)^orderline$", absent=True)
    await forget_settings(administrator)
    await pbx.cli("queue unpause member PJSIP/601")
    await shown(pair[1], "core show channels count", r"(?m)^0 active channels")
    all_phones.events.clear()


async def forget_settings(administrator: AriEventRecorder) -> None:
    """As if the administrator had set nothing; the private PBX's own extensions.conf sets the allowed queues."""
    for name in ("DEADMAN_SECONDS", "MAX_SECONDS", "SORRY", "QUEUES", "STAFF", "SUPERVISORS"):
        variable = {"variable": f"ORDERLINE_{name}", "value": ""}
        await administrator.ari.request("POST", "/asterisk/variable", params=variable)


async def ask_for_staff(agent: AriEventRecorder, caller: str, why: str, **variables: str) -> None:
    for name, value in variables.items():
        await agent.ari.channels.set_variable(caller, f"ORDERLINE_{name.upper()}", value)
    await agent.ari.channels.continue_in_dialplan(caller, context="orderline-handover", extension=why)


async def set_global(pbx: Pbx, name: str, value: str) -> None:
    assert "Global variable" in await pbx.cli(f"dialplan set global {name} {value}")


async def phone_rings(phones: AriEventRecorder, seconds: float = 10.0) -> Event:
    return await phones.entered("phone", "601", seconds=seconds)


async def sent_to(pbx: Pbx, place: str) -> None:
    """Send the call that is in the echo test elsewhere, as an administrator would on the command line."""
    async with asyncio.timeout(10):
        echo = r"(?m)^(PJSIP/[^!]+)!.*!Echo!"
        while not (found := re.search(echo, await pbx.cli("core show channels concise"))):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await pbx.cli(f"channel redirect {found[1]} {place},1")


async def shown(pbx: Pbx, command: str, pattern: str, *, absent: bool = False) -> None:
    """Wait until a command of the PBX prints this (or no longer); it announces nothing by itself."""
    async with asyncio.timeout(10):
        while bool(re.search(pattern, await pbx.cli(command))) is absent:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def talking(pbx: Pbx) -> None:
    """Wait until the PBX has joined the caller and the human."""
    await shown(pbx, "bridge show all", r"\s2 basic\s")


async def test_without_an_agent_the_caller_reaches_a_human_and_is_heard_by_them(
    pair: Pair, phones: AriEventRecorder
) -> None:
    leg = await dial(phones, "7001")

    phone = await phone_rings(phones)

    assert (await phone_display(phones, phone))["reason"] == "controller_down"
    assert phone["caller"]["name"].startswith("[controller_down]")
    assert phone["caller"]["number"] == "2025550101"
    await phones.ari.channels.answer(phone["id"])
    await talking(pair[0])
    await phones.ari.channels.hangup(leg)
    await phones.gone(phone["id"])


async def test_the_agent_gets_the_call_unanswered_with_its_dead_man_timer_and_deadline(
    pair: Pair, phones: AriEventRecorder
) -> None:
    async with AriEventRecorder(pair[0], "orderline") as agent:
        await dial(phones, "7001")

        caller = await agent.entered("inbound")

        assert caller["args"] == ["inbound", "7001"]
        assert caller["state"] == "Ring"
        read = agent.ari.channels.get_variable
        assert 3 < float(await read(caller["id"], "TIMEOUT(absolute)")) <= 5
        assert 890 <= int(await read(caller["id"], "ORDERLINE_DEADLINE")) - time.time() <= 901


async def test_a_wrong_setting_does_not_switch_the_dead_man_timer_off(pair: Pair, phones: AriEventRecorder) -> None:
    pbx, _ = pair
    await set_global(pbx, "ORDERLINE_DEADMAN_SECONDS", "never")
    await set_global(pbx, "ORDERLINE_MAX_SECONDS", "60")
    async with AriEventRecorder(pbx, "orderline") as agent:
        await dial(phones, "7001")

        caller = await agent.entered("inbound")

        assert 3 < float(await agent.ari.channels.get_variable(caller["id"], "TIMEOUT(absolute)")) <= 5
        deadline = int(await agent.ari.channels.get_variable(caller["id"], "ORDERLINE_DEADLINE"))
        assert 55 <= deadline - time.time() <= 61


async def test_a_call_left_alone_by_a_dead_agent_goes_to_a_human(pair: Pair, phones: AriEventRecorder) -> None:
    pbx, _ = pair
    await set_global(pbx, "ORDERLINE_DEADMAN_SECONDS", "2")
    async with AriEventRecorder(pbx, "orderline") as agent:
        await dial(phones, "7001")
        caller = await agent.entered("inbound")
        await agent.ari.channels.answer(caller["id"])

    phone = await phone_rings(phones, seconds=5)

    assert (await phone_display(phones, phone))["reason"] == "controller_down"


async def test_a_conversation_past_its_deadline_goes_to_a_human_for_that_reason(
    pair: Pair, phones: AriEventRecorder
) -> None:
    pbx, _ = pair
    await set_global(pbx, "ORDERLINE_DEADMAN_SECONDS", "2")
    await set_global(pbx, "ORDERLINE_MAX_SECONDS", "1")
    async with AriEventRecorder(pbx, "orderline") as agent:
        await dial(phones, "7001")
        await agent.entered("inbound")

        phone = await phone_rings(phones, seconds=5)

        assert (await phone_display(phones, phone))["reason"] == "too_long"


async def test_an_agent_that_winds_the_timer_keeps_its_call(pair: Pair, phones: AriEventRecorder) -> None:
    pbx, _ = pair
    await set_global(pbx, "ORDERLINE_DEADMAN_SECONDS", "1")
    async with AriEventRecorder(pbx, "orderline") as agent:
        await dial(phones, "7001")
        caller = await agent.entered("inbound")
        await agent.ari.channels.set_variable(caller["id"], "TIMEOUT(absolute)", "30")

        with pytest.raises(TimeoutError):
            await phone_rings(phones, seconds=2)

        assert (await agent.ari.channels.get(caller["id"]))["state"] == "Ring"


async def test_the_story_arrives_on_the_humans_phone(pair: Pair, phones: AriEventRecorder) -> None:
    async with AriEventRecorder(pair[0], "orderline") as agent:
        await dial(phones, "7001")
        caller = await agent.entered("inbound")

        await ask_for_staff(
            agent,
            caller["id"],
            "caller_asked",
            ticket="RMA-200",
            summary="Order 1042, blender (broken), wants a refund; tried 2x",
            order="10473",
            verified="yes",
            priority="5",
        )

        phone = await phone_rings(phones)
        assert await phone_display(phones, phone) == {
            "ticket": "RMA-200",
            "reason": "caller_asked",
            "summary": "Order 1042, blender (broken), wants a refund; tried 2x",
            "order": "10473",
            "verified": "yes",
        }
        assert phone["caller"] == {"name": "[caller_asked] RMA-200", "number": "2025550101"}


async def test_a_withheld_number_is_not_on_the_humans_phone_and_the_reason_is(
    pair: Pair, phones: AriEventRecorder
) -> None:
    async with AriEventRecorder(pair[0], "orderline") as agent:
        await dial(phones, "7901")
        caller = await agent.entered("inbound")
        await ask_for_staff(agent, caller["id"], "caller_asked", ticket="RMA-200")
        phone = await phone_rings(phones)
        assert phone["caller"] == {"name": "[caller_asked] RMA-200", "number": "anonymous"}
        shown = [str(event) for event in phones.events if event.get("channel", {}).get("id") == phone["id"]]
        assert not [event for event in shown if "2025550101" in event]


async def test_a_screen_pop_address_arrives_as_it_is_and_ends_no_header(pair: Pair, phones: AriEventRecorder) -> None:
    url = "https://crm.example:8443/pop?ticket=RMA-200&order=10%2073&x=a~b#top"
    async with AriEventRecorder(pair[0], "orderline") as agent:
        for given, shown in ((url, url), ('https://a/"x> y\r\nX-Evil: 1;${EPOCH}', "https://a/xyX-Evil:1EPOCH")):
            leg = await dial(phones, "7001")
            caller = await agent.entered("inbound")
            await ask_for_staff(agent, caller["id"], "caller_asked", url=given)
            phone = await phone_rings(phones)
            read = phones.ari.channels.get_variable
            assert await read(phone["id"], "HDR_URL") == shown
            assert await read(phone["id"], "HDR_CALL_INFO") == f"<{shown}>;purpose=info"
            await phones.ari.channels.hangup(leg)
            await phones.gone(phone["id"])


@pytest.mark.parametrize("other", ["suc", "humans", "o.*"])
async def test_calls_go_to_the_queues_that_are_allowed_and_no_other(
    pair: Pair, phones: AriEventRecorder, other: str
) -> None:
    pbx, _ = pair
    await set_global(pbx, "ORDERLINE_QUEUES", "orderline-humans&nosuch")
    async with AriEventRecorder(pbx, "orderline") as agent:
        await dial(phones, "7001")
        caller = await agent.entered("inbound")
        await ask_for_staff(agent, caller["id"], "caller_asked", queue="nosuch")
        assert (await agent.entered("queue_failed"))["args"] == ["queue_failed", "UNKNOWN"]
        await ask_for_staff(agent, caller["id"], "caller_asked", queue=other)
        assert (await phone_display(phones, await phone_rings(phones)))["reason"] == "caller_asked"


async def test_a_queue_member_that_is_no_sip_phone_is_rung_all_the_same(pair: Pair, phones: AriEventRecorder) -> None:
    pbx, _ = pair
    await pbx.cli("queue add member Local/602@from-phones to orderline-humans")
    await pbx.cli("queue pause member PJSIP/601")
    try:
        await dial(phones, "7001")

        phone = await phones.entered("phone", "602")

        assert phone["caller"]["name"].startswith("[controller_down]")
    finally:
        await pbx.cli("queue remove member Local/602@from-phones from orderline-humans")


async def test_what_a_caller_says_becomes_neither_dialplan_nor_a_header(pair: Pair, phones: AriEventRecorder) -> None:
    async with AriEventRecorder(pair[0], "orderline") as agent:
        await dial(phones, "7001", name="${GLOBAL(X)}")
        caller = await agent.entered("inbound")

        await ask_for_staff(
            agent,
            caller["id"],
            "caller_asked",
            ticket='T-1"\r\nX-Evil: 1',
            summary='a "b"\r\nX-Orderline-Verified: yes\r\n\r\n${SHELL(id)} \\ $[1+1] ${EPOCH},(,[) ^ & | é',
            order="1;2,${EPOCH}",
            verified='yes"=1|"',
            queue='orderline-humans,tT" & x',
            reason='x"=1?a:b ${EPOCH}',
        )
        failed = await agent.entered("queue_failed")
        assert failed["args"] == [
            "queue_failed",
            "UNKNOWN",
        ]  # orderline-humanstTx: a queue name cannot smuggle arguments

        await ask_for_staff(agent, caller["id"], "again", queue="")

        phone = await phone_rings(phones)
        shown = await phone_display(phones, phone)
        assert shown["ticket"] == "T-1X-Evil1"
        assert shown["summary"] == "a bX-Orderline-Verified: yesSHELL(id)  [1+1] EPOCH,(,[) ^ &"
        assert shown["order"] == "12EPOCH"
        assert shown["verified"] == "yes"  # filtered to its letters: "yes" and "1" remain "yes"
        assert shown["reason"] == "x1ab"


async def test_a_number_with_a_plus_is_passed_on_and_anything_else_is_not(pair: Pair, phones: AriEventRecorder) -> None:
    async with AriEventRecorder(pair[0], "orderline") as agent, AriEventRecorder(pair[0], "far-end"):
        for dialled, passed_on in (("+12025550123", "+12025550123"), ("202x555&y0123", "2025550123"), ("s", "")):
            await agent.ari.request(
                "POST", "/channels", params={"endpoint": f"Local/{dialled}@orderline/n", "app": "far-end"}
            )
            entered = await agent.entered("inbound")
            assert entered["args"][1:] == [passed_on]
            await agent.ari.channels.hangup(entered["id"])


async def test_an_agent_that_lets_go_of_a_call_unfinished_has_it_taken_by_a_human(
    pair: Pair, phones: AriEventRecorder
) -> None:
    async with AriEventRecorder(pair[0], "orderline") as agent:
        await dial(phones, "7001")
        caller = await agent.entered("inbound")

        await agent.ari.request("POST", f"/channels/{caller['id']}/continue")

        phone = await phone_rings(phones)
        assert (await phone_display(phones, phone))["reason"] == "returned"


async def test_an_agent_that_is_done_ends_the_call(pair: Pair, phones: AriEventRecorder) -> None:
    async with AriEventRecorder(pair[0], "orderline") as agent:
        leg = await dial(phones, "7001")
        caller = await agent.entered("inbound")
        await agent.ari.channels.answer(caller["id"])
        await agent.ari.channels.set_variable(caller["id"], "ORDERLINE_DONE", "1")

        await agent.ari.request("POST", f"/channels/{caller['id']}/continue")

        await phones.gone(leg)
        assert not [e for e in phones.events if e["type"] == "StasisStart" and e["args"]]


@pytest.mark.parametrize(("queue", "paused", "status"), [("nosuch", False, "UNKNOWN"), ("", True, "JOINEMPTY")])
async def test_a_queue_that_cannot_take_the_call_gives_it_back_to_the_agent(
    pair: Pair, phones: AriEventRecorder, queue: str, paused: bool, status: str
) -> None:
    pbx, _ = pair
    if paused:
        await pbx.cli("queue pause member PJSIP/601")
    async with AriEventRecorder(pbx, "orderline") as agent:
        await dial(phones, "7001")
        caller = await agent.entered("inbound")

        await ask_for_staff(agent, caller["id"], "caller_asked", queue=queue)

        back = await agent.entered("queue_failed")
        assert back["id"] == caller["id"]
        assert back["args"] == ["queue_failed", status]
        assert 3 < float(await agent.ari.channels.get_variable(caller["id"], "TIMEOUT(absolute)")) <= 5


async def test_with_neither_agent_nor_human_the_caller_hears_so_and_is_let_go(
    pair: Pair, phones: AriEventRecorder
) -> None:
    pbx, _ = pair
    await pbx.cli("queue pause member PJSIP/601")
    await set_global(pbx, "ORDERLINE_SORRY", "beep")

    leg = await dial(phones, "7001")

    await phones.gone(leg)
    full_log = (pbx.log_dir / "full.log").read_text(encoding="utf-8")
    assert re.search(r"Playing 'beep\.", full_log)


async def test_an_agent_that_dies_with_a_call_given_back_by_the_queue_leaves_no_caller_in_silence(
    pair: Pair, phones: AriEventRecorder
) -> None:
    pbx, _ = pair
    await pbx.cli("queue pause member PJSIP/601")
    await set_global(pbx, "ORDERLINE_DEADMAN_SECONDS", "1")
    await set_global(pbx, "ORDERLINE_SORRY", "beep")
    async with AriEventRecorder(pbx, "orderline") as agent:
        leg = await dial(phones, "7001")
        caller = await agent.entered("inbound")
        await ask_for_staff(agent, caller["id"], "caller_asked")
        await agent.entered("queue_failed")

    await phones.gone(leg)


async def test_a_caller_who_presses_0_while_waiting_is_back_with_the_agent(
    pair: Pair, phones: AriEventRecorder
) -> None:
    async with AriEventRecorder(pair[0], "orderline") as agent:
        leg = await dial(phones, "7001")
        caller = await agent.entered("inbound")
        await ask_for_staff(agent, caller["id"], "caller_asked", ticket="RMA-7")
        phone = await phone_rings(phones)

        await phones.ari.channels.dtmf(leg, "0")

        back = await agent.entered("queue_escape")
        assert (back["id"], back["args"]) == (caller["id"], ["queue_escape", "0"])
        assert await agent.ari.channels.get_variable(caller["id"], "ORDERLINE_TICKET") == "RMA-7"
        await phones.gone(phone["id"])


async def test_a_caller_who_presses_0_while_the_agent_is_dead_stays_in_the_queue(
    pair: Pair, phones: AriEventRecorder
) -> None:
    leg = await dial(phones, "7001")
    first = await phone_rings(phones)

    await phones.ari.channels.dtmf(leg, "0")

    await phones.gone(first["id"])
    again = await phone_rings(phones)
    assert again["caller"]["number"] == "2025550101"


@pytest.mark.parametrize("way", ["rest", "command line"])
async def test_a_call_is_rescued_from_outside(pair: Pair, phones: AriEventRecorder, way: str) -> None:
    pbx, _ = pair
    async with AriEventRecorder(pbx, "orderline") as agent:
        await dial(phones, "7001")
        caller = await agent.entered("inbound")

    async with AriEventRecorder(pbx, "rescuer") as rescuer:
        if way == "rest":
            await rescuer.ari.channels.continue_in_dialplan(caller["id"], context="orderline-rescue", extension="s")
        else:
            await pbx.cli(f"channel redirect {caller['name']} orderline-rescue,s,1")

    phone = await phone_rings(phones)
    assert (await phone_display(phones, phone))["reason"] == "rescued"


async def test_a_human_transfers_the_caller_back_to_the_agent(pair: Pair, phones: AriEventRecorder) -> None:
    async with AriEventRecorder(pair[0], "orderline") as agent:
        await dial(phones, "7001")
        caller = await agent.entered("inbound")
        await ask_for_staff(agent, caller["id"], "caller_asked", ticket="RMA-9")
        phone = await phone_rings(phones)
        await phones.ari.channels.answer(phone["id"])
        await talking(pair[0])

        await phones.ari.channels.continue_in_dialplan(phone["id"], context="transfer", extension="700")

        back = await agent.entered("transfer_back")
        assert (back["id"], back["args"]) == (caller["id"], ["transfer_back", "RMA-9"])
        assert await agent.ari.channels.get_variable(caller["id"], "ORDERLINE_TICKET") == "RMA-9"


async def test_a_call_that_goes_round_in_circles_ends_with_an_apology(pair: Pair, phones: AriEventRecorder) -> None:
    pbx, _ = pair
    await set_global(pbx, "ORDERLINE_SORRY", "beep")
    async with AriEventRecorder(pbx, "orderline") as agent:
        leg = await dial(phones, "7001")
        caller = await agent.entered("inbound")
        await ask_for_staff(agent, caller["id"], "caller_asked", queue="nosuch")
        for _ in range(5):
            await agent.entered("queue_failed")
            await agent.ari.request("POST", f"/channels/{caller['id']}/continue")

        await phones.gone(leg)


@pytest.mark.parametrize(
    ("name", "passed_on"),
    [
        ("maplefinch", "maplefinch"),
        ("shop.support-2", "shop.support-2"),
        ("x", "x"),
        ("%20a&b", "20ab"),
        ("*55", "*55"),
    ],
)
async def test_a_call_for_a_name_is_taken_like_one_for_a_number(
    pair: Pair, phones: AriEventRecorder, name: str, passed_on: str
) -> None:
    async with AriEventRecorder(pair[0], "orderline") as agent:
        await dial(phones, "8000")
        await sent_to(pair[0], f"orderline,{name}")
        assert (await agent.entered("inbound"))["args"][1:] == [passed_on]


@pytest.mark.parametrize("name", ["maplefinch", "shop_2"])
async def test_a_trunk_that_delivers_a_name_straight_is_not_refused(
    pair: Pair, phones: AriEventRecorder, name: str
) -> None:
    async with AriEventRecorder(pair[0], "orderline") as agent, AriEventRecorder(pair[0], "far-end"):
        await agent.ari.request("POST", "/channels", params={"endpoint": f"Local/{name}@orderline/n", "app": "far-end"})
        entered = await agent.entered("inbound")
        assert entered["args"][1:] == [name]
        await agent.ari.channels.hangup(entered["id"])


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("orderline-handover,Gift-Card", "unknown"),
        ("orderline-handover,x", "unknown"),
        ("orderline-queue-escape,5", "queue_again"),
        ("orderline-rescue,anything", "rescued"),
        ("orderline-taken-over,anything", "taken_over"),
        ("orderline-transfer-back,anything", "controller_down"),
    ],
)
async def test_a_word_that_a_context_does_not_know_leads_to_staff_all_the_same(
    pair: Pair, phones: AriEventRecorder, place: str, reason: str
) -> None:
    await dial(phones, "8000")
    await sent_to(pair[0], place)
    phone = await phone_rings(phones)
    assert (await phone_display(phones, phone))["reason"] == reason


async def test_a_staff_phone_that_forwards_to_the_agent_is_busy_for_the_queue(
    pair: Pair, phones: AriEventRecorder
) -> None:
    pbx, _ = pair
    await pbx.cli("queue add member Local/7001@from-carrier to orderline-humans")
    try:
        async with AriEventRecorder(pbx, "orderline") as agent:
            await dial(phones, "7001")
            caller = await agent.entered("inbound")
            await ask_for_staff(agent, caller["id"], "caller_asked")
            await phone_rings(phones)
            await shown(pbx, "core show channels concise", r"Local/7001@from-carrier", absent=True)
            assert not [e for e in agent.events if e["type"] == "StasisStart"], "the agent is rung by its own queue"
    finally:
        await pbx.cli("queue remove member Local/7001@from-carrier from orderline-humans")


async def test_a_dialplan_of_the_administrators_may_do_the_queueing(pair: Pair, phones: AriEventRecorder) -> None:
    pbx, _ = pair
    await set_global(pbx, "ORDERLINE_STAFF", "from-carrier,8000,1")
    async with AriEventRecorder(pbx, "orderline") as agent:
        await dial(phones, "7001")
        caller = await agent.entered("inbound")
        assert await agent.ari.channels.get_variable(caller["id"], "SPYGROUP") == ""
        await ask_for_staff(agent, caller["id"], "caller_asked", ticket="T-1")
        await shown(pbx, "core show channels concise", r"!from-carrier!8000!.*!Echo!")
        read = agent.ari.channels.get_variable
        assert await read(caller["id"], "CALLERID(name)") == "[caller_asked] T-1"
        assert float(await read(caller["id"], "TIMEOUT(absolute)")) <= 0


async def test_a_place_for_staff_that_is_not_there_is_passed_over(pair: Pair, phones: AriEventRecorder) -> None:
    await set_global(pair[0], "ORDERLINE_STAFF", "nosuch,400,1")
    await dial(phones, "7001")
    assert (await phone_display(phones, await phone_rings(phones)))["reason"] == "controller_down"


async def test_what_another_dialplans_queue_gives_back_is_with_the_agent_again(
    pair: Pair, phones: AriEventRecorder
) -> None:
    async with AriEventRecorder(pair[0], "orderline") as agent:
        await dial(phones, "8000")
        await sent_to(pair[0], "orderline-queue-failed,s")
        assert (await agent.entered("queue_failed"))["args"][:1] == ["queue_failed"]


@pytest.mark.parametrize(
    ("allowed", "obeyed"), [("", True), ("601", True), ("602&601", True), ("602", False), ("60", False)]
)
async def test_where_supervisors_are_named_only_their_phones_codes_are_obeyed(
    pair: Pair, phones: AriEventRecorder, allowed: str, obeyed: bool
) -> None:
    pbx, _ = pair
    if allowed:
        await set_global(pbx, "ORDERLINE_SUPERVISORS", allowed)
    async with AriEventRecorder(pbx, "orderline") as agent:
        for code in ("*71", "*762025550101"):
            leg = await dial(phones, code, caller="601", endpoint="desk")
            if obeyed:
                asked = await agent.entered("control")
                await agent.ari.channels.go_on(asked["id"])
            await phones.gone(leg)
        assert not [e for e in agent.events if e["type"] == "StasisStart"]


async def test_a_supervisors_phone_is_not_kept_by_an_agent_that_hangs(pair: Pair, phones: AriEventRecorder) -> None:
    async with AriEventRecorder(pair[0], "orderline") as agent:
        leg = await dial(phones, "*71", caller="601", endpoint="desk")
        await agent.entered("control")
        await phones.gone(leg, seconds=20)
