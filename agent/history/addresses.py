"""What every part that talks to PostgreSQL knows of it, without loading SQLAlchemy."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

SCHEMA = "orderline"
"""Everything of Orderline's is in this schema of the database."""
CONNECT_SECONDS = 5
UPSERT = """
INSERT INTO records (id, node, started_at, record) VALUES (%(id)s, %(node)s, %(started_at)s, %(record)s)
ON CONFLICT (id) DO UPDATE SET record = excluded.record, started_at = excluded.started_at, written_at = now()
WHERE records.record IS DISTINCT FROM excluded.record
"""
"""Stores a record; one that comes again changes nothing."""


def without_password(url: str) -> str:
    """Return an address as it may stand in a log."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    user = parts.username or ""
    return urlunsplit(("postgresql", f"{user}@{host}" if user else host, parts.path, "", ""))


def first_line(error: object) -> str:
    """Return the first line of what PostgreSQL or its driver said."""
    return str(error).strip().partition("\n")[0]
