"""Failed verifications counted over all nodes: in each node's own file, and in Redis for the others."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import deque
from collections.abc import Callable

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from agent.common.redis import KEY_PREFIX, SharedRedis, delete_foreign, is_wrong_type, redis_clock
from agent.common.untrusted import CLOCK_SKEW_SECONDS
from agent.shop.protocols import AttemptLimits, Lock

_MOST_COUNTED = 1000
"""Failures kept of one caller or order: many more than any limit."""
_BACKLOG = 1000
"""Failures counted while Redis is gone; older ones are still in the node's own file."""


class RedisAttemptLimits:
    """Implements :class:`agent.shop.protocols.AttemptLimits`.

    A caller is locked out when the node's own file says so, or when all nodes together have counted enough. What was
    counted while Redis was gone is handed in with the next count or question that reaches it. Times in Redis are by
    Redis's clock: those of the nodes need not agree.
    """

    def __init__(
        self,
        own: AttemptLimits,
        link: SharedRedis,
        *,
        per_caller: int,
        per_number: int,
        hidden: int,
        window_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``own`` counts for this node; the limits are those it was made with. ``clock``: seconds, this node's own."""
        self._own = own
        self._link = link
        self._per_caller = per_caller
        self._per_number = per_number
        self._hidden = hidden
        self._window_seconds = window_seconds
        self._clock = clock
        self._waiting: deque[tuple[float, str, str]] = deque(maxlen=_BACKLOG)

    async def locked(self, caller: str, number: str) -> Lock:
        """Return who has failed too often anywhere: this caller, or this order number by anybody."""
        own = await self._own.locked(caller, number)
        if own == "caller":
            return own

        async def counted(redis: Redis, key: str, now: float) -> int:
            try:
                return int(await redis.zcount(key, now - self._window_seconds, now + CLOCK_SKEW_SECONDS))
            except ResponseError as error:
                if not is_wrong_type(error):
                    raise
                await delete_foreign(redis, key)
                return 0

        async def count(redis: Redis) -> tuple[int, int]:
            await self._hand_in(redis)
            now = await redis_clock(redis)
            return await counted(redis, _key("caller", caller), now), await counted(redis, _key("number", number), now)

        of_caller, of_number = await self._link.ask(count, (0, 0))
        if of_caller >= (self._per_caller if caller else self._hidden):
            return "caller"
        return "number" if of_number >= self._per_number else own

    async def failed(self, caller: str, number: str) -> None:
        """Count one failed verification, here and for all."""
        await self._own.failed(caller, number)
        self._waiting.append((self._clock(), caller, number))
        await self._link.ask(self._hand_in, None)

    async def _hand_in(self, redis: Redis) -> None:
        while self._waiting:
            at, caller, number = self._waiting[0]
            now = await redis_clock(redis)
            for key in (_key("caller", caller), _key("number", number)):
                await self._count(redis, key, now - max(0.0, self._clock() - at), now)
            if self._waiting and self._waiting[0] == (at, caller, number):
                self._waiting.popleft()

    async def _count(self, redis: Redis, key: str, at: float, now: float) -> None:
        """Add one failure, and take out what is too old, or too far in the future to be one. Times by Redis's clock."""

        async def write() -> None:
            async with redis.pipeline(transaction=True) as batch:
                batch.zadd(key, {secrets.token_hex(8): at})
                batch.zremrangebyscore(key, "-inf", now - self._window_seconds)
                batch.zremrangebyscore(key, now + CLOCK_SKEW_SECONDS, "+inf")
                batch.zremrangebyrank(key, 0, -_MOST_COUNTED - 1)
                batch.expire(key, int(self._window_seconds) + 1)
                await batch.execute()

        try:
            await write()
        except ResponseError as error:
            if not is_wrong_type(error):
                raise
            await delete_foreign(redis, key)
            await write()


def _key(kind: str, value: str) -> str:
    """Return where failures of a caller or an order number are counted; neither stands in Redis in plain."""
    digest = hashlib.sha256(f"{kind}:{value}".encode()).hexdigest()[:32]
    return f"{KEY_PREFIX}:attempts:{kind}:{digest}"
