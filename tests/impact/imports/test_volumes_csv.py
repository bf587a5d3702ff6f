"""Volumes from a spreadsheet."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.impact.errors import CallLogUnusable
from agent.impact.imports.volumes_csv import VolumesFile, read_volumes


def read(tmp_path: Path, text: str) -> VolumesFile:
    path = tmp_path / "volumes.csv"
    path.write_text(text, encoding="utf-8")
    return read_volumes(path)


def test_hours_of_weekdays(tmp_path: Path) -> None:
    volumes = read(tmp_path, "weekday;hour;calls\nMonday;9;40\nmon;10:00;20,5\n7;9;5\n")
    assert volumes.week[0][18:21] == (20, 20, 10.25)
    assert volumes.week[6][18] == 2.5
    assert volumes.calls == 65.5


def test_days_make_a_mean_week(tmp_path: Path) -> None:
    volumes = read(tmp_path, "date,hour,volume\n2026-11-02,9,40\n2026-11-09,9,60\n2026-11-03,9,10\n")
    assert volumes.week[0][18] == 25
    assert volumes.week[1][18] == 5
    assert volumes.warnings


def test_half_hours_are_taken_as_such_where_there_are_some(tmp_path: Path) -> None:
    volumes = read(tmp_path, "start,calls\n2026-11-02 09:00,30\n2026-11-02 09:30,10\n")
    assert volumes.week[0][18:20] == (30, 10)


def test_lines_that_make_no_sense_are_told_and_the_others_used(tmp_path: Path) -> None:
    volumes = read(
        tmp_path, "weekday,hour,calls\nMon,9,40\nMoon,9,40\nMon,25,4\nMon,9:17,4\nMon,10,many\nMon\nMon,11,-4\n"
    )
    told = "\n".join(volumes.notes.lines())
    assert volumes.file.used == 1
    for line in range(3, 9):
        assert f"volumes.csv:{line}" in told


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "weekday,hour\nMon,9\n", "weekday,hour,calls\n"])
def test_a_file_without_volumes_says_what_it_needs(tmp_path: Path, text: str) -> None:
    with pytest.raises(CallLogUnusable, match="name the columns"):
        read(tmp_path, text)
