"""The dialplan's choice among several instances of the agent, on a real Asterisk with stand-ins for the instances."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from agent.rehearsal.pbx_pair import Pbx, running_pair
from agent.rehearsal.private_asterisk import Asterisk
from tests.rehearsal.rig import AriEventRecorder, Event, dial, phone_display

pytestmark = pytest.mark.asyncio(loop_scope="module")
Pair = tuple[Pbx, Pbx]

APPS = ("orderline", "orderline-2", "orderline-3")
EXPECTED = (
    r"Stasis app 'orderline(-[23])?' (doesn't exist|not active)",
    r"outbound websocket per-call config for app 'orderline(-[23])?'",
    r"Dangerous function DB write blocked",
)
"""What Asterisk says of an instance that is not connected, and of a call that is sent to ``[orderline-outbound]``."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    async with running_pair(asterisk, tmp_path_factory.mktemp("instances"), print) as (pbx, phones):
        yield pbx, phones
        assert pbx.log_problems(expected=EXPECTED) == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def all_phones(pair: Pair) -> AsyncIterator[AriEventRecorder]:
    async with AriEventRecorder(pair[1], "rehearse") as ears:
        yield ears


class Instances:
    """Stand-ins for the instances: each is connected, or not, and gives signs of life, or not."""

    def __init__(self, pbx: Pbx, stack: contextlib.AsyncExitStack) -> None:
        self._pbx = pbx
        self._stack = stack
        self._alive: dict[str, str] = {}
        self._beating = asyncio.create_task(self._beat())
        stack.callback(self._beating.cancel)

    async def connect(self, app: str) -> AriEventRecorder:
        """Connect one; it is alive from now on."""
        connected = await self._stack.enter_async_context(AriEventRecorder(self._pbx, app))
        await self.says(app, "")
        return connected

    async def says(self, app: str, word: str) -> None:
        """Let it give signs of life, with this word behind them."""
        self._alive[app] = word
        await self._tell(app)

    async def falls_silent(self, app: str) -> None:
        """Let it give no sign of life any more: the last one is from some time ago."""
        self._alive.pop(app, None)
        await self._tell(app, ago_seconds=20)

    async def _beat(self) -> None:
        while True:
            for app in list(self._alive):
                await self._tell(app)
            await asyncio.sleep(0.5)

    async def _tell(self, app: str, ago_seconds: float = 0) -> None:
        variable = "ORDERLINE_HEARTBEAT" + ("" if app == "orderline" else f"_{app.upper().replace('-', '_')}")
        word = self._alive.get(app, "")
        value = f"{time.time() - ago_seconds:.2f} host 1{f' {word}' if word else ''}"
        await self._pbx.cli(f'dialplan set global {variable} "{value}"')


@pytest_asyncio.fixture(loop_scope="module")
async def instances(pair: Pair, all_phones: AriEventRecorder) -> AsyncIterator[Instances]:
    pbx, phones = pair
    await pbx.cli(f"dialplan set global ORDERLINE_APPS {'&'.join(APPS)}")
    async with contextlib.AsyncExitStack() as stack:
        found = Instances(pbx, stack)
        for app in APPS:
            await found.falls_silent(app)
        yield found
        for channel in await all_phones.ari.channels.list():
            await all_phones.ari.channels.hangup(channel["id"])
        for side in (pbx, phones):
            async with asyncio.timeout(10):
                while "0 active channels" not in await side.cli("core show channels count"):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)  # the command line has no way to wait for this
        all_phones.events.clear()


async def test_calls_go_to_the_instance_with_the_fewest(instances: Instances, all_phones: AriEventRecorder) -> None:
    """Dialled at the same moment: the choice is made for one after the other."""
    connected = [await instances.connect(app) for app in APPS]
    await asyncio.gather(*(dial(all_phones, "7001", f"20255501{number:02d}") for number in range(9)))
    for instance in connected:
        for _ in range(3):
            await instance.entered("inbound", "7001")


async def test_one_that_is_not_connected_is_passed_over(instances: Instances, all_phones: AriEventRecorder) -> None:
    await instances.says("orderline", "")
    await instances.says("orderline-2", "")
    third = await instances.connect("orderline-3")
    await dial(all_phones, "7001")
    await third.entered("inbound", "7001")


async def test_one_that_gives_no_sign_of_life_or_is_about_to_stop_gets_no_call_while_another_may_have_it(
    instances: Instances, all_phones: AriEventRecorder
) -> None:
    await instances.connect("orderline")
    await instances.falls_silent("orderline")
    second, third = await instances.connect("orderline-2"), await instances.connect("orderline-3")
    await instances.says("orderline-2", "draining")
    for _ in range(3):
        await dial(all_phones, "7001")
        await third.entered("inbound")
    await instances.falls_silent("orderline-3")
    await dial(all_phones, "7001")
    await second.entered("inbound")


async def test_with_no_instance_at_all_the_caller_reaches_a_human(
    instances: Instances, all_phones: AriEventRecorder
) -> None:
    await dial(all_phones, "7001")
    phone = await all_phones.entered("phone", "601")
    assert (await phone_display(all_phones, phone))["reason"] == "controller_down"


async def entered_at_first(instances: Instances, phones: AriEventRecorder) -> tuple[AriEventRecorder, Event]:
    """A call at the first instance, the only one that is there."""
    first = await instances.connect("orderline")
    await dial(phones, "7001")
    return first, await first.entered("inbound")


@pytest.mark.parametrize("answered", [True, False])
async def test_a_call_that_its_instance_lets_down_goes_to_another(
    instances: Instances, all_phones: AriEventRecorder, answered: bool
) -> None:
    first, caller = await entered_at_first(instances, all_phones)
    if answered:
        await first.ari.channels.answer(caller["id"])
    await first.ari.channels.set_variable(caller["id"], "TIMEOUT(absolute)", "1")
    second = await instances.connect("orderline-2")
    moved = await second.entered("stranded")
    assert (moved["id"], moved["args"]) == (caller["id"], ["stranded", "inbound", "7001"])
    assert moved["state"] == ("Up" if answered else "Ring")
    assert float(await second.ari.channels.get_variable(caller["id"], "TIMEOUT(absolute)")) > 3


async def test_a_rescued_call_goes_to_another_instance_too(instances: Instances, all_phones: AriEventRecorder) -> None:
    first, caller = await entered_at_first(instances, all_phones)
    second = await instances.connect("orderline-2")
    await first.ari.channels.continue_in_dialplan(caller["id"], context="orderline-rescue", extension="s")
    assert (await second.entered("stranded"))["id"] == caller["id"]


async def test_a_call_that_no_other_instance_takes_goes_to_a_human(
    instances: Instances, all_phones: AriEventRecorder
) -> None:
    first, caller = await entered_at_first(instances, all_phones)
    await first.ari.channels.set_variable(caller["id"], "TIMEOUT(absolute)", "1")
    phone = await all_phones.entered("phone", "601")
    assert (await phone_display(all_phones, phone))["reason"] == "controller_down"


async def test_a_call_that_every_instance_lets_down_goes_to_a_human(
    instances: Instances, all_phones: AriEventRecorder
) -> None:
    connected = {app: await instances.connect(app) for app in APPS[:2]}
    await dial(all_phones, "7001")
    caller = await connected["orderline"].entered("inbound")
    holder = connected["orderline"]
    for app in ("orderline-2", "orderline", "orderline-2"):
        await holder.ari.channels.set_variable(caller["id"], "TIMEOUT(absolute)", "1")
        holder = connected[app]
        await holder.entered("stranded")
    await holder.ari.channels.set_variable(caller["id"], "TIMEOUT(absolute)", "1")
    phone = await all_phones.entered("phone", "601")
    assert (await phone_display(all_phones, phone))["reason"] == "controller_down"


@pytest.mark.parametrize("alive", [True, False])
async def test_who_comes_back_from_the_queue_is_with_the_same_instance_while_it_lives(
    instances: Instances, all_phones: AriEventRecorder, alive: bool
) -> None:
    connected = {app: await instances.connect(app) for app in APPS[:2]}
    await dial(all_phones, "7001", "2025550101")
    await connected["orderline"].entered("inbound")
    leg = await dial(all_phones, "7001", "2025550102")
    caller = await connected["orderline-2"].entered("inbound")
    await connected["orderline-2"].ari.channels.continue_in_dialplan(
        caller["id"], context="orderline-handover", extension="caller_asked"
    )
    await all_phones.entered("phone", "601")
    if not alive:
        await instances.falls_silent("orderline-2")
    await all_phones.ari.channels.dtmf(leg, "0")
    back = await connected["orderline-2" if alive else "orderline"].entered("queue_escape")
    assert back["id"] == caller["id"]


async def test_who_comes_back_from_the_queue_to_one_that_dies_goes_to_another(
    instances: Instances, all_phones: AriEventRecorder
) -> None:
    """Nobody of the staff has taken the call, so the apology would be its end."""
    first, caller = await entered_at_first(instances, all_phones)
    await first.ari.channels.continue_in_dialplan(caller["id"], context="orderline-queue-failed", extension="s")
    assert (await first.entered("queue_failed"))["id"] == caller["id"]
    second = await instances.connect("orderline-2")
    await first.ari.channels.set_variable(caller["id"], "TIMEOUT(absolute)", "1")
    moved = await second.entered("stranded")
    assert (moved["id"], moved["args"][:2]) == (caller["id"], ["stranded", "queue_failed"])


async def test_an_answered_call_to_a_customer_counts_at_the_instance_that_placed_it(
    instances: Instances, all_phones: AriEventRecorder
) -> None:
    first, caller = await entered_at_first(instances, all_phones)
    second, third = [await instances.connect(app) for app in APPS[1:]]
    await first.ari.channels.set_variable(caller["id"], "ORDERLINE_APP", "orderline-2")
    await first.ari.channels.continue_in_dialplan(caller["id"], context="orderline-outbound", extension="s")
    assert (await second.entered("outbound"))["id"] == caller["id"]
    await instances.falls_silent("orderline")
    await dial(all_phones, "7001", "2025550102")
    await third.entered("inbound")


async def test_a_supervisors_code_is_given_to_every_living_instance(
    instances: Instances, all_phones: AriEventRecorder
) -> None:
    connected = [await instances.connect(app) for app in APPS[:2]]
    await dial(all_phones, "*71", "601", "Alice", endpoint="desk")
    for instance in connected:
        phone = await instance.entered("control", "pause")
        await instance.ari.channels.set_variable(phone["id"], "ORDERLINE_ANSWER", "done")
        await instance.ari.channels.go_on(phone["id"])
    await connected[-1].gone(phone["id"])


async def test_a_call_is_looked_for_at_one_instance_after_the_other(
    instances: Instances, all_phones: AriEventRecorder
) -> None:
    first, second = [await instances.connect(app) for app in APPS[:2]]
    await dial(all_phones, "*76", "601", "Alice", endpoint="desk")
    phone = await first.entered("control", "take_over")
    await first.ari.channels.go_on(phone["id"])
    asked = await second.entered("control", "take_over")
    assert asked["id"] == phone["id"]
    await second.ari.channels.go_on(phone["id"])
    await second.gone(phone["id"])


async def test_an_instance_that_hangs_keeps_a_supervisors_code_from_none_of_the_others(
    instances: Instances, all_phones: AriEventRecorder
) -> None:
    first, second, third = [await instances.connect(app) for app in APPS]
    leg = await dial(all_phones, "*71", "601", "Alice", endpoint="desk")
    phone = await first.entered("control", "pause")
    await first.ari.channels.set_variable(phone["id"], "ORDERLINE_ANSWER", "done")
    await first.ari.channels.go_on(phone["id"])
    asked = await second.entered("control", "pause")
    await second.ari.channels.set_variable(asked["id"], "TIMEOUT(absolute)", "1")  # no answer for ten seconds
    asked = await third.entered("control", "pause")
    assert asked["id"] == phone["id"]
    await third.ari.channels.go_on(phone["id"])
    await third.gone(phone["id"])
    await all_phones.gone(leg)


async def test_an_answered_caller_whom_an_instance_does_not_take_is_at_another_as_soon_as_an_unanswered_one(
    instances: Instances, all_phones: AriEventRecorder
) -> None:
    """One who comes from a menu. The agent sets the timer anew, and says that the call has begun, when it has it."""
    first, caller = await entered_at_first(instances, all_phones)
    await first.ari.channels.answer(caller["id"])
    await first.ari.channels.set_variable(caller["id"], "ORDERLINE_BEGUN", "1")
    await first.ari.channels.continue_in_dialplan(caller["id"], context="orderline", extension="enter")
    await first.entered("inbound")
    assert float(await first.ari.channels.get_variable(caller["id"], "TIMEOUT(absolute)")) <= 3
    assert await first.ari.channels.get_variable(caller["id"], "ORDERLINE_BEGUN") == ""
