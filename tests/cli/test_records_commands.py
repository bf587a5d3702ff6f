"""``orderline records``, ``backup`` and ``restore`` on a state directory of a shop."""

from __future__ import annotations

import asyncio
import wave
from pathlib import Path

import pytest

from agent.call.records import Caller, CallRecord, SoundPart, SoundRecord
from agent.cli.main import main
from agent.common.file_lock import try_lock
from agent.console.notes import Notes
from agent.console.store import console_file
from agent.records import sounds_sql
from agent.records.call_store import CallStore
from agent.records.sound_files import SoundDirectory
from tests.history.stored import record, write

NUMBER = "+12025550143"


async def fill(state: Path) -> None:
    store = await CallStore.open(state / "calls.sqlite")
    sound = SoundDirectory(state / "sound")
    record = CallRecord("call-1", Caller(NUMBER), "2026-01-02T10:00:00+00:00", outcome="answered")
    record.sound = SoundRecord(sound.new_name(), [SoundPart(1, 0.0)])
    await store.write(record)
    name = record.sound.name
    with wave.open(str(sound.kept_file(name)), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(32000))
    await store.database.transaction(lambda db: sounds_sql.finished(db, name, "kept", 1.0))
    await store.close()


@pytest.fixture
def config(tmp_path: Path) -> str:
    directory = tmp_path / "etc"
    directory.mkdir()
    (directory / "orderline.yaml").write_text(f"state_directory: {tmp_path}/state\nretention: {{record_days: 1}}\n")
    asyncio.run(fill(tmp_path / "state"))
    return str(directory)


def test_a_caller_is_erased_after_a_look(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    erase = ["records", "erase", "--caller", "(202) 555-0143", "--config", config]
    assert main([*erase, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "1 call(s) of the number ending 43" in said
    assert "Nothing was removed" in said
    assert main(erase) == 0
    said = capsys.readouterr().out
    assert "calls.sqlite: 1 records" in said
    assert "sound: 1 recordings" in said
    assert "Not here" in said
    assert list((tmp_path / "state" / "sound" / "kept").iterdir()) == []
    assert main(erase) == 0


def test_it_must_be_said_who(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["records", "erase", "--config", config])
    assert main(["records", "erase", "--caller", "nobody", "--config", config]) == 1
    assert "is no phone number" in capsys.readouterr().err


def test_what_is_too_old_is_removed_now(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    expire = ["records", "expire", "--config", config]
    assert main([*expire, "--dry-run"]) == 0
    assert main(expire) == 0
    assert capsys.readouterr().out.count("calls.sqlite: 1 records") == 2
    assert main(expire) == 0
    assert "  nothing" in capsys.readouterr().out


def test_the_recording_of_a_call_is_copied(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "call.wav"
    assert main(["records", "sound", "call-1", "-o", str(target), "--config", config]) == 0
    with wave.open(str(target)) as file:
        assert (file.getnchannels(), file.getnframes()) == (2, 8000)
    assert main(["records", "sound", "call-2", "-o", str(target), "--config", config]) == 1
    assert "no finished recording" in capsys.readouterr().err


def test_a_backup_comes_back(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = str(tmp_path / "b.tar.gz")
    assert main(["backup", target, "--config", config]) == 0
    assert main(["restore", target, "--config", config]) == 1
    assert "--replace sets them aside" in capsys.readouterr().err
    assert main(["restore", target, "--replace", "--config", config]) == 0
    assert "1 recordings are back" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["erase", "--caller", "(202) 555-0143"], ["expire"]])
def test_the_files_of_all_instances_are_gone_through(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    with (Path(config) / "orderline.yaml").open("a") as file:
        file.write("instances: 3\n")
    asyncio.run(fill(tmp_path / "state" / "instance-2"))  # the third has never run
    assert main(["records", *command, "--config", config]) == 0
    said = capsys.readouterr().out
    assert said.count("calls.sqlite: 1 records") == 2
    assert said.index("Instance 2:") < said.index("Instance 1:")
    assert "Instance 3:" not in said


def of_two_instances(config: str, tmp_path: Path) -> Path:
    """Add a second instance; returns its directory."""
    with (Path(config) / "orderline.yaml").open("a") as file:
        file.write("instances: 2\n")
    second = tmp_path / "state" / "instance-2"
    second.mkdir()
    return second


def test_the_recording_of_a_call_of_another_instance_is_copied(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second, target = of_two_instances(config, tmp_path), tmp_path / "call.wav"
    (tmp_path / "state" / "calls.sqlite").rename(second / "calls.sqlite")  # the recordings are in one place for all
    assert main(["records", "sound", "call-1", "-o", str(target), "--config", config]) == 0
    assert target.stat().st_size > 32000


def test_nothing_is_brought_back_under_any_instance_that_runs(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, second = str(tmp_path / "b.tar.gz"), of_two_instances(config, tmp_path)
    assert main(["backup", target, "--config", config]) == 0
    with (second / "calls.sqlite.deliveries.lock").open("w") as held:
        assert try_lock(held)
        assert main(["restore", target, "--replace", "--config", config]) == 1
        assert "systemctl stop orderline orderline@2" in capsys.readouterr().err
    assert main(["restore", target, "--replace", "--config", config]) == 0


def test_erasing_one_caller_leaves_the_notes_about_the_calls_of_others_at_every_instance(
    config: str, tmp_path: Path
) -> None:
    async def notes(*call_ids: str) -> list[str]:
        database = console_file(tmp_path / "state" / "console.sqlite")
        for call_id in call_ids:
            await Notes(database, lambda: 1000.0).add(call_id, "maria", f"about {call_id}")
        rows = await database.transaction(lambda db: [row["text"] for row in db.execute("SELECT text FROM notes")])
        await database.close()
        return rows

    second = of_two_instances(config, tmp_path)
    write(second / "calls.sqlite", [record("call-2", caller={"number": "2025550199"})])
    asyncio.run(notes("call-1", "call-2"))
    assert main(["records", "erase", "--caller", "(202) 555-0143", "--config", config]) == 0
    assert asyncio.run(notes()) == ["about call-2"]
