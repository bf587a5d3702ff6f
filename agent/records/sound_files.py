"""The sound of calls as files: what Asterisk is recording, and the finished recordings of calls that are over.

``incoming`` takes what Asterisk records: for each part of a call two files of 8 kHz, 16 bit samples without header, one
a side. Nothing plays them. When the call is over they become one WAV file in ``kept`` (caller left, agent right, second
0 is the answer) in which what is not kept of the words is silent, and are deleted. A process that dies in between
leaves them in ``incoming``; the next one finishes them (:mod:`agent.records.sound_keeper`).
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

SIDES = ("caller", "agent")
"""Left and right."""
STAFF = "staff"
"""The part in which the caller spoke with the staff."""
_NAME = re.compile(r"[0-9a-f]{32}")
_RAW = re.compile(r"([0-9a-f]{32})-(\d{1,4}|staff)-(caller|agent)\.sln")
_MAX_PARTS = 1000


@dataclass(frozen=True)
class RawPart:
    """What Asterisk recorded of one part of a call."""

    name: str
    part: str
    """A number from 1 on, or ``staff``."""
    files: tuple[Path, Path]
    """The caller's and the agent's."""

    @property
    def changed_at(self) -> float:
        """When something was written last, seconds since 1970; 0 where neither file is there."""
        return max((stat.st_mtime for stat in _stats(self.files)), default=0.0)

    @property
    def seconds(self) -> float:
        """How much sound there is."""
        return max((stat.st_size for stat in _stats(self.files)), default=0) / 2 / 8000

    def delete(self) -> None:
        """Delete both files. Raises OSError."""
        for file in self.files:
            file.unlink(missing_ok=True)


class SoundDirectory:
    """Implements :class:`agent.call.sound.SoundPlaces` on a directory; its methods touch the disk."""

    def __init__(self, directory: Path, least_free_bytes: int = 0) -> None:
        self.directory = directory
        self.incoming = directory / "incoming"
        self.kept = directory / "kept"
        self._least_free_bytes = least_free_bytes
        self.problem = ""
        """Why nothing can be recorded just now, ``""`` when nothing is known to be wrong."""

    def make(self) -> None:
        """Make the directories that are missing. Raises OSError."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if not self.incoming.is_dir():
            self.incoming.mkdir(mode=0o770)
        if not self.kept.is_dir():
            self.kept.mkdir(mode=0o700)

    def new_name(self) -> str:
        """Return a new name, ``""`` while there is too little room. Never raises."""
        try:
            self.make()
            free = shutil.disk_usage(self.incoming).free
        except OSError as error:
            self._report(f"{self.directory}: {error.strerror or error}")
            return ""
        if free < self._least_free_bytes:
            self._report(
                f"{self.directory}: {free // 1_000_000} MB are free, {self._least_free_bytes // 1_000_000} MB are "
                "kept for the records of calls (sound.least_free_mb)"
            )
            return ""
        return secrets.token_hex(16)

    def prepare(self, name: str, part: int | str) -> str:
        """Make a part's two files, which Asterisk may write and the agent read, whoever's umask is what. Never raises.

        Returns their path without side and ending, ``""`` when that is not possible.
        """
        if not _NAME.fullmatch(name) or not (part == STAFF or (isinstance(part, int) and 0 < part < _MAX_PARTS)):
            self._report(f"{name!r} is no name of a recording of ours")
            return ""
        raw = self.raw_part(name, str(part))
        try:
            for file in raw.files:
                handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o660)
                try:
                    os.fchmod(handle, 0o660)
                finally:
                    os.close(handle)
        except OSError as error:
            self._report(f"{self.incoming}: {error.strerror or error}")
            return ""
        self.problem = ""
        return str(self.incoming / f"{name}-{part}")

    def raw_part(self, name: str, part: str) -> RawPart:
        """Return a part's files, there or not."""
        caller, agent = (self.incoming / f"{name}-{part}-{side}.sln" for side in SIDES)
        return RawPart(name, part, (caller, agent))

    def raw_parts(self) -> dict[str, list[RawPart]]:
        """Return what lies in ``incoming``, by name. Raises OSError."""
        found: dict[str, set[str]] = {}
        with contextlib.suppress(FileNotFoundError), os.scandir(self.incoming) as entries:
            for entry in entries:
                if raw := _RAW.fullmatch(entry.name):
                    found.setdefault(raw[1], set()).add(raw[2])
        return {name: [self.raw_part(name, part) for part in sorted(parts)] for name, parts in found.items()}

    def kept_file(self, name: str) -> Path:
        """Return where a finished recording is, or will be. Raises ValueError for what is no name of ours."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a recording")
        return self.kept / f"{name}.wav"

    def delete(self, name: str) -> int:
        """Delete everything of one recording; returns how many files that were. Raises OSError, ValueError."""
        files = [self.kept_file(name), self.kept_file(name).with_suffix(".part")]
        files += [file for part in self.raw_parts().get(name, ()) for file in part.files]
        count = 0
        for file in files:
            with contextlib.suppress(FileNotFoundError):
                file.unlink()
                count += 1
        return count

    def _report(self, problem: str) -> None:
        if problem != self.problem:
            log.error("Calls are not recorded: %s", problem)
        self.problem = problem


def _stats(files: tuple[Path, ...]) -> Iterator[os.stat_result]:
    for file in files:
        with contextlib.suppress(FileNotFoundError):
            yield file.stat()
