"""Asterisk's call detail records (Master.csv, or the table as CSV): when callers came and how long staff talked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.impact.errors import CallLogUnusable
from agent.impact.imports.measured_volumes import Ending, ImportedCaller, ImportSummary, MeasuredVolumes, measure
from agent.impact.imports.queue_events import local_time, split_csv
from agent.impact.imports.reading import FileRead, ImportNotes, read_lines

MOST_ROWS = 3_000_000
_LEAST_EPOCH = 631_152_000
_MOST_EPOCH = 4_102_444_800
_LONGEST_TALK_SECONDS = 2 * 3600.0

_MASTER = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start",
    "answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield", "peeraccount",
    "linkedid", "sequence",
)  # fmt: skip
"""The columns of cdr_csv; the last five stand there as far as loguniqueid, loguserfield and newcdrcolumns say so."""
_CUSTOM = (
    "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer", "end",
    "duration", "billsec", "disposition", "amaflags", "accountcode", "uniqueid", "userfield", "sequence",
)  # fmt: skip
"""The columns of the sample configuration of cdr_custom."""
_TABLE = (
    "start", "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "duration", "billsec",
    "disposition", "amaflags", "accountcode", "uniqueid", "userfield",
)  # fmt: skip
"""The columns of the table of FreePBX, where they are not named."""
_LEAST_COLUMNS = 16
_NEEDED = ("src", "dst", "channel", "dstchannel", "lastapp", "start", "billsec", "disposition")
_NO_RECORD = (
    "no record of a call: 16 columns or more, a start like 2026-11-02 14:30:05 in the 1st, 9th or 10th, or a first "
    f"line that names {', '.join(_NEEDED)}: not used"
)
_ALIASES = {"calldate": "start", "lastapplication": "lastapp", "destination": "dst", "source": "src"}
_DISPOSITIONS = frozenset({"ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION"})


@dataclass(frozen=True, slots=True)
class _Row:
    """One record: a caller and one phone, or a caller alone."""

    start: float
    dst: str
    lastapp: str
    answered: bool
    reached: bool
    """Whether another phone is in it."""
    billsec: float
    queue: str


def read_cdr(
    paths: Sequence[Path], zone: ZoneInfo, *, dialled: Collection[str] = (), utc: bool = False
) -> MeasuredVolumes:
    """Return what call detail records say about calls for staff. Raises :class:`CallLogUnusable`.

    Those are calls that came to ``Queue()``, or to one of the numbers ``dialled`` where given. Times have no zone in
    these files: they are the shop's, or UTC (``usegmtime=yes``) with ``utc``. How long callers waited and when they
    gave up is not in them.
    """
    notes = ImportNotes()
    files: list[FileRead] = []
    calls: dict[str, list[_Row]] = {}
    rows = 0
    clock = ZoneInfo("UTC") if utc else zone
    seen: set[int] = set()
    for path in paths:
        file = FileRead(path.name)
        files.append(file)
        rows += _read_file(path, file, notes, clock, calls, seen)
        if rows > MOST_ROWS:
            raise CallLogUnusable(f"{path.name}: more than {MOST_ROWS} records; give fewer months")
    ours = {call: rows for call, rows in calls.items() if _for_staff(rows, dialled)}
    if calls and not ours:
        raise CallLogUnusable(_nothing_for_staff(calls, dialled))
    if left := len(calls) - len(ours):
        notes.add_many("call that did not come to the staff (outgoing, internal, other numbers): not used", left)
    callers = [_caller(rows) for rows in ours.values()]
    starts = [row.start for rows in calls.values() for row in rows]
    by_queue = Counter(next((row.queue for row in rows if row.queue), rows[0].dst) for rows in ours.values())
    summary = ImportSummary("call detail records", tuple(files), notes, clock.key, tuple(by_queue.most_common()))
    return measure(callers, (min(starts, default=0.0), max(starts, default=0.0)), zone, summary)


def _read_file(
    path: Path, file: FileRead, notes: ImportNotes, clock: ZoneInfo, calls: dict[str, list[_Row]], seen: set[int]
) -> int:
    columns: Mapping[str, int] | None = None
    delimiter = ","
    here: set[int] = set()
    for number, text in read_lines(path, file.name, notes):
        file.lines += 1
        place = f"{file.name}:{number}"
        if columns is None:
            delimiter = max(",;\t", key=text.count)
            columns, is_header = _layout(split_csv(text, delimiter))
            if is_header:
                file.other += 1
                continue
        if columns is None:
            _refuse(
                file,
                notes,
                _NO_RECORD,
                place,
            )
            continue
        cells = split_csv(text, delimiter)
        if len(cells) <= max(columns[name] for name in _NEEDED):
            _refuse(file, notes, "too few columns: not used", place)
            columns = columns if file.used else None
            continue
        row = _row(partial(_cell, cells, columns), clock, notes, place)
        if isinstance(row, str):
            _refuse(file, notes, row, place)
            continue
        mark = hash(text)
        if mark in seen:
            file.repeated += 1
            notes.add("record that was read before (files overlap): counted once", place)
            continue
        here.add(mark)
        file.used += 1
        call = _cell(cells, columns, "linkedid") or _cell(cells, columns, "uniqueid")
        if not call:
            notes.add("record without linkedid and uniqueid: a call of its own", place)
        calls.setdefault(call or place, []).append(row)
    seen |= here
    if file.lines and file.refused == file.lines:
        raise CallLogUnusable("\n".join([f"{file.name}: holds no call detail records", *notes.lines()]))
    return file.used


def _layout(cells: Sequence[str]) -> tuple[Mapping[str, int] | None, bool]:
    """Return column -> place by the first line of a file (None: no record), and whether it only names them."""
    names = [_ALIASES.get(name, name) for name in (cell.strip().lower() for cell in cells)]
    if set(_NEEDED) <= set(names):
        return {name: names.index(name) for name in names}, True
    for columns in (_TABLE, _CUSTOM, _MASTER):
        start = columns.index("start")
        if len(cells) >= _LEAST_COLUMNS and _looks_like_time(cells[start]):
            return {name: place for place, name in enumerate(columns)}, False
    return None, False


def _looks_like_time(text: str) -> bool:
    return len(text) >= 19 and local_time(text, ZoneInfo("UTC")) is not None


def _cell(cells: Sequence[str], columns: Mapping[str, int], name: str) -> str:
    place = columns.get(name)
    text = cells[place].strip() if place is not None and place < len(cells) else ""
    return "" if text in ("NULL", "\\N") else text


def _row(cell: Callable[[str], str], clock: ZoneInfo, notes: ImportNotes, place: str) -> _Row | str:
    """Return the record, or what is wrong with it."""
    start = local_time(cell("start"), clock)
    if start is None or not _LEAST_EPOCH <= start <= _MOST_EPOCH:
        return "no start time: not used"
    disposition = cell("disposition").upper()
    if disposition not in _DISPOSITIONS and not disposition.isdigit():
        return f"disposition {disposition[:20]!r}: not used"
    try:
        billsec = float(cell("billsec") or 0)
    except ValueError:
        billsec = -1.0
    if not 0 <= billsec < 1e6:
        return "billsec is no number of seconds: not used"
    if billsec > _LONGEST_TALK_SECONDS:
        notes.add("talk of more than two hours: the call counts, its talk does not", place)
    return _Row(
        start=start,
        dst=cell("dst"),
        lastapp=cell("lastapp").lower(),
        answered=disposition in ("ANSWERED", "8"),
        reached=bool(cell("dstchannel")),
        billsec=billsec,
        queue=cell("lastdata").partition(",")[0].partition("|")[0] if cell("lastapp").lower() == "queue" else "",
    )


def _refuse(file: FileRead, notes: ImportNotes, what: str, place: str) -> None:
    file.refused += 1
    notes.add(what, place)


def _for_staff(rows: Sequence[_Row], dialled: Collection[str]) -> bool:
    if dialled:
        return any(row.dst in dialled for row in rows)
    return any(row.lastapp == "queue" for row in rows)


def _nothing_for_staff(calls: Mapping[str, Sequence[_Row]], dialled: Collection[str]) -> str:
    numbers = Counter(row.dst for rows in calls.values() for row in rows[:1])
    often = ", ".join(f"{number or '(none)'} ({count})" for number, count in numbers.most_common(8))
    wanted = f"no call to {', '.join(dialled)}" if dialled else "no call came to Queue()"
    return f"{wanted}; say which numbers callers ring with --dialled; dialled most often: {often}"


def _caller(rows: Sequence[_Row]) -> ImportedCaller:
    """Return one call of one or more records: where a group is rung there is one for each member."""
    talks = [row.billsec for row in rows if row.answered and row.reached and row.billsec <= _LONGEST_TALK_SECONDS]
    reached = any(row.answered and row.reached for row in rows)
    ending: Ending = "answered" if reached else "unknown"  # hung up or sent away: these files do not tell
    return ImportedCaller(min(row.start for row in rows), ending, None, sum(talks) if talks else None)


__all__ = ["read_cdr"]
