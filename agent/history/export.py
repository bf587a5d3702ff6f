"""Writes finished calls for other programs: whole records as JSON lines, or their facts as CSV for a spreadsheet."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TextIO

from agent.errors import OrderlineError
from agent.history.filters import CallFilter
from agent.history.opening import History
from agent.history.search import CallLine

Format = Literal["jsonl", "csv"]
CSV_COLUMNS = tuple(field.name for field in dataclasses.fields(CallLine))
"""They stay; later ones are added at the end."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_AT_ONCE = 200


class InvalidCursor(OrderlineError):
    """The file that says how far an export came cannot be used."""

    code = "export_cursor"


@dataclasses.dataclass(frozen=True)
class ExportCursor:
    """How far an export came: it holds what was stored before a moment."""

    stored_before_ms: int = 0
    """Milliseconds since 1970."""

    @classmethod
    def read(cls, path: Path) -> ExportCursor:
        """Return what a file says; the beginning where there is none. Raises :class:`InvalidCursor`."""
        try:
            return cls(int(json.loads(path.read_text(encoding="utf-8"))["stored_before_ms"]))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidCursor(
                f"{path} does not say how far an export came ({error}): name that of an earlier export, or a new one"
            ) from error

    def write(self, path: Path) -> None:
        """Keep it. Raises ``OSError``."""
        with replaced(path) as file:
            json.dump(dataclasses.asdict(self), file)


def export(
    history: History,
    wanted: CallFilter,
    form: Format,
    out: TextIO,
    cursor: ExportCursor | None = None,
    *,
    now: Callable[[], float] = time.time,
) -> tuple[int, ExportCursor]:
    """Write the calls that fulfil a filter; return how many, and how far this came.

    Without a cursor the latest call comes first. With one, calls come in the order in which their records were
    stored, from the cursor on, and a record that changed comes again; the last seconds are left to the next export.
    """
    until_ms = int((now() - history.settle_seconds) * 1000)
    if cursor is None:
        lines, come_to = history.index.every(wanted), ExportCursor(until_ms)
    else:
        come_to = ExportCursor(max(until_ms, cursor.stored_before_ms))
        lines = history.index.stored_between(wanted, cursor.stored_before_ms, come_to.stored_before_ms)
    write = _write_csv if form == "csv" else _write_json_lines
    return write(history, lines, out), come_to


@contextmanager
def replaced(path: Path) -> Iterator[TextIO]:
    """Give a file to write, and put it in the place of ``path`` when all is written, or not at all."""
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)


def guarded(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula: text that begins like one gets an apostrophe in front."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def csv_cells(line: CallLine) -> list[object]:
    """Return a call's cells, in the order of :data:`CSV_COLUMNS`."""
    cells: dict[str, Any] = {field: getattr(line, field) for field in CSV_COLUMNS}
    cells["started_at"] = line.started_at.isoformat(timespec="milliseconds")
    cells["orders"] = " ".join(line.orders)
    return [guarded(cell) for cell in cells.values()]


def _write_csv(history: History, lines: Iterable[CallLine], out: TextIO) -> int:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    count = 0
    for line in lines:
        writer.writerow(csv_cells(line))
        count += 1
    return count


def _write_json_lines(history: History, lines: Iterable[CallLine], out: TextIO) -> int:
    count = 0
    ids = (line.id for line in lines)
    while some := list(itertools.islice(ids, _AT_ONCE)):
        for record in history.index.records(some).values():
            out.write(json.dumps(record) + "\n")
            count += 1
    return count
