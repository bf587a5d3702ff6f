"""Days on which nobody is there, or nobody is called: a file with one date a line, ``#`` begins a remark."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from agent.common.files import read_text

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOST_TOLD = 10


def read_holidays(file: Path | None) -> frozenset[date]:
    """Return the dates of a file, none without one. Raises OSError, and ValueError (``file:line: ...``)."""
    if file is None:
        return frozenset()
    try:
        lines = read_text(file).splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{file}: is not UTF-8 text") from error
    days: set[date] = set()
    wrong: list[str] = []
    for number, line in enumerate(lines, start=1):
        if day := line.partition("#")[0].strip():
            try:
                days.add(_day(day))
            except ValueError:
                wrong.append(f"{file}:{number}: {day[:40]!r} is no date; write 2026-12-25")
    if wrong:
        raise ValueError("; ".join(wrong[:_MOST_TOLD]))
    return frozenset(days)


def _day(text: str) -> date:
    if _DATE.fullmatch(text) is None:
        raise ValueError("another form")  # of 25.12. and 12/25 nobody knows which is the month
    return date.fromisoformat(text)
