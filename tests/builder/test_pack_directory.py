from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.builder import pack_directory
from agent.builder.pack_directory import BadFileName, HandEdited, PackDirectory, PackDirectoryError
from agent.dialog.pack.pack_files import JOURNAL

OLD = {"a.yaml": "a: old\n", "flows/b.yaml": "b: old\n", "flows/gone.yaml": "g: old\n"}
NEW = {"a.yaml": "a: new\n", "flows/b.yaml": "b: new\n", "more/made.yaml": "m: new\n"}
REPOSITORY = Path(__file__).resolve().parents[2]
KILLED_AT = """
import os, signal, sys
from pathlib import Path
from agent.builder import pack_directory
from agent.builder.pack_directory import BadFileName, PackDirectory
from tests.builder.test_pack_directory import NEW, OLD

left = int(sys.argv[2])

def dies(do):
    def call(*values, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return do(*values, **named)
    return call

# every change of the directory goes through one of these
os.replace, os.unlink = dies(os.replace), dies(os.unlink)
os.fsync = dies(os.fsync)
Path.unlink = dies(Path.unlink)
PackDirectory(Path(sys.argv[1])).replace(OLD, NEW)
"""


def written(directory: Path, files: dict[str, str]) -> PackDirectory:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return PackDirectory(directory)


def on_disk(directory: Path) -> dict[str, str]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_text(encoding="utf-8") for path in files}


def test_files_are_changed_made_and_removed(tmp_path: Path) -> None:
    held = written(tmp_path, OLD)
    held.replace(OLD, NEW)
    assert held.read() == NEW
    assert on_disk(tmp_path) == NEW


def test_a_file_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    held = written(tmp_path / "flows", {"a.yaml": "a: old\n"})
    (tmp_path / "flows" / "a.yaml").chmod(0o640)
    (tmp_path / "elsewhere.yaml").write_text("l: old\n", encoding="utf-8")
    (tmp_path / "flows" / "linked.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    base = held.read()
    held.replace(base, {"a.yaml": "a: new\n", "linked.yaml": "l: new\n"})
    assert (tmp_path / "flows" / "a.yaml").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "flows" / "linked.yaml").is_symlink()
    assert (tmp_path / "elsewhere.yaml").read_text(encoding="utf-8") == "l: new\n"


def test_a_file_edited_by_hand_since_is_never_overwritten(tmp_path: Path) -> None:
    held = written(tmp_path, {**OLD, "a.yaml": "a: by hand\n"})
    before = on_disk(tmp_path)
    with pytest.raises(HandEdited) as raised:
        held.replace(OLD, NEW)
    assert raised.value.files == ("a.yaml",)
    assert on_disk(tmp_path) == before


@pytest.mark.parametrize(
    "name",
    [
        "../out.yaml",
        "/etc/out.yaml",
        ".hidden.yaml",
        "flows/../../out.yaml",
        "a.txt",
        "a\\b.yaml",
        "./flows.yaml",
        "a//b.yaml",
    ],
)
def test_a_name_that_leads_out_of_the_directory_is_refused(tmp_path: Path, name: str) -> None:
    held = written(tmp_path, OLD)
    with pytest.raises(PackDirectoryError):
        held.replace(OLD, {**OLD, name: "x: 1\n"})
    assert on_disk(tmp_path) == OLD


def test_a_file_in_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    held = written(tmp_path / "pack", OLD)
    (tmp_path / "outside").mkdir()
    (tmp_path / "pack" / "more").symlink_to(tmp_path / "outside")
    with pytest.raises(BadFileName):
        held.replace(OLD, {**OLD, "more/a.yaml": "x: 1\n"})
    assert list((tmp_path / "outside").iterdir()) == []


def test_more_than_a_journal_holds_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = written(tmp_path, OLD)
    monkeypatch.setattr(pack_directory, "MOST_JOURNAL_BYTES", 10)
    with pytest.raises(PackDirectoryError):
        held.replace(OLD, NEW)
    assert on_disk(tmp_path) == OLD


def test_what_a_killed_publisher_left_beside_the_files_is_cleared_away(tmp_path: Path) -> None:
    held = written(tmp_path, OLD)
    for name in (".flows.yaml.abc.part", f".{JOURNAL}.abc.part"):
        (tmp_path / name).write_text("half")
    held.replace(OLD, NEW)
    assert not list(tmp_path.rglob("*.part"))


def test_a_directory_that_cannot_be_written_is_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = written(tmp_path, OLD)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        held.replace(OLD, NEW)
    assert on_disk(tmp_path) == OLD


@pytest.mark.slow
def test_killed_at_any_moment_the_directory_holds_the_old_or_the_new_edition(tmp_path: Path) -> None:
    seen: list[str] = []
    for moment in range(100):
        directory = tmp_path / str(moment)
        held = written(directory, OLD)
        done = subprocess.run(
            [sys.executable, "-c", KILLED_AT, str(directory), str(moment)],
            cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, check=False, capture_output=True,
        )  # fmt: skip
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        found = held.read()
        assert found in (OLD, NEW), f"killed at change {moment}"
        seen.append("old" if found == OLD else "new")
        held.finish()
        held.replace(found, found)  # the next publication tidies up
        assert held.read() == found
        assert not (directory / JOURNAL).exists()
        if done.returncode == 0:
            break
    else:
        pytest.fail("it was never let to its end")
    assert seen == sorted(seen, reverse=True), "once new, always new"
    assert {"old", "new"} <= set(seen)
