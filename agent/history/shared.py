"""The finished calls of several nodes in one PostgreSQL: the records that nodes send, and the index made of them."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, create_engine, event, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.types import ARRAY, Text

from agent.errors import OrderlineError
from agent.history.addresses import CONNECT_SECONDS, SCHEMA, UPSERT, first_line, without_password
from agent.history.dialects.postgres import PostgresDialect
from agent.history.indexer import Indexer, Progress
from agent.history.migrations import migrate
from agent.history.search import CallIndex
from agent.history.sources import CHANGES_AT_ONCE, Changes, Position, StoredRecord

log = logging.getLogger(__name__)

_INDEX_LOCK = 0x6F726469
"""Of PostgreSQL's advisory locks: one process at a time fills the index."""

_TABLES = (
    *("records", "record_changes", "calls", "call_orders", "call_words", "call_values", "misheard", "sums_by_hour"),
    "sums_by_day",
)


class PostgresUnavailable(OrderlineError):
    """PostgreSQL does not answer, or refuses what is asked of it."""

    code = "postgresql"
    retryable = True


class SharedHistory:
    """The finished calls of all nodes. Close it. Its methods block: call them off the event loop."""

    def __init__(self, url: str) -> None:
        """``url`` is ``postgresql://USER@HOST/DATABASE``."""
        self.settle_seconds = 15.0
        self._where = without_password(url)
        self._engine = _engine(url)
        self._dialect = PostgresDialect()
        self._source = PostgresRecords()
        self.index = CallIndex(self._engine, self._dialect, self._source.records_of)

    def prepare(self) -> None:
        """Make the schema, or bring it up to date. Raises :class:`PostgresUnavailable`."""
        with self.told(), self._engine.begin() as connection:
            for name in migrate(connection):
                log.info("%s: %s was run", self._where, name)

    def look(self) -> str:
        """Return what the server is, after bringing the schema up to date. Raises :class:`PostgresUnavailable`."""
        self.prepare()
        with self.told(), self._engine.connect() as connection:
            version = connection.scalar(text("SHOW server_version"))
            records = self._source.count(connection)
        return f"PostgreSQL {version}, {records} records"

    def catch_up(self, progress: Progress = lambda done, of: None, *, anew: bool = False, wait: bool = False) -> bool:
        """Bring the index up to date; False when another process is at it and ``wait`` is not set.

        Raises :class:`PostgresUnavailable` and :class:`agent.history.indexer.NewerIndex`.
        """
        self.prepare()
        with self.told(), self._engine.connect() as connection:
            ask = "SELECT pg_advisory_lock(:key)::text" if wait else "SELECT pg_try_advisory_lock(:key)::text"
            mine = bool(connection.scalar(text(ask), {"key": _INDEX_LOCK}) != "false")
            connection.commit()
            if mine:
                try:
                    Indexer(self._engine, self._dialect, self._source).catch_up(progress, anew=anew)
                finally:
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _INDEX_LOCK})
        return mine

    def send(self, records: Sequence[Mapping[str, str]]) -> None:
        """Store records: ``id``, ``node``, ``started_at``, ``record`` (JSON). Raises :class:`PostgresUnavailable`."""
        with self.told(), self._engine.begin() as connection:
            connection.exec_driver_sql(UPSERT, [dict(record) for record in records])

    def lacks(self, ids: Sequence[str]) -> set[str]:
        """Return the ids of which there is no record. Raises :class:`PostgresUnavailable`."""
        with self.told(), self._engine.connect() as connection:
            return set(ids) - self._source.records_of(connection, ids).keys()

    def erase(self, ids: Sequence[str]) -> int:
        """Delete the records with these ids, and take them out of the index; return how many there were.

        Raises :class:`PostgresUnavailable`. :meth:`scrub` gets them out of the server's files.
        """
        with self.told(), self._engine.begin() as connection:
            query = text("DELETE FROM records WHERE id = ANY(:list)").bindparams(bindparam("list", type_=ARRAY(Text)))
            erased = connection.execute(query, {"list": list(ids)}).rowcount
        self.catch_up(wait=True)
        return erased

    def all_records(self) -> Iterator[tuple[str, str]]:
        """Give every record as (id, JSON), some at a time. Raises :class:`PostgresUnavailable`."""
        last = ""
        query = text("SELECT id, record FROM records WHERE id > :last ORDER BY id LIMIT 1000")
        while True:
            with self.told(), self._engine.connect() as connection:
                rows = connection.execute(query, {"last": last}).all()
            if not rows:
                return
            last = rows[-1].id
            yield from ((row.id, row.record) for row in rows)

    def replace(self, records: Sequence[tuple[str, str]]) -> None:
        """Put other contents (JSON) into records that are there, by id. Raises :class:`PostgresUnavailable`."""
        with self.told(), self._engine.begin() as connection:
            values = [{"id": call_id, "record": record} for call_id, record in records]
            connection.execute(text("UPDATE records SET record = :record, written_at = now() WHERE id = :id"), values)

    def scrub(self) -> None:
        """Have the server write its tables anew, without what was deleted. Raises :class:`PostgresUnavailable`.

        VACUUM FULL: a plain one leaves the bytes where they were until something else needs the room. Each table is
        locked meanwhile; nodes keep their records until it is done. The planner's statistics hold samples of values:
        they are taken anew, and their table as well (which the owner of the database may do, and nobody less).
        """
        with self.told(), self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in _TABLES:
                if connection.scalar(text("SELECT to_regclass(:table)"), {"table": table}) is not None:
                    connection.execute(text(f"VACUUM (FULL, ANALYZE) {table}"))
            try:
                connection.execute(text("VACUUM FULL pg_statistic"))  # samples of what was there before
            except ProgrammingError as error:
                log.warning("%s: %s: only the owner of the database may do that", self._where, first_line(error.orig))

    def close(self) -> None:
        """Close its connections."""
        self._engine.dispose()

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Turn what the driver raises into :class:`PostgresUnavailable`."""
        try:
            yield
        except DBAPIError as error:
            raise PostgresUnavailable(f"{self._where}: {first_line(error.orig)}") from error


class PostgresRecords:
    """Implements :class:`agent.history.sources.RecordSource` on the connection of the index: one database has both."""

    def begin_anew(self, index: Connection) -> Position:
        """See the Protocol. What has been taken in is deleted from the log: there is no position to remember."""
        index.execute(text("DELETE FROM record_changes"))  # those that can be seen now, as their records can
        return Position()

    def records_from(self, index: Connection, place: int, limit: int) -> Sequence[StoredRecord]:
        """See the Protocol."""
        query = f"{_STORED} WHERE number > :place ORDER BY number LIMIT :limit"
        return [_stored(row) for row in index.execute(text(query), {"place": place, "limit": limit})]

    def changes_since(self, index: Connection, position: Position) -> Changes | None:
        """See the Protocol."""
        query = "SELECT number, record_id FROM record_changes ORDER BY number LIMIT :limit"
        log_rows = index.execute(text(query), {"limit": CHANGES_AT_ONCE}).all()
        ids = tuple(dict.fromkeys(row.record_id for row in log_rows))
        return Changes(ids, tuple(map(_stored, _by_id(index, ids))), position, tuple(row.number for row in log_rows))

    def done(self, index: Connection, changes: Changes) -> None:
        """See the Protocol."""
        _with_list(index, "DELETE FROM record_changes WHERE number = ANY(:list)", list(changes.numbers))

    def count(self, index: Connection) -> int:
        """See the Protocol."""
        return int(index.scalar(text("SELECT count(*) FROM records")) or 0)

    def records_of(self, connection: Connection, ids: Sequence[str]) -> dict[str, str]:
        """Return the records with these ids, as JSON."""
        return {row.id: row.record for row in _by_id(connection, ids)}


_STORED = "SELECT id, record, (extract(epoch FROM written_at) * 1000)::bigint AS written_ms, number FROM records"


def _by_id(connection: Connection, ids: Sequence[str]) -> Sequence[Any]:
    if not ids:
        return ()
    query = text(f"{_STORED} WHERE id = ANY(:list)").bindparams(bindparam("list", type_=ARRAY(Text)))
    return connection.execute(query, {"list": list(ids)}).all()


def _with_list(connection: Connection, statement: str, numbers: list[int]) -> None:
    if numbers:
        connection.execute(text(statement), {"list": numbers})


def _stored(row: Any) -> StoredRecord:
    return StoredRecord(row.id, row.record, row.written_ms, row.number)


def _engine(url: str) -> Engine:
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_pre_ping=True,
        connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "orderline"},
    )

    @event.listens_for(engine, "connect")
    def use_our_schema(connection: Any, _: object) -> None:
        connection.autocommit = True
        connection.execute(f"SET search_path TO {SCHEMA}")
        connection.autocommit = False

    return engine
