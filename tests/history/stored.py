"""Call databases for tests of the index, written as an agent writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from agent.common.sqlite import transaction
from agent.records.database import connect


def record(call_id: str = "call.1", **fields: Any) -> dict[str, Any]:
    """Return a small record; ``fields`` are its own."""
    return {
        "schema": 1,
        "id": call_id,
        "caller": {"number": "2025550143", "name": "", "dialled": "7000"},
        "started_at": "2026-11-30T12:00:00.000-05:00",
        "duration_seconds": 20.5,
        "outcome": "answered",
        "ended_by": "agent",
        "turns": [],
        "effects": [],
        "handover": None,
        "slots": {},
        "faults": [],
        **fields,
    }


def turn(agent: str = "", heard: str = "", understood: str = "", **fields: Any) -> dict[str, Any]:
    """Return one exchange."""
    return {"at_seconds": 0.0, "agent": agent, "heard": heard, "understood": understood, **fields}


def write(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Add records to the database at ``path``, made where there is none."""
    with closing(connect(path)) as db, transaction(db):
        db.executemany(
            "INSERT INTO calls (id, started_at, caller_number, outcome, ended_by, duration_seconds, record)"
            " VALUES (?, ?, '', '', '', 0, ?)",
            [(one["id"], str(one.get("started_at")), json.dumps(one)) for one in records],
        )


def execute(path: Path, statement: str, *values: object) -> None:
    """Change the database."""
    with closing(connect(path)) as db:
        db.execute(statement, values)
