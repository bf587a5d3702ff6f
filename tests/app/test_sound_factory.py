"""The keeper of recordings leaves those of other instances alone: the directory is one for all."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.app.sound_factory import sound_directory, sound_keeper
from agent.config.instances import instance_settings
from agent.config.settings import Settings
from agent.records import sound_keeper as keeping
from agent.records.call_store import CallStore
from agent.records.database import connect


@pytest.mark.parametrize("number", [1, 2])
async def test_what_another_instance_has_recorded_is_no_orphan(tmp_path: Path, number: int) -> None:
    whole = Settings.model_validate({"state_directory": str(tmp_path), "instances": 2})
    ours, theirs = (instance_settings(whole, one) for one in (number, 3 - number))
    ours.state_directory.mkdir(exist_ok=True)
    theirs.state_directory.mkdir(exist_ok=True)
    sound = sound_directory(ours)
    assert sound_directory(theirs).directory == sound.directory
    name, orphan = sound.new_name(), sound.new_name()
    for one in (name, orphan):
        assert sound.prepare(one, 1)
    with closing(connect(theirs.state_directory / "calls.sqlite")) as db:
        db.execute("INSERT INTO sounds (name, call_id, state, at) VALUES (?, 'call-2', 'raw', 1.0)", (name,))
    spool = theirs.state_directory / "calls.sqlite.spool.jsonl"
    spool.write_text('{"id": "waits"}\n')
    records = await CallStore.open(ours.state_directory / "calls.sqlite")
    ari: Any = None  # no call is asked for
    keeper = sound_keeper(ours, sound, records, ari)
    keeper._clock = lambda: keeping.time.time() + keeping.ORPHAN_SECONDS + 10
    assert await keeper.tidy() == 0, "a record that tells of it may wait to get into the other's file"
    spool.unlink()
    assert await keeper.tidy() == 1
    assert list(await asyncio.to_thread(sound.raw_parts)) == [name]
    await records.close()
