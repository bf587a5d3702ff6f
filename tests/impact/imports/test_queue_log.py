"""Queue logs as they really are: cut, rotated, overlapping, with transfers; nothing is left out without a word."""

from __future__ import annotations

import gzip
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.impact.errors import CallLogUnusable
from agent.impact.imports.measured_volumes import MeasuredVolumes
from agent.impact.imports.queue_log import read_queue_log

UTC = ZoneInfo("UTC")
MADRID = ZoneInfo("Europe/Madrid")
MONDAY = 1793613600  # 2026-11-02 10:00 UTC


def log(tmp_path: Path, text: str, name: str = "queue_log") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def call(
    at: int, call_id: str, *, wait: int = 5, talk: int = 100, queue: str = "shop", caller: str = "2025550101"
) -> str:
    return (
        f"{at}|{call_id}|{queue}|NONE|ENTERQUEUE||{caller}|1\n"
        f"{at + wait}|{call_id}|{queue}|PJSIP/201|CONNECT|{wait}|{call_id}9|3\n"
        f"{at + wait + talk}|{call_id}|{queue}|PJSIP/201|COMPLETECALLER|{wait}|{talk}|1\n"
    )


def gone(at: int, call_id: str, wait: int = 30, event: str = "ABANDON|1|1") -> str:
    return f"{at}|{call_id}|shop|NONE|ENTERQUEUE||2025550102|1\n{at + wait}|{call_id}|shop|NONE|{event}|{wait}\n"


def read(tmp_path: Path, text: str, **options: object) -> MeasuredVolumes:
    return read_queue_log([log(tmp_path, text)], UTC, **options)  # type: ignore[arg-type]


def notes(volumes: MeasuredVolumes) -> str:
    return "\n".join(volumes.summary.notes.lines())


def accounted(volumes: MeasuredVolumes) -> bool:
    return all(file.lines == file.used + file.other + file.repeated + file.refused for file in volumes.summary.files)


def test_calls_waits_talk_and_patience(tmp_path: Path) -> None:
    text = (
        call(MONDAY, "1.1", wait=10, talk=100) + call(MONDAY + 60, "1.2", wait=20, talk=300) + gone(MONDAY + 90, "1.3")
    )
    volumes = read(tmp_path, text)
    assert (volumes.calls, volumes.answered, volumes.abandoned, volumes.unknown) == (3, 2, 1, 0)
    assert volumes.talk_seconds == 200
    assert volumes.wait_seconds == 20
    assert volumes.patience_seconds == 60  # 60 s waited by all, one hung up
    low, high = volumes.patience_interval or (0, 0)
    assert low < 60 < high
    assert volumes.summary.by_queue == (("shop", 3),)
    assert notes(volumes) == ""


def test_a_caller_lands_in_the_half_hour_of_the_shops_clock(tmp_path: Path) -> None:
    path = log(
        tmp_path, call(MONDAY + 1900, "1.1") + call(MONDAY + 7 * 86400 + 1900, "1.2") + call(MONDAY + 1950, "1.3")
    )
    volumes = read_queue_log([path], MADRID)
    assert volumes.week[0][23] == pytest.approx(1.5)  # 11:30 in Madrid, two Mondays
    assert sum(map(sum, volumes.week)) == pytest.approx(1.5)


def test_events_about_staff_are_no_calls_and_unknown_ones_are_told(tmp_path: Path) -> None:
    text = (
        f"{MONDAY}|NONE|NONE|NONE|QUEUESTART|\n{MONDAY}|CLI|shop|PJSIP/201|ADDMEMBER|\n"
        f"{MONDAY}|1.1|shop|PJSIP/201|RINGNOANSWER|5000\n{MONDAY}|NONE|shop|PJSIP/201|MOONPHASE|\n"
        + call(MONDAY, "1.1")
    )
    volumes = read(tmp_path, text)
    assert volumes.summary.files[0].other == 4
    assert "MOONPHASE" in notes(volumes)
    assert "queue_log:4" in notes(volumes)
    assert accounted(volumes)


def test_both_ends_of_a_file_are_cut(tmp_path: Path) -> None:
    text = (
        f"{MONDAY}|0.1|shop|PJSIP/201|COMPLETEAGENT|4|80|1\n{MONDAY + 1}|0.2|shop|PJSIP/202|CONNECT|9|0.29|2\n"
        f"{MONDAY + 2}|0.3|shop|NONE|ABANDON|1|1|40\n"
        + call(MONDAY + 10, "1.1")
        + f"{MONDAY + 300}|1.2|shop|NONE|ENTERQUEUE||2025550103|1\n"
        + f"{MONDAY + 301}|1.3|shop|NONE|ENTERQUEUE||2025550104|1\n{MONDAY + 302}|1.3|shop|PJSIP/201|CONNECT|1|x|1\n"
        + f"{MONDAY + 310}|1.4|sho"
    )
    volumes = read(tmp_path, text)
    assert (volumes.calls, volumes.answered, volumes.unknown) == (3, 2, 1)
    assert volumes.talk_seconds == 100  # of the one call that is there from end to end
    told = notes(volumes)
    for place in ("queue_log:1", "queue_log:2", "queue_log:3", "queue_log:7", "queue_log:9", "queue_log:10"):
        assert place in told
    assert "3 fields" in told
    assert accounted(volumes)


def test_rotated_files_overlap_come_in_any_order_and_are_packed(tmp_path: Path) -> None:
    first, shared, last = call(MONDAY, "1.1"), call(MONDAY + 600, "1.2"), call(MONDAY + 1200, "1.3")
    old = tmp_path / "queue_log.1.gz"
    old.write_bytes(gzip.compress((first + shared).encode()))
    volumes = read_queue_log([log(tmp_path, shared + last), old], UTC)
    assert volumes.calls == volumes.answered == 3
    assert volumes.summary.files[1].repeated == 3
    assert "rotated files overlap" in notes(volumes)
    assert accounted(volumes)


def test_a_caller_given_back_to_the_queue_counts_once_with_all_waits_and_talks(tmp_path: Path) -> None:
    volumes = read(tmp_path, call(MONDAY, "1.1", wait=5, talk=50) + call(MONDAY + 100, "1.1", wait=15, talk=70))
    assert volumes.calls == 1
    assert volumes.talk_seconds == 120
    assert volumes.wait_seconds == 20
    assert "enters a queue again" in notes(volumes)


def test_a_transfer_that_enters_under_a_new_id_and_connects_under_the_old_one_is_one_caller(tmp_path: Path) -> None:
    text = (
        f"{MONDAY}|1.1|shop|NONE|ENTERQUEUE||2025550101|1\n{MONDAY + 5}|1.1|shop|PJSIP/201|CONNECT|5|x|1\n"
        f"{MONDAY + 65}|1.1|shop|PJSIP/201|ATTENDEDTRANSFER|BRIDGE|7f|returns|5|60|1\n"
        f"{MONDAY + 66}|1.9|returns|NONE|ENTERQUEUE||201|1\n{MONDAY + 76}|1.1|returns|PJSIP/301|CONNECT|10|y|1\n"
        f"{MONDAY + 176}|1.1|returns|PJSIP/301|COMPLETECALLER|10|100|1\n"
    )
    volumes = read(tmp_path, text)
    assert (volumes.calls, volumes.answered, volumes.unknown) == (1, 1, 0)
    assert volumes.talk_seconds == 160
    assert "entered under another id (queue_log:4)" in notes(volumes)
    assert "queue_log:5" in notes(volumes)


def test_a_blind_transfer_that_goes_on_under_a_new_id_is_one_caller(tmp_path: Path) -> None:
    text = (
        f"{MONDAY}|1.1|shop|NONE|ENTERQUEUE||2025550101|1\n{MONDAY + 5}|1.1|shop|PJSIP/201|CONNECT|5|x|1\n"
        f"{MONDAY + 65}|1.1|shop|PJSIP/201|BLINDTRANSFER|600|from-internal|5|60|1\n"
        + call(MONDAY + 66, "1.2", wait=10, talk=100, queue="returns")
    )
    volumes = read(tmp_path, text)
    assert volumes.calls == 1
    assert volumes.talk_seconds == 160
    assert "counted once" in notes(volumes)


def test_a_call_that_enters_and_leaves_no_trace_is_told(tmp_path: Path) -> None:
    text = f"{MONDAY}|1.1|shop|NONE|ENTERQUEUE||2025550101|1\n" + call(MONDAY + 50, "1.1") + call(MONDAY + 900, "1.2")
    volumes = read(tmp_path, text)
    assert volumes.calls == 2
    assert "without a trace" in notes(volumes)


@pytest.mark.parametrize(
    "event", ["EXITWITHTIMEOUT|1|1", "EXITEMPTY|1|1", "EXITWITHKEY|5|1|1", "WITHDRAW", "AGENTDUMP"]
)
def test_leaving_by_a_rule_of_the_queue_is_no_hanging_up(tmp_path: Path, event: str) -> None:
    volumes = read(tmp_path, gone(MONDAY, "1.1", 45, event) + call(MONDAY + 60, "1.2", wait=5))
    assert (volumes.abandoned, volumes.left) == (0, 1)
    assert volumes.wait_seconds == 25  # a timeout says something about patience as well
    assert volumes.patience_seconds is None


def test_local_channels_of_freepbx_and_endless_talk_are_told(tmp_path: Path) -> None:
    text = call(MONDAY, "1.1", talk=9000).replace("PJSIP/201", "Local/201@from-queue/n") + call(MONDAY + 9, "1.2")
    volumes = read(tmp_path, text)
    assert "FreePBX" in notes(volumes)
    assert "two hours" in notes(volumes)
    assert volumes.talk_seconds == 100


def test_the_realtime_table_has_time_as_text_in_the_shops_zone(tmp_path: Path) -> None:
    rows = (
        "id,time,callid,queuename,agent,event,data1,data2,data3,data4,data5\n"
        '1,"2026-11-02 10:00:00.123456",1.1,shop,NONE,ENTERQUEUE,,2025550101,1,,\n'
        '2,"2026-11-02 10:00:07.000001",1.1,shop,PJSIP/201,CONNECT,7,1.19,2,NULL,NULL\n'
        '3,"2026-11-02 10:02:07",1.1,shop,PJSIP/201,COMPLETEAGENT,7,120,1,,\n'
        '4,"0000-00-00 00:00:00",1.2,shop,NONE,ENTERQUEUE,,2025550101,1,,\n'
    )
    volumes = read_queue_log([log(tmp_path, rows, "queue_log.csv")], MADRID)
    assert volumes.calls == 1
    assert volumes.talk_seconds == 120
    assert volumes.week[0][20] > 0  # 10:00 in Madrid
    assert "no time" in notes(volumes)
    assert accounted(volumes)


def test_a_realtime_table_without_names_and_with_tabs_is_read(tmp_path: Path) -> None:
    rows = (
        "7\t2026-11-02 10:00:00\t1.1\tshop\tNONE\tENTERQUEUE\t\t2025550101\t1\n"
        "8\t2026-11-02 10:00:50\t1.1\tshop\tNONE\tABANDON\t1\t1\t50\n"
    )
    volumes = read_queue_log([log(tmp_path, rows, "dump.tsv")], UTC)
    assert (volumes.calls, volumes.abandoned, volumes.wait_seconds) == (1, 1, 50)


def test_the_table_of_old_releases_holds_all_data_in_one_column(tmp_path: Path) -> None:
    rows = (
        "time;callid;queuename;agent;event;data\n"
        f"{MONDAY};1.1;shop;NONE;ENTERQUEUE;|2025550101\n{MONDAY + 8};1.1;shop;SIP/1;CONNECT;8|1.19\n"
        f"{MONDAY + 98};1.1;shop;SIP/1;COMPLETEAGENT;8|90|1\n"
    )
    volumes = read_queue_log([log(tmp_path, rows)], UTC)
    assert (volumes.calls, volumes.wait_seconds, volumes.talk_seconds) == (1, 8, 90)


def test_only_the_queues_that_are_named(tmp_path: Path) -> None:
    text = call(MONDAY, "1.1") + call(MONDAY, "1.2", queue="sales")
    assert read(tmp_path, text, queues=["Sales"]).calls == 1
    with pytest.raises(CallLogUnusable, match="sales, shop"):
        read(tmp_path, text, queues=["nowhere"])


def test_waits_that_are_not_in_the_line_are_taken_from_the_clock(tmp_path: Path) -> None:
    text = (
        f"{MONDAY}|1.1|shop|NONE|ENTERQUEUE||2025550101|1\n{MONDAY + 25}|1.1|shop|NONE|EXITWITHTIMEOUT|1\n"
        f"{MONDAY}|1.2|shop|NONE|ENTERQUEUE||2025550102|1\n{MONDAY + 8}|1.2|shop|SIP/1|CONNECT|\n"
        f"{MONDAY + 60}|1.2|shop|SIP/1|COMPLETEAGENT|x|\n"
    )
    volumes = read(tmp_path, text)
    assert volumes.wait_seconds == pytest.approx((25 + 8) / 2)
    assert volumes.talk_seconds == 52
    assert "no number of seconds" in notes(volumes)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no calls"),
        (b"hello\nworld\n", "no queue log"),
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"SQLite format 3\x00", "database"),
        (b"1793613600|NONE|NONE|NONE|QUEUESTART|\n", "no calls"),
        (b"\x00" * 300, "no calls"),
    ],
)
def test_what_is_no_queue_log_is_refused_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "queue_log"
    path.write_bytes(content)
    with pytest.raises(CallLogUnusable, match=reason):
        read_queue_log([path], UTC)


def test_a_clock_that_was_wrong_does_not_make_fifty_years(tmp_path: Path) -> None:
    with pytest.raises(CallLogUnusable, match="wrong clock"):
        read(tmp_path, call(946684800, "0.1") + call(MONDAY, "1.1"))


def test_thin_data_are_warned_about(tmp_path: Path) -> None:
    volumes = read(tmp_path, call(MONDAY, "1.1") + gone(MONDAY + 9, "1.2"))
    assert len(volumes.warnings) == 3
    assert "two weeks" in volumes.warnings[0]


EVENTS = (
    "ENTERQUEUE||2025550101|1", "CONNECT|5|x|2", "COMPLETECALLER|5|60|1", "COMPLETEAGENT|5|60", "ABANDON|1|1|30",
    "EXITWITHTIMEOUT|1|1|60", "BLINDTRANSFER|600|ctx|5|60|1", "ATTENDEDTRANSFER|BRIDGE|7|5|60|1", "CONNECT|-5",
    "CONNECT|nan", "ABANDON", "RINGNOANSWER|1000", "WAT",
)  # fmt: skip
some_lines = st.lists(
    st.one_of(
        st.builds(
            lambda at, call, queue, event: f"{MONDAY + at}|{call}|{queue}|PJSIP/201|{event}",
            st.integers(0, 400),
            st.sampled_from(["1.1", "1.2", "1.3", "NONE"]),
            st.sampled_from(["shop", "returns", ""]),
            st.sampled_from(EVENTS),
        ),
        st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=40),
    ),
    max_size=40,
)


@given(lines=some_lines)
@settings(max_examples=150, deadline=None)
def test_any_lines_are_all_accounted_for_or_refused(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    path = tmp_path_factory.mktemp("any") / "queue_log"
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        volumes = read_queue_log([path], UTC)
    except CallLogUnusable:
        return
    assert accounted(volumes)
    assert volumes.calls == volumes.answered + volumes.abandoned + volumes.left + volumes.unknown
    assert volumes.calls <= sum("ENTERQUEUE" in line for line in lines)
    assert volumes.wait_seconds is None or volumes.wait_seconds >= 0
    assert volumes.talk_seconds is None or 0 <= volumes.talk_seconds <= 100_000
