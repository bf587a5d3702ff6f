"""The shop's local time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent.config.base import SettingsError


def wall_clock(timezone: str) -> Callable[[], datetime]:
    """Aware local time in the named zone, or the machine's own. Raises SettingsError for an unknown zone."""
    if not timezone:
        return lambda: datetime.now().astimezone()
    zone = _zone(timezone)
    return lambda: datetime.now(zone)


def local_moment(moment: datetime, timezone: str) -> datetime:
    """Return a time without a zone as one of the named zone, or of the machine's own. Raises SettingsError."""
    return moment.replace(tzinfo=_zone(timezone)) if timezone else moment.astimezone()


def shop_zone(timezone: str) -> tzinfo:
    """Return the named zone, or the machine's own with its changes of the clocks. Raises SettingsError."""
    if timezone:
        return _zone(timezone)
    named = os.environ.get("TZ", "").removeprefix(":")
    if named:
        with contextlib.suppress(ZoneInfoNotFoundError, ValueError):
            return ZoneInfo(named)
    with contextlib.suppress(OSError, ValueError), Path("/etc/localtime").open("rb") as file:
        return ZoneInfo.from_file(file)
    return datetime.now().astimezone().tzinfo or UTC


def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(f"shop.timezone: there is no time zone {timezone!r}") from error
