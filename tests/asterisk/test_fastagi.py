"""Questions of the dialplan, spoken as Asterisk speaks them, answered through pyst2's AGI class."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from agent.asterisk import fastagi
from agent.asterisk.fastagi import AgiRefusal, AgiRequest, FastAgiServer
from agent.common.log_rate import MOST_OF_ONE
from agent.common.service_error import ServiceError
from agent.control.agi import DialplanValues, agi_services
from tests.call.fakes import FakeServices


class AgiTestServer:
    """A server with the shipped services on small back-office answers."""

    def __init__(self) -> None:
        self.now = 0.0
        self.why_not = ""
        self.left = DialplanValues(lambda: self.now)
        self.services = FakeServices(
            orders__verify={
                "order": {"number": "10473", "status": "in_transit", "expected_on": None, "place": 'X"\n${Y}'}
            },
            customers__by_phone={"customer": {"tier": "gold", "orders_count": 7}},
        )
        self.server = FastAgiServer(agi_services(self.services, self.left, lambda: self.why_not), deadline_seconds=0.3)
        self.server.start("127.0.0.1", 0)

    async def ask(
        self, script: str, *arguments: str, caller: str = "2025550143", presentation: str = "0"
    ) -> dict[str, str]:
        """Ask as Asterisk does; returns the channel variables that were set."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        env = {"network": "yes", "network_script": script, "uniqueid": "ch-1", "callerid": caller}
        env["callingpres"] = presentation
        env |= {f"arg_{place}": argument for place, argument in enumerate(arguments, 1)}
        writer.write("".join(f"agi_{name}: {value}\n" for name, value in env.items()).encode() + b"\n")
        found: dict[str, str] = {}
        while line := (await reader.readline()).decode().strip():
            _, _, name, value = line.split(" ", 3)
            found[name.strip('"')] = value[1:-1]
            writer.write(b"200 result=1\n")
        writer.close()
        return found


@pytest.fixture
async def desk() -> AsyncIterator[AgiTestServer]:
    made = AgiTestServer()
    yield made
    await made.server.close()


async def test_an_order_is_told_in_plain_characters(desk: AgiTestServer) -> None:
    told = await desk.ask("order_status", "10473", "60614")
    assert told == {
        "ORDERLINE_AGI": "ok",
        "ORDERLINE_STATUS": "in_transit",
        "ORDERLINE_EXPECTED": "",
        "ORDERLINE_PLACE": "X Y",
    }


async def test_an_orders_number_alone_tells_nothing_and_tries_are_the_callers_own(desk: AgiTestServer) -> None:
    assert await desk.ask("order_status", "10473") == {"ORDERLINE_AGI": "bad_request"}
    assert await desk.ask("order_status", "10473", "") == {"ORDERLINE_AGI": "bad_request"}
    assert desk.services.asked == []
    await desk.ask("order_status", "10473", "60614")
    assert desk.services.asked[0][:2] == (
        "orders.verify",
        {"number": "10473", "postcode": "60614", "caller": "2025550143"},
    )


@pytest.mark.parametrize("presentation", ["32", "35", "67", "?"])
async def test_a_withheld_number_is_no_number(desk: AgiTestServer, presentation: str) -> None:
    assert await desk.ask("customer_tier", presentation=presentation) == {"ORDERLINE_AGI": "not_found"}
    await desk.ask("order_status", "10473", "60614", presentation=presentation)
    assert [given for _, given, *_ in desk.services.asked] == [{"number": "10473", "postcode": "60614", "caller": ""}]


async def test_a_tier_is_the_callers_own_or_that_of_a_number_given(desk: AgiTestServer) -> None:
    assert (await desk.ask("customer_tier"))["ORDERLINE_TIER"] == "gold"
    await desk.ask("customer_tier", "2025550199")
    assert [arguments["phone"] for _, arguments, _ in desk.services.asked] == ["2025550143", "2025550199"]
    assert await desk.ask("customer_tier", caller="unknown") == {"ORDERLINE_AGI": "not_found"}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (ServiceError("not_found", "no"), "not_found"),
        (ServiceError("unavailable", "down"), "unavailable"),
        ({}, "not_found"),
    ],
)
async def test_why_there_is_no_answer_is_told(desk: AgiTestServer, answer: Any, code: str) -> None:
    desk.services.answers["orders.verify"] = answer
    assert await desk.ask("order_status", "10473", "60614") == {"ORDERLINE_AGI": code}


async def test_a_back_office_that_hangs_does_not_hold_the_dialplan(desk: AgiTestServer) -> None:
    desk.services.answers["orders.verify"] = asyncio.Event()
    assert await desk.ask("order_status", "10473", "60614") == {"ORDERLINE_AGI": "timed_out"}


async def test_whether_the_agent_takes_calls(desk: AgiTestServer) -> None:
    assert await desk.ask("accepting") == {"ORDERLINE_AGI": "ok", "ORDERLINE_ACCEPTING": "yes", "ORDERLINE_WHY": ""}
    desk.why_not = "paused"
    assert (await desk.ask("accepting"))["ORDERLINE_WHY"] == "paused"


async def test_a_value_waits_for_its_call_and_not_for_ever(desk: AgiTestServer) -> None:
    assert await desk.ask("leave_value", "topic", "returns; ${X}") == {"ORDERLINE_AGI": "ok"}
    assert desk.left.of("ch-1") == {"topic": "returns; X"}
    assert desk.left.of("ch-2") == {}
    desk.now = 901.0
    assert desk.left.of("ch-1") == {}


async def test_a_name_that_is_none_is_refused(desk: AgiTestServer) -> None:
    assert await desk.ask("leave_value", "__class__", "x") == {"ORDERLINE_AGI": "bad_request"}
    for number in range(20):
        await desk.ask("leave_value", f"name_{number}", "x")
    assert await desk.ask("leave_value", "one_more", "x") == {"ORDERLINE_AGI": "bad_request"}


async def test_an_unknown_service_and_a_broken_connection_hurt_nobody(desk: AgiTestServer) -> None:
    assert await desk.ask("nosuch") == {"ORDERLINE_AGI": "no_such_service"}
    _, writer = await asyncio.open_connection("127.0.0.1", desk.server.port)
    writer.write(b"agi_network: yes\n")
    writer.close()
    assert (await desk.ask("accepting"))["ORDERLINE_AGI"] == "ok"


async def test_many_questions_at_once_are_all_answered() -> None:
    async def slow(question: AgiRequest) -> Mapping[str, str]:
        await asyncio.sleep(0)
        if question.argument(0) == "7":
            raise AgiRefusal("bad_request", "not seven")
        return {"ECHO": question.argument(0)}

    desk = AgiTestServer()
    await desk.server.close()
    desk.server = FastAgiServer({"echo": slow})
    desk.server.start("127.0.0.1", 0)
    answers = await asyncio.gather(*(desk.ask("echo", str(number)) for number in range(50)))
    await desk.server.close()
    assert [answer.get("ECHO") for answer in answers] == [None if n == 7 else str(n) for n in range(50)]


async def closed_after(desk: AgiTestServer, *parts: bytes) -> int:
    """How many bytes the server took before it closed the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.server.port)
    taken = 0
    with contextlib.suppress(ConnectionError):
        for part in parts:
            writer.write(part)
            await writer.drain()
            taken += len(part)
    async with asyncio.timeout(10):
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
    writer.close()
    return taken


async def test_a_line_without_end_is_not_taken(desk: AgiTestServer) -> None:
    assert await closed_after(desk, *[b"x" * 1_000_000] * 300) < 100_000_000
    assert (await desk.ask("accepting"))["ORDERLINE_AGI"] == "ok"


async def test_lines_without_end_are_not_taken(desk: AgiTestServer) -> None:
    assert await closed_after(desk, *[b"agi_x: y\n" * 100_000] * 300) < 100_000_000
    assert (await desk.ask("accepting"))["ORDERLINE_AGI"] == "ok"


async def test_who_sends_a_byte_now_and_then_is_cut_off(monkeypatch: pytest.MonkeyPatch, desk: AgiTestServer) -> None:
    monkeypatch.setattr(fastagi, "_CONNECTION_SECONDS", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.server.port)

    async def drip() -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"a")
                await writer.drain()
                await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionError):
            await reader.read()
    dripping.cancel()
    writer.close()


async def test_strangers_make_the_log_write_so_many_lines_a_minute_and_no_more(
    desk: AgiTestServer, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(60):
        await desk.ask(f"nosuch{number}")
    assert len([line for line in caplog.messages if "asks for" in line]) == MOST_OF_ONE
