"""The schema of the records in PostgreSQL, as numbered SQL files that are run once each, in order.

Not Alembic: there is one schema with few changes, they must run from a node that starts without anybody's help, and
an administrator whose nodes may not make tables runs the same files with psql. A file that was released never changes;
what comes later only adds, so that nodes of the version before can go on writing.
"""

from __future__ import annotations

from importlib.resources import files

from sqlalchemy import Connection, text

from agent.errors import OrderlineError
from agent.history.addresses import SCHEMA

_LOCK = 0x6F726465
"""Of PostgreSQL's advisory locks: one node at a time changes the schema."""


class WrongEncoding(OrderlineError):
    """The database does not keep text as UTF-8."""

    code = "postgresql_encoding"


def migrate(connection: Connection) -> list[str]:
    """Bring the schema up to date within the transaction that is open; return the names of the files that were run.

    Raises :class:`WrongEncoding`, and ``DBAPIError`` where the role may not make what is missing.
    """
    encoding = connection.scalar(text("SHOW server_encoding"))
    if encoding != "UTF8":
        raise WrongEncoding(f"the database keeps text as {encoding}: make it with ENCODING 'UTF8'")
    missing = _missing(connection)
    if not missing:
        return []
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    connection.execute(
        text("CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())")
    )
    missing = _missing(connection)  # another node may have been faster
    for name in missing:
        connection.exec_driver_sql((files(__package__) / name).read_text(encoding="utf-8").replace("%", "%%"))
        connection.execute(text("INSERT INTO migrations (name) VALUES (:name)"), {"name": name})
    return missing


def _missing(connection: Connection) -> list[str]:
    names = sorted(one.name for one in files(__package__).iterdir() if one.name.endswith(".sql"))
    if connection.scalar(text("SELECT to_regclass(:table)"), {"table": f"{SCHEMA}.migrations"}) is None:
        return names
    done = set(connection.scalars(text("SELECT name FROM migrations")))
    return [name for name in names if name not in done]
