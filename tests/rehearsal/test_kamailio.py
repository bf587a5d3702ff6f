"""The shipped Kamailio configuration with a real Kamailio, between small SIP peers: a carrier and two nodes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.real_kamailio import RealKamailio, ensure_kamailio, options_status
from tests.rehearsal.sip_peer import Carrier, Node
from tests.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]
HEADER = "X-Orderline-May-Refuse"


@dataclass
class Rig:
    kamailio: RealKamailio
    nodes: list[Node]
    carrier: Carrier

    async def active(self, *ports: int) -> None:
        """Wait until Kamailio gives calls to the nodes at these ports alone."""
        async with asyncio.timeout(60):
            while await self.kamailio.active_nodes() != set(ports):  # noqa: ASYNC110
                await asyncio.sleep(0.1)  # another process


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    kamailio = RealKamailio(await ensure_kamailio(home.directory, print), tmp_path_factory.mktemp("kamailio"))
    rig = Rig(kamailio, [Node(), Node()], Carrier())
    for peer in (*rig.nodes, rig.carrier):
        await peer.open()
    ports = [node.port for node in rig.nodes]
    kamailio.write(ports, staff=ports)
    await kamailio.start()
    yield rig
    await kamailio.stop()
    for peer in (*rig.nodes, rig.carrier):
        peer.close()


@pytest_asyncio.fixture(loop_scope="module")
async def rig(running: Rig) -> Rig:
    for node in running.nodes:
        node.status = 200
        node.received.clear()
    running.carrier.received.clear()
    await running.active(*(node.port for node in running.nodes))
    return running


async def test_calls_go_to_the_nodes_in_turn_and_each_is_told_that_it_may_refuse(rig: Rig) -> None:
    calls = [await rig.carrier.call(rig.kamailio.port) for _ in range(4)]
    first, second = [node.port for node in rig.nodes]
    assert sorted(call.node_port for call in calls) == sorted([first, second] * 2)
    for node in rig.nodes:
        assert (await node.next("INVITE", answer=False)).all(HEADER) == ["yes"]


async def test_all_requests_of_a_call_find_its_node_also_when_kamailio_was_started_anew(rig: Rig) -> None:
    calls = [await rig.carrier.call(rig.kamailio.port) for _ in range(2)]
    for again in range(2):
        for call in calls:
            answer = await call.request("INVITE")
            assert (answer.status, answer.one("To")) == (200, call.answer.one("To"))
        if not again:
            await rig.kamailio.kill()
            await rig.kamailio.start()
    for call in calls:
        assert (await call.request("BYE")).status == 200
    for node in rig.nodes:
        await node.next("BYE", answer=False)


async def test_a_node_that_refuses_is_passed_over_for_this_call_alone(rig: Rig) -> None:
    refusing, other = rig.nodes
    refusing.status = 503
    for _ in range(3):
        assert (await rig.carrier.call(rig.kamailio.port)).node_port == other.port
    refusing.status = 200
    calls = [await rig.carrier.call(rig.kamailio.port) for _ in range(2)]
    assert {call.node_port for call in calls} == {node.port for node in rig.nodes}


@pytest.mark.parametrize("sent", [(), ((HEADER, "yes"),)])
async def test_when_all_refuse_one_gets_the_call_without_the_header_whatever_the_carrier_sent(
    rig: Rig, sent: tuple[tuple[str, str], ...]
) -> None:
    """The last one asked has no header to refuse by; here it refuses all the same, and the carrier is told."""
    for node in rig.nodes:
        node.status = 503
    assert (await rig.carrier.call(rig.kamailio.port, *sent)).status == 503
    for node in rig.nodes:
        asked = [(await node.next("INVITE", answer=False)).all(HEADER) for _ in range(2)]
        assert asked == [["yes"], []]


async def test_headers_of_ours_and_routes_from_the_carrier_reach_no_node(rig: Rig) -> None:
    stranger = await rig.carrier.call(
        rig.kamailio.port,
        ("X-Orderline-Ticket", "T-1"),
        ("x-orderline-may-refuse", "no"),
        ("Route", "<sip:192.0.2.99;lr>"),
        ("X-Carrier", "kept"),
    )
    node = next(node for node in rig.nodes if node.port == stranger.node_port)
    invite = await node.next("INVITE", answer=False)
    assert invite.all(HEADER) == ["yes"]
    assert (invite.all("X-Orderline-Ticket"), invite.all("Route"), invite.all("X-Carrier")) == ([], [], ["kept"])


async def test_an_answer_that_is_no_refusal_of_the_node_goes_back_to_the_carrier(rig: Rig) -> None:
    for node in rig.nodes:
        node.status = 404
    assert (await rig.carrier.call(rig.kamailio.port)).status == 404
    assert sum(message.method == "INVITE" for node in rig.nodes for message in node.received) == 1


async def test_a_node_that_says_nothing_is_passed_over_and_gets_calls_again_when_it_answers(rig: Rig) -> None:
    silent, other = rig.nodes
    silent.status = 0
    for _ in range(3):
        assert (await rig.carrier.call(rig.kamailio.port)).node_port == other.port
    silent.status = 200
    await rig.active(*(node.port for node in rig.nodes))  # it went on answering OPTIONS
    calls = [await rig.carrier.call(rig.kamailio.port) for _ in range(2)]
    assert {call.node_port for call in calls} == {node.port for node in rig.nodes}


async def test_dead_nodes_are_noticed_without_a_call_and_used_again(rig: Rig) -> None:
    ports = [node.port for node in rig.nodes]
    rig.nodes[0].close()
    await rig.active(ports[1])
    rig.nodes[1].close()
    await rig.active()
    assert (await rig.carrier.call(rig.kamailio.port)).status == 503
    assert await asyncio.to_thread(options_status, rig.kamailio.port) == 503
    for node, port in zip(rig.nodes, ports, strict=True):
        await node.open(port)
    await rig.active(*ports)
    assert await asyncio.to_thread(options_status, rig.kamailio.port) == 200


async def test_a_node_that_is_taken_out_keeps_its_calls_and_gets_no_new_ones(rig: Rig) -> None:
    out, other = rig.nodes
    calls = [await rig.carrier.call(rig.kamailio.port) for _ in range(2)]
    nodes_list = rig.kamailio.directory / "nodes.list"
    before = nodes_list.read_text(encoding="utf-8")
    try:
        nodes_list.write_text(before.replace(f":{out.port} 0", f":{out.port} 4"), encoding="utf-8")
        await rig.kamailio.reload("dispatcher.reload")
        await rig.active(other.port)
        for _ in range(2):
            assert (await rig.carrier.call(rig.kamailio.port)).node_port == other.port
        for call in calls:
            assert (await call.request("BYE")).one("To") == call.answer.one("To")
    finally:
        nodes_list.write_text(before, encoding="utf-8")
        await rig.kamailio.reload("dispatcher.reload")


async def test_strangers_get_no_answer(rig: Rig) -> None:
    carriers = rig.kamailio.directory / "carriers.list"
    before = carriers.read_text(encoding="utf-8")
    try:
        carriers.write_text("1 192.0.2.1 32 0 carrier\n", encoding="utf-8")
        await rig.kamailio.reload("permissions.addressReload")
        calling = asyncio.create_task(rig.carrier.call(rig.kamailio.port))
        await until(lambda: "refused INVITE from 127.0.0.1" in rig.kamailio.log_path.read_text(encoding="utf-8"))
        assert await asyncio.to_thread(options_status, rig.kamailio.port) == 200  # what was sent before is answered
        assert rig.carrier.received == []
        calling.cancel()
    finally:
        carriers.write_text(before, encoding="utf-8")
        await rig.kamailio.reload("permissions.addressReload")
    assert (await rig.carrier.call(rig.kamailio.port)).status == 200
