"""A request to Redis ends with its task, also where the library on the way swallows the cancellation."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisGone

from agent.common.redis import RETRY_PAUSE_SECONDS, RedisUnreachable, SharedRedis
from agent.rehearsal.real_redis import RealRedis


@pytest.mark.parametrize("ending", ["answers", "breaks"])
async def test_a_swallowed_cancellation_still_ends_the_task(ending: str) -> None:
    link = SharedRedis("redis://127.0.0.1:1/0")
    asking = asyncio.Event()
    rounds = 0

    async def swallow(redis: Redis) -> str:
        nonlocal rounds
        rounds += 1
        asking.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:  # as wait_for of Python 3.11 does when its work is done in the same moment
            if ending == "breaks":
                raise RedisGone("gone") from None
        return "an answer"

    async def loop() -> None:
        while True:
            await link.ask(swallow, "")

    task = asyncio.create_task(loop())
    await asking.wait()
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=20)
    assert task in done
    assert task.cancelled()
    assert rounds == 1
    await link.close()


async def unreachable(redis: Redis) -> str:
    return str(await redis.get("key"))


async def test_a_redis_that_is_gone_is_an_error_or_the_other_answer_as_was_asked_for() -> None:
    link = SharedRedis("redis://127.0.0.1:1/0")
    for request in (link.request, link.wait):
        with pytest.raises(RedisUnreachable):
            await request(unreachable)
    assert await link.ask(unreachable, "nothing") == "nothing"
    assert not link.connected
    await link.close()


async def test_a_request_tries_again_at_once_where_a_question_keeps_its_pause(redis: RealRedis) -> None:
    now = 0.0
    link = SharedRedis(redis.url, lambda: now)
    await redis.stop()
    assert await link.ask(unreachable, "nothing") == "nothing"
    await redis.start()
    assert await link.ask(unreachable, "nothing") == "nothing"
    assert not link.connected
    assert await link.request(unreachable) == "None"
    assert link.connected
    now += RETRY_PAUSE_SECONDS
    assert await link.ask(unreachable, "nothing") == "None"
    await link.close()
