"""How pages write times, spans and numbers. Pure."""

from __future__ import annotations

import datetime as dt

_MINUTE = 60
_SECOND_MS = 1000


def span(seconds: float | None) -> str:
    """Return a length as ``0:42``, ``12:05`` or ``1:02:03``; ``"–"`` for none."""
    if seconds is None:
        return "–"
    whole = round(max(seconds, 0.0))
    hours, rest = divmod(whole, _MINUTE * _MINUTE)
    minutes, left = divmod(rest, _MINUTE)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def moment(seconds: float | None) -> str:
    """Return a place in a call with its tenths, as ``1:02.4``."""
    if seconds is None:
        return "–"
    tenths = round(max(seconds, 0.0) * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02}.{tenths % 10}"


def milliseconds(value: float | None) -> str:
    """Return a short span as ``412 ms`` or ``1.52 s``."""
    if value is None:
        return "–"
    return f"{value:.0f} ms" if value < _SECOND_MS else f"{value / _SECOND_MS:.2f} s"


def number(value: float) -> str:
    """Return a count with commas between thousands, as reports print them."""
    return f"{value:,.0f}"


def clock(time: dt.datetime) -> str:
    """Return the time of day as ``14:05:09``."""
    return f"{time:%H:%M:%S}"


def day(time: dt.date) -> str:
    """Return the day as ``Mon 30 Nov 2026``."""
    return f"{time:%a} {time.day} {time:%b %Y}"


def moment_of_day(time: dt.datetime) -> str:
    """Return day and time of day."""
    return f"{day(time)}, {clock(time)}"


def at(seconds: float, zone: dt.tzinfo | None) -> str:
    """Return day and time of day of a moment in seconds since 1970."""
    return moment_of_day(dt.datetime.fromtimestamp(seconds, zone or dt.UTC))


def iso(text: str, zone: dt.tzinfo | None) -> str:
    """Return day and time of day of an ISO 8601 moment; what is none stays as it is."""
    try:
        return moment_of_day(dt.datetime.fromisoformat(text).astimezone(zone or dt.UTC))
    except ValueError:
        return text


_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
)
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux")


def browser(agent: str) -> str:
    """Return what a ``User-Agent`` says in short (``Chrome 150 on Linux``); what is none of the usual as it is."""
    name = next((f"{name} {number}" for mark, name in _BROWSERS if (number := _major(agent, mark))), "")
    system = next((system for system in _SYSTEMS if system in agent), "")
    if not name:
        return agent or "unknown browser"
    return f"{name} on {system}" if system else name


def _major(agent: str, mark: str) -> str:
    number = agent.replace("HeadlessChrome/", "Chrome/").partition(mark)[2].partition(".")[0]
    return number if number.isdigit() else ""


def phone(digits: str) -> str:
    """Return a caller's number in groups, as far as it looks like a North American one; others as they are."""
    ten = 10
    plain = digits.removeprefix("+1") if digits.startswith("+1") and len(digits) == ten + 2 else digits
    if len(plain) == ten and plain.isdigit():
        return f"{plain[:3]} {plain[3:6]} {plain[6:]}"
    return digits
