"""A connection to the Redis that nodes share: gives up quickly and reconnects by itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from agent.common.tasks import cancellation_count, raise_if_cancelled

log = logging.getLogger(__name__)
T = TypeVar("T")

KEY_PREFIX = "orderline:state"
TIMEOUT_SECONDS = 0.2
"""A Redis that needs longer counts as gone."""
RETRY_PAUSE_SECONDS = 2.0
"""Between two tries to reach a Redis that is gone."""


class SharedRedis:
    """One connection to Redis that gives up quickly and knows that it has. Close it."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=20,
            timeout=TIMEOUT_SECONDS,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
        self._client = Redis(connection_pool=pool)
        self._clock = clock
        self._not_before = 0.0
        self.connected = False
        """True when the last request was answered."""
        self.on_found: list[Callable[[], Awaitable[None]]] = []
        """Run when Redis is back."""

    @property
    def is_available(self) -> bool:
        """False for a moment after a failure."""
        return self._clock() >= self._not_before

    async def ask(self, work: Callable[[Redis], Awaitable[T]], otherwise: T) -> T:
        """Do something with Redis; ``otherwise`` when it is gone, frozen or was so a moment ago."""
        if not self.is_available:
            return otherwise
        known = cancellation_count()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS * 2):
                result = await work(self._client)
        except (RedisError, OSError, TimeoutError) as error:
            raise_if_cancelled(known)
            self._not_before = self._clock() + RETRY_PAUSE_SECONDS
            if self.connected:
                log.warning("Redis is gone, this node goes on alone: %s", error or type(error).__name__)
            self.connected = False
            return otherwise
        raise_if_cancelled(known)
        if not self.connected:
            self.connected = True
            log.info("live state is shared through Redis")
            for callback in self.on_found:
                await callback()
        return result

    async def close(self) -> None:
        """Close the connections."""
        with contextlib.suppress(RedisError, OSError):
            await self._client.aclose()
