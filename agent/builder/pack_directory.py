"""The directory of the procedures: read as one edition, replaced by another as one change, never over a hand edit."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from agent.common.atomic_write import StagedFile, remove, write_text
from agent.common.file_lock import lock
from agent.dialog.pack.pack_files import (
    JOURNAL,
    MOST_JOURNAL_BYTES,
    PublicationJournal,
    files_on_disk,
    read_journal,
    read_pack_files,
)
from agent.errors import OrderlineError

_ENDING = ".yaml"
_MOST_NAME_CHARS = 200


class PackDirectoryError(OrderlineError):
    """Files of the procedures that cannot be read, or must not be written."""

    code = "pack_directory"


class BadFileName(PackDirectoryError):
    """A name that no file of the procedures can have."""

    code = "file_name"


class HandEdited(OrderlineError):
    """Files that are not as they were when the edit of them began. Nothing was written."""

    code = "hand_edited"

    def __init__(self, files: tuple[str, ...]) -> None:
        super().__init__(f"These files have been changed meanwhile: {', '.join(files)}.")
        self.files = files


class PackDirectory:
    """The files of the procedures. Methods block."""

    def __init__(self, directory: Path) -> None:
        self.path = directory

    def read(self) -> dict[str, str]:
        """Return the texts of all files by relative name. Raises :class:`PackDirectoryError`."""
        files, problems = read_pack_files(self.path)
        if problems:
            raise PackDirectoryError(f"The procedures cannot be read: {problems[0]}.")
        return files

    def replace(self, base: Mapping[str, str], files: Mapping[str, str]) -> None:
        """Make the directory hold ``files``; it must hold ``base``, from which they were made.

        Whoever reads meanwhile sees the one or the other, also when this program is killed in the middle. Raises
        :class:`HandEdited`, :class:`PackDirectoryError` for names that are none, ``OSError`` where nothing can be
        written; nothing has changed then.
        """
        for name in files:
            check_name(name)
            self._check_folder(name)
        with self._locked():
            self._finish()
            present = self.read()
            if present != base:
                names = present.keys() | base.keys()
                raise HandEdited(tuple(sorted(name for name in names if present.get(name) != base.get(name))))
            changed = [name for name in present.keys() | files.keys() if present.get(name) != files.get(name)]
            if changed:
                old = {name: present.get(name) for name in changed}
                self._put(PublicationJournal(old, {name: files.get(name) for name in changed}))

    def finish(self) -> bool:
        """Bring a publication to its end that was broken off; False where there was none. Raises ``OSError``."""
        if not (self.path / JOURNAL).exists():
            return False
        with self._locked():
            return self._finish()

    def _check_folder(self, name: str) -> None:
        """Refuse a file in a folder that is a link: nobody who reads the directory follows it."""
        folder = (self.path / name).parent
        if folder.resolve() != self.path.resolve() / PurePosixPath(name).parent:
            raise BadFileName(f"{name!r} is in a folder that is a link: the procedures are not read there.")

    def _put(self, journal: PublicationJournal) -> None:
        staged: list[StagedFile] = []
        try:
            for name, text in journal.new.items():
                if text is not None:
                    staged.append(StagedFile.beside(self.path / name, text.encode()))
            written = json.dumps(journal.to_json())
            if len(written) > MOST_JOURNAL_BYTES:
                raise PackDirectoryError("So much cannot be changed at once: publish it in parts.")
            write_text(self.path / JOURNAL, written)
        except BaseException:
            for part in staged:
                part.drop()
            raise
        # from here on the new edition is what the directory holds, whatever happens
        for part in staged:
            part.put()
        for name, text in journal.new.items():
            if text is None:
                remove(self.path / name)
        remove(self.path / JOURNAL)

    def _finish(self) -> bool:
        journal = read_journal(self.path)
        if journal is not None:
            present, _ = files_on_disk(self.path)
            settled = journal.settled(present)
            for name in journal.new:
                if settled.get(name) != present.get(name):
                    self._write(name, settled.get(name))
        existed = (self.path / JOURNAL).exists()
        remove(self.path / JOURNAL)
        for left in (f".*{_ENDING}.*.part", f".{JOURNAL}.*.part"):
            for part in self.path.rglob(left):
                part.unlink(missing_ok=True)
        return existed

    def _write(self, name: str, text: str | None) -> None:
        if text is None:
            remove(self.path / name)
        else:
            write_text(self.path / name, text)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the directory against other publishers."""
        handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            lock(handle)
            yield
        finally:
            os.close(handle)


def check_name(name: str) -> None:
    """Raise :class:`BadFileName` for a name that a file has not when the directory is read: ``a//b.yaml``, ``../x``."""
    path = PurePosixPath(name)
    plain = str(path) == name and not path.is_absolute() and not any(part.startswith(".") for part in path.parts)
    if not plain or path.suffix != _ENDING or len(name) > _MOST_NAME_CHARS or "\\" in name or not name.isprintable():
        raise BadFileName(f"{name!r} is no name of a file of the procedures.")
