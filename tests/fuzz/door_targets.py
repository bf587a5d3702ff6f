"""What strangers may reach: values in the shared Redis, heads and bodies of requests to the agent's HTTP server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from agent.call.records import Caller, CallRecord, TurnRecord
from agent.call.snapshot import snapshot_of
from agent.common.redis import KEY_PREFIX
from agent.control.live_feed import LiveFeed
from agent.control.pause import PauseSwitch
from agent.control.pause_sync import PauseSync
from agent.control.routes import control_routes
from agent.control.server import ControlServer
from agent.control.shutdown import StopEndpoint
from agent.dialog.contract import NoInput, TurnInput
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from agent.records.redis_sharing import _offered, _told
from agent.recovery.interrupted_calls import InterruptedCalls
from agent.recovery.lost_calls import _record
from agent.recovery.redis_snapshots import RedisSnapshotStore
from agent.recovery.snapshot import CallSnapshot
from agent.recovery.sqlite_snapshots import SqliteSnapshotStore
from agent.speech.wording import filters
from tests.call.fakes import FakeCallerLine
from tests.fuzz.mutate import any_shape, broken_bytes, broken_json
from tests.fuzz.samples import SMALL_PACK
from tests.shop.http.mapped import NOW

Run = Callable[[random.Random], Awaitable[None]]
TOKEN = "the-token"


class _Values:
    """A Redis of values somebody planted; keys and types are always right."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.left_ms: int = 60_000
        """How long a value still stands: -1 is for ever."""
        self.connected = True

    async def ask(self, work: Callable[[Any], Awaitable[Any]], otherwise: Any) -> Any:
        """Do something with it."""
        return await work(self)

    async def scan_iter(self, **_: object) -> AsyncIterator[str]:
        for key in tuple(self.values):
            yield key

    def pipeline(self, **_: object) -> _Values:
        self._asked: list[Any] = []
        return self

    async def __aenter__(self) -> _Values:
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    def getrange(self, key: str, first: int, last: int) -> Any:
        text = self.values.get(key, "")[first : last + 1]
        if hasattr(self, "_asked"):
            self._asked.append(text)

        async def answer() -> str:
            return text

        return asyncio.ensure_future(answer())

    def pttl(self, key: str) -> None:
        self._asked.append(self.left_ms if key in self.values else -2)

    async def time(self) -> tuple[int, int]:
        return int(time.time()), 0

    async def execute(self, **_: object) -> list[Any]:
        return self._asked

    async def set(self, key: str, value: str, **_: object) -> None:
        self.values[key] = value


@contextlib.asynccontextmanager
async def redis_values() -> AsyncIterator[Run]:
    """Snapshots of calls, the pause, offers and reports of deliveries."""
    render = SandboxRenderer(filters)
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "flows").mkdir()
        (Path(directory) / "flows" / "pack.yaml").write_text(SMALL_PACK, encoding="utf-8")
        pack = FlowPack.load(Path(directory) / "flows", render.filters)
        facts = CallFacts(now=NOW, shop_name="Maple")
        conversation = Conversation(pack, facts, render)
        conversation.start()
        record = CallRecord("c-1", Caller("2025550143", "Maria", "7000"), NOW.isoformat())
        record.turns.append(TurnRecord(0.0, "Hello.", heard="hi"))
        call = ["c-1", "other", time.time(), snapshot_of(record, time.time(), conversation.snapshot())]
        told = {"since": NOW.isoformat(), "by": "alice", "at": time.time() + 5}
        entry = {
            "id": 1, "kind": "sms", "lane": "sms", "key": "k", "call_id": "c", "payload": {}, "state": "shared",
            "created_at": 1.0, "due_at": 1.0, "attempts": 1, "last_error": "",
        }  # fmt: skip
        outcome = {
            "arrived": False,
            "error": "no",
            "final": False,
            "also": [{"kind": "sms", "key": "k", "payload": {}}],
        }
        own = await SqliteSnapshotStore.open(Path(directory) / "state.sqlite", "own")
        link = _Values()
        store = RedisSnapshotStore(own, link, "own")  # type: ignore[arg-type]

        def planted(source: Any, dice: random.Random) -> str:
            if dice.random() < 0.1:
                return dice.choice(("[" * 50_000, '{"a":' * 5000, "9" * 10_000, "\ufffd", '"' + "x" * 1_100_000 + '"'))
            return broken_json(source, dice) if dice.random() < 0.8 else json.dumps(any_shape(dice))

        async def run(dice: random.Random) -> None:
            link.values = {f"{KEY_PREFIX}:call:c-1": planted(call, dice), f"{KEY_PREFIX}:pause": planted(told, dice)}
            link.left_ms = dice.choice((-1, 0, 1, 60_000, 2**62))
            found = await store.left_behind()
            for snapshot in found:
                _restored(snapshot, pack, facts, render, dice)
            pause = PauseSwitch(Path(directory) / "paused.json", lambda: NOW)
            together = PauseSync(pause, link)  # type: ignore[arg-type]
            await together.synchronise()
            pause.end("bob")
            await together.synchronise()
            await together.synchronise()
            if pause.now is not None:
                raise AssertionError("a pause that was ended came back")
            fields = {"node": "0" * 12, "until": str(dice.choice((time.time() + 9, "x", "nan", "inf", -1)))}
            with contextlib.suppress(ValueError):
                _offered({**fields, "entry": planted(entry, dice)}, time.time())
            with contextlib.suppress(ValueError):
                _told({"id": str(dice.choice((1, "x", "", "9" * 30, -1))), "outcome": planted(outcome, dice)})

        yield run
        await store.close()


def _restored(
    snapshot: CallSnapshot, pack: FlowPack, facts: CallFacts, render: SandboxRenderer, dice: random.Random
) -> None:
    """Go on with a call as far as it can be, as an agent that starts does, and write its record."""
    _record(snapshot, ("c-1",))
    line = FakeCallerLine()
    line.id = snapshot.call_id
    interrupted = InterruptedCalls([snapshot], [])
    interrupted.claim(snapshot.call_id)
    conversation, left = interrupted.restore(line, pack, facts, render)  # type: ignore[arg-type]
    if left is not None and not left.hand_over:
        conversation.resume()
        conversation.hear(dice.choice((TurnInput("yes"), TurnInput(keys="1"), NoInput(5))))


HEAD = (
    f"POST /pause HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
    'Content-Length: 13\r\nConnection: close\r\n\r\n{"by": "bob"}'
)


@contextlib.asynccontextmanager
async def _door() -> AsyncIterator[int]:
    with tempfile.TemporaryDirectory() as directory:
        pause = PauseSwitch(Path(directory) / "paused.json", lambda: NOW)
        routes = [*control_routes(pause, list), StopEndpoint().route()]
        server = ControlServer(LiveFeed(), TOKEN, dict, routes)
        await server.start("127.0.0.1", 0)
        yield server.port
        await server.close()


async def _exchange(port: int, request: bytes, patience_seconds: float = 4.0) -> bytes:
    """Send a request; return the answer, empty when none came in time: half a request has none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    with contextlib.suppress(ConnectionError, TimeoutError):
        writer.write(request)
        await writer.drain()
        async with asyncio.timeout(patience_seconds):
            answer = await reader.read()
    writer.close()
    return answer


@contextlib.asynccontextmanager
async def http_heads() -> AsyncIterator[Run]:
    """Heads of requests to the agent's HTTP server."""
    async with _door() as port:

        async def run(dice: random.Random) -> None:
            answer = await _exchange(port, broken_bytes(HEAD.encode(), dice), 0.1)
            if b" 500 " in answer[:16]:
                raise AssertionError(f"answered with {answer[:200]!r}")

        yield run


@contextlib.asynccontextmanager
async def rest_payloads() -> AsyncIterator[Run]:
    """Bodies of requests to the agent's HTTP server: JSON of any shape."""
    async with _door() as port:

        async def run(dice: random.Random) -> None:
            shape = any_shape(dice)
            if dice.random() < 0.5:
                shape = {dice.choice(("by", "drain", "timeout")): shape, "drain": dice.choice((True, shape))}
            body = json.dumps(shape).encode()
            if dice.random() < 0.2:
                body = dice.choice((b"[" * 60_000, b'{"a":' * 9000, b"\xff", b"NaN", b"9" * 9000, body[:-1]))
            kind = dice.choice(("application/json", "application/json; charset=nosuch", "text/plain", ""))
            head = (
                f"POST {dice.choice(('/pause', '/resume', '/stop'))} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                f"Authorization: Bearer {TOKEN}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            answer = await _exchange(port, head.encode() + body)
            if answer[9:12] not in (b"200", b"400"):
                raise AssertionError(f"answered with {answer[:200]!r}")

        yield run
