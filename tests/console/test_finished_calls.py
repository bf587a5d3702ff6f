"""Finished calls: who may see which, whose numbers are cut, recordings, exports."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import struct
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.common.sqlite import transaction
from agent.console.sound import wav_of
from agent.records.database import connect
from tests.console.console_client import Browser, RunningConsole, running_console
from tests.history.stored import record, turn

SOUND = "0123456789abcdef0123456789abcdef"
CALLS = [
    record(
        "call.1",
        caller={"number": "+12025550143", "name": "=cmd|' /C calc'!A0", "dialled": "7000"},
        outcome="handed_over",
        handover={"reason": "caller_asked", "queue": "returns", "summary": "Ring 202 555 0143 back."},
        turns=[turn("Good day.", "<script>alert(1)</script> my number is 202-555-0143")],
        sound={"name": SOUND, "parts": []},
    ),
    record("call.2", caller={"number": "+12025550177", "name": "", "dialled": "7001"}),
    record(
        "call.3",
        caller={"number": "@SUM(1)", "name": "", "dialled": "7001"},
        handover={"reason": "no_match", "queue": "orders"},
    ),
]
ALL = "?from=2026-11-01&to=2026-12-31"


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[RunningConsole]:
    async with running_console(tmp_path, records=CALLS) as console:
        yield console


async def ids(browser: Browser, more: str = "") -> list[str]:
    return sorted(call["id"] for call in (await browser.json(f"/api/v1/calls{ALL}{more}"))["calls"])


async def test_a_supervisor_sees_whole_numbers_and_a_viewer_the_last_two_digits(console: RunningConsole) -> None:
    supervisor, viewer = await console.signed_in("supervisor"), await console.signed_in("viewer")
    whole = {call["id"]: call["caller"] for call in (await supervisor.json(f"/api/v1/calls{ALL}"))["calls"]}
    cut = {call["id"]: call["caller"] for call in (await viewer.json(f"/api/v1/calls{ALL}"))["calls"]}
    assert whole["call.1"] == "+12025550143"
    assert cut["call.1"] == "…43"
    text = json.dumps(await viewer.json("/api/v1/calls/call.1"))
    assert "0143" not in text
    assert "7000" in text


async def test_a_viewer_cannot_find_a_number_out_digit_by_digit(console: RunningConsole) -> None:
    viewer = await console.signed_in("viewer")
    refused = await viewer.get(f"/api/v1/calls{ALL}&caller=0143")
    assert refused.status == 400
    assert await ids(viewer, "&caller=2025550143") == ["call.1"]
    assert await ids(await console.signed_in("supervisor"), "&caller=43") == ["call.1"]


async def test_a_person_with_a_scope_sees_its_calls_alone(console: RunningConsole) -> None:
    by_queue = await console.signed_in("supervisor", "anna", scopes=("queue:returns",))
    by_number = await console.signed_in("supervisor", "berta", scopes=("dialled:7001",))
    both = await console.signed_in("supervisor", "carla", scopes=("dialled:7000", "queue:orders"))
    assert await ids(by_queue) == ["call.1"]
    assert await ids(by_queue, "&queue=orders") == []
    assert await ids(by_number) == ["call.2", "call.3"]
    assert await ids(both) == ["call.1", "call.3"]
    for path in ("", "/audio", "/peaks", "/notes"):
        assert (await by_number.get(f"/api/v1/calls/call.1{path}")).status == 404
    exported = await (await by_number.get(f"/api/v1/calls.jsonl{ALL}")).text()
    assert sorted(json.loads(line)["id"] for line in exported.splitlines()) == ["call.2", "call.3"]


async def test_without_a_time_a_list_is_of_the_last_week(console: RunningConsole) -> None:
    browser = await console.signed_in("viewer")
    assert (await browser.get("/api/v1/calls")).status == 200
    for wrong in (
        "?from=yesterday",
        "?limit=0",
        "?limit=x",
        "?nonsense=1",
        "?order=a&order=b",
        "?after=!!",
        "?said=%22",
    ):
        response = await browser.get(f"/api/v1/calls{wrong}")
        assert (response.status, response.content_type) == (400, "application/problem+json"), wrong


# --- export --------------------------------------------------------------------------------------------


async def test_an_export_is_what_is_on_the_screen_and_in_the_audit_with_its_filter(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    response = await browser.get(f"/api/v1/calls.csv{ALL}&queue=returns")
    rows = list(csv.DictReader(io.StringIO(await response.text())))
    assert [row["id"] for row in rows] == await ids(browser, "&queue=returns")
    told = {"format": "csv", "filter": {"from": "2026-11-01", "to": "2026-12-31", "queue": ["returns"]}}
    assert ("supervisor", "export", told) in await console.audited()


async def test_no_cell_of_an_export_is_a_formula(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    rows = list(csv.reader(io.StringIO(await (await browser.get(f"/api/v1/calls.csv{ALL}")).text())))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert "'@SUM(1)" in [cell for row in rows for cell in row]


async def test_a_viewer_exports_nothing(console: RunningConsole) -> None:
    assert (await (await console.signed_in("viewer")).get(f"/api/v1/calls.csv{ALL}")).status == 403


async def test_an_export_with_a_mistake_is_told_before_anything_is_sent(console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    assert (await browser.get(f"/api/v1/calls.csv{ALL}&said=%22")).status == 400
    assert not [what for _, what, _ in await console.audited() if what == "export"]


# --- sound ---------------------------------------------------------------------------------------------


def keep_sound(state: Path, content: bytes) -> None:
    (state / "sound" / "kept").mkdir(parents=True)
    (state / "sound" / "kept" / f"{SOUND}.wav").write_bytes(content)
    with closing(connect(state / "calls.sqlite")) as db, transaction(db):
        db.execute(
            "INSERT INTO sounds (name, call_id, state, at, seconds) VALUES (?, 'call.1', 'kept', 1, 1)", (SOUND,)
        )


def stereo(seconds: float = 1.0) -> Any:
    time = np.arange(int(8000 * seconds)) / 8000
    left, right = np.sin(time * 2000) * 16000, np.sin(time * 3000) * 8000
    return np.stack((left, right), axis=1).astype(np.int16)


async def test_a_recording_is_served_by_range_and_each_listening_is_in_the_audit_once(
    console: RunningConsole, tmp_path: Path
) -> None:
    content = wav_of(stereo(), 8000)
    keep_sound(tmp_path, content)
    browser = await console.signed_in("supervisor")
    whole = await browser.get("/api/v1/calls/call.1/audio")
    assert (whole.status, whole.content_type) == (200, "audio/wav")
    assert await whole.read() == content
    part = await browser.get("/api/v1/calls/call.1/audio", headers={"Range": "bytes=100-199"})
    assert (part.status, await part.read()) == (206, content[100:200])
    beyond = await browser.get("/api/v1/calls/call.1/audio", headers={"Range": "bytes=999999-"})
    assert beyond.status == 416
    assert whole.headers["Cache-Control"] == "no-store"
    listened = [entry for entry in await console.audited() if entry[1] == "sound"]
    assert listened == [("supervisor", "sound", {"call": "call.1", "part": 0})]


async def test_a_part_out_of_the_middle_is_a_listening_too(console: RunningConsole, tmp_path: Path) -> None:
    keep_sound(tmp_path, wav_of(stereo(), 8000))
    browser = await console.signed_in("supervisor")
    await browser.get("/api/v1/calls/call.1/audio", headers={"Range": "bytes=1-"})
    assert [what for _, what, _ in await console.audited()].count("sound") == 1


async def test_a_listening_that_cannot_be_noted_is_refused(console: RunningConsole, tmp_path: Path) -> None:
    keep_sound(tmp_path, wav_of(stereo(), 8000))
    browser = await console.signed_in("supervisor")
    with closing(sqlite3.connect(tmp_path / "console.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        refused = await browser.get("/api/v1/calls/call.1/audio")
        assert refused.status == 503
        assert "Another program holds" in await refused.text()
    assert (await browser.get("/api/v1/calls/call.1/audio")).status == 200


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "call.1/../call.1", "%2e%2e%2fkept%2f" + SOUND, SOUND, SOUND + ".wav"]
)
async def test_a_recording_is_found_by_its_call_and_never_by_a_path(
    console: RunningConsole, tmp_path: Path, name: str
) -> None:
    keep_sound(tmp_path, wav_of(stereo(), 8000))
    browser = await console.signed_in("supervisor")
    assert (await browser.get(f"/api/v1/calls/{name}/audio")).status in (404, 200) if "call.1" in name else True
    assert (await browser.get(f"/api/v1/calls/{name.replace('call.1/../', '')}x/audio")).status == 404
    assert (await browser.get(f"/static/{name}")).status == 404


async def test_a_mulaw_recording_is_made_16_bit_stereo_on_the_fly(console: RunningConsole, tmp_path: Path) -> None:
    codes = bytes(range(256))
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + 256, b"WAVE", b"fmt ", 16, 7, 1, 8000, 8000, 1, 8, b"data", 256
    )
    keep_sound(tmp_path, head + codes)
    browser = await console.signed_in("supervisor")
    response = await browser.get("/api/v1/calls/call.1/audio")
    content = await response.read()
    samples = np.frombuffer(content[44:], dtype="<i2").reshape(-1, 2)
    assert (samples[:, 0] == samples[:, 1]).all()
    assert [int(samples[code, 0]) for code in (0x00, 0x7F, 0x80, 0xFF, 0x0F)] == [-32124, 0, 32124, 0, -16764]
    part = await browser.get("/api/v1/calls/call.1/audio", headers={"Range": "bytes=44-47"})
    assert (part.status, await part.read()) == (206, content[44:48])
    assert (await browser.get("/api/v1/calls/call.1/audio", headers={"Range": "bytes=5000-"})).status == 416


async def test_peaks_are_the_outline_of_both_sides(console: RunningConsole, tmp_path: Path) -> None:
    keep_sound(tmp_path, wav_of(stereo(), 8000))
    peaks = await (await console.signed_in("supervisor")).json("/api/v1/calls/call.1/peaks?buckets=50")
    assert (peaks["seconds"], len(peaks["caller"]), len(peaks["agent"])) == (1.0, 50, 50)
    assert max(high for _, high in peaks["caller"]) == pytest.approx(16000 / 32768, abs=0.01)
    assert min(low for low, _ in peaks["agent"]) == pytest.approx(-8000 / 32768, abs=0.01)


async def test_a_viewer_hears_nothing(console: RunningConsole, tmp_path: Path) -> None:
    keep_sound(tmp_path, wav_of(stereo(), 8000))
    viewer = await console.signed_in("viewer")
    assert (await viewer.get("/api/v1/calls/call.1/audio")).status == 403
    assert (await viewer.get("/api/v1/calls/call.1/peaks")).status == 403
    assert SOUND not in json.dumps(await viewer.json("/api/v1/calls/call.1"))


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\x00\x00\x00\x00WAVEdata\x04\x00\x00\x00abcd", b"x" * 5000])
async def test_a_broken_recording_is_told_and_not_played(
    console: RunningConsole, tmp_path: Path, content: bytes
) -> None:
    keep_sound(tmp_path, content)
    browser = await console.signed_in("supervisor")
    assert (await browser.get("/api/v1/calls/call.1/audio")).status == 503


# --- notes ---------------------------------------------------------------------------------------------


async def test_notes_stand_by_their_call_with_who_wrote_them(console: RunningConsole) -> None:
    supervisor, viewer = await console.signed_in("supervisor"), await console.signed_in("viewer")
    body = {"text": "Ring +1 202 555 0143 back <b>today</b>"}
    assert (await supervisor.ask("POST", "/api/v1/calls/call.1/notes", json=body)).status == 201
    assert (await supervisor.ask("POST", "/api/v1/calls/none/notes", json=body)).status == 404
    [note] = (await supervisor.json("/api/v1/calls/call.1/notes"))["notes"]
    assert (note["who"], note["text"]) == ("supervisor", body["text"])
    [cut] = (await viewer.json("/api/v1/calls/call.1/notes"))["notes"]
    assert "0143" not in cut["text"]
