"""What a person hears before the caller is joined."""

# ruff: noqa: ASYNC240 - looks at a few small files

from __future__ import annotations

import os
import time
import wave
from pathlib import Path

from agent.call.errors import VoiceError
from agent.call.whisper import KEPT_SECONDS, WhisperFiles
from tests.call.parts import TestVoice


class Tone(TestVoice):
    async def render(self, prompt_id: str, text: str) -> bytes:
        return b"\x10\x20" * 800


class Mute(TestVoice):
    async def render(self, prompt_id: str, text: str) -> bytes:
        raise VoiceError("no engine")


async def test_it_is_a_file_that_asterisk_plays_and_reads(tmp_path: Path) -> None:
    files = WhisperFiles(tmp_path / "spool", lambda values: f"Ticket {values['ticket_id']} | Verified.", Tone())
    path = await files.make("pbx-1.7/../x", {"ticket_id": "T-1"})
    assert Path(path).parent == tmp_path / "spool"
    with wave.open(f"{path}.wav") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        assert file.getnframes() == 2 * 800 + 2 * 1600
    assert Path(f"{path}.wav").stat().st_mode & 0o444 == 0o444


async def test_nothing_is_said_when_it_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert await WhisperFiles(tmp_path, lambda _: "", Tone()).make("c", {}) == ""
    assert await WhisperFiles(tmp_path, lambda _: "Ticket.", Mute()).make("c", {}) == ""
    assert await WhisperFiles(tmp_path / "file", lambda _: "Ticket.", Tone()).make("c", {}) == ""


async def test_old_ones_are_removed_and_other_files_are_not(tmp_path: Path) -> None:
    files = WhisperFiles(tmp_path, lambda _: "Ticket.", Tone())
    old = Path(await files.make("old", {}) + ".wav")
    other = tmp_path / "mine.wav"
    other.touch()
    for path in (old, other):
        os.utime(path, (time.time() - KEPT_SECONDS - 1,) * 2)
    await files.make("new", {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.wav", "orderline-whisper-new.wav"]
