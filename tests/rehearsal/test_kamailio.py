"""The shipped Kamailio configuration with a real Kamailio, between small SIP peers: a carrier and some nodes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.real_kamailio import RealKamailio, ensure_kamailio, options_status
from tests.rehearsal.sip_peer import CALLER, Carrier, Node, SipPeer
from tests.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]
HEADER = "X-Orderline-May-Refuse"
CARRIER, STRANGER = "127.0.0.2", "127.0.0.3"
"""The nodes and Kamailio are at 127.0.0.1, with a port each."""


@dataclass
class Rig:
    kamailio: RealKamailio
    nodes: list[Node]
    carrier: Carrier
    log_from: int = 0

    def log(self, *parts: str) -> list[str]:
        """The lines of this test in Kamailio's log that have all these parts."""
        lines = self.kamailio.log_path.read_text(encoding="utf-8")[self.log_from :].splitlines()
        return [line for line in lines if all(part in line for part in parts)]

    @contextlib.asynccontextmanager
    async def list_of_nodes(self, nodes: Iterable[str], staff: Iterable[str]) -> AsyncIterator[None]:
        """Other Asterisks for a while, each HOST:PORT."""
        before = self.kamailio.nodes_list.read_text(encoding="utf-8")
        lines = [f"1 sip:{one} 0\n" for one in nodes] + [f"2 sip:{one} 0\n" for one in staff]
        try:
            self.kamailio.nodes_list.write_text("".join(lines), encoding="utf-8")
            await self.kamailio.reload("dispatcher.reload")
            yield
        finally:
            self.kamailio.nodes_list.write_text(before, encoding="utf-8")
            await self.kamailio.reload("dispatcher.reload")

    async def active(self, *ports: int) -> None:
        """Wait until Kamailio gives calls to the nodes at these ports alone."""
        async with asyncio.timeout(60):
            while await self.kamailio.active_nodes() != set(ports):  # noqa: ASYNC110
                await asyncio.sleep(0.1)  # another process


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    kamailio = RealKamailio(await ensure_kamailio(home.directory, print), tmp_path_factory.mktemp("kamailio"))
    rig = Rig(kamailio, [Node(), Node()], Carrier(CARRIER))
    for peer in (*rig.nodes, rig.carrier):
        await peer.open()
    ports = [node.port for node in rig.nodes]
    kamailio.write(ports, staff=ports, carriers=[CARRIER])
    await kamailio.start()
    yield rig
    await kamailio.stop()
    for peer in (*rig.nodes, rig.carrier):
        peer.close()


@pytest_asyncio.fixture(loop_scope="module")
async def rig(running: Rig) -> Rig:
    for node in running.nodes:
        node.status = node.options_status = 200
        node.received.clear()
    running.carrier.received.clear()
    await running.active(*(node.port for node in running.nodes))
    running.log_from = len(running.kamailio.log_path.read_text(encoding="utf-8"))
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
    nodes_list = rig.kamailio.nodes_list
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


async def test_a_list_of_carriers_is_read_anew(rig: Rig) -> None:
    carriers = rig.kamailio.directory / "carriers.list"
    before = carriers.read_text(encoding="utf-8")
    try:
        carriers.write_text("1 192.0.2.1 32 0 carrier\n", encoding="utf-8")
        await rig.kamailio.reload("permissions.addressReload")
        calling = asyncio.create_task(rig.carrier.call(rig.kamailio.port))
        await until(lambda: bool(rig.log(f"refused INVITE from {CARRIER}")))
        calling.cancel()
    finally:
        carriers.write_text(before, encoding="utf-8")
        await rig.kamailio.reload("permissions.addressReload")
    assert (await rig.carrier.call(rig.kamailio.port)).status == 200


@pytest.fixture
async def peers() -> AsyncIterator[tuple[SipPeer, SipPeer]]:
    """A stranger, and somebody whom the stranger would reach through Kamailio."""
    stranger, target = SipPeer(STRANGER), SipPeer(STRANGER)
    for peer in (stranger, target):
        await peer.open()
    yield stranger, target
    for peer in (stranger, target):
        peer.close()


def request_of(sender: SipPeer, method: str, to: str, *more: tuple[str, str]) -> list[tuple[str, str]]:
    return [
        ("Via", f"SIP/2.0/UDP {sender.host}:{sender.port};branch=z9hG4bK{os.urandom(6).hex()}"),
        ("From", f"<sip:stranger@{sender.host}>;tag=1"),
        ("To", to),
        ("Call-ID", os.urandom(8).hex()),
        ("CSeq", f"1 {method}"),
        *more,
    ]


@pytest.mark.parametrize("hops", ["20", "0"])
@pytest.mark.parametrize(
    ("method", "tag"),
    [
        *((method, tag) for method in ("INVITE", "ACK", "BYE", "CANCEL", "MESSAGE") for tag in ("", ";tag=2")),
        ("OPTIONS", ";tag=2"),  # without a tag it asks whether a call would be taken, and is answered
    ],
)
async def test_a_strangers_request_is_neither_answered_nor_passed_on(
    rig: Rig, peers: tuple[SipPeer, SipPeer], method: str, tag: str, hops: str
) -> None:
    """Whatever its To tag and its Route header say, and whether or not there is something wrong with it."""
    stranger, target = peers
    proxy = ("127.0.0.1", rig.kamailio.port)
    route = ("Route", f"<sip:127.0.0.1:{rig.kamailio.port};lr>")
    uri = f"sip:target@{target.host}:{target.port}"
    headers = request_of(stranger, method, f"<sip:7001@127.0.0.1>{tag}", route, ("Max-Forwards", hops))
    stranger.send(f"{method} {uri} SIP/2.0", headers, proxy)
    await until(lambda: bool(rig.log(f"refused {method} from {STRANGER}:{stranger.port}")))
    # the line is the last thing that Kamailio does about it; what it had sent before would be here by now
    assert await asyncio.to_thread(options_status, rig.kamailio.port) == 200
    assert (stranger.received, target.received) == ([], [])
    assert not any("stranger" in message.one("From") for node in rig.nodes for message in node.received)


async def test_a_strangers_answer_is_not_passed_on(rig: Rig, peers: tuple[SipPeer, SipPeer]) -> None:
    stranger, target = peers
    proxy = f"SIP/2.0/UDP 127.0.0.1:{rig.kamailio.port};branch=z9hG4bK1"
    headers = [("Via", proxy), *request_of(target, "INVITE", "<sip:7001@127.0.0.1>;tag=2")]
    stranger.send("SIP/2.0 200 OK", headers, ("127.0.0.1", rig.kamailio.port))
    await until(lambda: bool(rig.log(f"refused an answer from {STRANGER}:{stranger.port}")))
    assert await asyncio.to_thread(options_status, rig.kamailio.port) == 200
    assert (stranger.received, target.received) == ([], [])


async def test_a_node_hangs_up_also_while_it_is_taken_out(rig: Rig) -> None:
    """Nodes are no carriers: their requests pass because they stand in the list, whatever their flags."""
    calls = [await rig.carrier.call(rig.kamailio.port) for _ in range(3)]
    node = next(node for node in rig.nodes if node.port == calls[0].node_port)
    invite = await node.next("INVITE", answer=False, call_id=calls[0].call_id)
    node.hang_up(invite)
    await rig.carrier.next("BYE", answer=False, call_id=calls[0].call_id)
    assert (await node.next("BYE", answer=True)).status == 200

    later = next(call for call in calls[1:] if call.node_port == node.port)
    before = rig.kamailio.nodes_list.read_text(encoding="utf-8")
    try:
        rig.kamailio.nodes_list.write_text(before.replace(f":{node.port} 0", f":{node.port} 4"), encoding="utf-8")
        await rig.kamailio.reload("dispatcher.reload")
        node.hang_up(await node.next("INVITE", answer=False, call_id=later.call_id))
        await rig.carrier.next("BYE", answer=False, call_id=later.call_id)
    finally:
        rig.kamailio.nodes_list.write_text(before, encoding="utf-8")
        await rig.kamailio.reload("dispatcher.reload")


async def test_with_more_nodes_than_one_call_can_try_the_staff_get_it(rig: Rig) -> None:
    """Kamailio tries twelve for one call; the thirteenth would be an error for the carrier."""

    def asked(node: Node) -> bool:
        return any(message.method == "INVITE" and not message.status for message in node.received)

    many, staff = [Node(503) for _ in range(13)], [Node() for _ in range(5)]
    for node in (*many, *staff):
        await node.open()
    try:
        places = [[f"127.0.0.1:{node.port}" for node in nodes] for nodes in (many, staff)]
        async with rig.list_of_nodes(*places):
            call = await rig.carrier.call(rig.kamailio.port)
            assert (call.status, call.node_port) == (200, next(node.port for node in staff if asked(node)))
            assert sum(asked(node) for node in many) == 8
            assert rig.log("no node takes the call to 7001", f"staff at sip:127.0.0.1:{call.node_port}")
            assert rig.log("NOTICE", "call to 7001: staff at", f"sip:127.0.0.1:{call.node_port}")
            for node in staff:
                node.status = 503
                node.received.clear()
            assert (await rig.carrier.call(rig.kamailio.port)).status == 503
            assert sum(asked(node) for node in staff) == 3
    finally:
        for node in (*many, *staff):
            node.close()


async def test_a_node_to_which_nothing_can_be_sent_is_passed_over(rig: Rig) -> None:
    """A local error of the system, such as no way from this socket to that address."""
    unreachable, good = ["198.51.100.8:5068", "198.51.100.9:5069"], rig.nodes[0]
    async with rig.list_of_nodes([*unreachable, f"127.0.0.1:{good.port}"], []):
        calls = await asyncio.gather(*(rig.carrier.call(rig.kamailio.port) for _ in range(3)))  # one begins at each
        assert [call.status for call in calls] == [200] * 3
        assert [call.node_port for call in calls] == [good.port] * 3
        for address in unreachable:
            assert rig.log(f"sip:{address} does not answer")


@pytest.mark.parametrize("status", [401, 403, 500, 503])
async def test_a_node_that_refuses_options_gets_no_calls(rig: Rig, status: int) -> None:
    """A node that does not know Kamailio answers so, and would to every call."""
    refusing, other = rig.nodes
    refusing.options_status = status
    await until(lambda: bool(rig.log(f"sip:127.0.0.1:{refusing.port} gets no calls")))
    for _ in range(2):
        assert (await rig.carrier.call(rig.kamailio.port)).node_port == other.port


async def test_the_log_names_the_node_and_no_caller(rig: Rig) -> None:
    silent, other = [f"sip:127.0.0.1:{node.port}" for node in rig.nodes]
    rig.nodes[0].status = 0
    for _ in range(2):
        assert (await rig.carrier.call(rig.kamailio.port)).node_port == rig.nodes[1].port
    assert rig.log("does not answer")
    assert all(f"{silent} does not answer" in line for line in rig.log("does not answer"))
    assert len(rig.log(f"call to 7001: {other}")) == 2
    await rig.active(*(node.port for node in rig.nodes))
    await until(lambda: bool(rig.log(f"{silent} gets calls again")))

    rig.nodes[0].options_status = 503
    await until(lambda: bool(rig.log(f"{silent} gets no calls")))
    rig.nodes[0].options_status = 200
    await rig.active(*(node.port for node in rig.nodes))
    for words in ("gets no calls", "gets calls again"):
        assert all(f" {silent} {words}" in line for line in rig.log(words))
    assert not rig.log("null")
    assert not rig.log(CALLER)


@pytest.mark.parametrize("outer_host", ["127.0.0.4", "127.0.0.1"])
async def test_behind_nat_nodes_are_told_the_inner_address_and_the_carrier_the_public_one(
    home: RehearsalHome, tmp_path: Path, outer_host: str
) -> None:
    """Kamailio between two networks, or with one address and a port for each side."""
    kamailio = RealKamailio(await ensure_kamailio(home.directory, print), tmp_path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        trial.bind((outer_host, 0))
        outer_port = int(trial.getsockname()[1])
    node, carrier = Node(), Carrier(CARRIER, outer_host)
    for peer in (node, carrier):
        await peer.open()
    public = "203.0.113.5:5062"
    kamailio.write([node.port], [], [CARRIER], advertised=(f"{outer_host}:{outer_port}", public))
    await kamailio.start()
    try:
        call = await carrier.call(outer_port)
        assert (call.status, call.node_port) == (200, node.port)
        assert call.routes[0].startswith(f"<sip:{public};")
        invite = await node.next("INVITE", answer=False)
        assert invite.all("Record-Route")[0].startswith(f"<sip:127.0.0.1:{kamailio.port};")
        assert invite.one("Via").startswith(f"SIP/2.0/UDP 127.0.0.1:{kamailio.port};")
        assert (await call.request("INVITE")).status == 200
        node.hang_up(invite)
        bye = await carrier.next("BYE", answer=False)
        assert bye.one("Via").startswith(f"SIP/2.0/UDP {public};")
        assert (await node.next("BYE", answer=True)).status == 200
    finally:
        await kamailio.stop()
        for peer in (node, carrier):
            peer.close()
