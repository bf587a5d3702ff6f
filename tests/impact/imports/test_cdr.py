"""Call detail records: groups of records that are one call, three layouts, times without a zone."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.impact.errors import CallLogUnusable
from agent.impact.imports.cdr import read_cdr
from agent.impact.imports.measured_volumes import MeasuredVolumes

MADRID = ZoneInfo("Europe/Madrid")


def record(
    start: str = "2026-11-02 10:00:00", *, dst: str = "600", dstchannel: str = "PJSIP/201-01", app: str = "Queue",
    data: str = "shop,t", billsec: object = 100, disposition: str = "ANSWERED",
    unique: str = "1.1", linked: str = "1.1",
) -> str:  # fmt: skip
    return (
        f'"","2025550101","{dst}","from-trunk","""Ann, B"" <2025550101>","PJSIP/trunk-01","{dstchannel}","{app}",'
        f'"{data}","{start}","{start}","{start}",{billsec},{billsec},"{disposition}","DOCUMENTATION","{unique}","",'
        f'"","{linked}","5"\n'
    )


def read(tmp_path: Path, text: str, **options: object) -> MeasuredVolumes:
    path = tmp_path / "Master.csv"
    path.write_text(text, encoding="utf-8")
    return read_cdr([path], MADRID, **options)  # type: ignore[arg-type]


def test_waits_and_patience_are_said_to_be_unknown(tmp_path: Path) -> None:
    volumes = read(tmp_path, record() + record(unique="2.1", linked="2.1", dstchannel="", billsec=40))
    assert (volumes.calls, volumes.answered, volumes.unknown) == (2, 1, 1)
    assert volumes.talk_seconds == 100
    assert volumes.wait_seconds is None
    assert volumes.patience_seconds is None
    assert any("cannot be read from these files" in warning for warning in volumes.warnings)


def test_a_group_that_rings_is_one_call(tmp_path: Path) -> None:
    text = record(billsec=0, disposition="NO ANSWER", unique="1.2") + record(billsec=0, disposition="BUSY") + record()
    volumes = read(tmp_path, text)
    assert (volumes.calls, volumes.answered, volumes.talk_seconds) == (1, 1, 100)


def test_times_are_the_shops_or_utc_where_it_is_said(tmp_path: Path) -> None:
    assert read(tmp_path, record()).week[0][20] > 0
    assert read(tmp_path, record(), utc=True).week[0][22] > 0
    assert read(tmp_path, record(), utc=True).summary.zone == "UTC"


def test_calls_for_staff_are_those_to_a_queue_or_to_the_numbers_given(tmp_path: Path) -> None:
    text = record() + record(dst="501", app="Dial", data="x", unique="2.1", linked="2.1")
    volumes = read(tmp_path, text)
    assert volumes.calls == 1
    assert "did not come to the staff" in "\n".join(volumes.summary.notes.lines())
    assert read(tmp_path, text, dialled=["501"]).calls == 1
    with pytest.raises(CallLogUnusable, match=r"--dialled; dialled most often: 600 \(1\)"):
        read(tmp_path, text, dialled=["999"])


def test_the_layout_of_cdr_custom_is_known_by_where_the_times_stand(tmp_path: Path) -> None:
    text = (
        '""" <a>","2025550101","600","ctx","PJSIP/a-1","PJSIP/b-1","Queue","shop","2026-11-02 10:00:00",'
        '"2026-11-02 10:00:05","2026-11-02 10:01:00","60","55","ANSWERED","DOCUMENTATION","","1793613600.2","",2\n'
    ).replace('""" <a>"', '"<a>"')
    volumes = read(tmp_path, text)
    assert (volumes.calls, volumes.talk_seconds) == (1, 55)


def test_the_table_of_freepbx_names_its_columns(tmp_path: Path) -> None:
    text = (
        "calldate;clid;src;dst;dcontext;channel;dstchannel;lastapp;lastdata;duration;billsec;disposition;uniqueid;linkedid\n"
        "2026-11-02 10:00:00;x;2025550101;600;ctx;SIP/a;SIP/b;Queue;600,t;70;65;ANSWERED;1.1;1.1\n"
        "2026-11-02 10:01:00;x;2025550101;600;ctx;SIP/a;SIP/b;Queue;600,t;70;65;UNSURE;1.2;1.2\n"
    )
    volumes = read(tmp_path, text)
    assert (volumes.calls, volumes.talk_seconds) == (1, 65)
    assert "Master.csv:3" in "\n".join(volumes.summary.notes.lines())


def test_broken_records_are_told_by_line_and_files_that_overlap_count_once(tmp_path: Path) -> None:
    good = record() + record(unique="2.1", linked="2.1", start="2026-11-02 11:00:00")
    one, two = tmp_path / "a.csv", tmp_path / "b.csv"
    one.write_text(good + record(start="yesterday") + record(billsec="many") + '"cut","off', encoding="utf-8")
    two.write_text(good + record(unique="3.1", linked="3.1"), encoding="utf-8")
    volumes = read_cdr([one, two], MADRID)
    assert volumes.calls == 3
    told = "\n".join(volumes.summary.notes.lines())
    for place in ("a.csv:3", "a.csv:4", "a.csv:5", "b.csv:1"):
        assert place in told
    assert [file.repeated for file in volumes.summary.files] == [0, 2]
    for file in volumes.summary.files:
        assert file.lines == file.used + file.other + file.repeated + file.refused


def test_what_is_no_cdr_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(CallLogUnusable, match=r"no call detail records\n.*Master.csv:1"):
        read(tmp_path, "a,b,c\nd,e,f\n")
