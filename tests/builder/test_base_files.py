"""The procedures on disk, as drafts see them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.builder.base_files import SETTLED_SECONDS, BaseFiles
from agent.builder.errors import EditRefused

WRITTEN = 1_000_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = WRITTEN

    def __call__(self) -> float:
        return self.now


def touch(*paths: Path) -> None:
    for path in paths:
        os.utime(path, (WRITTEN, WRITTEN))


def a_pack(directory: Path) -> Path:
    (directory / "flows").mkdir(parents=True)
    for name in ("words.yaml", "flows/returns.yaml"):
        (directory / name).write_text(f"start: {name}\n")
    return directory


async def test_a_file_that_vanishes_for_a_moment_is_not_taken_for_one_that_was_removed(tmp_path: Path) -> None:
    pack, clock = a_pack(tmp_path / "pack"), Clock()
    base = BaseFiles(pack, clock)
    _, before = await base.read()
    (pack / "flows" / "returns.yaml").unlink()
    touch(pack / "words.yaml", pack / "flows", pack)
    assert (await base.read())[1] == before
    clock.now += 2 * SETTLED_SECONDS
    assert set((await base.read())[1]) == {"words.yaml"}


async def test_what_a_version_control_does_in_its_own_folder_holds_nothing_up(tmp_path: Path) -> None:
    pack, clock = a_pack(tmp_path / "pack"), Clock()
    (pack / ".git" / "objects").mkdir(parents=True)
    base = BaseFiles(pack, clock)
    await base.read()
    (pack / "words.yaml").write_text("start: elsewhere\n")
    touch(pack / "words.yaml", pack / "flows" / "returns.yaml", pack / "flows", pack)
    clock.now += 2 * SETTLED_SECONDS
    (pack / ".git" / "objects" / "now").touch()
    assert (await base.read())[1]["words.yaml"] == "start: elsewhere\n"


@pytest.mark.parametrize("content", [None, b"\xff"])
async def test_files_that_cannot_be_read_or_are_not_there_are_no_edition(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "words.yaml").write_bytes(content)
    with pytest.raises(EditRefused):
        await BaseFiles(tmp_path, Clock()).read()
