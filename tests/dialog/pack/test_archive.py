"""Editions that calls ran on are kept as their files were."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from pathlib import Path

import pytest

from agent.dialog.pack.archive import EditionArchive
from agent.dialog.pack.pack_files import JOURNAL, edition_of, read_pack_files
from agent.dialog.pack.reader import read_pack
from agent.flows import english_pack


@pytest.fixture
def procedures(tmp_path: Path) -> Path:
    """A copy of the shipped procedures."""
    return Path(shutil.copytree(english_pack(), tmp_path / "flows"))


def edit(procedures: Path) -> str:
    """Change a comment of one file; returns the new fingerprint."""
    file = next(procedures.rglob("*.yaml"))
    file.write_text(file.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    return read_pack(procedures).fingerprint


def test_an_edition_is_read_as_it_was_after_the_files_have_changed(tmp_path: Path, procedures: Path) -> None:
    archive, before = EditionArchive(tmp_path / "editions"), read_pack(procedures)
    assert archive.keep(procedures, before.fingerprint)
    assert edit(procedures) != before.fingerprint
    found = archive.read(before.fingerprint)
    assert found is not None
    assert found.contents == before.contents


def test_files_that_were_edited_meanwhile_are_not_kept_under_the_old_name(tmp_path: Path, procedures: Path) -> None:
    archive, before = EditionArchive(tmp_path / "editions"), read_pack(procedures).fingerprint
    edit(procedures)
    assert not archive.keep(procedures, before)
    assert archive.read(before) is None


def test_the_editions_used_last_are_kept(tmp_path: Path, procedures: Path) -> None:
    archive, editions = EditionArchive(tmp_path / "editions", most=2), list[str]()
    for age in (30, 20, 10):
        editions.append(edit(procedures))
        assert archive.keep(procedures, editions[-1])
        file = tmp_path / "editions" / f"{editions[-1]}.json.gz"
        os.utime(file, (file.stat().st_atime - age, file.stat().st_mtime - age))
    assert [archive.read(edition) is not None for edition in editions] == [False, True, True]


@pytest.mark.parametrize("fingerprint", ["", "../../etc/passwd", "0123456789abcdef", "0123456789ABCDEF"])
def test_what_is_no_edition_of_ours_is_not_found(tmp_path: Path, fingerprint: str) -> None:
    assert EditionArchive(tmp_path).read(fingerprint) is None


def test_a_file_that_is_broken_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "0123456789abcdef.json.gz").write_bytes(b"\x1f\x8bbroken")
    assert EditionArchive(tmp_path).read("0123456789abcdef") is None


@pytest.mark.parametrize("content", [b"[]", b'{"a.yaml": 3}', b"{"])
def test_a_file_that_holds_something_else_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "0123456789abcdef.json.gz").write_bytes(gzip.compress(content))
    assert EditionArchive(tmp_path).read("0123456789abcdef") is None


def test_an_edition_that_is_still_being_written_is_kept_as_the_agent_has_it(tmp_path: Path, procedures: Path) -> None:
    archive, (before, _) = EditionArchive(tmp_path / "editions"), read_pack_files(procedures)
    after = {name: f"{text}# published\n" for name, text in before.items()}
    (procedures / JOURNAL).write_text(json.dumps({"old": before, "new": after}), encoding="utf-8")
    assert archive.keep(procedures, edition_of(after))
    found = archive.read(edition_of(after))
    assert found is not None
    assert found.fingerprint == edition_of(after)
