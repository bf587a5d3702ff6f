"""The procedures on disk, read again when a file of them has changed; a file that is being written is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from agent.builder.errors import EditRefused
from agent.builder.pack_files import edition_of, read_files

SETTLED_SECONDS = 0.3
"""So long ago a file must have been written last."""
Signature = frozenset[tuple[str, int, int, int]]


class BaseFiles:
    """Reads the directory of the procedures."""

    def __init__(self, directory: Path, clock: Callable[[], float]) -> None:
        """``clock`` gives seconds since 1970."""
        self._directory = directory
        self._clock = clock
        self._lock = asyncio.Lock()
        self._signature: Signature | None = None
        self._known: tuple[str, dict[str, str]] | None = None

    async def read(self) -> tuple[str, dict[str, str]]:
        """Return the edition on disk and its files; the one before while files are being written.

        Raises OSError for a directory that cannot be read, :class:`EditRefused` for files that are no text.
        """
        async with self._lock:
            return await asyncio.to_thread(self._read)

    def _read(self) -> tuple[str, dict[str, str]]:
        signature = self._look()
        if self._known is not None:
            newest = max((mtime for _, mtime, _, _ in signature), default=0)
            settled = self._clock() - newest / 1e9 >= SETTLED_SECONDS
            if signature == self._signature or not settled:
                return self._known
        try:
            files = read_files(self._directory)
        except UnicodeDecodeError as error:
            raise EditRefused(f"a file of the procedures is no text: {error}", "broken_file") from error
        self._signature, self._known = signature, (edition_of(files), files)
        return self._known

    def _look(self) -> Signature:
        found = [(path, path.stat()) for path in self._directory.rglob("*.yaml") if not path.is_dir()]
        return frozenset((str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino) for path, stat in found)
