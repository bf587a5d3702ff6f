"""``orderline backup`` and ``restore``: everything that is kept, in one file, made while calls go on.

Databases are copied with SQLite's own backup, which sees one moment and holds up no writer; recordings are those that
the copied database tells of. What can be made again (caches, models, the index) and what is not finished (the files
that Asterisk is recording) is left out.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from agent import __version__
from agent.common.file_lock import try_lock
from agent.errors import OrderlineError

MANIFEST = "orderline-backup.json"
FORMAT = 1
_LEFT_OUT = frozenset({"index.sqlite"})
_STATE_FILES = re.compile(r"[A-Za-z0-9_-]+\.sqlite|[A-Za-z0-9_.-]+\.jsonl(\.[a-z]+)?|paused\.json")
_MEMBER = re.compile(rf"state/(?:{_STATE_FILES.pattern})|sound/[0-9a-f]{{32}}\.wav|{re.escape(MANIFEST)}")
_BLOCK_BYTES = 1024 * 1024
_MOST_MANIFEST_BYTES = 256 * 1024 * 1024


class BackupError(OrderlineError):
    """A backup cannot be made, or cannot be brought back."""

    code = "backup"


def back_up(state: Path, sound: Path | None, target: Path) -> str:
    """Write a backup to ``target``, whole or not at all; returns what to say. Raises BackupError."""
    if target.exists():
        raise BackupError(f"{target} is there already; give the name of a new file")
    draft = target.with_name(f".{target.name}.part")
    try:
        with tempfile.TemporaryDirectory(prefix=".orderline-backup-", dir=target.parent) as staging:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                sums = _write(file, _collected(state, sound, Path(staging)))
                file.flush()
                os.fsync(file.fileno())
        draft.rename(target)
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        draft.unlink(missing_ok=True)
        raise BackupError(f"no backup was made: {error}") from error
    recordings = sum(name.startswith("sound/") for name in sums)
    return (
        f"{target}: {len(sums) - recordings} files of {state}, {recordings} recordings, {target.stat().st_size} bytes. "
        "It holds what callers said: keep it as you keep the state directory, and erase people from it as well."
    )


def restore(source: Path, state: Path, sound: Path, locks: Mapping[str, Path], *, replace: bool = False) -> str:
    """Bring a backup back; what it cannot read through to the end changes nothing. Raises BackupError.

    ``locks`` are held by agents that run on the directory: the name of each one's unit, and its file.
    """
    try:
        with ExitStack() as stack:
            if not all(try_lock(stack.enter_context(lock.open("w"))) for lock in locks.values()):
                raise BackupError(f"an agent runs on {state}; stop it first: systemctl stop {' '.join(locks)}")
            return _restore(source, state, sound, replace=replace)
    except (OSError, sqlite3.Error, tarfile.TarError, EOFError, ValueError) as error:
        raise BackupError(f"{source} was not brought back: {error}") from error


# --- making one -------------------------------------------------------------------------------------


def _collected(state: Path, sound: Path | None, staging: Path) -> Iterator[tuple[str, Path]]:
    """Give (name in the backup, file), the databases first."""
    recordings: list[str] = []
    for file in sorted(state.glob("*.sqlite")):
        if file.name in _LEFT_OUT or not _STATE_FILES.fullmatch(file.name):
            continue
        copy = staging / file.name
        _copy_database(file, copy)
        if file.name == "calls.sqlite":
            recordings = _recordings(copy)
        yield f"state/{file.name}", copy
        copy.unlink()
    for file in sorted((*state.glob("*.jsonl*"), state / "paused.json")):
        if file.is_file() and _STATE_FILES.fullmatch(file.name) and not file.name.endswith(".reserve"):
            yield f"state/{file.name}", file
    for name in recordings if sound is not None else ():
        recording = (sound or state) / "kept" / f"{name}.wav"
        if recording.is_file():  # else it became too old since
            yield f"sound/{name}.wav", recording


def _copy_database(source: Path, copy: Path) -> None:
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as db, closing(sqlite3.connect(copy)) as target:
        db.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it


def _recordings(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'sounds'").fetchone():
            return []
        return [str(name) for (name,) in db.execute("SELECT name FROM sounds WHERE state = 'kept' ORDER BY at")]


def _write(file: Any, files: Iterator[tuple[str, Path]]) -> dict[str, str]:
    """Write an archive with its manifest at the end; returns the manifest's check sums."""
    sums: dict[str, str] = {}
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=3) as archive:
        for name, path in files:
            try:
                content = path.open("rb")
            except FileNotFoundError:
                continue  # deleted since it was listed
            with content:
                member = tarfile.TarInfo(name)
                member.size = os.fstat(content.fileno()).st_size
                member.mode, member.mtime = 0o600, int(time.time())
                summed = _Summed(content)
                archive.addfile(member, summed)
                sums[name] = summed.digest.hexdigest()
        about = {"format": FORMAT, "version": __version__, "made": time.time(), "sha256": sums}
        text = json.dumps(about).encode()
        member = tarfile.TarInfo(MANIFEST)
        member.size, member.mode = len(text), 0o600
        archive.addfile(member, io.BytesIO(text))
    return sums


class _Summed(io.RawIOBase):
    """A file that is summed as it is read."""

    def __init__(self, file: io.BufferedReader) -> None:
        super().__init__()
        self._file = file
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self.digest.update(block)
        return block


# --- bringing one back ------------------------------------------------------------------------------


def _restore(source: Path, state: Path, sound: Path, *, replace: bool) -> str:
    kept = sound / "kept"
    there = [file for file in sorted(state.glob("*.sqlite")) if file.name not in _LEFT_OUT]
    if there and not replace:
        raise BackupError(f"{state} holds {', '.join(file.name for file in there)}; --replace sets them aside")
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=state) as place:
        staging = Path(place)
        names = _unpack(source, staging)
        aside = _set_aside(state, replace)
        kept.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in names:
            folder, _, file = name.partition("/")
            target = (kept if folder == "sound" else state) / file
            shutil.move(staging / file, target)
    made = f"; what was there is in {aside}" if aside is not None else ""
    recordings = sum(name.startswith("sound/") for name in names)
    return (
        f"{len(names) - recordings} files and {recordings} recordings are back in {state}{made}. Deliveries that were "
        "open when the backup was made are made again, with their old keys."
    )


def _unpack(source: Path, staging: Path) -> list[str]:
    """Unpack into one flat directory and check everything. Raises ValueError for what is no backup of ours."""
    sums: dict[str, str] = {}
    about: dict[str, Any] = {}
    with tarfile.open(source, mode="r:gz") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() and _MEMBER.fullmatch(member.name) else None
            if content is None or member.name in sums:
                raise ValueError(f"it is no backup of Orderline: it holds {member.name!r}")
            if member.name == MANIFEST:
                about = json.loads(content.read(_MOST_MANIFEST_BYTES))
                continue
            sums[member.name] = _unpack_one(content, staging / member.name.partition("/")[2])
    if about.get("format") != FORMAT:
        raise ValueError("it is no backup of Orderline, of a newer one, or not whole")
    if about.get("sha256") != sums:
        raise ValueError("it is damaged: what it holds is not what was put into it")
    for file in staging.glob("*.sqlite"):
        with closing(sqlite3.connect(file)) as db:
            if (verdict := db.execute("PRAGMA quick_check").fetchone()[0]) != "ok":
                raise ValueError(f"{file.name} in it is damaged: {verdict}")
    return list(sums)


def _unpack_one(content: Any, target: Path) -> str:
    digest = hashlib.sha256()
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        while block := content.read(_BLOCK_BYTES):
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _set_aside(state: Path, replace: bool) -> Path | None:
    """Move what is there into a directory of its own; None where nothing is."""
    files = [file for file in sorted(state.iterdir()) if file.is_file() and _belongs(file.name)]
    if not files or not replace:
        return None
    aside = state / time.strftime("before-restore-%Y%m%d-%H%M%S")
    aside.mkdir(mode=0o700)
    for file in files:
        file.rename(aside / file.name)
    return aside


def _belongs(name: str) -> bool:
    """Whether a file is one of those that a backup holds, or the log of one, or made of one."""
    plain = name.removesuffix("-wal").removesuffix("-shm")
    return bool(_STATE_FILES.fullmatch(plain)) and not name.endswith(".reserve")
