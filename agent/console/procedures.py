"""The procedures as the files have them, now and when a call ran: for maps, promotions, answers. Nothing is changed."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.dialog.model.model import PackFile
from agent.dialog.pack.archive import EditionArchive
from agent.dialog.pack.reader import PackReading, read_files, read_pack
from agent.errors import OrderlineError

log = logging.getLogger(__name__)

_EDITIONS_REMEMBERED = 8

Signature = frozenset[tuple[str, int, int]]
PublishedFiles = Callable[[str], Awaitable[Mapping[str, str] | None]]
"""Gives the files of a published edition by its fingerprint; None where there is none."""


@dataclass(frozen=True)
class ProcedureReading:
    """What was read, as far as it could be."""

    contents: PackFile
    edition: str
    """The same fingerprint as the agent's, where the agent has read these files."""
    problems: tuple[str, ...]
    """Mistakes in the files, for people."""


class ProcedureFiles:
    """Reads a directory of procedures, and again when a file of it has changed."""

    def __init__(self, directory: Path, archive: EditionArchive, published: PublishedFiles) -> None:
        """``archive`` is the agent's: editions that calls ran on, the latest only; ``published`` has all of ours."""
        self._directory = directory
        self._archive = archive
        self._published = published
        self._editions: dict[str, ProcedureReading] = {}
        self._lock = asyncio.Lock()
        self._signature: Signature | None = None
        self._reading: ProcedureReading | None = None

    async def read(self) -> ProcedureReading:
        """Return the procedures. Raises OSError for a directory that cannot be read."""
        async with self._lock:
            signature = await asyncio.to_thread(self._look)
            if self._reading is None or signature != self._signature:
                self._reading = await asyncio.to_thread(self._read)
                self._signature = signature
            return self._reading

    async def of_edition(self, edition: str) -> ProcedureReading:
        """Return the procedures as a call's edition has them; those of now where that edition is not kept.

        Raises OSError for a directory that cannot be read.
        """
        today = await self.read()
        if not edition or edition == today.edition:
            return today
        if edition not in self._editions:
            found = await self._kept(edition)
            if found is None:
                return today
            self._editions[edition] = ProcedureReading(found.contents, found.fingerprint, ())
            for oldest in list(self._editions)[:-_EDITIONS_REMEMBERED]:
                del self._editions[oldest]
        return self._editions[edition]

    async def _kept(self, edition: str) -> PackReading | None:
        found = await asyncio.to_thread(self._archive.read, edition)
        if found is None:
            try:
                texts = await self._published(edition)
            except (sqlite3.Error, OSError, OrderlineError) as error:
                log.warning("Published editions cannot be read for the map of a call: %s", error)
                texts = None
            found = None if texts is None else await asyncio.to_thread(read_files, texts)
        return found

    def _look(self) -> Signature:
        files = [(path, path.stat()) for path in self._directory.rglob("*.yaml")]
        return frozenset((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in files)

    def _read(self) -> ProcedureReading:
        reading = read_pack(self._directory)
        problems = tuple(str(finding) for finding in reading.findings)
        return ProcedureReading(reading.contents, reading.fingerprint, problems)
