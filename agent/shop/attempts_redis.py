"""Failed verifications counted over all nodes: in each node's own file, and in Redis for the others."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import deque
from collections.abc import Callable

from redis.asyncio import Redis

from agent.common.redis import KEY_PREFIX, SharedRedis
from agent.shop.protocols import AttemptLimits

_BACKLOG = 1000
"""Failures counted while Redis is gone; older ones are still in the node's own file."""


class RedisAttemptLimits:
    """Implements :class:`agent.shop.protocols.AttemptLimits`.

    A caller is locked out when the node's own file says so, or when all nodes together have counted enough. What was
    counted while Redis was gone is handed in with the next count or question that reaches it.
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
        """``own`` counts for this node; the limits are those it was made with."""
        self._own = own
        self._link = link
        self._per_caller = per_caller
        self._per_number = per_number
        self._hidden = hidden
        self._window_seconds = window_seconds
        self._clock = clock
        self._waiting: deque[tuple[float, str, str]] = deque(maxlen=_BACKLOG)

    async def locked(self, caller: str, number: str) -> bool:
        """Return whether this caller, or this order number, has failed too often anywhere."""
        if await self._own.locked(caller, number):
            return True
        since = self._clock() - self._window_seconds

        async def count(redis: Redis) -> tuple[int, int]:
            await self._hand_in(redis)
            of_caller = await redis.zcount(_key("caller", caller), since, "+inf")
            of_number = await redis.zcount(_key("number", number), since, "+inf")
            return int(of_caller), int(of_number)

        of_caller, of_number = await self._link.ask(count, (0, 0))
        return of_caller >= (self._per_caller if caller else self._hidden) or of_number >= self._per_number

    async def failed(self, caller: str, number: str) -> None:
        """Count one failed verification, here and for all."""
        await self._own.failed(caller, number)
        self._waiting.append((self._clock(), caller, number))
        await self._link.ask(self._hand_in, None)

    async def _hand_in(self, redis: Redis) -> None:
        while self._waiting:
            at, caller, number = self._waiting[0]
            async with redis.pipeline(transaction=True) as batch:
                for key in (_key("caller", caller), _key("number", number)):
                    batch.zadd(key, {secrets.token_hex(8): at})
                    batch.zremrangebyscore(key, 0, at - self._window_seconds)
                    batch.expire(key, int(self._window_seconds) + 1)
                await batch.execute()
            if self._waiting and self._waiting[0] == (at, caller, number):
                self._waiting.popleft()


def _key(kind: str, value: str) -> str:
    """Return where failures of a caller or an order number are counted; neither stands in Redis in plain."""
    digest = hashlib.sha256(f"{kind}:{value}".encode()).hexdigest()[:32]
    return f"{KEY_PREFIX}:attempts:{kind}:{digest}"
