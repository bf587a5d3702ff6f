"""The emergency log: who withheld a number, for the day on which the police ask. Off unless a file is set."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from agent.call.records import Caller

log = logging.getLogger(__name__)

_OWNER_ONLY = 0o600
_SECONDS = 1.0


def _local_now() -> datetime:
    return datetime.now().astimezone()


class WithheldNumberLog:
    """Appends a line of JSON for each call whose number is withheld: time, call id, number, name, number dialled."""

    def __init__(self, path: Path, wall: Callable[[], datetime] = _local_now) -> None:
        """``wall`` gives the time of day."""
        self._path = path
        self._wall = wall

    async def write(self, call_id: str, caller: Caller) -> None:
        """Keep one; a file that cannot be written is logged and stops no call."""
        line = json.dumps(
            {
                "at": self._wall().isoformat(timespec="milliseconds"),
                "call": call_id,
                "number": caller.number,
                "name": caller.name,
                "dialled": caller.dialled,
            },
            ensure_ascii=True,
        )
        try:
            async with asyncio.timeout(_SECONDS):  # the call waits for it
                await asyncio.to_thread(self._append, f"{line}\n".encode())
        except (OSError, TimeoutError) as error:
            log.error("The emergency log %s cannot be written: %s", self._path, error or "its disk does not answer")

    def _append(self, line: bytes) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
