"""The files of a pack on disk, and the journal that makes a publication of several files one change.

Whoever publishes writes the journal first, whole or not at all, then the files, then removes the journal. While it is
there, readers take the texts from it: they see the edition before or the one after, never some files of each, also when
the publisher was killed in the middle.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.common.files import read_text
from agent.common.untrusted import load_json
from agent.dialog.errors import YamlFinding

BYTE_ORDER_MARK = "\ufeff"
JOURNAL = ".publication.json"
"""Its name in the pack's directory."""
MOST_JOURNAL_BYTES = 50_000_000


@dataclass(frozen=True)
class PublicationJournal:
    """The files that a publication changes; None stands for no file."""

    old: Mapping[str, str | None]
    new: Mapping[str, str | None]

    def settled(self, files: Mapping[str, str]) -> dict[str, str]:
        """Return the files as the publication leaves them, given as they are now.

        A file that is neither as before nor as after was edited by hand meanwhile: it stays, and the others are as
        before.
        """
        by_hand = {name for name in self.new if files.get(name) not in (self.old.get(name), self.new[name])}
        meant = self.old if by_hand else self.new
        changed = {name: meant.get(name) for name in self.new if name not in by_hand}
        return {name: text for name, text in ({**files, **changed}).items() if text is not None}

    def to_json(self) -> dict[str, Any]:
        """Return JSON-like data."""
        return {"old": dict(self.old), "new": dict(self.new)}


def read_journal(directory: Path) -> PublicationJournal | None:
    """Return the journal of a publication under way; None where there is none, or none that can be read."""
    try:
        data = load_json(read_text(directory / JOURNAL, most_bytes=MOST_JOURNAL_BYTES))
    except (OSError, ValueError):
        return None
    parts = (data.get("old"), data.get("new")) if isinstance(data, dict) else (None, None)
    old, new = parts
    if not isinstance(old, dict) or not isinstance(new, dict) or old.keys() != new.keys():
        return None
    texts = [*old.values(), *new.values()]
    return PublicationJournal(old, new) if all(text is None or isinstance(text, str) for text in texts) else None


def edition_of(files: Mapping[str, str]) -> str:
    """Return the fingerprint of a pack with these files: another one whenever a file changes."""
    digest = hashlib.sha256()
    for name in in_order(files):
        digest.update(f"{name}\0{files[name].removeprefix(BYTE_ORDER_MARK)}\0".encode())
    return digest.hexdigest()[:16]


def in_order(names: Iterable[str]) -> list[str]:
    """Return names of files folder by folder, as they are read."""
    return sorted(names, key=lambda name: name.split("/"))


def read_pack_files(directory: Path) -> tuple[dict[str, str], list[YamlFinding]]:
    """Return the texts of every ``*.yaml`` below a directory by relative name, and the files that cannot be read.

    A byte order mark is part of a text: what is written back has it again.
    """
    while True:
        journal = read_journal(directory)
        files, problems = files_on_disk(directory)
        if read_journal(directory) == journal:
            return (files if journal is None else journal.settled(files)), problems


def files_on_disk(directory: Path) -> tuple[dict[str, str], list[YamlFinding]]:
    """Return the same as the files are themselves, whatever a journal says."""
    files: dict[str, str] = {}
    problems: list[YamlFinding] = []
    found = sorted(path for path in directory.rglob("*.yaml") if not _passed_over(path)) if directory.is_dir() else []
    for path in found:
        name = path.relative_to(directory).as_posix()
        try:
            files[name] = read_text(path, encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            problems.append(YamlFinding(name, 0, "", f"cannot be read: {reason}"))
    return files, problems


def _passed_over(path: Path) -> bool:
    """Return whether a name is none of a file: a directory's, or that of an editor's lock, a link to nowhere."""
    return path.is_dir() or (path.name.startswith(".#") and not path.exists())
