"""Soak test: calls without a pause, and after each round a check for leaks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiohttp
import numpy as np

from agent.rehearsal.call_centre import PrivateCallCentre, RehearsalHome
from benchmarks.call_centre import call_centre, load_call_scripts
from benchmarks.figures import failures_of, lateness_of, spread, turns_of
from benchmarks.usage import AGENT, ASTERISK, UsageMeter

AT_ONCE = 5
ROUND_SECONDS = 45.0
"""After this the callers end their calls, and when the last is gone what is held is counted."""
_SETTLE_SECONDS = 20.0
GROWTH_MB_AN_HOUR = 40.0
"""More than this, by a straight line through the second half of the run, is a leak: 1 GB a day."""
GROWTH_COUNT = 5
"""So many more files, threads or tasks at the end than after the first rounds are a leak."""


async def soak(
    home: RehearsalHome, say: Callable[[str], None], minutes: float, at_once: int = AT_ONCE
) -> dict[str, Any]:
    """Hold calls for so many minutes; return what the programs held after each round, and whether it grew."""
    samples: list[dict[str, Any]] = []
    results = []
    async with call_centre(home, "bench-soak", say) as callers:
        meter = UsageMeter.of(callers.stack)
        meter.start()
        began = time.monotonic()
        while time.monotonic() - began < minutes * 60:
            placed = await callers.hold_at_once(
                load_call_scripts("conversations"), at_once, ROUND_SECONDS, asyncio.Event()
            )
            results += [one.result for one in placed]
            sample = await _sample(callers.stack, meter) | {"minutes": round((time.monotonic() - began) / 60, 2)}
            samples.append(sample | {"calls": len(results)})
            say(line_of(samples[-1]))
    turns = turns_of(results)
    third = max(1, len(turns) // 3)
    first, last = (
        spread([turn["response_ms"] for turn in part if turn["kind"] != "keypad"])
        for part in (turns[:third], turns[-third:])
    )
    return {
        "calls": len(results),
        "good": sum(call.ok for call in results),
        "failures": failures_of(results),
        "at_once": at_once,
        "minutes": minutes,
        "response_ms": spread([turn["response_ms"] for turn in turns if turn["kind"] != "keypad"]),
        "late_audio": lateness_of(results),
        "samples": samples,
        "leaks": leaks_of(samples),
        "pairs": {"p50 of the last third / of the first": round(last["p50"] / first["p50"], 2)}
        if first["p50"] and last["p50"]
        else {},
    }


async def _sample(stack: PrivateCallCentre, meter: UsageMeter) -> dict[str, Any]:
    """What is held while nobody calls."""
    until = time.monotonic() + _SETTLE_SECONDS
    channels, bridges = await _held(stack)
    while (channels or bridges) and time.monotonic() < until:
        await asyncio.sleep(0.5)
        channels, bridges = await _held(stack)
    used = meter.read()
    return {
        "channels": channels,
        "bridges": bridges,
        "tasks": await _tasks(stack),
        **{name: used[name].to_dict() for name in (ASTERISK, AGENT)},
    }


async def _held(stack: PrivateCallCentre) -> tuple[int, int]:
    channels = (await stack.pbx.cli("core show channels concise")).splitlines()
    bridges = [line for line in (await stack.pbx.cli("bridge show all")).splitlines() if "Bridge-ID" not in line]
    return len([line for line in channels if line.strip()]), len([line for line in bridges if line.strip()])


async def _tasks(stack: PrivateCallCentre) -> int:
    headers = {"Authorization": f"Bearer {stack.agent.token}"}
    url = f"{stack.agent.control_url}/health"
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as response:
        return int((await response.json())["tasks"])


def leaks_of(samples: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what grew, for people; empty when nothing did. Needs four samples to say anything of memory."""
    leaks = [f"{kind}: {last[kind]} left at the end" for kind in ("channels", "bridges") if (last := samples[-1])[kind]]
    settled = samples[min(1, len(samples) - 1)]
    counts = [("tasks", settled["tasks"], samples[-1]["tasks"])]
    for name in (ASTERISK, AGENT):
        counts += [(f"{name}: {kind}", settled[name][kind], samples[-1][name][kind]) for kind in ("files", "threads")]
    leaks += [f"{what}: {was} became {now}" for what, was, now in counts if now > was + GROWTH_COUNT]
    half = samples[len(samples) // 2 :]
    if len(half) >= 2:
        for name in (ASTERISK, AGENT):
            slope = growth_mb_an_hour([one["minutes"] for one in half], [one[name]["rss_mb"] for one in half])
            if slope > GROWTH_MB_AN_HOUR:
                leaks.append(f"{name}: memory grows by {slope:.0f} MB an hour")
    return leaks


def growth_mb_an_hour(minutes: Sequence[float], megabytes: Sequence[float]) -> float:
    """Slope of a straight line through the points."""
    return float(np.polyfit(np.asarray(minutes) / 60, np.asarray(megabytes), 1)[0])


def line_of(sample: Mapping[str, Any]) -> str:
    """One sample for the terminal."""
    agent, asterisk = sample[AGENT], sample[ASTERISK]
    return (
        f"  {sample['minutes']:5.1f} min, {sample['calls']} calls: agent {agent['rss_mb']:.0f} MB,"
        f" {agent['files']} files, {agent['threads']} threads, {sample['tasks']} tasks; Asterisk"
        f" {asterisk['rss_mb']:.0f} MB, {asterisk['files']} files; {sample['channels']} channels left"
    )
