"""What reads from outside, each with good inputs to break. A target's ``run`` raises only when something is wrong."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import random
import struct
import tempfile
import threading
import uuid
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asterisk.manager import Event, ManagerMsg

from agent.asterisk.ami_queues import ManagerAddress, _state_of, _StatisticsRequest, _Worker
from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriNotFound
from agent.asterisk.channel import StasisOptions
from agent.asterisk.fastagi import FastAgiServer
from agent.asterisk.feature_codes import FeatureCodes
from agent.asterisk.media_audiosocket import AudioSocketMedia, AudioSocketServer
from agent.asterisk.media_websocket import WebsocketMedia
from agent.asterisk.stasis_app import StasisApplication
from agent.call.inbox_events import AudioFrame
from agent.call.ports import CallerLine, Media
from agent.call.queue_rules import QueueState
from agent.errors import OrderlineError
from agent.preflight.ami import ami_findings
from agent.shop.http.breaker import CircuitBreaker
from agent.shop.http.mapping_files import load_directory
from agent.shop.http.response import HttpResponse, UnreadableResponse, read_body
from agent.shop.http.shop import open_http_shop
from tests.fuzz.door_targets import http_heads, redis_values, rest_payloads
from tests.fuzz.import_targets import call_logs, impact_files
from tests.fuzz.mutate import any_shape, broken_bytes, broken_json, broken_lines
from tests.fuzz.samples import AGI, AMI, ARI_EVENTS, MEDIA_TEXTS, ORDER, SETTINGS, SMALL_PACK
from tests.shop.http.mapped import NOW, ORDER_MAPPING

Run = Callable[[random.Random], Awaitable[None]]


@dataclass(frozen=True)
class Target:
    """One thing to throw inputs at; ``share`` is its part of all inputs, in percent."""

    name: str
    share: int
    open: Callable[[], contextlib.AbstractAsyncContextManager[Run]]


@contextlib.asynccontextmanager
async def ari_events() -> AsyncIterator[Run]:
    """The event stream, with a telephony behind it whose calls end at once because no channel is there."""
    ari = AriClient("http://127.0.0.1:9", "user", "password", "orderline")

    async def gone(method: str, path: str, **_: Any) -> Any:
        raise AriNotFound(404, method, path, "gone")

    ari.request = gone  # type: ignore[method-assign]

    async def handle(line: CallerLine, media: Media) -> None:
        await line.answer()

    codes = FeatureCodes({"pause": lambda by: by, "resume": lambda by: by})
    telephony = StasisApplication(ari, handle, StasisOptions(), None, codes)

    async def run(dice: random.Random) -> None:
        ari._take_text(broken_json(dice.choice(ARI_EVENTS), dice))
        if telephony.live_calls > 20:
            await asyncio.sleep(0)

    yield run
    await telephony.close()
    if telephony.live_calls or telephony._lines:
        raise AssertionError(f"{telephony.live_calls} calls and {len(telephony._lines)} lines are left over")


@contextlib.asynccontextmanager
async def media_frames() -> AsyncIterator[Run]:
    """The media websocket's texts and frames, and AudioSocket's messages in one stream."""
    ari = AriClient("http://127.0.0.1:9", "user", "password", "orderline")

    async def gone(method: str, path: str, **_: Any) -> Any:
        raise AriNotFound(404, method, path, "gone")

    ari.request = gone  # type: ignore[method-assign]
    server = AudioSocketServer()

    async def run(dice: random.Random) -> None:
        if dice.random() < 0.7:
            media = WebsocketMedia(ari, "m", asyncio.Queue())
            media._pending.append("mark-1")
            for _ in range(3):
                if dice.random() < 0.5:
                    text = broken_bytes(dice.choice(MEDIA_TEXTS).encode(), dice).decode("utf-8", "replace")
                    media._socket._take_text(text)
                else:
                    media._take_audio(broken_bytes(bytes(320), dice))
            return
        inbox: asyncio.Queue[Any] = asyncio.Queue()
        leg = AudioSocketMedia(server, ari, "m", inbox)
        server.expect(leg)
        hello = struct.pack(">BH", 1, 16) + uuid.UUID(leg.uuid).bytes
        frames = b"".join(struct.pack(">BH", 0x10, 320) + bytes(320) for _ in range(3))
        reader = asyncio.StreamReader()
        reader.feed_data(broken_bytes(hello + frames + struct.pack(">BH", 0, 0), dice))
        reader.feed_eof()
        await server._connected(reader, _DiscardingWriter())  # type: ignore[arg-type]
        server.forget(leg)
        sizes = {len(event.pcm) for event in _drained(inbox) if isinstance(event, AudioFrame)}
        if max(sizes, default=0) > 65535:
            raise AssertionError("a frame longer than a message")

    yield run


class _DiscardingWriter:
    """A writer whose bytes nobody reads."""

    def get_extra_info(self, _: str) -> Any:
        return self

    def setsockopt(self, *_: object) -> None:
        return

    def write(self, _: bytes) -> None:
        return

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        return


def _drained(queue: asyncio.Queue[Any]) -> list[Any]:
    return [queue.get_nowait() for _ in range(queue.qsize())]


@contextlib.asynccontextmanager
async def ami_replies() -> AsyncIterator[Run]:
    """What the manager interface answers: to the preflight, and to the thread that asks how the queues stand."""
    reply = b""
    in_blocks = False

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            for block in reply.split(b"\r\n\r\n") if in_blocks else [reply]:
                writer.write(block + b"\r\n\r\n")
                await writer.drain()
                if in_blocks:  # an answer a question, as the real one; a client that asks nothing more has gone
                    await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def run(dice: random.Random) -> None:
        nonlocal reply, in_blocks
        reply = broken_bytes(AMI.replace("\n", "\r\n").encode(), dice)
        kind = dice.random()
        in_blocks = kind < 0.03
        if in_blocks:
            await asyncio.to_thread(_ask_queues, ManagerAddress("127.0.0.1", port, "orderline", "secret"))
        elif kind < 0.7:
            _queue_figures(reply)
        else:
            async for finding in ami_findings("127.0.0.1", port, "orderline", "secret"):
                if finding.verdict != "ok" and not finding.fix:
                    raise AssertionError(f"{finding} has no fix")

    # pyst2's own threads may end at what they cannot read: the connection is made anew then
    reported, threading.excepthook = threading.excepthook, lambda _: None
    try:
        yield run
    finally:
        threading.excepthook = reported
        server.close()


def _ask_queues(address: ManagerAddress) -> None:
    """One connection of the queues' thread, in this one: log in, ask, read, and give up soon."""
    worker = _Worker(address, stuck_seconds=0.1)
    answers: list[QueueState | None] = []
    worker.ask(_StatisticsRequest("orderline-humans", answers.append))
    worker._questions.put(None)
    timer = threading.Timer(0.5, worker.stop)
    timer.start()
    why = worker._serve()
    timer.cancel()
    if not why.endswith("."):
        raise AssertionError(f"nobody can read {why!r}")


def _queue_figures(reply: bytes) -> None:
    """pyst2's parser and our reading of it, as in that thread."""
    for block in reply.decode("utf-8", "replace").split("\r\n\r\n"):
        message = ManagerMsg([f"{line}\r\n" for line in block.split("\r\n")])
        if message.has_header("Event"):
            _state_of(Event(message))


@contextlib.asynccontextmanager
async def agi_requests() -> AsyncIterator[Run]:
    """Questions of the dialplan."""

    async def service(question: Any) -> Mapping[str, str]:
        return {"ORDERLINE_ANSWER": question.argument(0) + question.caller}

    agi = FastAgiServer({"orders.find": service})
    agi._loop = asyncio.get_running_loop()

    async def run(dice: random.Random) -> None:
        question = broken_bytes(AGI.encode(), dice).decode("utf-8", "replace")
        if dice.random() < 0.05:
            question = dice.choice(("x" * 1_000_000, "agi_x: y\n" * 10_000, "\n" * 5000 + question))
        answered = io.StringIO()
        await asyncio.to_thread(agi._serve, io.StringIO(question + "200 result=1\n" * 5), answered)
        for line in answered.getvalue().splitlines():
            if not line.startswith("SET VARIABLE "):
                raise AssertionError(f"the dialplan is told {line!r}")

    yield run


@contextlib.asynccontextmanager
async def flow_files() -> AsyncIterator[Run]:
    """A pack of procedures, and a short conversation with whatever of it can still be loaded; and the settings."""
    from agent.config.base import SettingsError
    from agent.config.loader import load_settings
    from agent.dialog.contract import Effect, EffectFailed, EffectSucceeded, HandOverAction, HangUp, NoInput, TurnInput
    from agent.dialog.engine.engine import CallFacts, Conversation
    from agent.dialog.errors import FlowError
    from agent.dialog.pack.loader import FlowPack
    from agent.dialog.templating.rendering import SandboxRenderer
    from agent.speech.wording import filters

    render = SandboxRenderer(filters)
    with tempfile.TemporaryDirectory() as directory:
        flows, settings = Path(directory) / "flows", Path(directory) / "settings"
        flows.mkdir()
        settings.mkdir()
        # What is broken must be good before: nothing would be tried behind the first look at it.
        (flows / "pack.yaml").write_text(SMALL_PACK, encoding="utf-8")
        (settings / "orderline.yaml").write_text(SETTINGS, encoding="utf-8")
        FlowPack.load(flows, render.filters)
        load_settings(settings)

        async def run(dice: random.Random) -> None:
            if dice.random() < 0.2:
                (settings / "orderline.yaml").write_text(broken_lines(SETTINGS, dice), "utf-8", "replace")
                with contextlib.suppress(SettingsError):
                    load_settings(settings)
                return
            (flows / "pack.yaml").write_text(broken_lines(SMALL_PACK, dice), "utf-8", "replace")
            try:
                pack = FlowPack.load(flows, render.filters)
            except FlowError:
                return
            conversation = Conversation(pack, CallFacts(now=NOW, shop_name="Maple"), render)
            turn = conversation.start()
            for _ in range(8):
                if isinstance(turn.then, HandOverAction | HangUp):
                    break
                if isinstance(turn.then, Effect):
                    done = EffectSucceeded(
                        turn.then.id, {"order": dice.choice(({"status": "sent"}, {"status": 7}, None, []))}
                    )
                    failed = EffectFailed(turn.then.id, dice.choice(("not_found", "timed_out", "what")))
                    turn = conversation.hear(dice.choice((done, done, failed)))
                else:
                    said = dice.choice(("yes", "no", "one oh four seven three", "what", "agent", "where is my order"))
                    turn = conversation.hear(dice.choice((TurnInput(said), TurnInput(keys="10473"), NoInput(5))))

        yield run


@contextlib.asynccontextmanager
async def http_replies() -> AsyncIterator[Run]:
    """What the shop's systems answer: bodies, statuses, headers, packed bodies."""
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "shop.yaml").write_text(
            ORDER_MAPPING.replace("BASE", "http://127.0.0.1:9"), encoding="utf-8"
        )
        systems = [file.system for file in load_directory(Path(directory))]
    shop = open_http_shop(systems, now=lambda: NOW)
    answer = HttpResponse(200, {}, b"")

    async def exchange(*_: object) -> HttpResponse:
        return answer

    for system in shop.mapped.values():
        system._transport._exchange = exchange  # type: ignore[method-assign]
        system._transport.breaker = _AlwaysClosedBreaker(system._transport.breaker)  # type: ignore[assignment]

    async def run(dice: random.Random) -> None:
        nonlocal answer
        many = dice.random() < 0.3
        body = broken_json({"orders": [ORDER, ORDER]} if many else ORDER, dice).encode("utf-8", "replace")
        if dice.random() < 0.1:
            body = dice.choice((json.dumps(any_shape(dice)).encode(), b"[" * 50_000, b'{"a":' * 5000, b"9" * 9000))
        if dice.random() < 0.2:
            await _packed(body, dice)
        status = dice.choice((200, 200, 200, 200, 201, 204, 206, 301, 404, 429, 500, 999))
        kind = dice.choice(("application/json", "application/json; charset=latin-1", "text/html", "", "\0"))
        answer = HttpResponse(status, {"content-type": kind, "retry-after": dice.choice(("1", "x", ""))}, body)
        with contextlib.suppress(OrderlineError):
            if many:
                await shop.orders.find_by_phone("+12025550143")
            else:
                await shop.orders.find("10473")
        await asyncio.sleep(0)  # lets the loop drop the timers of what has ended

    yield run
    await shop.close()


class _AlwaysClosedBreaker:
    """A breaker that lets everything through: the answers are what is tried."""

    def __init__(self, breaker: CircuitBreaker) -> None:
        self._breaker = breaker

    def admits(self, _: float) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._breaker, name)


async def _packed(body: bytes, dice: random.Random) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield broken_bytes(zlib.compress(body * dice.choice((1, 50))), dice)

    with contextlib.suppress(UnreadableResponse):
        unpacked = await read_body(chunks(), dice.choice(("gzip", "deflate", "br", "")), 100_000)
        if len(unpacked) > 100_000:
            raise AssertionError("more was unpacked than is allowed")


def targets() -> list[Target]:
    """All of them."""
    return [
        Target("ARI events", 26, ari_events),
        Target("media frames", 16, media_frames),
        Target("AMI replies", 10, ami_replies),
        Target("flow and settings files", 7, flow_files),
        Target("HTTP replies", 13, http_replies),
        Target("AGI requests", 8, agi_requests),
        Target("Redis values", 5, redis_values),
        Target("HTTP heads", 4, http_heads),
        Target("REST payloads", 3, rest_payloads),
        Target("call logs", 5, call_logs),
        Target("volumes and assumptions", 3, impact_files),
    ]
