"""A file beside the database that takes records, one JSON line each, while the database cannot."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from agent.common import file_lock
from agent.common.untrusted import parse_json

log = logging.getLogger(__name__)

RESERVE_BYTES = 2_000_000
"""Room for some hundred records."""


class Spool:
    """Append-only JSON lines. Its methods block on the disk: call them off the event loop. They raise ``OSError``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reserve = path.with_name(f"{path.name}.reserve")

    @property
    def empty(self) -> bool:
        """True when nothing waits."""
        try:
            return self.path.stat().st_size == 0
        except FileNotFoundError:
            return True

    def keep_reserve(self) -> None:
        """Hold some room on the disk for records that come when it is full. Costs nothing but that where it cannot."""
        try:
            with self._reserve.open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
        except OSError as error:
            log.warning("no room is held for records in %s: %s", self._reserve, error)

    def append(self, record: dict[str, Any]) -> None:
        """Add one record; on the disk when this returns. On a full disk it takes the room held for it."""
        try:
            self._append(record)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not self._reserve.exists():
                raise
            log.error("%s: the disk is full; the room held for records is used now", self.path)
            self._reserve.unlink(missing_ok=True)
            self._append(record)

    def _append(self, record: dict[str, Any]) -> None:
        line = json.dumps(record).encode("ascii") + b"\n"
        with self._locked() as file:
            end = file.seek(0, os.SEEK_END)
            if end:
                file.seek(end - 1)
                if file.read(1) != b"\n":
                    line = b"\n" + line  # a write was cut short here; its remains must not spoil this one
            try:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                with contextlib.suppress(OSError):
                    file.truncate(end)
                raise

    def ids(self) -> frozenset[str]:
        """Return the ids of the waiting records."""
        if self.empty:
            return frozenset()
        with self._locked() as file:
            return frozenset(record["id"] for record in _records(file.read())[0])

    def drain(self, store: Callable[[list[dict[str, Any]]], None]) -> int:
        """Give all waiting records to ``store``; when it returns they are forgotten here, when it raises they stay.

        A process killed in between gives them again: ``store`` must know the ones it has. Lines that are no records
        go to a file ``.unreadable`` beside this one. Returns how many records were given.
        """
        if self.empty:
            return 0
        with self._locked() as file:
            records, unreadable = _records(file.read())
            store(records)
            if unreadable:
                self.set_aside("unreadable", unreadable)
            file.truncate(0)
            os.fsync(file.fileno())
        return len(records)

    def rewrite(self, keep: Callable[[bytes], bool]) -> int:
        """Forget the lines that ``keep`` does not want; returns how many. What they were is overwritten in the file."""
        with self._locked() as file:
            lines = [line for line in file.read().split(b"\n") if line.strip()]
            kept = [line for line in lines if keep(line)]
            if len(kept) == len(lines):
                return 0
            content = b"".join(line + b"\n" for line in kept)
            end = file.seek(0, os.SEEK_END)
            file.seek(0)
            file.write(
                content.ljust(end, b"\n")
            )  # empty lines: a process that dies here leaves a spool that can be read
            file.flush()
            os.fsync(file.fileno())
            file.truncate(len(content))
            os.fsync(file.fileno())
        return len(lines) - len(kept)

    def set_aside(self, why: str, lines: list[bytes]) -> None:
        """Append lines to ``<spool>.<why>`` for a person to look at."""
        aside = self.path.with_name(f"{self.path.name}.{why}")
        with aside.open("ab") as file:
            file.write(b"".join(line + b"\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())
        log.error("%d record line(s) were set aside in %s", len(lines), aside)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(handle, "r+b") as file:
            file_lock.lock(file)
            yield file


def _records(content: bytes) -> tuple[list[dict[str, Any]], list[bytes]]:
    records: list[dict[str, Any]] = []
    unreadable: list[bytes] = []
    for line in content.split(b"\n"):
        if not line.strip():
            continue
        try:
            record = parse_json(line, most_chars=len(line))
        except ValueError:
            record = None
        if isinstance(record, dict) and isinstance(record.get("id"), str):
            records.append(record)
        else:
            unreadable.append(line)
    return records, unreadable
