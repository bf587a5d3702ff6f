"""The do-not-call list: who is not called any more, for everything or for surveys. Statements, and its CSV."""

from __future__ import annotations

import csv
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

from agent.common.phone_numbers import e164
from agent.outbound.model import JobState, OutboundError, Purpose, Reason, Suppression, SuppressionScope
from agent.outbound.schema import digest_of, suppression_of

CSV_COLUMNS = ("number", "scope", "since", "source")
_DIGEST = re.compile(r"digest:([0-9a-f]{64})")
_CALL = "call:"


@dataclass(frozen=True)
class Refused:
    """A row of a file that was not taken, and why."""

    line: int
    reason: str


def scopes(db: sqlite3.Connection, number: str) -> frozenset[SuppressionScope]:
    """Return what a number may not be called for."""
    rows = db.execute("SELECT scope FROM suppressed WHERE digest = ?", (digest_of(db, number),))
    return frozenset(SuppressionScope(row["scope"]) for row in rows)


def suppress(db: sqlite3.Connection, number: str, scope: SuppressionScope, source: str, now: datetime) -> list[str]:
    """Put a number on the list and drop its open jobs of that scope; returns their keys. The first entry stands."""
    digest = digest_of(db, number)
    db.execute(
        "INSERT OR IGNORE INTO suppressed VALUES (?, ?, ?, ?, ?)", (digest, scope, number, now.timestamp(), source)
    )
    reason = Reason.OPTED_OUT if source.startswith(_CALL) else Reason.SUPPRESSED
    rows = db.execute(
        "UPDATE jobs SET state = ?, reason = ?, over_at = ? WHERE digest = ? AND state NOT IN (?, ?)"
        " AND (? = ? OR purpose = ?) RETURNING key",
        (
            *(JobState.DROPPED, reason, now.timestamp(), digest),
            *(JobState.DONE, JobState.DROPPED, scope, SuppressionScope.ALL, Purpose.SURVEY),
        ),
    )
    return [row["key"] for row in rows.fetchall()]


def remove(db: sqlite3.Connection, number: str) -> int:
    """Take a number off the list; returns how many entries there were."""
    return db.execute("DELETE FROM suppressed WHERE digest = ?", (digest_of(db, number),)).rowcount


def entries(db: sqlite3.Connection) -> list[Suppression]:
    """Return the list, the oldest first."""
    return [suppression_of(row) for row in db.execute("SELECT * FROM suppressed ORDER BY since, digest")]


def put_digest(db: sqlite3.Connection, digest: str, scope: SuppressionScope, source: str, now: datetime) -> None:
    """Put an erased number back on the list, from an export of this same file."""
    db.execute("INSERT OR IGNORE INTO suppressed VALUES (?, ?, '', ?, ?)", (digest, scope, now.timestamp(), source))


def write_csv(lines: Iterable[Suppression], out: TextIO) -> int:
    """Write the list as CSV; a number that was erased stands as ``digest:...``. Returns how many lines."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    count = 0
    for line in lines:
        number = line.number or f"digest:{line.digest}"
        writer.writerow((number, line.scope, line.since.isoformat(timespec="seconds"), _plain(line.source)))
        count += 1
    return count


@dataclass(frozen=True)
class Listed:
    """One line of a file: a number, or the digest of one that was erased."""

    number: str
    digest: str
    scope: SuppressionScope
    source: str


def read_csv(file: TextIO, region: str) -> Iterator[Listed | Refused]:
    """Read a list: a column ``number``, and ``scope`` (``all`` when empty or not there) and ``source`` where given.

    ``region`` is the country whose national numbers are understood. Raises OutboundError for a file without the column.
    """
    reader = csv.DictReader(file)
    if reader.fieldnames is None or "number" not in reader.fieldnames:
        raise OutboundError("the file has no column 'number'; its first line must name the columns")
    for row in reader:
        written = (row.get("number") or "").strip()
        erased = _DIGEST.fullmatch(written)
        number = "" if erased else e164(written.removeprefix("'"), region)
        try:
            scope = SuppressionScope((row.get("scope") or SuppressionScope.ALL).strip())
        except ValueError:
            yield Refused(reader.line_num, f"there is no scope {row['scope'][:40]!r}; there are all, surveys")
            continue
        if not number and not erased:
            yield Refused(reader.line_num, f"{written[:40]!r} is no telephone number")
            continue
        yield Listed(number, erased[1] if erased else "", scope, (row.get("source") or "").strip()[:100] or "import")


def _plain(text: str) -> str:
    """Keep a table program from taking a text for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
