"""The Redis that nodes share: requests give up quickly, connections come back by themselves."""

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
from redis.exceptions import RedisError, ResponseError

from agent.common.tasks import cancellation_count, raise_if_cancelled
from agent.errors import OrderlineError

log = logging.getLogger(__name__)
T = TypeVar("T")

KEY_PREFIX = "orderline:state"
TIMEOUT_SECONDS = 0.2
"""A Redis that needs longer counts as gone."""
BLOCK_SECONDS = 1.0
"""The longest BLOCK for :meth:`SharedRedis.wait`; a Redis that then needs a second more counts as gone."""
RETRY_PAUSE_SECONDS = 2.0
"""Between two tries to reach a Redis that is gone."""


class RedisUnreachable(OrderlineError):
    """The Redis that nodes share does not answer, or refuses."""

    code = "redis_unreachable"
    retryable = True


class SharedRedis:
    """Connections to one Redis; it knows, and tells the log, whether the last request was answered. Close it."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic, *, purpose: str = "live state") -> None:
        """``purpose`` names for the log what is shared through it. Nothing is connected before the first request."""
        self._quick = connect(url, TIMEOUT_SECONDS)
        self._patient = connect(url, BLOCK_SECONDS + 1.0)
        self._clock = clock
        self._purpose = purpose
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

        async def limited(redis: Redis) -> T:
            async with asyncio.timeout(TIMEOUT_SECONDS * 2):
                return await work(redis)

        try:
            return await self.request(limited)
        except RedisUnreachable:
            return otherwise

    async def request(self, work: Callable[[Redis], Awaitable[T]]) -> T:
        """Do something with Redis, whatever became of the last request. Raises :class:`RedisUnreachable`."""
        return await self._watched(work(self._quick))

    async def wait(self, work: Callable[[Redis], Awaitable[T]]) -> T:
        """Do something that waits in Redis for up to :data:`BLOCK_SECONDS`. Raises :class:`RedisUnreachable`."""
        return await self._watched(work(self._patient))

    async def close(self) -> None:
        """Close the connections; idempotent."""
        for client in (self._quick, self._patient):
            with contextlib.suppress(RedisError, OSError):
                await client.aclose()

    async def _watched(self, work: Awaitable[T]) -> T:
        known = cancellation_count()
        try:
            result = await work
        except (RedisError, OSError, TimeoutError) as error:
            raise_if_cancelled(known)
            if is_wrong_type(error):
                raise _unreachable(error) from error  # Redis is well; what stands under this key is not ours
            self._not_before = self._clock() + RETRY_PAUSE_SECONDS
            if self.connected:
                log.warning(
                    "Redis is gone, this node goes on alone with %s: %s", self._purpose, error or type(error).__name__
                )
            self.connected = False
            raise _unreachable(error) from error
        raise_if_cancelled(known)
        if not self.connected:
            self.connected = True
            log.info("%s is shared through Redis", self._purpose)
            for callback in self.on_found:
                await callback()
        return result


def connect(url: str, timeout_seconds: float) -> Redis:
    """Return a client whose single steps take so long at most, and that never tries twice."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=20,
        timeout=timeout_seconds,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=min(timeout_seconds, 1.0),
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
        encoding_errors="replace",  # a value that is no UTF-8 spoils itself, not the answer it stands in
    )
    return Redis(connection_pool=pool)


async def redis_clock(redis: Redis) -> float:
    """Seconds since 1970 on Redis's clock: the one clock that all nodes can tell."""
    seconds, microseconds = await redis.time()
    return float(seconds) + float(microseconds) / 1e6


async def redis_ahead(redis: Redis, clock: Callable[[], float]) -> float:
    """Return by how many seconds Redis's clock is ahead of ``clock``; wrong by half the way there and back at most."""
    asked_at = clock()
    theirs = await redis_clock(redis)
    return theirs - (asked_at + clock()) / 2


def is_wrong_type(error: object) -> bool:
    """Return whether Redis refused because something else stands under a key than we keep there."""
    return isinstance(error, ResponseError) and "WRONGTYPE Operation against" in str(error)


async def delete_foreign(redis: Redis, key: str) -> None:
    """Delete what stands under a key of ours and is of a type that cannot be ours; the log is told."""
    log.warning("%s in Redis holds something else than this program keeps there; it is deleted", key)
    await redis.delete(key)


async def redis_version(url: str) -> str:
    """Return the server's version, for checks. Raises :class:`RedisUnreachable`, without the address's password."""
    client = connect(url, 2.0)
    try:
        async with asyncio.timeout(5):
            about = await client.info("server")
    except (RedisError, OSError, TimeoutError) as error:
        raise _unreachable(error) from error
    finally:
        await client.aclose()
    return str(about.get("redis_version", "?"))


def _unreachable(error: Exception) -> RedisUnreachable:
    return RedisUnreachable(f"Redis does not answer: {error or type(error).__name__}")
