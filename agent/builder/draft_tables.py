"""The tables of drafts in the console's file: reading and writing them, each function within a transaction."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from agent.builder.draft import Draft, DraftConflict, DraftEntry
from agent.builder.patches import Patch, Splice

SCHEMA = """
CREATE TABLE draft_bases (
    edition TEXT PRIMARY KEY,
    files   BLOB NOT NULL                    -- JSON: file -> text; compressed by zlib
);
CREATE TABLE drafts (
    id         TEXT PRIMARY KEY,
    client     TEXT NOT NULL UNIQUE,         -- given by the browser that asked for it
    name       TEXT NOT NULL,
    state      TEXT NOT NULL,                -- open, published, discarded
    owner      TEXT NOT NULL,
    made_at    REAL NOT NULL,
    changed_at REAL NOT NULL,
    changed_by TEXT NOT NULL,
    base       TEXT NOT NULL REFERENCES draft_bases (edition),
    seq        INTEGER NOT NULL              -- of the last entry
);
CREATE TABLE draft_entries (
    draft      TEXT NOT NULL REFERENCES drafts (id) ON DELETE CASCADE,
    seq        INTEGER NOT NULL,
    id         TEXT NOT NULL,
    at         REAL NOT NULL,
    who        TEXT NOT NULL,
    kind       TEXT NOT NULL,
    operations TEXT NOT NULL,                -- JSON
    patch      BLOB NOT NULL,                -- JSON, compressed by zlib
    dropped    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (draft, seq)
);
CREATE TABLE draft_answers (
    draft  TEXT NOT NULL REFERENCES drafts (id) ON DELETE CASCADE,
    id     TEXT NOT NULL,
    answer TEXT NOT NULL,                    -- JSON: what is told when the same is sent again
    PRIMARY KEY (draft, id)
);
CREATE TABLE draft_conflicts (
    number     INTEGER PRIMARY KEY,
    draft      TEXT NOT NULL REFERENCES drafts (id) ON DELETE CASCADE,
    id         TEXT NOT NULL,
    at         REAL NOT NULL,
    who        TEXT NOT NULL,
    operations TEXT NOT NULL,                -- JSON
    reason     TEXT NOT NULL,
    mine       TEXT NOT NULL,                -- JSON
    theirs     TEXT NOT NULL,                -- JSON
    settled    TEXT NOT NULL DEFAULT ''      -- mine, theirs
);
CREATE INDEX draft_conflicts_open ON draft_conflicts (draft, settled);
"""
IN_FILES = """
ALTER TABLE drafts ADD COLUMN in_files INTEGER NOT NULL DEFAULT 0;  -- entry as of which the files have its text
"""
_COLUMNS = "id, name, state, owner, made_at, changed_at, changed_by, base, seq, in_files"


def all_drafts(db: sqlite3.Connection, state: str) -> list[Draft]:
    """Return drafts without their logs and files, the latest changed first; ``all`` is every state."""
    query = f"SELECT {_COLUMNS} FROM drafts WHERE ? IN ('all', state) ORDER BY changed_at DESC, id LIMIT 1000"  # noqa: S608
    return [_draft(row, _conflicts(db, row["id"])) for row in db.execute(query, (state,))]


def one_draft(db: sqlite3.Connection, draft_id: str) -> Draft | None:
    """Return a draft with its log and the files it began with."""
    row = db.execute(f"SELECT {_COLUMNS} FROM drafts WHERE id = ?", (draft_id,)).fetchone()  # noqa: S608
    if row is None:
        return None
    files = db.execute("SELECT files FROM draft_bases WHERE edition = ?", (row["base"],)).fetchone()
    query = "SELECT seq, id, at, who, kind, operations, patch, dropped FROM draft_entries WHERE draft = ? ORDER BY seq"
    entries = tuple(_entry(one) for one in db.execute(query, (draft_id,)))
    return _draft(row, _conflicts(db, draft_id), entries, _unpacked(files["files"]))


def _draft(
    row: sqlite3.Row,
    conflicts: tuple[DraftConflict, ...],
    entries: tuple[DraftEntry, ...] = (),
    files: Mapping[str, str] | None = None,
) -> Draft:
    return Draft(
        id=row["id"],
        name=row["name"],
        state=row["state"],
        owner=row["owner"],
        made_at=row["made_at"],
        changed_at=row["changed_at"],
        changed_by=row["changed_by"],
        base=row["base"],
        seq=row["seq"],
        conflicts=conflicts,
        entries=entries,
        in_files=row["in_files"],
        _base_files=files or {},
    )


def head_of(db: sqlite3.Connection, draft_id: str) -> tuple[int, str, str, int] | None:
    """Return what tells whether a draft has changed: last number, edition, state, conflicts; None for no draft."""
    row = db.execute("SELECT seq, base, state FROM drafts WHERE id = ?", (draft_id,)).fetchone()
    return None if row is None else (row["seq"], row["base"], row["state"], len(_conflicts(db, draft_id)))


def id_of_client(db: sqlite3.Connection, client: str) -> str | None:
    """Return the draft that a browser has asked for before."""
    row = db.execute("SELECT id FROM drafts WHERE client = ?", (client,)).fetchone()
    return None if row is None else str(row["id"])


def add_draft(db: sqlite3.Connection, draft: Draft, client: str) -> None:
    """Keep a new draft."""
    _keep_base(db, draft)
    row = (draft.id, client, draft.name, draft.state, draft.owner, draft.made_at, draft.changed_at, draft.changed_by)
    db.execute(
        "INSERT INTO drafts (id, client, name, state, owner, made_at, changed_at, changed_by, base, seq) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*row, draft.base, draft.seq),
    )


def update_draft(db: sqlite3.Connection, draft: Draft) -> None:
    """Keep what is not in the log: name, state, who changed it, number of the last entry, what the files have."""
    row = (draft.name, draft.state, draft.changed_at, draft.changed_by, draft.base, draft.seq, draft.in_files)
    query = (
        "UPDATE drafts SET name = ?, state = ?, changed_at = ?, changed_by = ?, base = ?, seq = ?, in_files = ? "
        "WHERE id = ?"
    )
    db.execute(query, (*row, draft.id))


def add_entry(db: sqlite3.Connection, draft: Draft, entry: DraftEntry) -> None:
    """Keep an entry, and the draft as it is with it."""
    row = (draft.id, entry.seq, entry.id, entry.at, entry.who, entry.kind, _json(entry.operations))
    db.execute(
        "INSERT INTO draft_entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*row, _packed(_patch_json(entry.patch)), entry.dropped),
    )
    update_draft(db, draft)


def replace_log(db: sqlite3.Connection, draft: Draft) -> None:
    """Keep a draft on another base with all its entries."""
    _keep_base(db, draft)
    db.execute("DELETE FROM draft_entries WHERE draft = ?", (draft.id,))
    for entry in draft.entries:
        add_entry(db, draft, entry)
    update_draft(db, draft)
    db.execute("DELETE FROM draft_bases WHERE edition NOT IN (SELECT base FROM drafts)")


def add_conflict(db: sqlite3.Connection, draft_id: str, conflict: DraftConflict) -> int:
    """Keep a conflict and return its number."""
    row = (draft_id, conflict.id, conflict.at, conflict.who, _json(conflict.operations), conflict.reason)
    query = (
        "INSERT INTO draft_conflicts (draft, id, at, who, operations, reason, mine, theirs) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    )
    return int(db.execute(query, (*row, _json(conflict.mine), _json(conflict.theirs))).lastrowid or 0)


def settle_conflict(db: sqlite3.Connection, draft_id: str, number: int, settled: str) -> None:
    """Note how a conflict was settled."""
    query = "UPDATE draft_conflicts SET settled = ? WHERE draft = ? AND number = ?"
    db.execute(query, (settled, draft_id, number))


def change_theirs(db: sqlite3.Connection, draft_id: str, number: int, theirs: Any) -> None:
    """Note that something else stands in the way of a conflict by now."""
    query = "UPDATE draft_conflicts SET theirs = ? WHERE draft = ? AND number = ?"
    db.execute(query, (_json(theirs), draft_id, number))


def keep_answer(db: sqlite3.Connection, draft_id: str, entry_id: str, answer: Mapping[str, Any]) -> None:
    """Keep what is told when the same is sent again."""
    db.execute("INSERT OR REPLACE INTO draft_answers VALUES (?, ?, ?)", (draft_id, entry_id, _json(answer)))


def answer_of(db: sqlite3.Connection, draft_id: str, entry_id: str) -> dict[str, Any] | None:
    """Return what was told the first time."""
    query = "SELECT answer FROM draft_answers WHERE draft = ? AND id = ?"
    row = db.execute(query, (draft_id, entry_id)).fetchone()
    return None if row is None else dict(json.loads(row["answer"]))


def _keep_base(db: sqlite3.Connection, draft: Draft) -> None:
    files = _packed(draft.base_files())
    db.execute("INSERT OR IGNORE INTO draft_bases VALUES (?, ?)", (draft.base, files))


def _conflicts(db: sqlite3.Connection, draft_id: str) -> tuple[DraftConflict, ...]:
    query = (
        "SELECT number, id, at, who, operations, reason, mine, theirs FROM draft_conflicts "
        "WHERE draft = ? AND settled = '' ORDER BY number"
    )
    return tuple(
        DraftConflict(
            number=row["number"],
            id=row["id"],
            at=row["at"],
            who=row["who"],
            operations=tuple(json.loads(row["operations"])),
            reason=row["reason"],
            mine=json.loads(row["mine"]),
            theirs=json.loads(row["theirs"]),
        )
        for row in db.execute(query, (draft_id,))
    )


def _entry(row: sqlite3.Row) -> DraftEntry:
    patch = _unpacked(row["patch"])
    files = {file: tuple(Splice(*one) for one in splices) for file, splices in patch["files"].items()}
    made, removed = frozenset(patch["made"]), frozenset(patch["removed"])
    return DraftEntry(
        row["seq"],
        row["id"],
        row["at"],
        row["who"],
        row["kind"],
        tuple(json.loads(row["operations"])),
        Patch(row["seq"], files, patch["of"], made, removed),
        bool(row["dropped"]),
    )


def _patch_json(patch: Patch) -> dict[str, Any]:
    files: dict[str, Sequence[Sequence[Any]]] = {
        file: [list(asdict(splice).values()) for splice in splices] for file, splices in patch.files.items()
    }
    return {"files": files, "of": patch.of, "made": sorted(patch.made), "removed": sorted(patch.removed)}


def _packed(value: Any) -> bytes:
    return zlib.compress(_json(value).encode())


def _unpacked(packed: bytes) -> Any:
    return json.loads(zlib.decompress(packed))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
