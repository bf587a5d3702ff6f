"""Calls that have begun and whose records are not written yet: which they are, and forgetting those of others."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Collection

from agent.common.sqlite import SqliteFile

log = logging.getLogger(__name__)


async def begun_calls(database: SqliteFile, *, but_of: str = "") -> frozenset[str]:
    """Return the ids of the calls that have begun in a file of records; none where it cannot be read.

    Those of the process ``but_of`` (:attr:`agent.records.call_store.CallStore.owner`) are left out.
    """

    def job(db: sqlite3.Connection) -> frozenset[str]:
        rows = db.execute("SELECT id FROM open_calls WHERE owner != ?", (but_of,))
        return frozenset(str(row["id"]) for row in rows)

    try:
        return await database.transaction(job)
    except sqlite3.Error as error:
        log.warning("which calls have begun cannot be read: %s", error)
        return frozenset()


async def forget_begun(database: SqliteFile, call_ids: Collection[str]) -> None:
    """Forget that calls have begun: another instance has them, and writes their records. Never raises.

    Changes that they were trying are that instance's too: done here later, they would come although the caller was told
    otherwise, or twice. Tickets and text messages stay: their keys let them be done once.
    """

    def job(db: sqlite3.Connection) -> None:
        for call_id in call_ids:
            db.execute("DELETE FROM open_calls WHERE id = ?", (call_id,))
            db.execute("DELETE FROM outbox WHERE call_id = ? AND kind = 'act' AND state = 'trying'", (call_id,))

    try:
        await database.transaction(job)
    except sqlite3.Error as error:
        log.warning("calls that another instance has are not forgotten here: %s", error)
