"""Finished calls for people of the console: lists, records and exports, each cut to what the person may see."""

from __future__ import annotations

import asyncio
import csv
import dataclasses
import datetime as dt
import io
import itertools
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from agent.console.call_query import CallQuery, scoped
from agent.console.numbers import cut_number, without_numbers
from agent.console.rights import ConsolePerson, Right
from agent.errors import OrderlineError
from agent.history.export import CSV_COLUMNS, Format, csv_cells
from agent.history.filters import CallFilter
from agent.history.opening import History
from agent.history.search import CallLine

log = logging.getLogger(__name__)
T = TypeVar("T")

_AT_ONCE = 200
_MOST_LOOKED_AT = 5_000
"""Calls looked at for one page of somebody with a scope that the index cannot ask for."""
CATCH_UP_SECONDS = 1.0
_LATER_SECONDS = 10.0


@dataclass(frozen=True)
class CallList:
    """One page of the call log."""

    lines: tuple[CallLine, ...]
    next: str
    """``after`` of the next page; ``""`` where there is none."""


class FinishedCalls:
    """Reads the index of one node, or of all in PostgreSQL. Its work is done in threads.

    Methods raise ``OrderlineError`` of the index (``IndexUnusable``, ``PostgresUnavailable``, ``InvalidSearch``, ...).
    """

    def __init__(self, history: History, now: Callable[[], dt.datetime], local: Callable[[dt.datetime], dt.datetime]):
        """``now()`` is the shop's time; ``local(moment)`` gives a time without a zone the shop's."""
        self._history = history
        self._now = now
        self._local = local
        self.problem = ""
        """Why the latest calls may be missing, ``""`` while the index is up to date."""
        self.indexing: tuple[int, int] | None = None
        """Calls that are in the index and all there are, while it is made anew."""

    async def find(self, query: CallQuery, person: ConsolePerson) -> CallList:
        """Return a page of the calls that somebody asks for and may see, the latest first."""
        wanted = self._wanted(query, person)
        page = await self._threaded(lambda: self._find(wanted, person, query.limit, query.after))
        return CallList(tuple(shown_line(line, person) for line in page.lines), page.next)

    async def count(self, query: CallQuery, person: ConsolePerson, most: int) -> int | None:
        """Return how many there are, ``most`` where there are as many or more; None where it would take too long."""
        if any(scope.kind == "dialled" for scope in person.scopes):
            return None
        wanted = self._wanted(query, person)
        return await self._threaded(lambda: self._history.index.count(wanted, most))

    async def record(self, call_id: str, person: ConsolePerson) -> dict[str, Any] | None:
        """Return one whole record as somebody may see it; None where there is none, or none of theirs."""
        record = await self._threaded(lambda: self._history.index.record(call_id))
        if record is None or not sees_record(person, record):
            return None
        return shown_record(record, person)

    async def values(self, kind: str) -> list[tuple[str, int]]:
        """Return all values of a kind with the number of their calls, the most frequent first."""
        return await self._threaded(lambda: self._history.index.values(kind))

    async def export(self, query: CallQuery, person: ConsolePerson, form: Format) -> AsyncIterator[bytes]:
        """Yield what is on the screen, all pages of it, a piece at a time: CSV, or whole records as JSON lines."""
        wanted = self._wanted(query, person)
        pieces = self._csv(wanted, person) if form == "csv" else self._json_lines(wanted, person)
        while (piece := await self._threaded(lambda: next(pieces, ""))) != "":
            yield piece.encode()

    async def keep_up(self) -> None:
        """Bring the index up to date, a second behind at most, until cancelled. What is wrong is logged once."""
        while True:
            seconds = CATCH_UP_SECONDS
            try:
                await asyncio.to_thread(self._history.catch_up, self._tell_progress)
                self.problem, self.indexing = "", None
            except OrderlineError as error:
                if error.message != self.problem:
                    log.warning("The list of finished calls is not up to date: %s", error.message)
                self.problem, seconds = error.message, _LATER_SECONDS if error.code != "records_unreadable" else 1.0
            await asyncio.sleep(seconds)

    def _tell_progress(self, done: int, of: int) -> None:
        self.indexing = (done, of)

    # --- in threads -------------------------------------------------------------------------------------

    async def _threaded(self, work: Callable[[], T]) -> T:
        def told() -> T:
            with self._history.told():
                return work()

        return await asyncio.to_thread(told)

    def _wanted(self, query: CallQuery, person: ConsolePerson) -> CallFilter:
        return scoped(query.filter(person, self._now(), self._local), person)

    def _find(self, wanted: CallFilter, person: ConsolePerson, limit: int, after: str) -> CallList:
        if not any(scope.kind == "dialled" for scope in person.scopes):
            page = self._history.index.find(wanted, limit=limit, after=after)
            return CallList(page.lines, page.next)
        lines: list[CallLine] = []
        for _ in range(max(1, _MOST_LOOKED_AT // limit)):
            page = self._history.index.find(wanted, limit=limit, after=after)
            lines += [line for line in page.lines if person.sees(queue=line.queue, dialled=line.dialled)]
            after = page.next
            if not after or lines:  # a page may be short: the cursor stands behind all that was looked at
                break
        return CallList(tuple(lines), after)

    def _lines(self, wanted: CallFilter, person: ConsolePerson) -> Iterator[CallLine]:
        lines = self._history.index.every(wanted)
        return (line for line in lines if person.sees(queue=line.queue, dialled=line.dialled))

    def _csv(self, wanted: CallFilter, person: ConsolePerson) -> Iterator[str]:
        lines = self._lines(wanted, person)
        head: list[Sequence[object]] = [CSV_COLUMNS]  # comes with the first calls: what fails, fails before it
        while rows := head + [csv_cells(shown_line(line, person)) for line in itertools.islice(lines, _AT_ONCE)]:
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(rows)
            head = []
            yield text.getvalue()

    def _json_lines(self, wanted: CallFilter, person: ConsolePerson) -> Iterator[str]:
        ids = (line.id for line in self._lines(wanted, person))
        while some := list(itertools.islice(ids, _AT_ONCE)):
            records = self._history.index.records(some).values()
            text = "".join(f"{json.dumps(shown_record(one, person))}\n" for one in records if sees_record(person, one))
            if text:
                yield text


def shown_line(line: CallLine, person: ConsolePerson) -> CallLine:
    """Return a line as somebody may see it."""
    return line if person.may(Right.NUMBERS) else dataclasses.replace(line, caller=cut_number(line.caller))


def shown_record(record: Mapping[str, Any], person: ConsolePerson) -> dict[str, Any]:
    """Return a record as somebody may see it; where the recording is stays in the house."""
    shown = dict(record) if person.may(Right.NUMBERS) else without_numbers(record)
    if isinstance(sound := shown.get("sound"), Mapping):
        shown["sound"] = {name: value for name, value in sound.items() if name != "name"}
    return shown


def sees_record(person: ConsolePerson, record: Mapping[str, Any]) -> bool:
    """Return whether somebody may see the call of a record."""
    handover, caller = record.get("handover"), record.get("caller")
    queue = handover.get("queue") if isinstance(handover, Mapping) else ""
    dialled = caller.get("dialled") if isinstance(caller, Mapping) else ""
    return person.sees(queue=str(queue or ""), dialled=str(dialled or ""))
