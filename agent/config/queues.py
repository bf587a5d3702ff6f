"""Settings of the staff queues: opening hours, holidays, limits, screen-pop and whisper."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, time, tzinfo
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from agent.call.queue_rules import QueueRules, Window
from agent.call.queue_status import SCREEN_POP_VALUES
from agent.config.holidays import read_holidays

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WINDOW = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


def _as_list(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def parse_opening_window(text: str) -> Window:
    """Read ``08:00-18:00``; 24:00 ends a day. Raises ValueError."""
    found = _WINDOW.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no opening time; write 08:00-18:00")
    start = time(int(found[1]), int(found[2]))
    end = time(0, 0) if found[3] == "24" and found[4] == "00" else time(int(found[3]), int(found[4]))
    if end != time(0, 0) and end <= start:
        raise ValueError(f"{text!r} ends before it begins; what goes past midnight is written as two days")
    return start, end


class QueueSettings(BaseModel):
    """One queue that calls may be handed to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hours: dict[str, Annotated[tuple[str, ...], BeforeValidator(_as_list)]] | None = None
    """Weekday -> ``08:00-18:00``, several with commas; a missing day is closed; unset: always open."""
    holidays: tuple[date, ...] = ()
    """Days on which nobody is there, ``2026-12-25``."""
    holidays_file: Path | None = None
    """A file with one such day a line, ``#`` begins a remark; read anew at every hand-over."""
    max_wait_seconds: float = Field(default=0.0, ge=0)
    """Where a longer wait is expected a call back is offered; 0: any wait."""
    max_callers: int = Field(default=0, ge=0)
    """From so many waiting callers on a call back is offered; 0: any number."""
    screen_pop_url: str = Field(default="", pattern=r"^(https?://[^\s\"<>;]+)?$")
    """Given to the person's phone; ``{ticket}`` and the like are filled in."""
    whisper: bool = False
    """Whether ticket and reason are spoken to the person before the caller is joined."""

    @field_validator("hours")
    @classmethod
    def _real_hours(cls, hours: Mapping[str, Sequence[str]] | None) -> Mapping[str, Sequence[str]] | None:
        for day, windows in (hours or {}).items():
            if day not in WEEKDAYS:
                raise ValueError(f"there is no weekday {day!r}; there are {', '.join(WEEKDAYS)}")
            for window in windows:
                parse_opening_window(window)
        return hours

    @field_validator("screen_pop_url")
    @classmethod
    def _known_values(cls, url: str) -> str:
        for name in re.findall(r"\{([^}]*)\}", url):
            if name not in SCREEN_POP_VALUES:
                raise ValueError(f"there is no {{{name}}}; there are {', '.join(SCREEN_POP_VALUES)}")
        return url

    def rules(self, zone: tzinfo) -> QueueRules:
        """Return the rules as they are now. Raises OSError, and ValueError (``file:line: ...``)."""
        hours = None
        if self.hours is not None:
            hours = {
                WEEKDAYS.index(day): tuple(map(parse_opening_window, windows)) for day, windows in self.hours.items()
            }
        return QueueRules(
            zone,
            hours,
            frozenset(self.holidays) | read_holidays(self.holidays_file),
            self.max_wait_seconds,
            self.max_callers,
        )
