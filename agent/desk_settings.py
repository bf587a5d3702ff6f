"""Settings of the people's side: the manager interface, the queues with their hours, the dialplan's questions (AGI)."""

from __future__ import annotations

import re
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW = re.compile(r"(\d\d?):(\d\d)\s*-\s*(\d\d?):(\d\d)")
_HOUR_ENDS_DAY = 24
QUEUE_NAME = "^[A-Za-z0-9_-]{1,40}$"
QueueName = Annotated[str, StringConstraints(pattern=QUEUE_NAME)]
ValueName = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,30}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AmiSettings(_Part):
    """How to ask Asterisk's manager interface how the queues stand."""

    host: str = "127.0.0.1"
    port: int = Field(default=5038, ge=1, le=65535)
    user: str = "orderline"
    secret_file: Path | None = None
    """A file that holds nothing but the secret; or set ORDERLINE_AMI_SECRET. With neither the queues are not asked."""


def _windows(value: Any) -> Any:
    """Read ``08:00-12:00`` or a list of such; from and until as times, 24:00 as 00:00."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, (list, tuple)):
        return value
    return tuple(_window(text) for text in texts)


def _window(text: Any) -> tuple[time, time]:
    if isinstance(text, tuple) and len(text) == 2:
        return text
    match = _WINDOW.fullmatch(str(text).strip())
    if match is None:
        raise ValueError(f"{text!r} is no span of time; write 08:00-18:00")
    numbers = [int(part) for part in match.groups()]
    ends_day = numbers[2:] == [_HOUR_ENDS_DAY, 0]
    if ends_day:
        numbers[2] = 0
    try:
        start, end = time(numbers[0], numbers[1]), time(numbers[2], numbers[3])
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from error
    if not ends_day and end <= start:
        raise ValueError(f"{text!r} ends before it begins; a night is two spans: 20:00-24:00 and 00:00-06:00")
    return start, end


Windows = Annotated[tuple[tuple[time, time], ...], BeforeValidator(_windows)]


def _days(value: Any) -> Any:
    """Spread ``mon-fri`` over its days."""
    if not isinstance(value, dict):
        return value
    spread: dict[str, Any] = {}
    for key, windows in value.items():
        first, _, last = str(key).lower().partition("-")
        if first not in DAYS or (last and last not in DAYS):
            raise ValueError(f"{key!r} is no day; days are {', '.join(DAYS)}, or a span like mon-fri")
        start, end = DAYS.index(first), DAYS.index(last or first)
        if end < start:
            raise ValueError(f"{key!r}: the week begins with mon")
        for day in DAYS[start : end + 1]:
            if day in spread:
                raise ValueError(f"{day} is given twice")
            spread[day] = windows
    return spread


class QueueSettings(_Part):
    """One queue that calls may be handed to."""

    hours: Annotated[dict[str, Windows] | None, BeforeValidator(_days)] = None
    """Day or span of days -> when people can be had; days left out are closed. Unset: always."""
    timezone: str = ""
    """IANA name of the hours' zone; empty for the shop's."""
    holidays: tuple[date, ...] = ()
    holidays_file: Path | None = None
    """One ISO date a line, ``#`` begins a comment; an edit counts from the next call on."""
    max_wait_seconds: int = Field(default=0, ge=0)
    """Above this expected wait a call back is offered; 0 for any wait."""
    max_callers: int = Field(default=0, ge=0)
    """From so many waiting callers on a call back is offered; 0 for any number."""
    screen_pop_url: str = Field(default="", pattern='^(|https?://[^\\s<>"]+)$')
    """Opened on the person's screen; {ticket}, {order}, {reason}, {verified}, {caller}, {queue}, {call} are filled."""
    whisper: bool = False
    """True lets the person hear ticket, reason and whether the caller is verified before the caller is joined."""


class HandoverSettings(_Part):
    """What hand-overs share."""

    whisper_directory: Path | None = None
    """Where Asterisk finds what is said to people beforehand; unset for ``whisper`` in the state directory."""
    remember_minutes: int = Field(default=15, ge=0, le=240)
    """How long a call that is with people is remembered, so that it can be given back without asking all again."""


class AgiSettings(_Part):
    """Questions and answers for the dialplan (docs/agi.md)."""

    host: str = "127.0.0.1"
    port: int | None = Field(default=None, ge=0, le=65535)
    """Unset: no such server. 4573 is the usual port of FastAGI; 0 takes a free one."""
    workers: int = Field(default=8, ge=1, le=64)
    """Questions answered at the same time; further ones are turned away at once."""
    values: tuple[ValueName, ...] = ()
    """Names of the values a dialplan may leave for a call."""

    @field_validator("host")
    @classmethod
    def _not_everywhere(cls, host: str) -> str:
        if host in ("0.0.0.0", "::", ""):  # noqa: S104 - refused here
            raise ValueError("AGI knows no passwords: name one address that only your Asterisk reaches")
        return host
