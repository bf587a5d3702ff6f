"""What the dialplan does with calls of a SIP proxy that has other Asterisks to ask, with a stand-in for the agent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from agent.rehearsal.pbx_pair import Pbx, running_pair
from agent.rehearsal.private_asterisk import Asterisk
from tests.rehearsal.rig import AriEventRecorder, Event, phone_display

pytestmark = pytest.mark.asyncio(loop_scope="module")
EXPECTED = (
    r"Stasis app 'orderline(-2)?' (doesn't exist|not active)",
    r"outbound websocket per-call config for app 'orderline(-2)?'",
)
SERVICE_UNAVAILABLE = 34
"""What Asterisk makes of 503 at the caller's end."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pbx(asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Pbx, Pbx]]:
    async with running_pair(asterisk, tmp_path_factory.mktemp("refusal"), print) as pair:
        yield pair
        assert pair[0].log_problems(expected=EXPECTED) == []


@pytest_asyncio.fixture(loop_scope="module")
async def phones(pbx: tuple[Pbx, Pbx]) -> AsyncIterator[AriEventRecorder]:
    await pbx[0].cli("dialplan set global ORDERLINE_APPS ")
    for app in ("", "_ORDERLINE_2"):
        await pbx[0].cli(f"dialplan set global ORDERLINE_HEARTBEAT{app} ")
    async with AriEventRecorder(pbx[1], "rehearse") as ears:
        yield ears
        for channel in await ears.ari.channels.list():
            await ears.ari.channels.hangup(channel["id"])
        for side in pbx:
            async with asyncio.timeout(10):
                while "0 active channels" not in await side.cli("core show channels count"):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)  # the command line has no way to wait for this


async def call_from_the_proxy(phones: AriEventRecorder, word: str = "yes") -> str:
    """A call with the header that Kamailio adds; returns the id of the caller's leg."""
    channel = await phones.ari.request(
        "POST",
        "/channels",
        params={"endpoint": "PJSIP/7001@pbx", "app": "rehearse", "callerId": "2025550101"},
        body={"variables": {"PJSIP_HEADER(add,X-Orderline-May-Refuse)": word}},
    )
    return str(channel["id"])


async def refused(phones: AriEventRecorder, leg: str) -> Event:
    """Wait until the caller's leg has ended, unanswered, with the cause of 503."""
    ended = await phones.next(lambda event: event["type"] == "ChannelDestroyed" and event["channel"]["id"] == leg)
    assert ended["cause"] == SERVICE_UNAVAILABLE
    assert ended["channel"]["state"] != "Up"
    return ended


async def alive(pbx: Pbx, app: str = "", word: str = "", ago_seconds: float = 0) -> None:
    value = f"{time.time() - ago_seconds:.2f} host 1{f' {word}' if word else ''}"
    await pbx.cli(f'dialplan set global ORDERLINE_HEARTBEAT{app} "{value}"')


async def test_without_a_living_agent_the_call_is_refused(pbx: tuple[Pbx, Pbx], phones: AriEventRecorder) -> None:
    await refused(phones, await call_from_the_proxy(phones))


@pytest.mark.parametrize(("word", "ago_seconds"), [("draining", 0), ("", 20)])
async def test_an_agent_that_takes_no_calls_or_is_silent_is_as_good_as_none(
    pbx: tuple[Pbx, Pbx], phones: AriEventRecorder, word: str, ago_seconds: float
) -> None:
    async with AriEventRecorder(pbx[0], "orderline") as agent:
        await alive(pbx[0], word=word, ago_seconds=ago_seconds)
        await refused(phones, await call_from_the_proxy(phones))
        assert not [event for event in agent.events if event["type"] == "StasisStart"]


async def test_one_living_instance_of_several_is_enough(pbx: tuple[Pbx, Pbx], phones: AriEventRecorder) -> None:
    await pbx[0].cli("dialplan set global ORDERLINE_APPS orderline&orderline-2")
    async with AriEventRecorder(pbx[0], "orderline-2") as agent:
        await alive(pbx[0], "_ORDERLINE_2")
        await call_from_the_proxy(phones)
        assert (await agent.entered("inbound", "7001"))["state"] == "Ring"


async def test_an_agent_that_has_just_died_is_found_out_by_the_call(
    pbx: tuple[Pbx, Pbx], phones: AriEventRecorder
) -> None:
    """Its last sign of life is young, its program is not connected."""
    await alive(pbx[0])
    await refused(phones, await call_from_the_proxy(phones))


async def test_a_call_that_its_agent_lets_down_before_the_answer_is_refused(
    pbx: tuple[Pbx, Pbx], phones: AriEventRecorder
) -> None:
    async with AriEventRecorder(pbx[0], "orderline") as agent:
        await alive(pbx[0])
        leg = await call_from_the_proxy(phones)
        caller = await agent.entered("inbound", "7001")
        await agent.ari.channels.set_variable(caller["id"], "TIMEOUT(absolute)", "1")
        await refused(phones, leg)


async def test_a_call_that_was_answered_goes_to_a_human(pbx: tuple[Pbx, Pbx], phones: AriEventRecorder) -> None:
    async with AriEventRecorder(pbx[0], "orderline") as agent:
        await alive(pbx[0])
        await call_from_the_proxy(phones)
        caller = await agent.entered("inbound", "7001")
        await agent.ari.channels.answer(caller["id"])
        await agent.ari.channels.set_variable(caller["id"], "TIMEOUT(absolute)", "1")
        phone = await phones.entered("phone", "601")
        assert (await phone_display(phones, phone))["reason"] == "controller_down"


@pytest.mark.parametrize("word", ["", "no", "YES)Hangup("])
async def test_without_the_header_or_with_another_word_in_it_nothing_is_refused(
    pbx: tuple[Pbx, Pbx], phones: AriEventRecorder, word: str
) -> None:
    await call_from_the_proxy(phones, word)
    phone = await phones.entered("phone", "601")
    assert (await phone_display(phones, phone))["reason"] == "controller_down"
