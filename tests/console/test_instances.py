"""The console asks all instances of the agent on its machine, and the other nodes."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from agent.config.instances import instance_files
from agent.config.settings import Settings
from agent.console.assembly import node_addresses
from agent.console.sound import CallRecordings
from agent.records.database import connect
from agent.records.sound_files import SoundDirectory


def test_each_instance_is_asked_at_its_own_port() -> None:
    settings = Settings.model_validate(
        {
            "instances": 2,
            "console": {"nodes": [{"name": "there", "url": "http://192.0.2.1:8188", "token_file": "/dev/null"}]},
        }
    )
    assert [(node.name, node.url) for node in node_addresses(settings)] == [
        ("here", "http://127.0.0.1:8188"),
        ("here-2", "http://127.0.0.1:8200"),
        ("there", "http://192.0.2.1:8188"),
    ]


async def test_recordings_are_found_in_the_files_of_all_instances(tmp_path: Path) -> None:
    sound = SoundDirectory(tmp_path / "sound")
    settings = Settings.model_validate({"state_directory": str(tmp_path), "instances": 2})
    recordings = CallRecordings(lambda: instance_files(settings, "calls.sqlite"), sound)
    name = sound.new_name()
    sound.kept_file(name).parent.mkdir(parents=True, exist_ok=True)
    sound.kept_file(name).write_bytes(b"RIFF")
    (tmp_path / "instance-2").mkdir()
    with closing(connect(tmp_path / "instance-2" / "calls.sqlite")) as db:
        db.execute("INSERT INTO sounds (name, call_id, state, at) VALUES (?, 'call-2', 'kept', 1.0)", (name,))
    assert await recordings.find("call-2") == sound.kept_file(name)
    assert await recordings.count("call-1") == 0
