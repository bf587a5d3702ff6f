"""Compares another checkout with this one in one run: the same callers ring both agents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.result import ScriptedCallResult
from benchmarks.call_centre import call_centre, load_call_scripts
from benchmarks.figures import by_kind, failures_of, spread, turns_of
from benchmarks.machine import commit_of

ROUNDS = 2
AT_ONCE = 2


async def before_and_after(
    home: RehearsalHome, say: Callable[[str], None], checkout: Path, copies: int, rounds: int = ROUNDS
) -> dict[str, Any]:
    """Hold the conversations with both in turn, so that what disturbs the machine disturbs both; return the pairs."""
    results: dict[str, list[ScriptedCallResult]] = {"before": [], "after": []}
    stops: dict[str, list[ScriptedCallResult]] = {"before": [], "after": []}
    for number in range(rounds):
        for name, where in (("before", checkout), ("after", None)):
            async with call_centre(home, "bench-before", say, checkout=where) as callers:
                placed = await callers.each(load_call_scripts("conversations", copies), AT_ONCE, lambda _: None)
                results[name] += [one.result for one in placed]
                placed = await callers.each(load_call_scripts("barge_in", copies), AT_ONCE, lambda _: None)
                stops[name] += [one.result for one in placed]
            say(f"  round {number + 1} of {rounds}, {name}: done")
    both = {name: by_kind(turns_of(calls)) for name, calls in results.items()}
    spoken = {name: kinds["spoken"] for name, kinds in both.items()}
    heard = {
        name: spread([value for call in calls for value in call.barge_in_stop_ms]) for name, calls in stops.items()
    }
    pairs = {
        f"{rank} after / before": round(spoken["after"][rank] / spoken["before"][rank], 2)
        for rank in ("p50", "p95")
        if spoken["before"][rank]
    }
    if heard["before"]["p95"] and heard["after"]["p95"]:
        pairs["barge-in p95 after / before"] = round(heard["after"]["p95"] / heard["before"]["p95"], 2)
    good = {name: sum(call.ok for call in calls) for name, calls in results.items()}
    for name in both:
        say(
            f"  {name}: p50 {spoken[name]['p50']} ms, p95 {spoken[name]['p95']} ms of {spoken[name]['n']} turns;"
            f" {good[name]} of {len(results[name])} calls good"
        )
    return {
        "calls": sum(len(calls) for calls in (*results.values(), *stops.values())),
        "good": sum(good.values()) + sum(call.ok for calls in stops.values() for call in calls),
        "before_commit": commit_of(checkout),
        "response_ms": both,
        "stop_ms": heard,
        "stops_ms": {
            name: [round(value, 1) for call in calls for value in call.barge_in_stop_ms]
            for name, calls in stops.items()
        },
        "good_calls": {name: f"{good[name]} of {len(results[name])}" for name in both},
        "failures": failures_of(results["after"]),
        "pairs": pairs,
    }
