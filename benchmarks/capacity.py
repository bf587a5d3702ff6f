"""Measures how many calls can talk at once before responses come late or audio breaks up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.result import ScriptedCallResult
from benchmarks.call_centre import ScriptedCallers, call_centre, load_call_scripts
from benchmarks.figures import failures_of, lateness_of, spread, turns_of
from benchmarks.usage import AGENT, ASTERISK, PRODUCT, ResourceUse, UsageMeter

STEPS = (1, 2, 5, 10, 20, 30, 40, 50, 60, 80, 100)
"""Calls at once."""
STEP_SECONDS = 30.0
"""A step lasts so long after its last caller has dialled."""
P95_LIMIT_MS = 1000.0
"""Slower than this at the 95th percentile, and callers begin to say things twice."""
LATE_LIMIT = 0.01
"""More late frames than one in a hundred are heard."""


async def capacity(
    home: RehearsalHome, say: Callable[[str], None], steps: Sequence[int] = STEPS, seconds: float = STEP_SECONDS
) -> dict[str, Any]:
    """Hold 1, 2, 5, ... conversations at once, everything on, until a limit is passed; return every step."""
    held: list[dict[str, Any]] = []
    results: list[ScriptedCallResult] = []
    async with call_centre(home, "bench-capacity", say) as callers:
        meter = UsageMeter.of(callers.stack)
        meter.start()
        await asyncio.sleep(1.0)
        idle = meter.read()
        for size in steps:
            step, calls = await _step(callers, meter, size, seconds, idle)
            held.append(step)
            results += calls
            say(line_of(step))
            if not step["holds"]:
                break
    return {
        "calls": len(results),
        "good": sum(call.ok for call in results),
        "failures": failures_of(results),
        "idle": {name: use.to_dict() for name, use in idle.items()},
        "steps": held,
        "most": most_of(held),
        "pairs": pairs_of(held),
    }


async def _step(
    callers: ScriptedCallers, meter: UsageMeter, size: int, seconds: float, idle: dict[str, ResourceUse]
) -> tuple[dict[str, Any], list[ScriptedCallResult]]:
    full = asyncio.Event()
    hold_at_once = asyncio.create_task(callers.hold_at_once(load_call_scripts("conversations"), size, seconds, full))
    await asyncio.wait({hold_at_once, asyncio.create_task(full.wait())}, return_when=asyncio.FIRST_COMPLETED)
    meter.start()
    await asyncio.wait({hold_at_once}, timeout=seconds)
    used = meter.read()
    results = [one.result for one in await hold_at_once]
    turns = turns_of(results)
    response = spread([turn["response_ms"] for turn in turns if turn["kind"] != "keypad"])
    late = lateness_of(results)
    cores = sum(used[name].cores for name in PRODUCT)
    on_time = (late["share"] or 0.0) <= LATE_LIMIT
    return {
        "at_once": size,
        "calls": len(results),
        "good": sum(call.ok for call in results),
        "response_ms": response,
        "late_audio": late,
        "use": {name: use.to_dict() for name, use in used.items()},
        "cores_a_call": round(cores / size, 4),
        "calls_a_core": round(size / cores, 1) if cores else None,
        "mb_a_call": {name: round((used[name].rss_mb - idle[name].rss_mb) / size, 2) for name in (ASTERISK, AGENT)},
        "holds": bool(response["p95"] is not None and response["p95"] <= P95_LIMIT_MS and on_time),
    }, results


def most_of(steps: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the largest step that held, and its calls a core; empty when none did."""
    good = [step for step in steps if step["holds"]]
    if not good:
        return {}
    best = max(good, key=lambda step: int(step["at_once"]))
    return {
        "at_once": best["at_once"],
        "calls_a_core": best["calls_a_core"],
        "p95_ms": best["response_ms"]["p95"],
        "limit_found": any(not step["holds"] for step in steps),
    }


def pairs_of(steps: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Ratios between steps of this run."""
    good = [step for step in steps if step["holds"]]
    if len(good) < 2:
        return {}
    first, last = good[0], good[-1]
    return {
        f"p50 at {last['at_once']} calls / p50 at {first['at_once']}": round(
            last["response_ms"]["p50"] / first["response_ms"]["p50"], 2
        ),
        f"p95 at {last['at_once']} calls / p95 at {first['at_once']}": round(
            last["response_ms"]["p95"] / first["response_ms"]["p95"], 2
        ),
        f"CPU a call at {last['at_once']} calls / at {first['at_once']}": round(
            last["cores_a_call"] / first["cores_a_call"], 2
        ),
    }


def line_of(step: dict[str, Any]) -> str:
    """One step for the terminal."""
    response, use = step["response_ms"], step["use"]
    return (
        f"  {step['at_once']:3d} at once: p50 {response['p50'] or 0:.0f} ms, p95 {response['p95'] or 0:.0f} ms of"
        f" {response['n']} turns; cores: agent {use[AGENT]['cores']:.2f},"
        f" its main thread {use[AGENT]['main_thread']:.2f}, Asterisk {use[ASTERISK]['cores']:.2f},"
        f" load generator {use['carrier']['cores'] + use['callers']['cores']:.2f};"
        f" late frames {100 * (step['late_audio']['share'] or 0):.2f} %;"
        f" {step['good']} of {step['calls']} calls good{'' if step['holds'] else '  <- past the limit'}"
    )
