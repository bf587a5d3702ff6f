"""Notes about calls go with their calls, with the person, and with age."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.console.notes import Notes
from agent.console.store import console_file
from agent.records.console_notes import NoteCopies
from agent.records.person import caller
from tests.history.stored import execute, record, write


@pytest.fixture
def state(tmp_path: Path) -> Path:
    write(tmp_path / "calls.sqlite", [record("call.1"), record("call.2"), record("call.3")])

    async def notes() -> None:
        database, now = console_file(tmp_path / "console.sqlite"), 1000.0
        kept = Notes(database, lambda: now)
        await kept.add("call.1", "maria", "Ring +1 202 555 0143 back, zanzibar.")
        now = 2000.0
        await kept.add("call.2", "maria", "All is well.")
        await kept.add("call.3", "anna", "Was angry.")
        await database.close()

    asyncio.run(notes())
    return tmp_path


def notes_of(state: Path) -> NoteCopies:
    return NoteCopies(state / "console.sqlite", lambda: [state / "calls.sqlite", *state.glob("instance-*/*.sqlite")])


def left(state: Path) -> list[str]:
    async def texts() -> list[str]:
        database = console_file(state / "console.sqlite")
        rows = await database.transaction(lambda db: [row["text"] for row in db.execute("SELECT text FROM notes")])
        await database.close()
        return rows

    return asyncio.run(texts())


def test_a_person_is_found_in_notes_and_taken_out_of_the_file(state: Path) -> None:
    copies, person = notes_of(state), caller("+1 202 555 0143", "US")
    assert copies.calls_of(person) == {"call.1"}
    assert copies.erase(person, {"call.3"}, dry_run=True)[0].count == 2
    assert len(left(state)) == 3
    assert copies.erase(person, {"call.3"}, dry_run=False)[0].count == 2
    copies.follow()
    assert left(state) == ["All is well."]
    assert all(b"zanzibar" not in file.read_bytes() for file in state.glob("console.sqlite*"))


def test_notes_go_by_their_own_days(state: Path) -> None:
    copies = notes_of(state)
    assert copies.expire("record", 1500.0, dry_run=False) == []
    assert copies.expire("notes", 1500.0, dry_run=False)[0].count == 1
    assert len(left(state)) == 2


def test_notes_follow_records_that_are_gone(state: Path) -> None:
    execute(state / "calls.sqlite", "DELETE FROM calls WHERE id = 'call.2'")
    notes_of(state).follow()
    assert "All is well." not in left(state)


def test_where_there_is_no_console_there_is_nothing_to_do(tmp_path: Path) -> None:
    copies = notes_of(tmp_path)
    copies.follow()
    assert copies.expire("notes", 1.0, dry_run=False) == []
    assert not (tmp_path / "console.sqlite").exists()


def test_notes_about_calls_of_other_instances_stay(state: Path) -> None:
    execute(state / "calls.sqlite", "DELETE FROM calls")
    (state / "instance-2").mkdir()
    write(state / "instance-2" / "calls.sqlite", [record("call.2")])
    notes_of(state).follow()
    assert left(state) == ["All is well."]


def test_where_calls_of_other_machines_are_shown_no_note_goes_because_its_call_is_not_here(state: Path) -> None:
    execute(state / "calls.sqlite", "DELETE FROM calls")
    NoteCopies(state / "console.sqlite", list).follow()
    assert len(left(state)) == 3
