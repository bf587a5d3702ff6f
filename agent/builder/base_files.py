"""The procedures on disk, read again when a file of them has changed; a file that is being written is left alone."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from agent.builder.errors import EditRefused
from agent.dialog.pack.pack_files import JOURNAL, edition_of, read_pack_files

SETTLED_SECONDS = 0.3
"""So long ago a file must have been written, made or removed last."""
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

        Raises :class:`EditRefused` for files that cannot be read, and where there are none: a directory that is not
        there just now is no edition from which everything was removed.
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
        files, problems = read_pack_files(self._directory)
        if problems:
            raise EditRefused(f"the procedures cannot be read: {problems[0]}", "broken_file")
        if not files:
            raise EditRefused(f"there are no procedures in {self._directory}", "broken_file")
        self._signature, self._known = signature, (edition_of(files), files)
        return self._known

    def _look(self) -> Signature:
        found: set[tuple[str, int, int, int]] = set()
        for folder, _, files in os.walk(self._directory):
            if "/." in folder[len(str(self._directory)) :]:
                watched = []  # a version control's own: its files come and go
            else:
                watched = [folder, *([os.path.join(folder, JOURNAL)] if JOURNAL in files else [])]
            for path in (*watched, *(os.path.join(folder, name) for name in files if name.endswith(".yaml"))):
                with contextlib.suppress(OSError):  # gone since it was listed, or a link to nowhere
                    stat = os.stat(path)
                    found.add((path, stat.st_mtime_ns, stat.st_size, stat.st_ino))
        return frozenset(found)
