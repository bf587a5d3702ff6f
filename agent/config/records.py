"""Settings of what is kept of calls."""

from __future__ import annotations

from pydantic import Field

from agent.config.base import SettingsPart


class RecordsSettings(SettingsPart):
    """What is kept of calls, and what is found out about them."""

    repeat_hours: float = Field(default=24, ge=0, le=24 * 90)
    """A call from a number that called within so many hours before is marked as a repeat; 0: none is."""
