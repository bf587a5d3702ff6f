"""Files that anybody may have written: any encoding, packed, broken, endless."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.impact.errors import CallLogUnusable
from agent.impact.imports import reading
from agent.impact.imports.reading import ImportNotes, read_lines


def lines(path: Path) -> tuple[list[tuple[int, str]], ImportNotes]:
    notes = ImportNotes()
    return list(read_lines(path, path.name, notes)), notes


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "file"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_marks_and_line_ends_do_not_matter(tmp_path: Path, encoding: str) -> None:
    read, notes = lines(written(tmp_path, "one é|\r\n\r\ntwo\nthree".encode(encoding)))
    assert read == [(1, "one é|"), (3, "two"), (4, "three")]
    assert notes.counts == {}


def test_lines_that_end_as_old_spreadsheets_end_them(tmp_path: Path) -> None:
    assert lines(written(tmp_path, b"one\rtwo\r\nthree"))[0] == [(1, "one"), (2, "two"), (3, "three")]


def test_latin_and_nul_bytes_are_told(tmp_path: Path) -> None:
    read, notes = lines(written(tmp_path, b"caf\xe9\n\0\0two\0\n"))
    assert read == [(1, "café"), (2, "two")]
    assert list(notes.places.values()) == [["file:1"], ["file:2"]]


def test_a_packed_file_that_was_cut_is_used_as_far_as_it_goes(tmp_path: Path) -> None:
    packed = gzip.compress(os.urandom(4000).hex().encode() + b"\n" + b"last\n" * 2000)
    read, notes = lines(written(tmp_path, packed[: len(packed) // 2]))
    assert "ends or breaks" in notes.lines()[0]
    assert len(read) <= 2001
    whole, _ = lines(written(tmp_path, packed))
    assert len(whole) == 2001


def test_an_endless_line_is_read_over(tmp_path: Path) -> None:
    read, notes = lines(written(tmp_path, b"x" * 100_000 + b"\nnext\n"))
    assert read == [(2, "next")]
    assert "longer than" in notes.lines()[0]


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 1_000_000)
    for content in (b"\0" * 3_000_000, b"line\n" * 600_000):
        with pytest.raises(CallLogUnusable, match="larger than"):
            lines(written(tmp_path, gzip.compress(content)))


def test_pipes_directories_and_missing_files_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "missing"):
        with pytest.raises(CallLogUnusable, match="cannot be read"):
            lines(path)


def test_many_places_of_one_kind_are_counted_and_not_all_listed() -> None:
    notes = ImportNotes()
    for number in range(500):
        notes.add("odd \x1b[2J", f"file:{number}")
    (text,) = notes.lines()
    assert text.startswith("500 x odd \\u001b[2J (file:0, ")
    assert text.endswith(", ...)")


@given(content=st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_lines_or_a_reason(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = written(tmp_path_factory.mktemp("any"), content)
    try:
        read, _ = lines(path)
    except CallLogUnusable:
        return
    assert all(text and "\0" not in text and "\r" not in text for _, text in read)
