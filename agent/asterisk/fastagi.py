"""The FastAGI server: answers requests of the dialplan (docs/agi.md) with pyst2's AGI class in a thread.

pyst2's AGI takes the process's SIGHUP when it is made, which only the main thread may, and writes a trace on standard
error; here it is made without either. A hang-up is noticed by the connection's end.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import io
import logging
import socket
import socketserver
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from asterisk.agi import AGI, AGIException

from agent.common.channel_variables import channel_variable_text
from agent.common.log_rate import LogRate
from agent.errors import OrderlineError

log = logging.getLogger(__name__)

RESULT_VARIABLE = "ORDERLINE_AGI"
"""Channel variable that every service sets: ``ok``, or why there is no answer (``not_found``, ``unavailable``, ...)."""
DEADLINE_SECONDS = 3.0
"""The dialplan waits no longer for an answer."""
_CONNECTION_SECONDS = 10.0
"""For all of it: the question, the answer, and what Asterisk says to that."""
_MOST_AT_ONCE = 100
_LINE_CHARS = 4096
_PRESENTATION_BITS = 0x60
_MOST_LINES = 300
"""Asterisk sends about 25, and one for each argument."""
_VALUE_CHARS = 200


class AgiRefusal(OrderlineError):
    """A question cannot be answered; ``code`` goes into the channel variable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class AgiRequest:
    """One question of the dialplan."""

    arguments: tuple[str, ...]
    """As given to ``AGI(...)`` after the address."""
    channel_id: str
    """The channel's unique id, which is its id in ARI, too."""
    caller: str
    """The number it comes from; ``""`` when hidden."""

    def argument(self, place: int) -> str:
        """Return an argument, ``""`` when it is not there."""
        return self.arguments[place] if place < len(self.arguments) else ""


AgiService = Callable[[AgiRequest], Awaitable[Mapping[str, str]]]
"""Answers a question with channel variables. Raises OrderlineError with a code when it cannot."""


class FastAgiServer:
    """The server. :meth:`start` it in the event loop in which the services run, and :meth:`close` it."""

    def __init__(self, services: Mapping[str, AgiService], *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._services = services
        self._deadline_seconds = deadline_seconds
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lines = LogRate(log, "questions of the dialplan")
        self._places = threading.BoundedSemaphore(_MOST_AT_ONCE)
        self.port = 0

    def start(self, host: str, port: int) -> None:
        """Listen; port 0 takes a free one. Raises OSError when the port is taken."""
        self._loop = asyncio.get_running_loop()
        self._server = _Server((host, port), self._serve)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="fastagi", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None and self._thread is not None:
            await asyncio.to_thread(self._server.shutdown)
            self._server.server_close()
            self._thread.join(1.0)

    def _serve(self, stdin: io.TextIOBase, stdout: io.TextIOBase) -> None:
        if not self._places.acquire(blocking=False):
            if self._lines.allows("too many"):
                log.error("More than %d questions of the dialplan at once; one is dropped", _MOST_AT_ONCE)
            return
        try:
            agi = open_agi(_BoundedInput(stdin), stdout)
            answer = self._answer(agi.env)
            for name, value in answer.items():
                agi.set_variable(name, channel_variable_text(value, _VALUE_CHARS))
        except (AGIException, OSError, ValueError) as error:
            if self._lines.allows("hung up"):
                log.info("The dialplan hung up before it had its answer: %s", error)
        finally:
            self._places.release()

    def _answer(self, env: Mapping[str, str]) -> dict[str, str]:
        name = env.get("agi_network_script", "").strip("/").partition("?")[0]
        service = self._services.get(name)
        if service is None:
            if self._lines.allows("no such service"):
                log.error("The dialplan asks for %r; there are %s", name[:100], ", ".join(self._services))
            return {RESULT_VARIABLE: "no_such_service"}
        try:
            return {RESULT_VARIABLE: "ok", **self._run(service, _question(env))}
        except OrderlineError as error:
            if self._lines.allows(name):
                log.info("%s asked by the dialplan: %s", name, error)
            return {RESULT_VARIABLE: error.code}
        except TimeoutError:
            log.warning("%s asked by the dialplan: no answer within %g s", name, self._deadline_seconds)
            return {RESULT_VARIABLE: "timed_out"}

    def _run(self, service: AgiService, question: AgiRequest) -> Mapping[str, str]:
        if self._loop is None:
            raise AgiRefusal("unavailable", "the agent is not started")

        async def within() -> Mapping[str, str]:
            async with asyncio.timeout(self._deadline_seconds):
                return await service(question)

        future = asyncio.run_coroutine_threadsafe(within(), self._loop)
        try:
            return future.result(self._deadline_seconds + 1.0)
        except concurrent.futures.CancelledError as error:
            raise AgiRefusal("unavailable", "the agent is stopping") from error


class _BoundedInput:
    """What pyst2 reads of a connection. Raises ValueError where Asterisk would not go on."""

    def __init__(self, stdin: io.TextIOBase) -> None:
        self._stdin = stdin
        self._lines = 0

    def readline(self) -> str:
        """Return one line."""
        self._lines += 1
        line = self._stdin.readline(_LINE_CHARS + 1)
        if len(line) > _LINE_CHARS:
            raise ValueError(f"a line longer than {_LINE_CHARS} characters")
        if self._lines > _MOST_LINES:
            raise ValueError(f"more than {_MOST_LINES} lines")
        return line


def open_agi(stdin: io.TextIOBase | _BoundedInput, stdout: io.TextIOBase) -> Any:
    """Return pyst2's AGI on this connection, its environment read."""
    agi = AGI.__new__(AGI)
    agi.stdin, agi.stdout, agi.stderr = stdin, stdout, _NullTrace()
    agi._got_sighup = False
    agi.env = {}
    agi._get_agi_env()
    return agi


def _question(env: Mapping[str, str]) -> AgiRequest:
    arguments: list[str] = []
    while (name := f"agi_arg_{len(arguments) + 1}") in env:
        arguments.append(env[name].strip())
    caller = env.get("agi_callerid", "")
    if caller == "unknown" or _is_withheld(env.get("agi_callingpres", "0")):
        caller = ""
    return AgiRequest(tuple(arguments), env.get("agi_uniqueid", ""), caller)


def _is_withheld(presentation: str) -> bool:
    """Read Asterisk's number for a presentation (callerid.h): two bits say allowed, restricted or no number."""
    return not (presentation.isascii() and presentation.isdigit()) or bool(int(presentation) & _PRESENTATION_BITS)


class _NullTrace:
    """Takes pyst2's trace."""

    def write(self, text: str) -> None:
        return


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], serve: Callable[[io.TextIOBase, io.TextIOBase], None]) -> None:
        self.serve = serve
        super().__init__(address, _Connection)
        self._lines = LogRate(log, "broken connections of the dialplan")

    def handle_error(self, request: object, client_address: object) -> None:
        """Tell in a line what socketserver would print with a trace: a connection has broken."""
        if self._lines.allows(""):
            log.warning("A connection of the dialplan broke off: %s", sys.exception())


class _Connection(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.request.settimeout(_CONNECTION_SECONDS)
        # the time-out of the socket begins anew with every byte
        ending = threading.Timer(_CONNECTION_SECONDS, _cut, (self.request,))
        ending.daemon = True
        ending.start()
        try:
            self._serve()
        finally:
            ending.cancel()

    def _serve(self) -> None:
        with (
            self.request.makefile("r", encoding="utf-8", errors="replace", newline="\n") as stdin,
            self.request.makefile("w", encoding="utf-8", newline="\n") as stdout,
        ):
            self.server.serve(stdin, stdout)


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
