"""Idempotency cache: remembers the result of a change by its key, so that a repeat is never made twice."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from agent.common.service_error import NOT_SENT_AGAIN, ServiceError
from agent.shop.http.idempotency_store import IdempotencyStore

MAX_REMEMBERED = 10_000
N = TypeVar("N", bound=BaseModel)


@dataclass
class _Entry:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    result: BaseModel | None = None
    unknown: bool = False


class IdempotencyCache:
    """The changes of one running agent, by operation and key; the oldest are forgotten first."""

    def __init__(self, kept: IdempotencyStore | None = None) -> None:
        """``kept`` remembers them over a restart."""
        self._kept = kept
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()

    async def once(
        self, operation: str, key: str, noun: type[N], make: Callable[[], Awaitable[N]], *, repeatable: bool
    ) -> N:
        """Return the first result of this key; make it when there is none.

        When an earlier attempt may have acted and the system cannot tell (``repeatable`` is false), nothing is sent
        again: raises ``timed_out`` with reason ``not_sent_again``, as that attempt did.
        """
        entry = self._entries.setdefault((operation, key), _Entry())
        self._entries.move_to_end((operation, key))
        while len(self._entries) > MAX_REMEMBERED:
            self._entries.popitem(last=False)
        async with entry.lock:
            if isinstance(entry.result, noun):
                return entry.result
            if not entry.unknown and self._kept is not None:
                known = await self._kept.begin(operation, key)
                entry.unknown = known is not None
                if known is not None and (result := _read(noun, known.result)) is not None:
                    entry.result = result
                    return result
            if entry.unknown and not repeatable:
                message = f"{operation}: an earlier attempt may have acted; not sent again"
                raise ServiceError("timed_out", message, reason=NOT_SENT_AGAIN)
            try:
                return await self._make(entry, operation, key, make)
            except ServiceError as error:
                if entry.unknown and not repeatable:
                    raise ServiceError(error.code, error.message, reason=NOT_SENT_AGAIN) from error
                raise

    async def known(self, operation: str, key: str, noun: type[N]) -> N | None:
        """Return what this key has made already; None for nothing, and where that is not known."""
        entry = self._entries.get((operation, key))
        if entry is not None and isinstance(entry.result, noun):
            return entry.result
        if entry is not None or self._kept is None:
            return None
        kept = await self._kept.begin(operation, key)
        if kept is None:
            await self._kept.forget(operation, key)
            return None
        return _read(noun, kept.result)

    async def _make(self, entry: _Entry, operation: str, key: str, make: Callable[[], Awaitable[N]]) -> N:
        # stays so when the caller hangs up in the middle
        before, entry.unknown = entry.unknown, True
        try:
            result = await make()
        except ServiceError as error:
            entry.unknown = before or error.code == "timed_out"
            if not entry.unknown and self._kept is not None:
                await self._kept.forget(operation, key)
            raise
        entry.result = result
        if self._kept is not None:
            await self._kept.done(operation, key, result.model_dump_json())
        return result


def _read(noun: type[N], result: str | None) -> N | None:
    if result is None:
        return None
    try:
        return noun.model_validate_json(result)
    except ValidationError:
        return None  # kept by another version: as good as unknown
