"""Answers to the dialplan: a FastAGI server on pyst2's AGI class. docs/agi.md has the services with examples.

pyst2 reads and writes a blocking stream, so each question has a thread of a small pool; what a service does runs on the
event loop. A dialplan that asks is a call that waits: every question has a deadline, and when no thread is free the
connection is closed at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import re
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from asterisk.agi import AGI, AGIException

log = logging.getLogger(__name__)

READ_SECONDS = 2.0
"""Asterisk sends its question at once, and its replies too; whoever takes longer is something else."""
SERVICE_SECONDS = 5.0
_MAX_QUESTION_BYTES = 16_384
_MAX_VALUE_CHARS = 200
_PLAIN = re.compile(r"[^\w .,:;+@#()/'-]")


@dataclass(frozen=True)
class Question:
    """What a dialplan asks."""

    service: str
    """The path of the address: ``agi://127.0.0.1:4573/order_status``."""
    arguments: tuple[str, ...]
    """What follows the address in ``AGI()``."""
    channel_id: str
    caller: str
    """The number of the call; ``""`` when hidden."""


Service = Callable[[Question], Awaitable[Mapping[str, str]]]
"""Returns channel variables to be set, without their ``ORDERLINE_``."""


class SocketAgi(AGI):  # type: ignore[misc]
    """pyst2's AGI on a connection. Its constructor installs a signal handler, which only the main thread may do."""

    def __init__(self, stream: io.TextIOBase) -> None:
        """Read the question. Raises OSError, ValueError."""
        self.stdin = self.stdout = stream
        self.stderr = io.StringIO()
        self._got_sighup = False
        self.env: dict[str, str] = {}
        self._get_agi_env()


class FastAgiServer:
    """Listens for a dialplan's questions. ``services`` by name; :meth:`close` it."""

    def __init__(
        self,
        services: Mapping[str, Service],
        *,
        workers: int = 8,
        read_seconds: float = READ_SECONDS,
        service_seconds: float = SERVICE_SECONDS,
    ) -> None:
        self._services = services
        self._read_seconds = read_seconds
        self._service_seconds = service_seconds
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="agi")
        self._free = threading.BoundedSemaphore(workers)
        self._open: set[socket.socket] = set()
        self._server: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 takes a free one. Raises OSError."""
        server = socket.create_server((host, port), backlog=64)
        server.setblocking(False)
        self._server, self.port = server, int(server.getsockname()[1])
        self._accepting = asyncio.create_task(self._accept(server), name="agi-accept")

    async def close(self) -> None:
        """Stop listening and cut what is open."""
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.gather(self._accepting, return_exceptions=True)
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        await asyncio.to_thread(self._pool.shutdown)

    async def _accept(self, server: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, peer = await loop.sock_accept(server)
            if not self._free.acquire(blocking=False):
                log.warning("A question from %s is turned away: %s", peer[0], "all workers are busy")
                connection.close()
                continue
            connection.settimeout(self._read_seconds)
            self._open.add(connection)
            loop.run_in_executor(self._pool, self._serve, loop, connection)

    def _serve(self, loop: asyncio.AbstractEventLoop, connection: socket.socket) -> None:
        """Answer one question; runs in a thread."""
        try:
            self._answer_on(loop, connection)
        finally:
            connection.close()
            self._open.discard(connection)
            self._free.release()

    def _answer_on(self, loop: asyncio.AbstractEventLoop, connection: socket.socket) -> None:
        with _Stream(connection) as stream:
            try:
                agi = SocketAgi(stream)
                question = question_of(agi.env)
                answer = self._answer(loop, question)
                for name, value in answer.items():
                    agi.set_variable(f"ORDERLINE_{name}", plain(value))
            except (AGIException, OSError, ValueError) as error:
                log.warning("A question of the dialplan went unanswered: %s", error or type(error).__name__)

    def _answer(self, loop: asyncio.AbstractEventLoop, question: Question) -> Mapping[str, str]:
        service = self._services.get(question.service)
        if service is None:
            known = ", ".join(sorted(self._services))
            log.error("The dialplan asks for the service %r; there are %s", question.service, known)
            return {"RESULT": "unknown_service"}
        work = asyncio.run_coroutine_threadsafe(_within(service(question), self._service_seconds), loop)
        try:
            return work.result(self._service_seconds + 1)
        except TimeoutError:
            work.cancel()
            return {"RESULT": "timed_out"}
        except Exception:  # whatever broke, the dialplan gets an answer and goes on
            log.exception("The service %s failed", question.service)
            return {"RESULT": "failed"}


async def _within(work: Awaitable[Mapping[str, str]], seconds: float) -> Mapping[str, str]:
    async with asyncio.timeout(seconds):
        return await work


def question_of(environment: Mapping[str, str]) -> Question:
    """Read what Asterisk sends at the beginning. Raises ValueError for what is no question."""
    request = environment.get("agi_request", "")
    if not request:
        raise ValueError("what came is no AGI request")
    arguments: Sequence[tuple[int, str]] = sorted(
        (int(key.removeprefix("agi_arg_")), value)
        for key, value in environment.items()
        if key.removeprefix("agi_arg_").isdigit()
    )
    caller = environment.get("agi_callerid", "")
    return Question(
        service=environment.get("agi_network_script") or urlsplit(request).path.lstrip("/"),
        arguments=tuple(value for _, value in arguments),
        channel_id=environment.get("agi_uniqueid", ""),
        caller="" if caller == "unknown" else caller,
    )


def plain(value: str) -> str:
    """Text that may stand in a channel variable: one line, no quotes, no dialplan syntax."""
    return " ".join(_PLAIN.sub(" ", value).split())[:_MAX_VALUE_CHARS]


class _Stream(io.TextIOBase):
    """A connection as the text stream pyst2 wants; a line without end is an error."""

    def __init__(self, connection: socket.socket) -> None:
        self._file = connection.makefile("rwb", buffering=-1)
        self._read = 0

    def readline(self, size: int = -1) -> str:  # type: ignore[override]
        line = self._file.readline(_MAX_QUESTION_BYTES if size < 0 else size)
        self._read += len(line)
        if not line:
            raise ConnectionError("Asterisk closed the connection")
        if self._read > _MAX_QUESTION_BYTES:
            raise ValueError(f"the question is longer than {_MAX_QUESTION_BYTES} bytes")
        return line.decode("utf-8", "replace")

    def write(self, text: str) -> int:
        return self._file.write(text.encode())

    def flush(self) -> None:
        if not self._file.closed:
            self._file.flush()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        super().close()
