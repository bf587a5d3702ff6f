"""Records are read in a second process as they are in this one, and the index that is made of them is the same."""

from __future__ import annotations

import json
import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.history import indexer, record_reader
from agent.history.dialects.sqlite_values import BLOCK_SLOTS
from agent.history.local import INDEX_FILE, LocalHistory
from agent.history.record_reader import RecordReader, read_records
from agent.history.sources import StoredRecord
from agent.rehearsal.year_of_calls import year_of_calls
from tests.history.stored import execute, record, write

_RECORDS = [
    *(StoredRecord(one["id"], json.dumps(one), 5, place) for place, one in enumerate(year_of_calls(30, seed=5))),
    StoredRecord("broken", "[" * 100_000, 5, 31),
    StoredRecord("a list", "[]", 5, 32),
]


def test_a_second_process_reads_as_this_one_does(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), RecordReader(in_process=True) as reader:
        for records in (_RECORDS, _RECORDS[:3], []):
            reader.begin(records)
            assert reader.take() == read_records(records)
        assert reader._process is not None, "it was given up"
    assert sum("call broken cannot be read" in one for one in caplog.messages) == 2  # of each process one


def test_where_the_second_process_ends_this_one_reads(caplog: pytest.LogCaptureFixture) -> None:
    with RecordReader(in_process=True) as reader:
        assert reader._process is not None
        reader._process.kill()
        reader._process.wait()
        for _ in range(2):
            reader.begin(_RECORDS)
            assert reader.take() == read_records(_RECORDS)
    assert sum("this one reads them" in one for one in caplog.messages) == 1


@pytest.mark.slow
def test_an_index_filled_by_two_processes_is_row_for_row_that_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer, "FILLED_AT_ONCE", 700)
    calls = tmp_path / "calls.sqlite"
    write(calls, [*year_of_calls(3000, seed=11), record("odd", started_at="unknown", faults=["x"])])
    execute(calls, "UPDATE calls SET written_at = '2026-11-30 12:00:00'")
    held = []
    for fewest in (10**9, 1):
        monkeypatch.setattr(record_reader, "WORTH_A_PROCESS", fewest)
        history = LocalHistory(calls)
        history.catch_up(anew=True)
        history.close()
        held.append(_tables(tmp_path / INDEX_FILE))
    assert held[0] == held[1]
    assert {name: len(rows) for name, rows in held[0].items()}["calls"] == 3001


@pytest.mark.slow
def test_the_bits_of_an_index_are_the_values_of_its_calls(tmp_path: Path) -> None:
    calls = tmp_path / "calls.sqlite"
    write(calls, year_of_calls(3000, seed=12))
    history = LocalHistory(calls)
    history.catch_up()
    history.close()
    held = _tables(tmp_path / INDEX_FILE)
    seq_of = dict(held["call_slots"])
    by_bits = {
        (seq_of[block * BLOCK_SLOTS + place], value_id)
        for value_id, block, bits in held["value_blocks"]
        for place in range(BLOCK_SLOTS)
        if bits[place // 8] >> place % 8 & 1
    }
    with closing(sqlite3.connect(tmp_path / INDEX_FILE)) as db:
        rows = db.execute("SELECT seq, value_ids FROM calls").fetchall()
    assert by_bits == {(seq, int(value_id)) for seq, ids in rows for value_id in ids.split()}


def _tables(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(path)) as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'C%'")]
        return {
            name: sorted(db.execute(f"SELECT * FROM {name}"), key=repr)  # noqa: S608 - names of the file itself
            for name in names
            if name != "call_words"  # without contents of its own: what it holds is in the tables beside it
        }
