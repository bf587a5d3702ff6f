"""Questions of a dialplan, over real connections."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

from agent.asterisk.fastagi import FastAgiServer, Question, Service


async def ask(port: int, script: str, *arguments: str, caller: str = "2025550143") -> list[str]:
    """Be Asterisk: send the question, acknowledge each command, return the commands."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [
        "agi_network: yes", f"agi_network_script: {script}", f"agi_request: agi://127.0.0.1:{port}/{script}",
        "agi_uniqueid: pbx-1.7", f"agi_callerid: {caller}",
        *(f"agi_arg_{number}: {value}" for number, value in enumerate(arguments, 1)), "", "",
    ]  # fmt: skip
    writer.write("\n".join(lines).encode())
    commands = []
    while line := (await reader.readline()).decode().strip():
        commands.append(line)
        writer.write(b"200 result=1\n")
    writer.close()
    return commands


@contextlib.asynccontextmanager
async def serving(service: Service, **options: float) -> AsyncIterator[FastAgiServer]:
    server = FastAgiServer({"echo": service}, **options)  # type: ignore[arg-type]
    await server.start("127.0.0.1", 0)
    try:
        yield server
    finally:
        await server.close()


async def echo(question: Question) -> Mapping[str, str]:
    return {"RESULT": "ok", "SAID": "/".join((question.channel_id, question.caller, *question.arguments))}


async def test_the_answers_are_channel_variables_without_dialplan_in_them() -> None:
    async with serving(echo) as server:
        assert await ask(server.port, "echo", "10473", 'a"b ${SHELL(id)}\\') == [
            'SET VARIABLE "ORDERLINE_RESULT" "ok"',
            'SET VARIABLE "ORDERLINE_SAID" "pbx-1.7/2025550143/10473/a b SHELL(id)"',
        ]
        assert "pbx-1.7//x" in (await ask(server.port, "echo", "x", caller="unknown"))[1]


async def test_an_unknown_service_and_one_that_breaks_are_answered_too() -> None:
    async def breaks(question: Question) -> Mapping[str, str]:
        raise KeyError("order")

    async with serving(breaks) as server:
        assert await ask(server.port, "nothing") == ['SET VARIABLE "ORDERLINE_RESULT" "unknown_service"']
        assert await ask(server.port, "echo") == ['SET VARIABLE "ORDERLINE_RESULT" "failed"']


async def test_a_slow_service_does_not_keep_the_call() -> None:
    async def never(question: Question) -> Mapping[str, str]:
        await asyncio.Event().wait()
        return {}

    async with serving(never, service_seconds=0.1) as server:
        assert await ask(server.port, "echo") == ['SET VARIABLE "ORDERLINE_RESULT" "timed_out"']


async def test_what_is_no_question_is_dropped_and_the_next_question_answered() -> None:
    async with serving(echo, workers=1, read_seconds=0.2) as server:
        for noise in (b"", b"GET / HTTP/1.1\r\n\r\n", b"agi_request: x", b"x" * 100_000, b"\xff\xfe\n\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(noise)
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
        async with asyncio.timeout(5):
            while len(await ask_or_refused(server.port)) != 2:  # noqa: ASYNC110 - the worker is free within a moment
                await asyncio.sleep(0.01)


async def test_when_all_workers_are_busy_a_question_is_turned_away_at_once() -> None:
    entered, gate = asyncio.Event(), asyncio.Event()

    async def waits(question: Question) -> Mapping[str, str]:
        entered.set()
        await gate.wait()
        return {"RESULT": "ok"}

    async with serving(waits, workers=1) as server:
        first = asyncio.create_task(ask(server.port, "echo"))
        await entered.wait()
        async with asyncio.timeout(3):
            assert await ask_or_refused(server.port) == []
        gate.set()
        assert await first == ['SET VARIABLE "ORDERLINE_RESULT" "ok"']


async def ask_or_refused(port: int) -> list[str]:
    with contextlib.suppress(ConnectionError):
        return await ask(port, "echo")
    return []
