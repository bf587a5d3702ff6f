"""The procedures as the files have them now: for maps, promotions and answers. Nothing is changed here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from agent.dialog.model.model import PackFile
from agent.dialog.pack.reader import read_pack

Signature = frozenset[tuple[str, int, int]]


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

    def __init__(self, directory: Path) -> None:
        self._directory = directory
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

    def _look(self) -> Signature:
        files = [(path, path.stat()) for path in self._directory.rglob("*.yaml")]
        return frozenset((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in files)

    def _read(self) -> ProcedureReading:
        reading = read_pack(self._directory)
        problems = tuple(str(finding) for finding in reading.findings)
        return ProcedureReading(reading.contents, reading.fingerprint, problems)
