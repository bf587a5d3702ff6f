"""Compares another checkout with this one in one run: the same callers ring both agents."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.result import ScriptedCallResult
from benchmarks.call_centre import call_centre, load_call_scripts
from benchmarks.figures import by_kind, failures_of, spread, turns_of
from benchmarks.machine import commit_of
from benchmarks.usage import AGENT, UsageMeter

ROUNDS = 3
AT_ONCE = 2

BEFORE, AFTER = "before", "after"


async def before_and_after(
    home: RehearsalHome, say: Callable[[str], None], checkout: Path, copies: int, rounds: int = ROUNDS
) -> dict[str, Any]:
    """Hold the conversations with both in turn, so that what disturbs the machine disturbs both; return the pairs.

    Who begins changes with each round. ``by_round`` holds each round's figures, so that a difference can be seen
    against what one and the same agent differs by between rounds.
    """
    results: dict[str, list[ScriptedCallResult]] = {BEFORE: [], AFTER: []}
    stops: dict[str, list[ScriptedCallResult]] = {BEFORE: [], AFTER: []}
    by_round: dict[str, list[dict[str, float]]] = {BEFORE: [], AFTER: []}
    for number in range(rounds):
        for name in (BEFORE, AFTER) if number % 2 == 0 else (AFTER, BEFORE):
            where = checkout if name == BEFORE else None
            async with call_centre(home, "bench-before", say, checkout=where) as callers:
                usage = UsageMeter.of(callers.stack)
                scripts = load_call_scripts("conversations", copies)
                await callers.learn(scripts)
                usage.start()
                placed = await callers.each(scripts, AT_ONCE, lambda _: None)
                cpu_seconds = usage.cpu_seconds()[AGENT] / len(placed)
                results[name] += [one.result for one in placed]
                spoken = by_kind(turns_of([one.result for one in placed]))["spoken"]
                by_round[name].append(
                    {"p50": spoken["p50"], "p95": spoken["p95"], "cpu_seconds": round(cpu_seconds, 4)}
                )
                placed = await callers.each(load_call_scripts("barge_in", copies), AT_ONCE, lambda _: None)
                stops[name] += [one.result for one in placed]
            say(f"  round {number + 1} of {rounds}, {name}: {cpu_seconds:.3f} s of a core a call")
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
    cpu = {name: mean_of(by_round[name], "cpu_seconds") for name in by_round}
    pairs["CPU a call after / before"] = round(cpu[AFTER] / cpu[BEFORE], 3)
    own = {
        f"{what}, rounds of one agent apart by": round(max(own_spread(by_round[name], what) for name in by_round), 3)
        for what in ("p50", "p95", "cpu_seconds")
    }
    if heard["before"]["p95"] and heard["after"]["p95"]:
        pairs["barge-in p95 after / before"] = round(heard["after"]["p95"] / heard["before"]["p95"], 2)
    good = {name: sum(call.ok for call in calls) for name, calls in results.items()}
    for name in both:
        say(
            f"  {name}: p50 {spoken[name]['p50']} ms, p95 {spoken[name]['p95']} ms of {spoken[name]['n']} turns;"
            f" {cpu[name]:.3f} s of a core a call; {good[name]} of {len(results[name])} calls good"
        )
    for what, share in (pairs | own).items():
        say(f"  {what}: {share}")
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
        "by_round": by_round,
        "cpu_seconds": {name: round(seconds, 4) for name, seconds in cpu.items()},
        "own_spread": own,
        "failures": failures_of(results["after"]),
        "pairs": pairs,
    }


def mean_of(rounds: Sequence[Mapping[str, float]], what: str) -> float:
    """Return the mean of one figure over the rounds."""
    return statistics.fmean(one[what] for one in rounds)


def own_spread(rounds: Sequence[Mapping[str, float]], what: str) -> float:
    """Return how far apart the rounds of one agent are, as a share of their mean: 0.03 is 3 %."""
    values = [one[what] for one in rounds]
    return (max(values) - min(values)) / statistics.fmean(values) if any(values) else 0.0
