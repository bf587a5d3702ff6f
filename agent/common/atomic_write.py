"""Writes a file whole or not at all: beside it, synced, renamed over it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

_NEW_FILE = 0o644


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text into a file that keeps its mode and its place behind a link. Raises ``OSError``.

    After a power cut the file is as before or as written, never between the two.
    """
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file as :func:`write_text` does. Raises ``OSError``."""
    StagedFile.beside(path, content).put()


@dataclass(frozen=True)
class StagedFile:
    """A file's content on the disk beside the file that it is for: putting it there needs no more room."""

    part: Path
    target: Path

    @classmethod
    def beside(cls, path: Path, content: bytes) -> StagedFile:
        """Write it beside its file, whose directory is made where it is not there. Raises ``OSError``."""
        target = path.resolve()
        _make_directory(target.parent)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                os.fchmod(file.fileno(), _mode(target))
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
        return cls(Path(name), target)

    def put(self) -> None:
        """Put it in its place. Raises ``OSError``; the file is as before then, and nothing is left beside it."""
        try:
            os.replace(self.part, self.target)
        except BaseException:
            self.drop()
            raise
        sync_directory(self.target.parent)

    def drop(self) -> None:
        """Take it away again."""
        with contextlib.suppress(OSError):
            self.part.unlink()


def remove(path: Path) -> None:
    """Remove a file that may not be there, for good. Raises ``OSError``."""
    path.unlink(missing_ok=True)
    sync_directory(path.parent)


def _make_directory(directory: Path) -> None:
    missing = [one for one in (directory, *directory.parents) if not one.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    for made in missing:
        sync_directory(made.parent)


def sync_directory(directory: Path) -> None:
    """Have the names in a directory outlive a power cut. Raises ``OSError``."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o7777
    except FileNotFoundError:
        return _NEW_FILE
