"""The audit: whatever is changed, left out or put in between shows."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.common.sqlite import SqliteFile
from agent.console.audit import AuditLog, verify_chain
from agent.console.store import console_file
from tests.console.console_client import running_console


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteFile]:
    database = console_file(tmp_path / "console.sqlite")
    yield database
    await database.close()


@pytest.fixture
async def audit(database: SqliteFile) -> AuditLog:
    audit = AuditLog(database)
    for number in range(5):
        await audit.note("maria", "sound", {"call": f"call.{number}"}, "192.0.2.1")
    return audit


def change(path: Path, *statements: str) -> None:
    """Change the file as somebody does who has it: the triggers are in nobody's way."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP TRIGGER IF EXISTS audit_is_never_changed")
        db.execute("DROP TRIGGER IF EXISTS audit_is_never_deleted")
        for statement in statements:
            db.execute(statement)


async def test_a_whole_chain_is_whole(audit: AuditLog) -> None:
    verdict = await audit.verify()
    assert (verdict.entries, verdict.broken) == (5, "")
    [last] = await audit.page(limit=1)
    assert last.hash == verdict.last_hash


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit SET who = 'anna' WHERE number = 3", "entry 3 is not as it was written"),
        ("UPDATE audit SET about = '{}' WHERE number = 1", "entry 1 is not as it was written"),
        ("UPDATE audit SET address = '' WHERE number = 5", "entry 5 is not as it was written"),
        ("DELETE FROM audit WHERE number = 2", "entry 2 is missing"),
        ("DELETE FROM audit WHERE number = 1", "entry 1 is missing"),
        ("UPDATE audit SET number = 9 WHERE number = 5", "entry 5 is missing"),
    ],
)
async def test_what_was_changed_afterwards_shows(
    audit: AuditLog, database: SqliteFile, statement: str, broken: str
) -> None:
    await asyncio.to_thread(change, database.path, statement)
    assert (await audit.verify()).broken == broken


async def test_entries_cut_off_at_the_end_show_by_number_and_hash(audit: AuditLog, database: SqliteFile) -> None:
    before = await audit.verify()
    await asyncio.to_thread(change, database.path, "DELETE FROM audit WHERE number = 5")
    after = await audit.verify()
    assert (after.entries, after.last_hash) != (before.entries, before.last_hash)


@pytest.mark.parametrize("statement", ["UPDATE audit SET who = ''", "DELETE FROM audit"])
async def test_the_console_itself_can_change_nothing_of_it(
    audit: AuditLog, database: SqliteFile, statement: str
) -> None:
    with pytest.raises(sqlite3.Error, match="append-only"):
        await database.transaction(lambda db: db.execute(statement))
    assert (await audit.verify()).entries == 5


async def test_two_processes_write_one_chain(audit: AuditLog, database: SqliteFile) -> None:
    other = console_file(database.path)
    both = [AuditLog(file) for file in (database, other)]
    await asyncio.gather(*(both[number % 2].note("maria", "pause") for number in range(20)))
    assert (await database.transaction(verify_chain)).entries == 25
    await other.close()


async def test_an_admin_reads_and_exports_it_and_nobody_else(tmp_path: Path) -> None:
    async with running_console(tmp_path) as console:
        admin = await console.signed_in("admin")
        for role in ("viewer", "supervisor", "shop"):
            browser = await console.signed_in(role)
            assert (await browser.get("/api/v1/audit")).status == 403
            assert (await browser.get("/api/v1/audit.csv")).status == 403
        await console.context.audit.note("admin", "sound", {"call": "=1+1"}, "192.0.2.1")
        entries = (await admin.json("/api/v1/audit?what=sign_in"))["entries"]
        assert [entry["who"] for entry in entries] == ["shop", "supervisor", "viewer", "admin"]
        text = await (await admin.get("/api/v1/audit.csv")).text()
        assert text.startswith("number,at,who,what,about,address,hash\n")
        assert (await admin.json("/api/v1/audit"))["entries"][0]["what"] == "export"
        assert (await admin.json("/api/v1/audit/state"))["broken"] == ""
