"""The ARI client against a small Asterisk that speaks ARI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriAuthFailed, AriNotFound, AriUnreachable
from agent.asterisk.websocket_protocol import MediaSocket
from tests.asterisk.fake_asterisk import FakeAsterisk


@pytest.fixture
async def asterisk() -> AsyncIterator[FakeAsterisk]:
    fake = FakeAsterisk()
    await fake.start()
    yield fake
    fake.frozen.set()
    await fake.stop()


def client(asterisk: FakeAsterisk, password: str = "secret", **options: Any) -> AriClient:
    return AriClient(asterisk.url, "orderline", password, "orderline", **options)


async def test_an_event_reaches_the_handlers_of_its_type_and_of_all(asterisk: FakeAsterisk) -> None:
    async with client(asterisk) as ari:
        got: asyncio.Queue[str] = asyncio.Queue()
        ari.on("StasisStart", lambda event: got.put_nowait("typed " + event["channel"]["id"]))
        forget = ari.on("*", lambda event: got.put_nowait("any " + event["type"]))
        await asterisk.ring("c1", "inbound")
        assert [await got.get(), await got.get()] == ["typed c1", "any StasisStart"]
        forget()
        await asterisk.ring("c2", "inbound")
        assert await got.get() == "typed c2"
        assert got.empty()


async def test_a_broken_handler_does_not_take_the_others_events(asterisk: FakeAsterisk) -> None:
    async with client(asterisk) as ari:
        got: asyncio.Queue[str] = asyncio.Queue()

        def broken(event: dict[str, Any]) -> None:
            raise KeyError(event["type"])

        ari.on("StasisStart", broken)
        ari.on("StasisStart", lambda event: got.put_nowait(event["channel"]["id"]))
        await asterisk.ring("c1")
        await asterisk.ring("c2")
        assert [await got.get(), await got.get()] == ["c1", "c2"]


async def test_a_channel_that_is_gone_is_a_typed_error_and_hanging_it_up_is_none(asterisk: FakeAsterisk) -> None:
    async with client(asterisk) as ari:
        with pytest.raises(AriNotFound):
            await ari.channels.answer("nobody")
        await ari.channels.hangup("nobody")
        await ari.bridges.destroy("nothing")


async def test_an_unset_variable_is_empty_and_a_missing_channel_is_an_error(asterisk: FakeAsterisk) -> None:
    async with client(asterisk) as ari:
        await asterisk.ring("c1")
        assert await ari.channels.get_variable("c1", "NOTHING") == ""
        await ari.channels.set_variable("c1", "ORDERLINE_TICKET", "T-1, 'x' [y]")
        assert await ari.channels.get_variable("c1", "ORDERLINE_TICKET") == "T-1, 'x' [y]"
        with pytest.raises(AriNotFound):
            await ari.channels.get_variable("c2", "ORDERLINE_TICKET")


async def test_a_wrong_password_fails_at_once_and_is_not_retried(asterisk: FakeAsterisk) -> None:
    with pytest.raises(AriAuthFailed, match="refused"):
        await client(asterisk, password="wrong").start()
    assert asterisk.events_opened == 0
    assert len(asterisk.requests) == 1


async def test_a_frozen_asterisk_costs_the_deadline_and_no_more(asterisk: FakeAsterisk) -> None:
    async with client(asterisk, request_timeout_seconds=0.2) as ari:
        asterisk.frozen.clear()
        with pytest.raises(AriUnreachable):
            await ari.channels.list()
        asterisk.frozen.set()
        assert await ari.channels.list() == []


async def test_nobody_listening_is_said_with_the_address() -> None:
    ari = AriClient("http://127.0.0.1:9", "orderline", "secret", "orderline")
    with pytest.raises(AriUnreachable, match=r"127\.0\.0\.1:9"):
        await ari.start()


async def test_a_dropped_event_stream_comes_back_and_resynchronises(asterisk: FakeAsterisk) -> None:
    resyncs: asyncio.Queue[str] = asyncio.Queue()

    async def resync() -> None:
        resyncs.put_nowait("resync")

    ari = client(asterisk)
    ari.on_connected(resync)
    async with ari:
        got: asyncio.Queue[str] = asyncio.Queue()
        ari.on("StasisStart", lambda event: got.put_nowait(event["channel"]["id"]))
        assert await resyncs.get() == "resync"
        await asterisk.drop_event_sockets()
        async with asyncio.timeout(10):
            assert await resyncs.get() == "resync"
            await asterisk.wait_for_events_opened(2)
            await asterisk.ring("after")
            assert await got.get() == "after"
        assert ari.reconnects == 1


async def test_only_the_wanted_events_are_asked_for(asterisk: FakeAsterisk) -> None:
    async with client(asterisk, event_types=("StasisStart", "StasisEnd")):
        assert asterisk.event_filter == ["StasisStart", "StasisEnd"]


async def test_closing_leaves_no_task_behind(asterisk: FakeAsterisk) -> None:
    ari = client(asterisk)
    await ari.start()
    await ari.close()
    await ari.close()
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("ari-")]


async def test_the_audio_of_many_calls_takes_no_connection_from_requests(asterisk: FakeAsterisk) -> None:
    async with client(asterisk, connection_limit=2, request_timeout_seconds=1.0) as ari:
        sockets = [MediaSocket(lambda _: None, lambda _: None, lambda: None) for _ in range(4)]
        for number, socket in enumerate(sockets):
            await socket.connect(ari, f"call-{number}")
        await asterisk.ring("c1", "inbound")
        await ari.channels.answer("c1")
        for socket in sockets:
            await socket.close()


async def test_a_password_changed_in_asterisk_alone_is_told_and_a_new_one_in_the_settings_is_taken_up(
    asterisk: FakeAsterisk,
) -> None:
    settings = ["secret"]
    async with client(asterisk, read_password=lambda: settings[0]) as ari:
        asterisk.change_password("rotated")
        with pytest.raises(AriAuthFailed):
            await ari.channels.list()
        assert "ari.password_file" in ari.refusal, "it is told though the event stream is still there"
        await asterisk.drop_event_sockets()
        async with asyncio.timeout(10):
            while ari.connected.is_set():  # noqa: ASYNC110 - an event has none for its end
                await asyncio.sleep(0.01)
        settings[0] = "rotated"
        async with asyncio.timeout(10):
            await ari.connected.wait()
        assert ari.refusal == ""
        assert await ari.channels.list() == []


async def test_a_password_that_is_put_right_in_asterisk_needs_no_restart(asterisk: FakeAsterisk) -> None:
    async with client(asterisk) as ari:
        asterisk.change_password("rotated")
        await asterisk.drop_event_sockets()
        async with asyncio.timeout(10):
            while not ari.refusal:  # noqa: ASYNC110 - an attribute tells nobody
                await asyncio.sleep(0.01)
        assert not ari.connected.is_set()
        asterisk.change_password("secret")
        async with asyncio.timeout(10):
            await ari.connected.wait()
        assert ari.refusal == ""
