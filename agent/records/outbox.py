"""The outbox as the agent uses it: what is written here is delivered at least once, whatever happens to the process."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence

from agent.common.sqlite import SqliteFile
from agent.records import change_log
from agent.records import outbox_sql as table
from agent.records.outbox_sql import NewOutboxEntry, OutboxEntry

log = logging.getLogger(__name__)


class Outbox:
    """Entries of one ``calls.sqlite``. Deliveries are made by :class:`agent.records.delivery.OutboxDelivery`.

    Writing raises ``sqlite3.Error`` unless the method says otherwise.
    """

    def __init__(self, database: SqliteFile, clock: Callable[[], float] = time.time) -> None:
        """``clock`` gives seconds since 1970."""
        self._database = database
        self.clock = clock
        self.news = asyncio.Event()
        """Set when something may have become due."""

    async def add(self, entries: Sequence[NewOutboxEntry]) -> bool:
        """Add entries; False, and a line in the log, when they cannot be written."""
        if not entries:
            return True
        try:
            await self._database.transaction(lambda db: table.add(db, entries, self.clock()))
        except sqlite3.Error as error:
            log.error("%d outbox entries could not be written: %s", len(entries), error)
            return False
        self.news.set()
        return True

    # --- what a call tries itself -------------------------------------------------------------------

    async def intend(self, entry: NewOutboxEntry) -> bool:
        """Write down what is about to be tried; False when it cannot be (the call goes on all the same)."""
        try:
            await self._database.transaction(lambda db: table.intend(db, entry, self.clock()))
        except sqlite3.Error as error:
            log.error("what is about to be done could not be noted (%s): %s", entry.key, error)
            return False
        return True

    async def confirm(self, key: str, also: Sequence[NewOutboxEntry] = ()) -> None:
        """Mark what was tried as done and add what follows from it, in one transaction.

        When that cannot be written the entry stays open and is done again later, with its key.
        """

        def job(db: sqlite3.Connection) -> None:
            table.confirm(db, key, self.clock())
            table.add(db, also, self.clock())

        try:
            await self._database.transaction(job)
        except sqlite3.Error as error:
            log.error("%s is done, but could not be marked so: %s", key, error)
            return
        self.news.set()

    async def release(self, key: str, why: str) -> bool:
        """Leave what was tried to the deliveries; True when it is safe there."""
        try:
            kept = await self._database.transaction(lambda db: table.release(db, key, why, self.clock()))
        except sqlite3.Error as error:
            log.error("%s could not be left to the outbox: %s", key, error)
            return False
        self.news.set()
        return kept

    def release_soon(self, key: str, why: str) -> None:
        """Do the same for a task that is being cancelled and cannot wait."""
        now, loop = self.clock(), asyncio.get_running_loop()
        try:
            done = self._database.soon(lambda db: table.release(db, key, why, now))
        except RuntimeError as error:  # the store is closed: the next start takes it over
            log.warning("%s stays open: %s", key, error)
            return
        done.add_done_callback(lambda _: loop.is_closed() or loop.call_soon_threadsafe(self.news.set))

    async def abandon(self, key: str) -> None:
        """Forget what was tried and was refused."""
        try:
            await self._database.transaction(lambda db: table.abandon(db, key))
        except sqlite3.Error as error:
            log.error("%s was refused, but stays noted: %s", key, error)

    # --- deliveries ---------------------------------------------------------------------------------

    async def claim(self, places: Mapping[str, int]) -> list[OutboxEntry]:
        """Take due entries, for each lane as many as it has places."""
        now = self.clock()
        return await self._database.transaction(
            lambda db: [entry for lane, count in places.items() if count for entry in table.claim(db, lane, count, now)]
        )

    async def share(self, entries: Sequence[OutboxEntry], until: float) -> None:
        """Note that entries are offered to all nodes until a moment."""
        await self._database.transaction(lambda db: table.share(db, [entry.id for entry in entries], until))

    async def delivered(self, key: str, also: Sequence[NewOutboxEntry] = ()) -> None:
        """Mark an entry as done and add what follows from it."""

        def job(db: sqlite3.Connection) -> None:
            table.confirm(db, key, self.clock())
            table.add(db, also, self.clock())

        await self._database.transaction(job)
        if also:
            self.news.set()

    async def postpone(self, entry_id: int, error: str, due_at: float) -> None:
        """Note a failure and when to try again."""
        await self._database.transaction(lambda db: table.postpone(db, entry_id, error, due_at))

    async def mark_dead(self, entry_id: int, error: str) -> None:
        """Give up on an entry: it goes to the dead letters."""
        await self._database.transaction(lambda db: table.mark_dead(db, entry_id, error, self.clock()))

    async def entry(self, entry_id: int) -> OutboxEntry | None:
        """Return one entry."""

        def job(db: sqlite3.Connection) -> OutboxEntry | None:
            row = db.execute("SELECT * FROM outbox WHERE id = ?", (entry_id,)).fetchone()
            return None if row is None else table.entry_of(row)

        return await self._database.transaction(job)

    async def clean(self, lanes: Collection[str], keep_seconds: float, patience_seconds: float) -> int:
        """Delete what was delivered long ago, and give up on what waits for places that are no more.

        Old entries of the log of changed records are deleted as well.
        """
        now = self.clock()

        def job(db: sqlite3.Connection) -> int:
            table.mark_unserved_dead(db, lanes, now - patience_seconds, now)
            change_log.prune(db)
            return table.delete_delivered(db, now - keep_seconds)

        return await self._database.transaction(job)

    async def counts(self) -> dict[str, dict[str, int]]:
        """Return how many there are, by lane and state."""
        return await self._database.transaction(table.counts)

    async def node(self) -> str:
        """Return this file's own name among several nodes: made once, kept."""

        def job(db: sqlite3.Connection) -> str:
            row = db.execute("SELECT id FROM node").fetchone()
            if row is None:
                db.execute("INSERT INTO node VALUES (?)", (name := uuid.uuid4().hex[:12],))
                return name
            return str(row["id"])

        return await self._database.transaction(job)
