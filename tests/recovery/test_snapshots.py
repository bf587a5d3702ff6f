"""Live calls are kept so that another process finds them: in the node's own file, and through a real Redis."""

from __future__ import annotations

import asyncio
import stat
import threading
import time
from pathlib import Path

import pytest

from agent.common.redis import SharedRedis
from agent.recovery.redis_snapshots import RedisSnapshotStore
from agent.recovery.snapshot import CallSnapshot
from agent.recovery.sqlite_snapshots import LONGEST_SECONDS, SqliteSnapshotStore
from agent.rehearsal.real_redis import RealRedis
from tests.waiting import until


async def left_to(path: Path, holder: str = "the-next") -> dict[str, CallSnapshot]:
    keeper = await SqliteSnapshotStore.open(path, holder)
    found = await keeper.left_behind()
    await keeper.close()
    return {kept.call_id: kept for kept in found}


class TestInAFile:
    async def test_the_next_process_finds_the_latest_state_of_each_call(self, tmp_path: Path) -> None:
        path = tmp_path / "state.sqlite"
        keeper = await SqliteSnapshotStore.open(path, "one")
        for number in range(5):
            keeper.keep("c-1", {"turn": number})
        keeper.keep("c-2", {"turn": 0})
        keeper.keep("c-3", {"turn": 0})
        keeper.forget("c-3")
        assert await keeper.left_behind() == [], "its own calls are not left behind"
        await keeper.close()
        left = await left_to(path)
        assert {name: kept.state for name, kept in left.items()} == {"c-1": {"turn": 4}, "c-2": {"turn": 0}}
        assert left["c-1"].holder == "one"

    async def test_a_state_that_comes_while_the_writer_takes_the_others_is_written_too(self, tmp_path: Path) -> None:
        path = tmp_path / "state.sqlite"
        keeper = await SqliteSnapshotStore.open(path, "one")
        writers: list[threading.Thread] = []

        class TakenMeanwhile(dict[str, CallSnapshot | None]):
            """Looked at, it lets a writer in, as far as that one may come in."""

            def __len__(self) -> int:
                if not writers:
                    writers.append(threading.Thread(target=keeper._write))
                    writers[0].start()
                    writers[0].join(0.2)
                return super().__len__()

        keeper._waiting = TakenMeanwhile({"c-0": CallSnapshot("c-0", "one", 1.0e10)})
        keeper.keep("c-1", {"turn": 1})
        await asyncio.to_thread(writers[0].join)
        await keeper.left_behind()  # whatever was asked of the writer is done
        assert set(await left_to(path)) == {"c-0", "c-1"}
        await keeper.close()

    async def test_what_is_written_another_process_finds_while_this_one_lives(self, tmp_path: Path) -> None:
        path = tmp_path / "state.sqlite"
        keeper = await SqliteSnapshotStore.open(path, "one")
        for turn in range(50):
            keeper.keep("c-1", {"turn": turn})
            await keeper.written()
            assert (await left_to(path))["c-1"].state == {"turn": turn}
        await keeper.close()
        await keeper.written()

    async def test_what_belongs_to_no_call_any_more_is_thrown_away(self, tmp_path: Path) -> None:
        path = tmp_path / "state.sqlite"
        keeper = await SqliteSnapshotStore.open(path, "one", clock=lambda: 1000.0)
        keeper.keep("c-1", {})
        await keeper.close()
        late = await SqliteSnapshotStore.open(path, "two", clock=lambda: 1000.0 + LONGEST_SECONDS + 1)
        assert await late.left_behind() == []
        await late.close()

    async def test_only_its_owner_may_read_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "state.sqlite"
        keeper = await SqliteSnapshotStore.open(path, "one")
        keeper.keep("c-1", {})
        await keeper.close()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    async def test_a_file_that_cannot_be_used_costs_resuming_and_nothing_else(self, tmp_path: Path) -> None:
        (tmp_path / "state.sqlite").write_bytes(b"this is no database" * 100)
        keeper = await SqliteSnapshotStore.open(tmp_path / "state.sqlite", "one")
        keeper.keep("c-1", {})
        assert await keeper.left_behind() == []
        await keeper.close()
        keeper.keep("c-1", {})


class Node:
    """One node's keeper with its own file and its own way to Redis."""

    def __init__(self, keeper: RedisSnapshotStore, link: SharedRedis) -> None:
        self.keeper = keeper
        self.link = link

    @classmethod
    async def open(cls, directory: Path, name: str, url: str, *, ahead_seconds: float = 0.0) -> Node:
        def clock() -> float:
            return time.time() + ahead_seconds

        link = SharedRedis(url)
        own = await SqliteSnapshotStore.open(directory / f"{name}.sqlite", name, clock)
        return cls(RedisSnapshotStore(own, link, name, clock), link)

    async def close(self) -> None:
        await self.keeper.close()
        await self.link.close()


class TestThroughRedis:
    async def test_another_node_finds_what_a_dead_one_held(self, redis: RealRedis, tmp_path: Path) -> None:
        first, second = [await Node.open(tmp_path, name, redis.url) for name in ("first", "second")]
        first.keeper.keep("c-1", {"turn": 1})
        first.keeper.keep("c-1", {"turn": 2})
        first.keeper.keep("c-2", {"turn": 1})
        first.keeper.forget("c-2")
        await first.close()
        (kept,) = await second.keeper.left_behind()
        assert (kept.call_id, kept.holder, kept.state) == ("c-1", "first", {"turn": 2})
        await second.close()

    async def test_one_that_hung_undoes_nothing_of_a_call_that_another_has_taken(
        self, redis: RealRedis, tmp_path: Path
    ) -> None:
        hung, other, third = [await Node.open(tmp_path, name, redis.url) for name in ("hung", "other", "third")]
        hung.keeper.keep("c-1", {"turn": 1})
        await until(lambda: hung.keeper._begun == {"c-1"})
        (kept,) = await other.keeper.of_channel("c-1")
        assert kept.state == {"turn": 1}
        other.keeper.keep("c-1", {"turn": 2})
        await until(lambda: other.keeper._begun == {"c-1"})
        hung.keeper.keep("c-1", {"turn": "of the past"})
        hung.keeper.forget("c-1")
        await hung.close()
        (kept,) = await third.keeper.of_channel("c-1")
        assert (kept.holder, kept.state) == ("other", {"turn": 2})
        other.keeper.forget("c-1")
        await other.close()
        assert await third.keeper.of_channel("c-1") == []
        await third.close()

    async def test_only_calls_on_the_channel_are_found(self, redis: RealRedis, tmp_path: Path) -> None:
        """Also where its id holds signs that mean something in a pattern of Redis."""
        first, second = [await Node.open(tmp_path, name, redis.url) for name in ("first", "second")]
        for call_id in ("a[1].2", "a[1].2-beef", "a[1].23", "a1.2"):
            first.keeper.keep(call_id, {})
        await first.close()
        found = await second.keeper.of_channel("a[1].2")
        assert {kept.call_id for kept in found} == {"a[1].2", "a[1].2-beef"}
        await second.close()

    @pytest.mark.parametrize("ahead_seconds", [1200.0, -1200.0])
    async def test_a_node_whose_clock_is_wrong_leaves_calls_of_their_real_age(
        self, redis: RealRedis, tmp_path: Path, ahead_seconds: float
    ) -> None:
        first = await Node.open(tmp_path, "first", redis.url, ahead_seconds=ahead_seconds)
        second = await Node.open(tmp_path, "second", redis.url)
        first.keeper.keep("c-1", {"turn": 1})
        await first.close()
        (kept,) = await second.keeper.left_behind()
        assert abs(time.time() - kept.at) < 60
        assert abs(kept.ahead_seconds - ahead_seconds) < 60
        await second.close()

    async def test_a_frozen_redis_holds_nobody_up_and_the_own_file_still_knows(
        self, redis: RealRedis, tmp_path: Path
    ) -> None:
        node = await Node.open(tmp_path, "first", redis.url)
        redis.freeze()
        for number in range(50):
            node.keeper.keep("c-1", {"turn": number})
        async with asyncio.timeout(20):
            await node.close()
        assert (await left_to(tmp_path / "first.sqlite"))["c-1"].state == {"turn": 49}

    async def test_a_killed_redis_is_found_again(self, redis: RealRedis, tmp_path: Path) -> None:
        node = await Node.open(tmp_path, "first", redis.url)
        assert await node.link.ask(lambda client: client.ping(), False)  # type: ignore[arg-type, return-value]
        await redis.stop()
        assert await node.keeper.left_behind() == []
        assert not node.link.connected
        await redis.start()
        await until(lambda: node.link.is_available)
        node.keeper.keep("c-1", {"turn": 1})
        await until(lambda: node.link.connected)
        await node.close()
