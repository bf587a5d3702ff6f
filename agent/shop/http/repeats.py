"""Remembers what a change with some key came to, so that the same request again never makes a second one."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from agent.call.errors import ServiceError

MAX_KEPT = 10_000


@dataclass
class _Entry:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    done: bool = False
    result: Any = None
    unknown: bool = False


class Repeats:
    """The changes of one running agent, by operation and key; the oldest are forgotten first."""

    def __init__(self) -> None:
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()

    async def once(self, operation: str, key: str, make: Callable[[], Awaitable[Any]], *, repeatable: bool) -> Any:
        """Return the first result of this key; make it when there is none.

        When an earlier attempt may have acted and the system cannot tell (``repeatable`` is false), nothing is sent
        again: raises ``timed_out``, as that attempt did.
        """
        entry = self._entries.setdefault((operation, key), _Entry())
        self._entries.move_to_end((operation, key))
        while len(self._entries) > MAX_KEPT:
            self._entries.popitem(last=False)
        async with entry.lock:
            if entry.done:
                return entry.result
            if entry.unknown and not repeatable:
                raise ServiceError("timed_out", f"{operation}: an earlier attempt may have acted; not sent again")
            entry.unknown = True
            try:
                entry.result = await make()
            except ServiceError as error:
                entry.unknown = error.code == "timed_out"
                raise
            entry.done, entry.unknown = True, False
            return entry.result
