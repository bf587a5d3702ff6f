"""Settings of what is kept of calls."""

from __future__ import annotations

import os
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field

from agent.common.addresses import check_url
from agent.config.base import SettingsError, SettingsPart


class RecordsSettings(SettingsPart):
    """What is kept of calls, what is found out about them, and where those of several nodes come together."""

    repeat_hours: float = Field(default=24, ge=0, le=24 * 90)
    """A call from a number that called within so many hours before is marked as a repeat; 0: none is."""

    url: Annotated[str, AfterValidator(lambda url: check_records_url(url))] = ""
    """``postgresql://USER@HOST/DATABASE``; empty: each node keeps its own; or set ORDERLINE_RECORDS_URL, where a
    password does not stand in a file (docs/postgresql.md)."""

    def address(self) -> str:
        """The address, ``""`` for none. Raises SettingsError when the one in the environment is none."""
        given = os.environ.get("ORDERLINE_RECORDS_URL", "")
        try:
            return check_records_url(given) or self.url
        except ValueError as error:
            raise SettingsError(f"ORDERLINE_RECORDS_URL: {error}") from error


def check_records_url(url: str) -> str:
    """Return the address of a PostgreSQL, or ``""``. Raises ValueError, for an administrator; no password is in it."""
    if not url:
        return url
    check_url(url, "postgresql")
    parts = urlsplit(url)
    if not parts.path.strip("/"):
        raise ValueError("names no database: postgresql://USER@HOST/DATABASE")
    import psycopg  # takes a tenth of a second, and a node without PostgreSQL needs none

    for name, _ in parse_qsl(parts.query, keep_blank_values=True):
        if name not in {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}:
            raise ValueError(f"libpq has no option {name}: see docs/postgresql.md")
    return url
