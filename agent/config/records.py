"""Settings of what is kept of calls."""

from __future__ import annotations

import os
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from agent.common.addresses import check_url
from agent.config.base import SettingsError, SettingsPart


class RecordsSettings(SettingsPart):
    """Where the records of several nodes come together (docs/postgresql.md)."""

    url: Annotated[str, AfterValidator(lambda url: check_records_url(url))] = ""
    """``postgresql://USER@HOST/DATABASE``; empty: each node keeps its own; or set ORDERLINE_RECORDS_URL, where a
    password does not stand in a file."""

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
    if not urlsplit(url).path.strip("/"):
        raise ValueError("names no database: postgresql://USER@HOST/DATABASE")
    return url
