"""A draft: the files it began with, what was done since, and the text that gives. Pure.

The log is only ever added to: taking something back is an entry of its own (``undo``), and so is doing it again
(``redo``, which takes the ``undo`` back). So both are without limit and outlive whoever did them.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from agent.builder import trees
from agent.builder.errors import DraftNotOpen, EditRefused
from agent.builder.patches import Patch, applied, inverted, taken_back
from agent.builder.trees import MISSING, Tree
from agent.builder.yaml_document import document
from agent.common.yaml_reader import KeyPath
from agent.dialog.pack.pack_files import edition_of

EntryKind = Literal["edit", "undo", "redo", "rebase"]
DraftState = Literal["open", "published", "discarded"]


@dataclass(frozen=True)
class DraftEntry:
    """One entry of a draft's log."""

    seq: int
    """1 for the first, one more for each that follows."""
    id: str
    """Given by the browser: what is sent twice is done once."""
    at: float
    """Seconds since 1970."""
    who: str
    kind: EntryKind
    operations: tuple[Mapping[str, Any], ...]
    """As JSON says them, with the places at which they were done; empty for ``undo`` and ``redo``."""
    patch: Patch
    dropped: bool = False
    """Whether it could not be kept when the files underneath were changed by hand."""


@dataclass(frozen=True)
class DraftConflict:
    """Something that somebody wanted and that is not in the draft, because another change is in the way."""

    number: int
    id: str
    at: float
    who: str
    operations: tuple[Mapping[str, Any], ...]
    reason: str
    mine: Tree
    theirs: Tree


@dataclass(frozen=True)
class KeyChange:
    """One place in which a draft differs from the files it began with."""

    file: str
    path: KeyPath
    kind: Literal["added", "removed", "changed", "file_added", "file_removed", "text"]
    """``text``: the file, or what it was, cannot be read; or only comments and form differ."""
    before: Tree = None
    after: Tree = None


@dataclass(frozen=True)
class Draft:
    """A draft as it was at one number of its log."""

    id: str
    name: str
    state: DraftState
    owner: str
    made_at: float
    changed_at: float
    changed_by: str
    base: str
    """The edition that it changes."""
    seq: int
    conflicts: tuple[DraftConflict, ...] = ()
    entries: tuple[DraftEntry, ...] = field(default=(), repr=False)
    in_files: int = 0
    """The entry as of which the files on disk have the draft's text, as they do when it is published; 0: none."""
    _base_files: Mapping[str, str] = field(default_factory=dict, repr=False)

    def base_files(self) -> dict[str, str]:
        """Return the files of the edition that it changes."""
        return dict(self._base_files)

    def files(self) -> dict[str, str]:
        """Return the files as the draft has them: name relative to the pack -> text."""
        return dict(self._files)

    @functools.cached_property
    def _files(self) -> Mapping[str, str]:
        files = dict(self._base_files)
        for entry in self.entries:
            files = applied(files, entry.patch)
        return files

    @functools.cached_property
    def edition(self) -> str:
        """The fingerprint that an agent with these files would have."""
        return edition_of(self._files)

    def files_at(self, seq: int) -> dict[str, str] | None:
        """Return the files as they were after an entry; None where they stood on other files then."""
        first = self.entries[0].seq if self.entries else self.seq + 1
        if seq < first - 1 or any(entry.kind == "rebase" for entry in self.entries if entry.seq > seq):
            return None
        return self.text_at(seq)

    def text_at(self, seq: int) -> dict[str, str]:
        """Return the files with the entries up to one, on the files that the draft stands on now."""
        files = self.files()
        for entry in reversed(self.entries):
            if entry.seq <= seq:
                break
            files = applied(files, inverted(entry.patch))
        return files

    @functools.cached_property
    def edition_in_files(self) -> str:
        """The fingerprint of the files on disk as the draft knows them."""
        return edition_of(self.text_at(self.in_files)) if self.in_files else self.base

    def entry_that_made(self, files: Mapping[str, str]) -> int | None:
        """Return the latest entry as of which the draft has exactly these files, 0 for those it began with."""
        here = self.files()
        for entry in reversed(self.entries):
            if here == files:
                return entry.seq
            here = applied(here, inverted(entry.patch))
        return 0 if here == files else None

    def with_entry(self, entry: DraftEntry) -> Draft:
        """Return the draft with one entry more."""
        after = replace(self, entries=(*self.entries, entry), seq=entry.seq, changed_at=entry.at, changed_by=entry.who)
        after.__dict__["_files"] = applied(self._files, entry.patch)  # what would be computed, without the whole log
        return after

    # --- undo and redo ----------------------------------------------------------------------------------------

    @functools.cached_property
    def undone(self) -> frozenset[int]:
        """The entries that are taken back."""
        found: set[int] = set()
        for entry in reversed(self.entries):
            if entry.patch.of is not None and entry.seq not in found and not entry.dropped:
                found.add(entry.patch.of)
        return frozenset(found)

    def to_undo(self, who: str, of: int | None = None) -> DraftEntry | None:
        """Return the entry that carries what somebody would take back: their latest edit, or entry ``of``."""
        carriers = self._carriers
        for entry in reversed(self.entries):
            if entry.kind != "edit" or entry.dropped or (of is None and entry.who != who):
                continue
            if of is not None and entry.seq != of:
                continue
            carrier = carriers[entry.seq]
            if carrier.kind != "undo":
                return carrier
            if of is not None:
                return None
        return None

    def edit_of(self, entry: DraftEntry) -> DraftEntry:
        """Return the edit that an ``undo`` or a ``redo`` is about in the end, an edit itself."""
        known = {one.seq: one for one in self.entries}
        while entry.patch.of is not None and entry.patch.of in known:
            entry = known[entry.patch.of]
        return entry

    @functools.cached_property
    def _carriers(self) -> Mapping[int, DraftEntry]:
        """Number of an edit -> the last of the entries that did, took back and did it again."""
        carriers: dict[int, DraftEntry] = {}
        edits: dict[int, int] = {}
        for entry in self.entries:
            edit = entry.seq if entry.patch.of is None else edits.get(entry.patch.of, 0)
            if entry.patch.of is not None:
                carrier = carriers.get(edit)
                if entry.dropped or carrier is None or carrier.seq != entry.patch.of:
                    continue
            edits[entry.seq] = edit
            carriers[edit] = entry
        return carriers

    def to_redo(self, who: str) -> DraftEntry | None:
        """Return the latest ``undo`` of somebody that nothing they have done since stands in the way of."""
        for entry in reversed(self.entries):
            if entry.who != who or entry.dropped:
                continue
            if entry.kind == "edit":
                return None
            if entry.kind == "undo" and entry.seq not in self.undone:
                return entry
        return None

    def taking_back(self, entry: DraftEntry) -> Patch:
        """Return the patch that takes an entry back now. Raises :class:`EditConflict`."""
        later = [one.patch for one in self.entries if one.seq > entry.seq]
        return taken_back(self.seq + 1, entry.patch, later, self._files)

    # --- what it changes --------------------------------------------------------------------------------------

    def changes(self) -> list[KeyChange]:
        """Return what differs from the edition it began with, key by key, in the order of the files."""
        found: list[KeyChange] = []
        before, after = self._base_files, self._files
        for file in sorted({*before, *after}):
            if before.get(file) != after.get(file):
                found += _file_changes(file, before.get(file), after.get(file))
        return found


def checked_open(draft: Draft) -> Draft:
    """Return a draft that may be edited. Raises :class:`DraftNotOpen`."""
    if draft.state != "open":
        raise DraftNotOpen(f"This draft has been {draft.state}.")
    return draft


def _file_changes(file: str, before: str | None, after: str | None) -> list[KeyChange]:
    old, new = (_tree(file, text) for text in (before, after))
    if before is None:
        return [KeyChange(file, (), "file_added", None, None if new is MISSING else new)]
    if after is None:
        return [KeyChange(file, (), "file_removed", None if old is MISSING else old, None)]
    if old is MISSING or new is MISSING:
        return [KeyChange(file, (), "text")]
    return list(_key_changes(file, (), old, new)) or [KeyChange(file, (), "text")]


def _tree(file: str, text: str | None) -> Tree:
    try:
        return MISSING if text is None else document(file, text).data
    except EditRefused:
        return MISSING


def _key_changes(file: str, path: KeyPath, old: Tree, new: Tree) -> Sequence[KeyChange]:
    if old == new:
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            change
            for name in [*old, *(name for name in new if name not in old)]
            for change in _entry_changes(file, (*path, name), old.get(name, MISSING), new.get(name, MISSING))
        ]
    if isinstance(old, list) and isinstance(new, list):
        found: list[KeyChange] = []
        for tag, i1, i2, j1, j2 in trees.list_changes(old, new):
            common = min(i2 - i1, j2 - j1) if tag == "replace" else 0
            for at in range(common):
                found += _key_changes(file, (*path, j1 + at), old[i1 + at], new[j1 + at])
            found += [KeyChange(file, (*path, at), "removed", old[at], None) for at in range(i1 + common, i2)]
            found += [KeyChange(file, (*path, at), "added", None, new[at]) for at in range(j1 + common, j2)]
        return found
    return [KeyChange(file, path, "changed", old, new)]


def _entry_changes(file: str, path: KeyPath, old: Tree, new: Tree) -> Sequence[KeyChange]:
    if old is MISSING:
        return [KeyChange(file, path, "added", None, new)]
    if new is MISSING:
        return [KeyChange(file, path, "removed", old, None)]
    return _key_changes(file, path, old, new)
