"""Keeps the files of every edition that calls ran on: the map of a call is drawn on the procedures of its own time."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from agent.common.files import read_text
from agent.dialog.pack.reader import PackReading, read_pack

DIRECTORY = "editions"
"""Below the state directory."""
MOST_EDITIONS = 300
"""Those used last are kept."""
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_ENDING = ".json.gz"


class EditionArchive:
    """A directory with a compressed file an edition. Methods block."""

    def __init__(self, directory: Path, most: int = MOST_EDITIONS) -> None:
        self._directory = directory
        self._most = most

    def keep(self, procedures: Path, fingerprint: str) -> bool:
        """Keep the files of an edition that is in force now; False when they are not the edition's any more.

        Raises OSError.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        file = self._file(fingerprint)
        if file.exists():
            os.utime(file)
            return True
        files = sorted(path for path in procedures.rglob("*.yaml") if path.is_file())
        texts = {path.relative_to(procedures).as_posix(): _text(path) for path in files}
        with _unpacked(texts) as copy:
            if read_pack(copy).fingerprint != fingerprint:
                return False
        draft = file.with_suffix(".part")
        draft.write_bytes(gzip.compress(json.dumps(texts).encode(), mtime=0))
        draft.replace(file)
        self._forget()
        return True

    def read(self, fingerprint: str) -> PackReading | None:
        """Return an edition's contents, None where they are not kept (any more) or cannot be read."""
        if not _FINGERPRINT.fullmatch(fingerprint):
            return None
        try:
            texts = json.loads(gzip.decompress(self._file(fingerprint).read_bytes()))
        except (OSError, ValueError, EOFError):
            return None
        with _unpacked(texts) as copy:
            reading = read_pack(copy)
        return reading if reading.fingerprint == fingerprint else None

    def _file(self, fingerprint: str) -> Path:
        return self._directory / f"{fingerprint}{_ENDING}"

    def _forget(self) -> None:
        files = sorted(self._directory.glob(f"*{_ENDING}"), key=lambda file: file.stat().st_mtime, reverse=True)
        for file in files[self._most :]:
            file.unlink(missing_ok=True)


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except UnicodeDecodeError as error:
        raise OSError(f"{path.name} is no UTF-8") from error


@contextlib.contextmanager
def _unpacked(texts: Mapping[str, str]) -> Iterator[Path]:
    """Hold the files of an edition in a directory of their own."""
    with tempfile.TemporaryDirectory(prefix="orderline-edition-") as directory:
        root = Path(directory).resolve()
        for name, text in texts.items():
            file = (root / name).resolve()
            if not file.is_relative_to(root):
                raise OSError(f"{name!r} is no name of a file of procedures")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        yield root
