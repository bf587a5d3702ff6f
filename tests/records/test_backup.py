"""A backup made while calls go on is whole and comes back as it was; a damaged one changes nothing."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from agent.call.records import Caller, CallRecord, SoundPart, SoundRecord
from agent.common.file_lock import try_lock
from agent.records import sounds_sql
from agent.records.backup import MANIFEST, BackupError, back_up, restore
from agent.records.call_store import CallStore
from agent.records.sound_files import SoundDirectory


def call(call_id: str) -> CallRecord:
    return CallRecord(call_id, Caller("+12025550143"), "2026-11-30T10:00:00+00:00", outcome="answered")


class Kept:
    """A state directory with calls, a recording and a pause."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.sound = SoundDirectory(directory / "sound")

    async def filled(self, calls: int = 3) -> None:
        store = await CallStore.open(self.directory / "calls.sqlite")
        for number in range(calls):
            await store.write(call(f"call-{number}"))
        recorded = call("recorded")
        recorded.sound = SoundRecord(self.sound.new_name(), [SoundPart(1, 0.0)])
        await store.write(recorded)
        name = recorded.sound.name
        await store.database.transaction(lambda db: sounds_sql.finished(db, name, "kept", 1.0))
        self.sound.kept_file(name).write_bytes(b"RIFF" * 100)
        await store.close()
        (self.directory / "paused.json").write_text("{}")
        (self.directory / "calls.sqlite.spool.jsonl").write_text('{"id": "spooled"}\n')
        (self.sound.incoming / f"{name}-1-caller.sln").write_bytes(b"secrets that are not silenced")
        (self.directory / "voice").mkdir()
        (self.directory / "voice" / "cache.pcm").write_bytes(b"x")

    def ids(self) -> list[str]:
        with closing(sqlite3.connect(self.directory / "calls.sqlite")) as db:
            return sorted(call_id for (call_id,) in db.execute("SELECT id FROM calls"))

    def back_up(self, target: Path) -> str:
        return back_up(self.directory, self.sound.directory, target)

    def restore(self, source: Path, *, replace: bool = False) -> str:
        lock = self.directory / "calls.sqlite.deliveries.lock"
        return restore(source, self.directory, self.sound.directory, {"orderline": lock}, replace=replace)


@pytest.fixture
async def kept(tmp_path: Path) -> Kept:
    made = Kept(tmp_path / "state")
    made.directory.mkdir()
    await made.filled()
    return made


@pytest.fixture
def elsewhere(tmp_path: Path) -> Kept:
    made = Kept(tmp_path / "other")
    made.directory.mkdir()
    return made


async def test_what_was_kept_comes_back_elsewhere(kept: Kept, elsewhere: Kept, tmp_path: Path) -> None:
    said = kept.back_up(tmp_path / "b.tar.gz")
    assert "1 recordings" in said
    elsewhere.restore(tmp_path / "b.tar.gz")
    assert elsewhere.ids() == kept.ids()
    (recording,) = kept.sound.kept.iterdir()
    assert (elsewhere.sound.kept / recording.name).read_bytes() == recording.read_bytes()
    assert (elsewhere.directory / "paused.json").read_text() == "{}"
    assert "spooled" in (elsewhere.directory / "calls.sqlite.spool.jsonl").read_text()
    store = await CallStore.open(elsewhere.directory / "calls.sqlite")
    assert (await store.get("spooled") or {})["id"] == "spooled"
    await store.close()


async def test_sound_that_is_not_silenced_yet_and_caches_are_left_out(kept: Kept, tmp_path: Path) -> None:
    kept.back_up(tmp_path / "b.tar.gz")
    with tarfile.open(tmp_path / "b.tar.gz") as archive:
        names = archive.getnames()
    assert not [name for name in names if "incoming" in name or "voice" in name or ".sln" in name]
    assert names[-1] == MANIFEST
    assert (tmp_path / "b.tar.gz").stat().st_mode & 0o077 == 0


async def test_a_backup_during_calls_holds_every_call_that_was_written_before_it(kept: Kept, tmp_path: Path) -> None:
    store = await CallStore.open(kept.directory / "calls.sqlite")
    written = 0
    backing_up = asyncio.create_task(asyncio.to_thread(kept.back_up, tmp_path / "b.tar.gz"))
    while not backing_up.done():
        await store.write(call(f"busy-{written:05}"))
        written += 1
    await backing_up
    await store.close()
    other = Kept(tmp_path / "third")
    other.directory.mkdir()
    other.restore(tmp_path / "b.tar.gz")
    busy = [call_id for call_id in other.ids() if call_id.startswith("busy-")]
    assert busy == [f"busy-{number:05}" for number in range(len(busy))], "a moment of the database, without gaps"
    assert not store.problem


async def test_nothing_is_overwritten_unless_that_is_said(kept: Kept, tmp_path: Path) -> None:
    kept.back_up(tmp_path / "b.tar.gz")
    with pytest.raises(BackupError, match="--replace sets them aside"):
        kept.restore(tmp_path / "b.tar.gz")
    store = await CallStore.open(kept.directory / "calls.sqlite")
    await store.write(call("later"))
    await store.close()
    said = kept.restore(tmp_path / "b.tar.gz", replace=True)
    assert "later" not in kept.ids()
    (aside,) = kept.directory.glob("before-restore-*")
    assert str(aside) in said
    with closing(sqlite3.connect(aside / "calls.sqlite")) as db:
        assert db.execute("SELECT count(*) FROM calls WHERE id = 'later'").fetchone() == (1,)


async def test_a_backup_never_takes_the_name_of_a_file(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "b.tar.gz").write_text("mine")
    with pytest.raises(BackupError, match="is there already"):
        kept.back_up(tmp_path / "b.tar.gz")
    assert (tmp_path / "b.tar.gz").read_text() == "mine"


async def test_a_running_agent_is_not_restored_under(kept: Kept, tmp_path: Path) -> None:
    kept.back_up(tmp_path / "b.tar.gz")
    with (kept.directory / "calls.sqlite.deliveries.lock").open("w") as held:
        assert try_lock(held)
        with pytest.raises(BackupError, match="stop it first"):
            kept.restore(tmp_path / "b.tar.gz", replace=True)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
async def test_a_backup_that_was_cut_short_changes_nothing(kept: Kept, tmp_path: Path, share: float) -> None:
    kept.back_up(tmp_path / "b.tar.gz")
    content = (tmp_path / "b.tar.gz").read_bytes()
    (tmp_path / "short.tar.gz").write_bytes(content[: int(len(content) * share)])
    before = kept.ids()
    with pytest.raises(BackupError, match="was not brought back"):
        kept.restore(tmp_path / "short.tar.gz", replace=True)
    assert kept.ids() == before
    assert list(kept.directory.glob("before-restore-*")) == []


def archive(path: Path, **members: bytes) -> None:
    with tarfile.open(path, "w:gz") as made:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "state/../../evil", "state/evil.sh", "sound/../x.wav", "state/.hidden"]
)
def test_an_archive_of_somebody_else_is_refused(elsewhere: Kept, tmp_path: Path, name: str) -> None:
    archive(tmp_path / "x.tar.gz", **{name: b"x"})
    with pytest.raises(BackupError, match="no backup of Orderline"):
        elsewhere.restore(tmp_path / "x.tar.gz")
    assert not (tmp_path / "evil").exists()


def test_a_link_in_an_archive_is_refused(elsewhere: Kept, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as made:
        member = tarfile.TarInfo("state/calls.sqlite")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        made.addfile(member)
    with pytest.raises(BackupError, match="no backup of Orderline"):
        elsewhere.restore(tmp_path / "x.tar.gz")


def test_contents_that_are_not_those_of_the_manifest_are_refused(elsewhere: Kept, tmp_path: Path) -> None:
    manifest = json.dumps({"format": 1, "sha256": {"state/paused.json": "0" * 64}}).encode()
    archive(tmp_path / "x.tar.gz", **{"state/paused.json": b"{}", MANIFEST: manifest})
    with pytest.raises(BackupError, match="damaged"):
        elsewhere.restore(tmp_path / "x.tar.gz")
    assert not (elsewhere.directory / "paused.json").exists()


def test_no_archive_at_all_is_told(elsewhere: Kept, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello")
    for source in (tmp_path / "x", tmp_path / "missing"):
        with pytest.raises(BackupError, match="was not brought back"):
            elsewhere.restore(source)


async def test_a_full_disk_leaves_no_half_backup(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: tarfile.TarFile, *arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "addfile", full)
    with pytest.raises(BackupError, match="No space left"):
        kept.back_up(tmp_path / "b.tar.gz")
    assert os.listdir(tmp_path) == ["state"]
