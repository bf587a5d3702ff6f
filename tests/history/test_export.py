"""Finished calls as JSON lines and CSV, whole or since the last time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.history.export import CSV_COLUMNS, ExportCursor, InvalidCursor, export, guarded
from agent.history.filters import CallFilter
from agent.history.local import LocalHistory
from tests.history.stored import execute, record, write

DAY = 86_400
MOMENT = 1_796_000_000
"""Seconds since 1970."""


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    return tmp_path / "calls.sqlite"


@pytest.fixture
def history(calls: Path) -> Iterator[LocalHistory]:
    write(calls, [])
    history = LocalHistory(calls)
    yield history
    history.close()


def stored_at(calls: Path, call_id: str, seconds: float) -> None:
    execute(calls, "UPDATE calls SET written_at = datetime(?, 'unixepoch') WHERE id = ?", int(seconds), call_id)


def exported(history: LocalHistory, cursor: ExportCursor | None, now: float) -> tuple[list[str], ExportCursor]:
    history.catch_up()
    out = io.StringIO()
    count, come_to = export(history, CallFilter(), "jsonl", out, cursor, now=lambda: now)
    ids = [json.loads(line)["id"] for line in out.getvalue().splitlines()]
    assert count == len(ids)
    return ids, come_to


def test_json_lines_hold_whole_records(calls: Path, history: LocalHistory) -> None:
    records = [record(f"call.{number}", slots={"anything": [number]}) for number in range(450)]
    write(calls, records)
    history.catch_up()
    out = io.StringIO()
    assert export(history, CallFilter(), "jsonl", out)[0] == 450
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert sorted(lines, key=lambda one: one["id"]) == sorted(records, key=lambda one: one["id"])


def test_csv_has_stable_columns_and_no_formulas(calls: Path, history: LocalHistory) -> None:
    write(calls, [record(caller={"number": "=1+2", "dialled": "@SUM(A1)"}, outcome="-7 cmd", faults=['a "b", c\nd'])])
    history.catch_up()
    out = io.StringIO()
    export(history, CallFilter(), "csv", out)
    header, row = csv.reader(io.StringIO(out.getvalue()))
    assert tuple(header) == CSV_COLUMNS
    cells = dict(zip(header, row, strict=True))
    assert (cells["caller"], cells["dialled"], cells["outcome"]) == ("'=1+2", "'@SUM(A1)", "'-7 cmd")
    assert cells["started_at"] == "2026-11-30T12:00:00.000-05:00"
    assert (cells["duration_seconds"], cells["score"]) == ("20.5", "")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_begins_like_a_formula_gets_an_apostrophe(start: str) -> None:
    assert guarded(f"{start}1") == f"'{start}1"
    assert guarded("a=1") == "a=1"
    assert guarded(-5) == -5


def test_with_a_cursor_each_record_comes_once_in_the_order_of_storing(calls: Path, history: LocalHistory) -> None:
    write(calls, [record("call.1"), record("call.2")])
    stored_at(calls, "call.1", MOMENT - 10)
    stored_at(calls, "call.2", MOMENT - 20)
    ids, cursor = exported(history, ExportCursor(), MOMENT)
    assert ids == ["call.2", "call.1"]
    assert exported(history, cursor, MOMENT + 5) == ([], ExportCursor((MOMENT + 3) * 1000))
    # a call that began long before, and was stored only now
    write(calls, [record("call.3", started_at="2020-01-01T00:00:00+00:00")])
    stored_at(calls, "call.3", MOMENT + 1)
    assert exported(history, cursor, MOMENT + 10)[0] == ["call.3"]


def test_the_last_seconds_are_left_to_the_next_export(calls: Path, history: LocalHistory) -> None:
    write(calls, [record("call.1"), record("call.2")])
    stored_at(calls, "call.1", MOMENT - 1)  # another record may still be stored in this second
    stored_at(calls, "call.2", MOMENT - 100)
    ids, cursor = exported(history, ExportCursor(), MOMENT)
    assert ids == ["call.2"]
    assert exported(history, cursor, MOMENT + 60)[0] == ["call.1"]
    assert exported(history, ExportCursor(cursor.stored_before_ms), MOMENT - DAY)[1] == cursor  # a clock set back


def test_a_record_that_changed_comes_again(calls: Path, history: LocalHistory) -> None:
    write(calls, [record("call.1")])
    stored_at(calls, "call.1", MOMENT)
    _, cursor = exported(history, ExportCursor(), MOMENT + 100)
    changed = json.dumps(record("call.1", outcome="rescued"))
    execute(calls, "UPDATE calls SET record = ? WHERE id = 'call.1'", changed)  # the database notes the time
    assert exported(history, cursor, 4e9)[0] == ["call.1"]


def test_an_export_with_a_filter_and_a_cursor_has_what_both_let_through(calls: Path, history: LocalHistory) -> None:
    write(calls, [record(f"call.{number}", outcome=("answered", "failed")[number % 2]) for number in range(2500)])
    history.catch_up()
    out = io.StringIO()
    wanted = CallFilter(values={"outcome": ("failed",)})
    count, _ = export(history, wanted, "jsonl", out, ExportCursor(), now=lambda: 4e9)
    assert count == 1250


def test_a_cursor_is_kept_in_a_file_and_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "cursor"
    assert ExportCursor.read(file) == ExportCursor()
    ExportCursor(17).write(file)
    assert ExportCursor.read(file) == ExportCursor(17)
    for text in ("", "[]", '{"stored_before_ms": "x"}'):
        file.write_text(text)
        with pytest.raises(InvalidCursor, match="earlier export"):
            ExportCursor.read(file)
