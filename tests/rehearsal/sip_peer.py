"""Small SIP peers by UDP for tests of a proxy: a carrier, nodes that take, refuse or ignore calls, a stranger."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field

Address = tuple[str, int]
CALLER = "2025550101"
"""Who calls, by the carrier's word."""


@dataclass
class SipMessage:
    """A request or an answer, headers in order."""

    first: str
    headers: list[tuple[str, str]]

    @classmethod
    def read(cls, data: bytes) -> SipMessage:
        """Read a datagram."""
        first, *lines = data.decode().split("\r\n\r\n", 1)[0].split("\r\n")
        pairs = [line.partition(":") for line in lines]
        return cls(first, [(name.strip().lower(), value.strip()) for name, _, value in pairs])

    def all(self, name: str) -> list[str]:
        """Return every value of a header."""
        return [value for known, value in self.headers if known == name.lower()]

    def one(self, name: str) -> str:
        """Return the first value of a header, ``""`` where there is none."""
        return next(iter(self.all(name)), "")

    @property
    def method(self) -> str:
        """The method it is about."""
        return self.one("CSeq").split()[1]

    @property
    def status(self) -> int:
        """The status of an answer, 0 for a request."""
        return int(self.first.split()[1]) if self.first.startswith("SIP/2.0") else 0


class SipPeer(asyncio.DatagramProtocol):
    """A port of its own on loopback; what comes stands in ``received``."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.received: list[SipMessage] = []
        self._news = asyncio.Event()
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self, port: int = 0) -> None:
        """Bind the port."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self.host, port))

    def close(self) -> None:
        """Give the port back."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    @property
    def port(self) -> int:
        """Its port."""
        assert self._transport is not None
        return int(self._transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Take a datagram."""
        message = SipMessage.read(data)
        self.received.append(message)
        self._news.set()
        if not message.status:
            self.on_request(message, addr)

    def on_request(self, request: SipMessage, address: Address) -> None:
        """Answer a request; nothing here."""

    async def next(self, method: str, *, answer: bool, call_id: str = "", seconds: float = 30.0) -> SipMessage:
        """Return the next request with this method, or final answer to one, taken out. Raises TimeoutError.

        ``call_id``: of this call alone.
        """
        async with asyncio.timeout(seconds):
            while True:
                for message in self.received:
                    fits = message.status >= 200 if answer else not message.status
                    if fits and message.method == method and call_id in message.one("Call-ID"):
                        self.received.remove(message)
                        return message
                self._news.clear()
                await self._news.wait()

    def send(self, first: str, headers: list[tuple[str, str]], address: Address) -> None:
        """Send a message without a body."""
        assert self._transport is not None
        lines = [first, *(f"{name}: {value}" for name, value in headers), "Content-Length: 0", "", ""]
        self._transport.sendto("\r\n".join(lines).encode(), address)


class Node(SipPeer):
    """An Asterisk: answers OPTIONS and INVITE with the status set (0: with nothing)."""

    def __init__(self, status: int = 200) -> None:
        super().__init__()
        self.status = status
        self.options_status = 200

    def on_request(self, request: SipMessage, address: Address) -> None:
        """Answer; a retransmission gets the same answer."""
        status = self.status if request.method == "INVITE" and "tag=" not in request.one("To") else 200
        if request.method == "OPTIONS":
            self.received.remove(request)
            status = self.options_status
        if not status or request.method == "ACK":
            return
        copied = [(name, value) for name, value in request.headers if name in ("via", "from", "call-id", "cseq")]
        copied += [("record-route", value) for value in request.all("record-route")]
        to = request.one("To")
        copied.append(("to", to if "tag=" in to else f"{to};tag=node{self.port}"))
        copied.append(("contact", f"<sip:node@{self.host}:{self.port}>"))
        self.send(f"SIP/2.0 {status} Answer", copied, address)

    def hang_up(self, invite: SipMessage) -> None:
        """Send BYE for the call that this INVITE began, by its Record-Route headers."""
        routes = [one.strip() for value in invite.all("Record-Route") for one in value.split(",")]
        host, _, port = routes[0].partition("sip:")[2].partition(";")[0].strip(">").partition(":")
        headers = [
            ("Via", f"SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK{os.urandom(6).hex()}"),
            ("Max-Forwards", "20"),
            ("From", f"{invite.one('To')};tag=node{self.port}"),
            ("To", invite.one("From")),
            ("Call-ID", invite.one("Call-ID")),
            ("CSeq", "1 BYE"),
            *(("Route", route) for route in routes),
        ]
        self.send(f"BYE {invite.one('Contact').strip('<>')} SIP/2.0", headers, (host, int(port)))


@dataclass
class Call:
    """A call of the carrier, and what its further requests need."""

    carrier: Carrier
    proxy: Address
    call_id: str
    answer: SipMessage
    sequence: int = 1
    routes: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        """How the call was answered."""
        return self.answer.status

    @property
    def node_port(self) -> int:
        """The port of the node that answered."""
        return int(self.answer.one("To").partition("tag=node")[2])

    async def request(self, method: str) -> SipMessage:
        """Send another request of this call by its routes; return the answer."""
        self.sequence += 1
        uri = self.answer.one("Contact").strip("<>")
        self.carrier.request(method, uri, self, self.sequence)
        answer = await self.carrier.next(method, answer=True, call_id=self.call_id)
        if method == "INVITE":
            self.carrier.request("ACK", uri, self, self.sequence)
        return answer


class Carrier(SipPeer):
    """Whoever sends calls, to a proxy at ``proxy_host``."""

    def __init__(self, host: str = "127.0.0.1", proxy_host: str = "127.0.0.1") -> None:
        super().__init__(host)
        self.proxy_host = proxy_host

    def on_request(self, request: SipMessage, address: Address) -> None:
        """Take a BYE."""
        if request.method == "BYE":
            copied = [
                (name, value) for name, value in request.headers if name in ("via", "from", "to", "call-id", "cseq")
            ]
            self.send("SIP/2.0 200 OK", copied, address)

    async def call(self, proxy_port: int, *more: tuple[str, str]) -> Call:
        """Place a call, with more headers; return it with its final answer, acknowledged."""
        call_id = os.urandom(8).hex()
        call = Call(self, (self.proxy_host, proxy_port), call_id, SipMessage("", []))
        uri = f"sip:7001@{self.proxy_host}:{proxy_port}"
        branch = self.request("INVITE", uri, call, 1, *more)
        call.answer = await self.next("INVITE", answer=True, call_id=call_id)
        call.routes = [one.strip() for value in reversed(call.answer.all("Record-Route")) for one in value.split(",")]
        if call.status == 200:
            self.request("ACK", call.answer.one("Contact").strip("<>"), call, 1)
        else:
            self.request("ACK", uri, call, 1, branch=branch)
        return call

    def request(
        self, method: str, uri: str, call: Call, sequence: int, *more: tuple[str, str], branch: str = ""
    ) -> str:
        """Send a request of a call; return its branch, which the acknowledgement of a refusal has too."""
        branch = branch or f"z9hG4bK{os.urandom(6).hex()}"
        headers = [
            ("Via", f"SIP/2.0/UDP {self.host}:{self.port};branch={branch}"),
            ("Max-Forwards", "20"),
            ("From", f"<sip:{CALLER}@{self.host}>;tag={call.call_id}"),
            ("To", call.answer.one("To") if call.answer.first else f"<{uri}>"),
            ("Call-ID", f"{call.call_id}@127.0.0.1"),
            ("CSeq", f"{sequence} {method}"),
            ("Contact", f"<sip:carrier@{self.host}:{self.port}>"),
            *(("Route", route) for route in call.routes),
            *more,
        ]
        self.send(f"{method} {uri} SIP/2.0", headers, call.proxy)
        return branch
