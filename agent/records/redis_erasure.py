"""Removes a person from the Redis that nodes share: snapshots of calls, offered deliveries, counted failures."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from agent.common.redis import KEY_PREFIX, RedisUnreachable, connect
from agent.records.copies import Kind, Removal
from agent.records.person import Person
from agent.records.redis_sharing import PREFIX

_SECONDS = 5.0
_PATTERNS = (f"{KEY_PREFIX}:*", f"{PREFIX}:*")
T = TypeVar("T")


class RedisCopies:
    """Implements :class:`agent.records.copies.RecordCopies` on Redis. Raises :class:`RedisUnreachable`."""

    place = "Redis"

    def __init__(self, url: str) -> None:
        self._url = url

    def calls_of(self, person: Person) -> set[str]:
        """Return nothing: the calls that stand here are those of the nodes' own files."""
        return set()

    def erase(self, person: Person, calls: Collection[str], *, dry_run: bool) -> list[Removal]:
        """Remove values and stream entries that hold the person or belong to the calls."""

        async def work(redis: Redis) -> list[Removal]:
            values = entries = 0
            counted = {_attempts_key("caller", code) for code in _forms(person)}
            counted |= {_attempts_key("number", code) for code in _forms(person)}
            for pattern in _PATTERNS:
                async for key in redis.scan_iter(match=pattern, count=500):
                    if await redis.type(key) == "stream":
                        entries += await self._entries(redis, key, person, calls, dry_run)
                    elif key in counted or await self._holds(redis, key, person, calls):
                        values += 1
                        if not dry_run:
                            await redis.delete(key)
            return [Removal(self.place, "values", values), Removal(self.place, "offered deliveries", entries)]

        return self._run(work)

    def expire(self, kind: Kind, before: float, *, dry_run: bool) -> list[Removal]:
        """Do nothing: everything here ends by itself within a day."""
        return []

    def follow(self) -> None:
        """Do nothing: what Redis forgets is gone."""

    async def _entries(self, redis: Redis, key: str, person: Person, calls: Collection[str], dry_run: bool) -> int:
        found: list[tuple[str, dict[str, str]]] = await redis.xrange(key)  # type: ignore[assignment]
        wanted = [
            entry_id
            for entry_id, fields in found
            if _belongs({name: _data(value) for name, value in fields.items()}, person, calls)
        ]
        if wanted and not dry_run:
            await redis.xdel(key, *wanted)
        return len(wanted)

    async def _holds(self, redis: Redis, key: str, person: Person, calls: Collection[str]) -> bool:
        if key.rpartition(":call:")[2] in calls:
            return True
        if await redis.type(key) != "string":
            return False
        return _belongs(_data(str(await redis.get(key) or "")), person, calls)

    def _run(self, work: Callable[[Redis], Awaitable[T]]) -> T:
        async def connected() -> T:
            client = connect(self._url, _SECONDS)
            try:
                return await work(client)
            except (RedisError, OSError, TimeoutError) as error:
                raise RedisUnreachable(f"Redis does not answer: {error or type(error).__name__}") from error
            finally:
                await client.aclose()

        return asyncio.run(connected())


def _belongs(data: Any, person: Person, calls: Collection[str]) -> bool:
    if person.in_data(data):
        return True
    entry = data.get("entry") if isinstance(data, dict) else None
    return isinstance(entry, dict) and str(entry.get("call_id")) in calls


def _data(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _forms(person: Person) -> set[str]:
    """The ways in which a counted failure may name the person."""
    return {person.written, *person.codes, *(f"+{code}" for code in person.codes)}


def _attempts_key(kind: str, value: str) -> str:
    """Where failures are counted (:mod:`agent.shop.attempts_redis`): neither number stands there in plain."""
    digest = hashlib.sha256(f"{kind}:{value}".encode()).hexdigest()[:32]
    return f"{KEY_PREFIX}:attempts:{kind}:{digest}"
