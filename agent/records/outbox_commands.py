"""``orderline outbox``: see what has not arrived yet, try it again, drop it; with or without a running agent."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TextIO

from agent.common.sqlite import transaction
from agent.errors import OrderlineError
from agent.records import outbox_sql as table
from agent.records.database import connect
from agent.records.outbox_sql import OutboxEntry


class OutboxError(OrderlineError):
    """Something was asked of the outbox that cannot be done."""

    code = "outbox"


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        raise OutboxError(f"{path}: there is none yet; the agent makes it when it starts")
    try:
        with closing(connect(path)) as db, transaction(db):
            yield db
    except sqlite3.Error as error:
        raise OutboxError(f"{path} cannot be used: {error}") from error


def list_entries(path: Path, what: str, *, every: bool, as_json: bool, out: TextIO) -> int:
    """Print the entries that are on their way (``list``) or given up (``dead``), or every one; returns how many."""
    states = table.STATES if every else ("dead",) if what == "dead" else table.OPEN_STATES
    with _opened(path) as db:
        entries = table.rows(db, states)
    for entry in entries:
        print(_json(entry) if as_json else _line(entry, time.time()), file=out)
    if not entries and not as_json:
        print("Nothing.", file=out)
    return len(entries)


def retry(path: Path, entry_id: int | None, out: TextIO) -> None:
    """Make one entry, or all dead ones, due now. Raises :class:`OutboxError` when there is no such entry."""
    with _opened(path) as db:
        number = table.requeue(db, time.time(), entry_id)
    if entry_id is not None and not number:
        raise OutboxError(f"no entry {entry_id} is dead or waiting; orderline outbox list --all shows them all")
    print(f"{number} to be tried again now.", file=out)


def drop(path: Path, entry_id: int | None, out: TextIO) -> None:
    """Delete one entry, or all dead ones. Raises :class:`OutboxError` when there is no such entry."""
    with _opened(path) as db:
        number = table.drop(db, entry_id)
    if entry_id is not None and not number:
        raise OutboxError(f"no entry {entry_id} is dead or waiting; orderline outbox list --all shows them all")
    print(f"{number} dropped, never to be delivered.", file=out)


def stats(path: Path, *, as_json: bool, out: TextIO) -> None:
    """Print how many entries there are, by lane and state."""
    with _opened(path) as db:
        counts = table.counts(db)
    if as_json:
        print(json.dumps(counts), file=out)
        return
    for lane, numbers in counts.items():
        print(f"{lane:<24} {', '.join(f'{number} {state}' for state, number in numbers.items())}", file=out)
    if not counts:
        print("Nothing.", file=out)


def outstanding(path: Path) -> tuple[int, int]:
    """Return how many entries are dead, and how many on their way. Raises :class:`OutboxError`."""
    with _opened(path) as db:
        counts = table.counts(db)
    dead = sum(states.get("dead", 0) for states in counts.values())
    return dead, sum(states.get(state, 0) for states in counts.values() for state in table.OPEN_STATES)


def _line(entry: OutboxEntry, now: float) -> str:
    due = f"due in {_span(entry.due_at - now)}" if entry.state == "waiting" and entry.due_at > now else entry.state
    tried = f", tried {entry.attempts} time{'' if entry.attempts == 1 else 's'}" if entry.attempts else ""
    error = f": {entry.last_error}" if entry.last_error else ""
    return (
        f"{entry.id:>6}  {entry.lane:<20} {_what(entry):<28} {_span(now - entry.created_at)} old, {due}{tried}{error}"
    )


def _what(entry: OutboxEntry) -> str:
    if entry.kind == "webhook":
        return str(entry.payload.get("body", {}).get("event", "")) if entry.payload else entry.kind
    return str(entry.payload.get("name", entry.kind))


def _json(entry: OutboxEntry) -> str:
    """One entry as JSON, without what it holds: that may be personal."""
    names = ("id", "kind", "lane", "key", "call_id", "state", "created_at", "due_at", "attempts", "last_error")
    return json.dumps({**{name: getattr(entry, name) for name in names}, "what": _what(entry)})


def _span(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
