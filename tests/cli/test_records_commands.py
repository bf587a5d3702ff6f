"""``orderline records``, ``backup`` and ``restore`` on a state directory of a shop."""

from __future__ import annotations

import asyncio
import wave
from pathlib import Path

import pytest

from agent.call.records import Caller, CallRecord, SoundPart, SoundRecord
from agent.cli.main import main
from agent.records import sounds_sql
from agent.records.call_store import CallStore
from agent.records.sound_files import SoundDirectory

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
