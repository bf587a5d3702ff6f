"""Keeps the files of every edition that calls ran on: the map of a call is drawn on the procedures of its own time."""

from __future__ import annotations

import gzip
import json
import os
import re
import zlib
from pathlib import Path

from pydantic import TypeAdapter

from agent.common.untrusted import of_shape
from agent.dialog.pack.pack_files import edition_of, read_pack_files
from agent.dialog.pack.reader import PackReading, read_files

DIRECTORY = "editions"
"""Below the state directory."""
MOST_EDITIONS = 300
"""Those used last are kept."""
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_ENDING = ".json.gz"
_TEXTS = TypeAdapter(dict[str, str])
"""File name -> text."""


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
        texts, problems = read_pack_files(procedures)
        if problems or edition_of(texts) != fingerprint:
            return False
        draft = file.with_suffix(f".{os.getpid()}.part")  # several instances may keep an edition at the same time
        draft.write_bytes(gzip.compress(json.dumps(texts).encode(), mtime=0))
        draft.replace(file)
        self._forget()
        return True

    def read(self, fingerprint: str) -> PackReading | None:
        """Return an edition's contents, None where they are not kept (any more) or cannot be read."""
        if not _FINGERPRINT.fullmatch(fingerprint):
            return None
        try:
            texts = of_shape(_TEXTS, json.loads(gzip.decompress(self._file(fingerprint).read_bytes())))
        except (OSError, ValueError, EOFError, zlib.error):
            return None
        reading = read_files(texts)
        return reading if reading.fingerprint == fingerprint else None

    def _file(self, fingerprint: str) -> Path:
        return self._directory / f"{fingerprint}{_ENDING}"

    def _forget(self) -> None:
        files = sorted(self._directory.glob(f"*{_ENDING}"), key=lambda file: file.stat().st_mtime, reverse=True)
        for file in files[self._most :]:
            file.unlink(missing_ok=True)
