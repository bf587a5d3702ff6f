"""Recordings are finished whatever died before: both sides on the record's clock, silent where they must be."""

from __future__ import annotations

import asyncio
import os
import wave
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from agent.call.records import Caller, CallRecord, SilentSpan, SoundPart, SoundRecord, TurnRecord
from agent.records import sound_keeper, sounds_sql
from agent.records.call_store import CallStore
from agent.records.sound_files import SoundDirectory
from agent.records.sound_keeper import SoundKeeper

RATE = 8000
ANSWERED = 1_764_500_000.0


def tone(seconds: float, level: int) -> bytes:
    return np.full(round(seconds * RATE), level, dtype="<i2").tobytes()


class Shop:
    """Records calls and their sound in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.sound = SoundDirectory(directory / "sound")
        self.now = ANSWERED + 1000
        self.gone = True
        self.elsewhere: tuple[str, ...] | None = ()

    async def __aenter__(self) -> Shop:
        self.store = await CallStore.open(self.directory / "calls.sqlite")
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.store.close()

    def keeper(self) -> SoundKeeper:
        async def channel_gone(call_id: str) -> bool:
            return self.gone

        return SoundKeeper(
            self.store.database,
            self.sound,
            self.store.sound_news,
            channel_gone,
            lambda: self.store.waiting,
            lambda: self.now,
            lambda: self.elsewhere,
        )

    def recorded(self, part: int | str, caller: bytes, agent: bytes, ended: float, name: str = "") -> str:
        """Leave the files of a part that ended so many seconds after the answer."""
        name = name or self.sound.new_name()
        path = self.sound.prepare(name, part)
        for side, content in (("caller", caller), ("agent", agent)):
            file = Path(f"{path}-{side}.sln")
            file.write_bytes(content)
            os.utime(file, (ANSWERED + ended, ANSWERED + ended))
        return name

    async def written(self, sound: SoundRecord, call_id: str = "call-1", turns: tuple[TurnRecord, ...] = ()) -> None:
        record = CallRecord(call_id, Caller("+12025550143"), "2025-11-30T10:53:20+00:00", answered_utc=ANSWERED)
        record.turns.extend(turns)
        record.sound = sound
        await self.store.write(record)

    def kept(self, name: str) -> npt.NDArray[np.int16]:
        with wave.open(str(self.sound.kept_file(name)), "rb") as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
            return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)

    async def states(self) -> dict[str, str]:
        return await self.store.database.transaction(sounds_sql.states)

    def raw_files(self) -> list[str]:
        return sorted(file.name for file in self.sound.incoming.iterdir())


def at(sound: npt.NDArray[np.int16], seconds: float) -> tuple[int, int]:
    left, right = sound[round(seconds * RATE)]
    return int(left), int(right)


async def test_the_caller_is_left_and_second_0_is_the_answer(tmp_path: Path) -> None:
    async with Shop(tmp_path) as shop:
        name = shop.recorded(1, tone(4, 100), tone(4, 200), ended=6.0)
        await shop.written(SoundRecord(name, [SoundPart(1, 2.0)]))
        await shop.keeper().finish_ready()
        sound = shop.kept(name)
        assert len(sound) == 6 * RATE
        assert at(sound, 1.9) == (0, 0), "nothing before the consent"
        assert at(sound, 3.0) == (100, 200)
        assert await shop.states() == {name: "kept"}
        assert shop.raw_files() == []
        assert shop.sound.kept_file(name).stat().st_mode & 0o077 == 0


async def test_a_secret_answer_is_silent_for_the_caller_alone(tmp_path: Path) -> None:
    async with Shop(tmp_path) as shop:
        name = shop.recorded(1, tone(20, 100), tone(20, 200), ended=20.0)
        asked = TurnRecord(
            5.0, "Your postcode?", heard="nine seven two oh one", slot="postcode", audible_at_seconds=5.2
        )
        thanks = TurnRecord(9.0, "Thank you.", audible_at_seconds=9.1)
        await shop.written(SoundRecord(name, [SoundPart(1, 0.0)]), turns=(asked, thanks))
        await shop.keeper().finish_ready()
        sound = shop.kept(name)
        assert at(sound, 4.9) == (100, 200)
        assert {at(sound, moment / 10) for moment in range(50, 103)} == {(0, 200)}
        assert at(sound, 10.5) == (100, 200)


async def test_silence_is_wider_by_what_the_two_clocks_differ(tmp_path: Path) -> None:
    """The file says that it began half a second later than the agent thought: sound is missing in it somewhere."""
    async with Shop(tmp_path) as shop:
        name = shop.recorded(1, tone(20, 100), tone(20, 200), ended=20.5)
        sound = SoundRecord(name, [SoundPart(1, 0.0)], silent=[SilentSpan(5.0, 6.0, "both")])
        await shop.written(sound)
        await shop.keeper().finish_ready()
        kept = shop.kept(name)
        assert {at(kept, moment / 100) for moment in range(426, 674)} == {(0, 0)}
        assert at(kept, 4.2) == at(kept, 6.8) == (100, 200)


async def test_a_call_that_outlived_its_agent_has_one_recording_of_both_parts(tmp_path: Path) -> None:
    async with Shop(tmp_path) as shop:
        name = shop.recorded(1, tone(2, 100), tone(2, 200), ended=2.0)
        shop.recorded(2, tone(3, 101), tone(3, 201), ended=8.0, name=name)
        await shop.written(SoundRecord(name, [SoundPart(1, 0.0), SoundPart(2, 5.0)]))
        await shop.keeper().finish_ready()
        sound = shop.kept(name)
        assert [at(sound, moment) for moment in (1.0, 3.0, 6.0)] == [(100, 200), (0, 0), (101, 201)]


async def test_a_part_of_which_nobody_knows_when_it_began_is_left_out(tmp_path: Path) -> None:
    """Its agent was killed before it had noted the beginning: where in it a secret was said cannot be told."""
    async with Shop(tmp_path) as shop:
        name = shop.recorded(1, tone(2, 100), tone(2, 200), ended=2.0)
        shop.recorded(2, tone(3, 101), tone(3, 201), ended=8.0, name=name)
        await shop.written(SoundRecord(name, [SoundPart(1, 0.0)]))
        await shop.keeper().finish_ready()
        assert len(shop.kept(name)) == 2 * RATE
        assert shop.raw_files() == []


async def test_the_conversation_with_staff_is_waited_for_and_placed_by_its_end(tmp_path: Path) -> None:
    async with Shop(tmp_path) as shop:
        name = shop.recorded(1, tone(2, 100), tone(2, 200), ended=2.0)
        shop.recorded("staff", tone(3, 102), tone(3, 202), ended=13.0, name=name)
        await shop.written(SoundRecord(name, [SoundPart(1, 0.0)], staff=True))
        shop.gone = False
        assert await shop.keeper().finish_ready() <= 10
        assert await shop.states() == {name: "raw"}
        shop.gone = True
        await shop.keeper().finish_ready()
        sound = shop.kept(name)
        assert [at(sound, moment) for moment in (1.0, 9.0, 11.0)] == [(100, 200), (0, 0), (102, 202)]


async def test_what_asterisk_is_still_writing_is_waited_for(tmp_path: Path) -> None:
    async with Shop(tmp_path) as shop:
        name = shop.recorded(1, tone(2, 100), tone(2, 200), ended=2.0)
        await shop.written(SoundRecord(name, [SoundPart(1, 0.0)]))
        shop.now = ANSWERED + 2.0 + sound_keeper.SETTLED_SECONDS - 0.1
        assert await shop.keeper().finish_ready() <= 1
        assert await shop.states() == {name: "raw"}


async def test_nothing_in_a_recording_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with Shop(tmp_path) as shop:
        name = shop.recorded(1, b"", b"", ended=2.0)
        await shop.written(SoundRecord(name, [SoundPart(1, 0.0)]))
        await shop.keeper().finish_ready()
        assert await shop.states() == {name: "empty"}
        assert "can Asterisk write into" in caplog.text


async def test_one_side_alone_is_kept(tmp_path: Path) -> None:
    async with Shop(tmp_path) as shop:
        name = shop.recorded(1, b"", tone(2, 200), ended=2.0)
        await shop.written(SoundRecord(name, [SoundPart(1, 0.0)]))
        await shop.keeper().finish_ready()
        assert at(shop.kept(name), 1.0) == (0, 200)


@pytest.mark.parametrize("dies", ["before", "written", "noted", "half deleted"])
async def test_a_keeper_that_is_killed_at_any_step_leaves_nothing_audible(
    tmp_path: Path, dies: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Shop(tmp_path) as shop:
        name = shop.recorded(1, tone(20, 100), tone(20, 200), ended=20.0)
        await shop.written(SoundRecord(name, [SoundPart(1, 0.0)], silent=[SilentSpan(5.0, 6.0, "both")]))

        class Killed(BaseException):
            pass

        def die(*arguments: Any) -> None:
            raise Killed

        with monkeypatch.context() as patch:
            if dies == "before":
                patch.setattr(sound_keeper, "finish", die)
            elif dies == "written":
                patch.setattr(sounds_sql, "finished", die)
            elif dies == "noted":
                patch.setattr(sound_keeper.RawPart, "delete", die)
            else:
                patch.setattr(sound_keeper.RawPart, "delete", lambda part: (part.files[0].unlink(), die()))
            with pytest.raises(Killed):
                await shop.keeper().finish_ready()
        successor = shop.keeper()
        await successor.finish_ready()
        await successor.tidy()
        assert at(shop.kept(name), 5.5) == (0, 0)
        assert at(shop.kept(name), 8.0) == (100, 200)
        assert shop.raw_files() == []
        assert await shop.states() == {name: "kept"}


async def test_files_of_no_call_are_removed_after_a_day_and_not_before(tmp_path: Path) -> None:
    async with Shop(tmp_path) as shop:
        shop.recorded(1, tone(1, 1), tone(1, 1), ended=0.0)
        shop.now = ANSWERED + sound_keeper.ORPHAN_SECONDS - 1
        assert await shop.keeper().tidy() == 0
        shop.now += 2
        assert await shop.keeper().tidy() == 1
        assert shop.raw_files() == []


async def test_files_of_another_instances_calls_stay(tmp_path: Path) -> None:
    """The directory is one for all; each finishes the recordings that its own records tell of."""
    async with Shop(tmp_path) as shop:
        name = shop.recorded(1, tone(1, 1), tone(1, 1), ended=0.0)
        shop.now = ANSWERED + sound_keeper.ORPHAN_SECONDS + 1
        shop.elsewhere = (name,)
        assert await shop.keeper().tidy() == 0
        shop.elsewhere = None  # nobody can say
        assert await shop.keeper().tidy() == 0
        shop.elsewhere = ()
        assert await shop.keeper().tidy() == 1


async def test_the_keeper_wakes_when_a_record_with_sound_is_written(tmp_path: Path) -> None:
    async with Shop(tmp_path) as shop:
        stopping = asyncio.Event()
        running = asyncio.create_task(shop.keeper().run(stopping))
        name = shop.recorded(1, tone(1, 100), tone(1, 200), ended=1.0)
        await shop.written(SoundRecord(name, [SoundPart(1, 0.0)]))
        async with asyncio.timeout(30):
            while await shop.states() != {name: "kept"}:  # noqa: ASYNC110 - a table has no event
                await asyncio.sleep(0.01)
        stopping.set()
        await running


def test_names_are_long_and_never_the_same(tmp_path: Path) -> None:
    sound = SoundDirectory(tmp_path / "sound")
    names = {sound.new_name() for _ in range(100)}
    assert len(names) == 100
    assert {len(name) for name in names} == {32}


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 32, "0" * 31, "0" * 32 + "/x"])
def test_a_name_that_is_not_ours_opens_no_file(tmp_path: Path, name: str) -> None:
    """The record of a call that outlived its agent may have come through Redis."""
    sound = SoundDirectory(tmp_path / "sound")
    sound.make()
    assert sound.prepare(name, 1) == ""
    with pytest.raises(ValueError, match="no name of a recording"):
        sound.kept_file(name)


def test_a_link_that_lies_in_wait_is_not_followed(tmp_path: Path) -> None:
    sound = SoundDirectory(tmp_path / "sound")
    name = sound.new_name()
    (sound.incoming / f"{name}-1-caller.sln").symlink_to(tmp_path / "elsewhere")
    assert sound.prepare(name, 1) == ""
    assert not (tmp_path / "elsewhere").exists()


def test_nothing_is_recorded_while_there_is_too_little_room(tmp_path: Path) -> None:
    sound = SoundDirectory(tmp_path / "sound", least_free_bytes=2**62)
    assert sound.new_name() == ""
    assert "sound.least_free_mb" in sound.problem


def test_what_asterisk_records_is_for_it_and_the_agent_alone(tmp_path: Path) -> None:
    sound = SoundDirectory(tmp_path / "sound")
    path = sound.prepare(sound.new_name(), 1)
    assert {file.stat().st_mode & 0o777 for file in sound.incoming.iterdir()} == {0o660}
    assert sound.incoming.stat().st_mode & 0o007 == 0
    assert path.startswith(str(sound.incoming))


async def test_a_full_disk_is_told_and_the_recording_is_finished_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Shop(tmp_path) as shop:
        name = shop.recorded(1, tone(2, 100), tone(2, 200), ended=2.0)
        await shop.written(SoundRecord(name, [SoundPart(1, 0.0)]))
        keeper = shop.keeper()

        def full(*arguments: Any) -> float:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(sound_keeper, "finish", full)
            assert await keeper._round() <= 10
        assert "No space left" in keeper.status
        assert await shop.states() == {name: "raw"}
        assert len(shop.raw_files()) == 2, "what is not finished is not deleted"
        await keeper._round()
        assert keeper.status == ""
        assert at(shop.kept(name), 1.0) == (100, 200)
