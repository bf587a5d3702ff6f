"""Fault cases of the machine and its administration: a full disk, a password changed in Asterisk alone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.faults.controller_faults import require_settled
from benchmarks.faults.fault_caller import ORDER, POSTCODE
from benchmarks.faults.fault_case import CaseFindings, FaultCase
from benchmarks.faults.testbed import FaultTestbed

_LONG = 30.0
"""For what must come, where no limit is judged: a busy machine may take its time."""
_DISK_MEGABYTES = 48
_TOLD_SECONDS = 5.0
"""Within this the status must say what is wrong."""


async def disk_full(place: FaultTestbed, findings: CaseFindings) -> None:
    """The disk of the state directory is full: a call goes on, the status says so, pausing works, no record is lost."""
    async with _small_disk(place) as fill:
        async with place.caller_in("listening") as caller:
            free = await asyncio.to_thread(fill)
            at = time.monotonic()
            told = await _status(place, lambda found: found["dependencies"]["records"]["state"] == "down")
            findings.require(told["dependencies"]["records"]["state"] == "down", "the status does not say so")
            findings.require(told["state"] == "degraded", f"the status is {told['state']}")
            findings.note(time.monotonic() - at, "the status says so")
            findings.require(await place.order("pause", by="the test") == 200, "pausing was refused")
            findings.require((await place.health())["paused"], "it is not paused")
            findings.require(await place.order("resume", by="the test") == 200, "resuming was refused")
            await caller.press(ORDER)
            await caller.wait_for_event("listening", 2)
            await caller.press(POSTCODE)
            await caller.feed.wait_for(lambda: "tomorrow" in caller.said(), _LONG)
            findings.require("tomorrow" in caller.said(), f"it says: {caller.said()}")
            await caller.leg.hang_up()
            await caller.wait_for_event("call_ended")
        told = await _status(place, lambda found: found["records_waiting"] or place.records(caller.call_id))
        findings.require(told["records_waiting"] or place.records(caller.call_id), "the record is nowhere")
        at = time.monotonic()
        free()
        findings.require(await place.record(caller), "the record did not come when there was room")
        findings.note(time.monotonic() - at, "room -> record")
        told = await _status(place, lambda found: found["dependencies"]["records"]["state"] == "ok")
        findings.require(told["dependencies"]["records"]["state"] == "ok", "the status does not recover")
        await require_settled(place, findings, {"caller": caller}, ("caller_hung_up", "answered"))


async def password_rotated(place: FaultTestbed, findings: CaseFindings) -> None:
    """The ARI password is changed in Asterisk alone: callers reach people, the status says why; no restart."""
    pbx = place.stack.pbx
    old, new = pbx.ari_password, pbx.ari_password[::-1]
    async with place.caller_in("listening") as caller:
        at = time.monotonic()
        await _change_password(place, old, new)
        place.proxy.cut("events")
        waiting = asyncio.create_task(place.seconds_until_ringing(caller, at))
        told = await _status(place, lambda found: "refuses" in found["dependencies"]["asterisk"]["detail"])
        findings.require("refuses" in told["dependencies"]["asterisk"]["detail"], "the status does not say why")
        findings.require(told["state"] == "down", f"the status is {told['state']}")
        findings.note(time.monotonic() - at, "the status says so")
        findings.reach(await waiting, "caller", within=_LONG)
    at = time.monotonic()
    await asyncio.to_thread((place.agent.config_dir / "ari-password").write_text, new, encoding="utf-8")
    told = await _status(place, lambda found: found["asterisk"], _LONG)
    findings.require(told["asterisk"], "the agent does not take the new password up")
    findings.note(time.monotonic() - at, "new password -> connected")
    async with place.caller_in("listening") as second:
        await second.leg.hang_up()
    pbx.ari_password = new
    await require_settled(place, findings, {"second": second}, ("caller_hung_up",))
    findings.require(await place.record(caller), "no record of the first caller")


async def _change_password(place: FaultTestbed, old: str, new: str) -> None:
    path = place.stack.pbx.config_dir / "ari.conf"
    text = await asyncio.to_thread(path.read_text, encoding="utf-8")
    await asyncio.to_thread(path.write_text, text.replace(old, new), encoding="utf-8")
    await place.stack.pbx.cli("module reload res_ari.so")


async def _status(
    place: FaultTestbed, wanted: Callable[[Mapping[str, Any]], object], seconds: float = _TOLD_SECONDS
) -> Mapping[str, Any]:
    """Return the status as soon as it is as wanted, or as it is after so long."""
    deadline = time.monotonic() + seconds
    while not wanted(told := await place.status()) and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.1)  # a page of an HTTP server tells nobody when it changes
    return told


@contextlib.asynccontextmanager
async def _small_disk(place: FaultTestbed) -> AsyncIterator[Callable[[], Callable[[], None]]]:
    """Give the agent a state directory that can be filled: ``free = fill()``, then ``free()``.

    As root a small file system of its own; where root is not there, an agent to whom every write is refused as on a
    full disk (:mod:`benchmarks.faults.faulty_agent`).
    """
    if os.geteuid() != 0:

        def pretend() -> Callable[[], None]:
            place.break_agent("disk")
            return lambda: place.break_agent("")

        yield pretend
        place.break_agent("")
        return
    directory = place.stack.run_dir / "state"
    await place.agent.stop()
    options = f"size={_DISK_MEGABYTES}m,mode=0751"
    await _run("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(directory))
    try:
        await place.restart()
        yield lambda: _fill(directory / "filler")
    finally:
        await place.agent.stop()
        await _run("umount", "-l", str(directory))
        await place.restart()


def _fill(file: Path) -> Callable[[], None]:
    """Write until nothing more can be written."""
    with file.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(64 * 1024))
    with file.open("ab", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(512))
    return lambda: file.unlink(missing_ok=True)


async def _run(*command: str) -> None:
    await asyncio.to_thread(subprocess.run, command, check=True)


CASES = (
    FaultCase("disk-full", "the disk of the state directory is full", disk_full),
    FaultCase("password", "the ARI password is changed in Asterisk alone", password_rotated, callers=2),
)
