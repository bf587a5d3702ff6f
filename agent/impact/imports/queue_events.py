"""Lines of Asterisk's queue log, from the file or from its realtime table, as events of callers."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from agent.impact.errors import CallLogUnusable
from agent.impact.imports.reading import FileRead, ImportNotes, read_lines

MOST_EVENTS = 3_000_000
"""Events of callers: two years of a queue with a thousand calls a day."""


class QueueStep(Enum):
    """What an event says of a caller."""

    ENTER = "enter"
    CONNECT = "connect"
    COMPLETE = "complete"
    TRANSFER = "transfer"
    ABANDON = "abandon"
    EXIT = "exit"
    """By a rule of the queue: timeout, key, nobody there."""


_OTHER_EVENTS = frozenset(
    {
        "ADDMEMBER", "AGENTCALLBACKLOGIN", "AGENTCALLBACKLOGOFF", "AGENTLOGIN", "AGENTLOGOFF", "CALLSTATUS",
        "CONFIGRELOAD", "DID", "HEARTBEAT", "HOLD", "UNHOLD", "INFO", "PAUSE", "PAUSEALL", "PAUSEREASON", "PENALTY",
        "QUEUESTART", "REMOVEMEMBER", "RINGCANCELED", "RINGNOANSWER", "SYSCOMPAT", "UNPAUSE", "UNPAUSEALL",
        "MEMBERADDED", "MEMBERREMOVED",
    }
)  # fmt: skip
"""That are no step of a caller's way."""
_NO_CALLERS = frozenset({"NONE", "REALTIME", "MANAGER", "CLI", ""})
_LEAST_EPOCH = 631_152_000
_MOST_EPOCH = 4_102_444_800
"""1990 and 2100: outside of it no clock was set."""
_COLUMNS = ("time", "callid", "queuename", "agent", "event")
_DATA = ("data1", "data2", "data3", "data4", "data5")
_ALIASES = {
    "queue": "queuename", "queue_name": "queuename", "qname": "queuename", "call_id": "callid", "uniqueid": "callid",
    "timestamp": "time", "date_time": "time", "type": "agent", "member": "agent",
    **{f"param{number}": f"data{number}" for number in range(1, 6)},
}  # fmt: skip
"""What tables of other programs call the columns."""
_EPOCH = re.compile(r"\d{9,11}(\.\d+)?")


class QueueEvent(NamedTuple):
    """One step of a caller's way through a queue."""

    at: float
    """Seconds since 1970."""
    order: int
    """Of lines that have the same second."""
    call: str
    queue: str
    kind: QueueStep
    wait: float | None
    talk: float | None
    caller: str
    """The caller's number, of ``ENTERQUEUE``."""
    local: bool
    """Whether the staff member was rung through a Local channel."""
    place: str
    """``file:line``."""


@dataclass(frozen=True)
class _Shape:
    """How an event's data is laid out: which field is the wait, which is the talk time (None: it has none)."""

    kind: QueueStep
    wait: int | None = None
    talk: int | None = None


_SHAPES = {
    "ENTERQUEUE": _Shape(QueueStep.ENTER),
    "CONNECT": _Shape(QueueStep.CONNECT, wait=0),
    "COMPLETECALLER": _Shape(QueueStep.COMPLETE, wait=0, talk=1),
    "COMPLETEAGENT": _Shape(QueueStep.COMPLETE, wait=0, talk=1),
    "TRANSFER": _Shape(QueueStep.TRANSFER, wait=2, talk=3),
    "BLINDTRANSFER": _Shape(QueueStep.TRANSFER, wait=2, talk=3),
    "ATTENDEDTRANSFER": _Shape(QueueStep.TRANSFER, wait=-3, talk=-2),
    "ABANDON": _Shape(QueueStep.ABANDON, wait=2),
    "EXITWITHTIMEOUT": _Shape(QueueStep.EXIT, wait=2),
    "EXITEMPTY": _Shape(QueueStep.EXIT, wait=2),
    "EXITWITHKEY": _Shape(QueueStep.EXIT, wait=3),
    "WITHDRAW": _Shape(QueueStep.EXIT),
    "AGENTDUMP": _Shape(QueueStep.EXIT),
}


class QueueEvents:
    """The events of callers in some files, each file's lines accounted for."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.notes = ImportNotes()
        self.files: list[FileRead] = []
        self.events: list[QueueEvent] = []
        self.span: tuple[float, float] | None = None
        """First and last time of any line, seconds since 1970."""
        self._zone = zone
        self._strings: dict[str, str] = {}
        self._seen: set[tuple[float, str, str, str, tuple[str, ...]]] = set()

    def read(self, path: Path, name: str) -> None:
        """Read one file. Raises :class:`CallLogUnusable` where it is no queue log at all."""
        file = FileRead(name)
        self.files.append(file)
        here: set[tuple[float, str, str, str, tuple[str, ...]]] = set()
        fields_of: Callable[[str], Sequence[str]] | None = None
        for number, text in read_lines(path, name, self.notes):
            file.lines += 1
            if fields_of is None:
                fields_of, is_header = _reader(text)
                if is_header:
                    file.other += 1
                    continue
            self._take(fields_of(text), file, f"{name}:{number}", here)
        self._seen |= here
        if file.lines and file.refused == file.lines:
            raise CallLogUnusable("\n".join([f"{name}: is no queue log", *self.notes.lines()]))

    def _take(
        self,
        fields: Sequence[str],
        file: FileRead,
        place: str,
        here: set[tuple[float, str, str, str, tuple[str, ...]]],
    ) -> None:
        if len(fields) < len(_COLUMNS):
            self._refuse(file, f"{len(fields)} fields where a queue log has five or more: not used", place)
            return
        when, call, queue, agent, event = (field.strip() for field in fields[:5])
        at = self._moment(when)
        if at is None:
            self._refuse(file, "no time: not used", place)
            return
        self.span = (at, at) if self.span is None else (min(self.span[0], at), max(self.span[1], at))
        shape = _SHAPES.get(event.upper())
        if shape is None:
            file.other += 1
            if event.upper() not in _OTHER_EVENTS:
                self.notes.add(f"event {event[:30]!r} that this program does not know: not used", place)
            return
        if call.upper() in _NO_CALLERS:
            self._refuse(file, f"{event} without the id of a call: not used", place)
            return
        data = tuple(field.strip() for field in fields[5:])
        line = (at, call, queue, event, data)
        if line in self._seen or line in here:
            file.repeated += 1
            why = "stands in another file too (rotated files overlap)" if line in self._seen else "stands twice"
            self.notes.add(f"line that {why}: counted once", place)
            return
        here.add(line)
        file.used += 1
        self._add(shape, at, call, queue, agent, data, place)

    def _add(
        self, shape: _Shape, at: float, call: str, queue: str, agent: str, data: tuple[str, ...], place: str
    ) -> None:
        if len(self.events) >= MOST_EVENTS:
            raise CallLogUnusable(f"{place}: more than {MOST_EVENTS} events of callers; give fewer months")
        caller = data[1] if shape.kind is QueueStep.ENTER and len(data) > 1 else ""
        same = self._strings
        self.events.append(
            QueueEvent(
                at=at,
                order=len(self.events),
                call=same.setdefault(call, call),
                queue=same.setdefault(queue, queue),
                kind=shape.kind,
                wait=self._seconds(data, shape.wait, place),
                talk=self._seconds(data, shape.talk, place),
                caller=same.setdefault(caller, caller),
                local=shape.kind is QueueStep.CONNECT and agent.startswith("Local/"),
                place=place,
            )
        )

    def _seconds(self, data: tuple[str, ...], index: int | None, place: str) -> float | None:
        if index is None or not -len(data) <= index < len(data) or not data[index]:
            return None
        try:
            seconds = float(data[index])
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds < 1e6:
            self.notes.add("wait or talk time that is no number of seconds: taken as not known", place)
            return None
        return seconds

    def _moment(self, text: str) -> float | None:
        if _EPOCH.fullmatch(text):
            at = float(text)
        else:
            moment = local_time(text, self._zone)
            if moment is None:
                return None
            at = moment
        return at if _LEAST_EPOCH <= at <= _MOST_EPOCH else None

    def _refuse(self, file: FileRead, what: str, place: str) -> None:
        file.refused += 1
        self.notes.add(what, place)


def local_time(text: str, zone: ZoneInfo) -> float | None:
    """Return ``2026-11-01 14:30:05[.123456]`` of the shop's clock, or with an offset, as seconds since 1970."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).timestamp()
    except (OverflowError, ValueError):  # of the years 1 and 9999
        return None


def _reader(first: str) -> tuple[Callable[[str], Sequence[str]], bool]:
    """Return how lines like this first one of a file are split, and whether it only names columns."""
    if "|" in first and first.partition("|")[0].strip().replace(".", "", 1).isdigit():
        return lambda text: text.split("|"), False
    delimiter = max("\t;,|", key=first.count)
    names = [name.strip().lower() for name in split_csv(first, delimiter)]
    names = [_ALIASES.get(name, name) for name in names]
    if set(_COLUMNS) <= set(names):
        places = [names.index(name) for name in _COLUMNS]
        places += [place for name in _DATA for place in _index(names, name)]
        old = next(iter(_index(names, "data")), None)
        return lambda text: _columns(split_csv(text, delimiter), places, old), True
    return lambda text: _without_id(split_csv(text, delimiter)), False


def _index(names: Sequence[str], name: str) -> Iterator[int]:
    if name in names:
        yield names.index(name)


def _columns(cells: Sequence[str], places: Sequence[int], old: int | None) -> Sequence[str]:
    """Return the fields of a row; ``old`` is the column that held all data before Asterisk 1.8, with ``|`` between."""
    if len(cells) <= max(places[: len(_COLUMNS)]):
        return cells[:1]  # cut: not enough of it to be used
    fields = [cells[place] if place < len(cells) else "" for place in places]
    fields = ["" if field in ("NULL", "\\N") else field for field in fields]
    if old is not None and old < len(cells) and not any(fields[len(_COLUMNS) :]):
        return [*fields[: len(_COLUMNS)], *cells[old].split("|")]
    return fields


def _without_id(cells: Sequence[str]) -> Sequence[str]:
    """Return the fields of a row of a table without a line of names: some tables have a number in front."""
    if len(cells) > 1 and not _is_time(cells[0]) and _is_time(cells[1]):
        return cells[1:]
    return cells


def _is_time(text: str) -> bool:
    return bool(_EPOCH.fullmatch(text.strip())) or (text[:4].isdigit() and text[4:5] == "-")


def split_csv(text: str, delimiter: str = ",") -> list[str]:
    """Return the cells of one line of CSV; what is no CSV comes back as a single cell."""
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return [text]
