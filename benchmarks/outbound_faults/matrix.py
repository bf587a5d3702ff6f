"""``orderline outbound faults``: runs the hard cases of calls to customers, and says how many passed and failed."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Callable, Sequence

from agent.errors import OrderlineError
from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.demo import get_asterisk, say
from benchmarks.faults.fault_case import CaseFindings, CaseResult
from benchmarks.faults.matrix import chosen_cases, conclude
from benchmarks.outbound_faults import conversation_cases, crash_cases, machine_cases, random_kills, rule_cases
from benchmarks.outbound_faults.outbound_case import OutboundCase
from benchmarks.outbound_faults.testbed import OutboundTestbed, outbound_testbed

CASES: tuple[OutboundCase, ...] = (
    *crash_cases.CASES,
    *machine_cases.CASES,
    *conversation_cases.CASES,
    *rule_cases.CASES,
    *random_kills.CASES,
)
RUN_SECONDS = 240.0
HEAD = f"{'row':>3} {'case':<16}{'runs':>5}{'phones':>7}{'failed':>7}{'median s':>9}{'worst s':>9}{'took s':>8}  what"


async def run_outbound_case(
    rig: OutboundTestbed, case: OutboundCase, result: CaseResult, report: Callable[[str], None], patience: float = 1.0
) -> None:
    """Run a case once; a run that breaks counts as failed, and the next one begins with a living agent."""
    began = time.monotonic()
    findings = CaseFindings(patience)
    try:
        async with asyncio.timeout(RUN_SECONDS * patience):
            await rig.begin()
            await case.run(rig, findings)
            left = await rig.place.leftovers()
            findings.require(not left, f"left over: {left[:3]}")
    except (OrderlineError, TimeoutError, OSError, LookupError, TypeError, AssertionError, ValueError) as error:
        findings.problems.append(f"{type(error).__name__}: {error}")
    findings.problems += await asyncio.to_thread(rig.place.exceptions)
    result.add(findings)
    result.seconds += time.monotonic() - began
    for problem in findings.problems:
        report(f"    {case.name} {result.passed + result.failed}: {problem}")
    if findings.problems:
        rig.disturb("")
        try:
            await rig.place.recover()
        except (OrderlineError, TimeoutError, OSError) as error:
            report(f"    {case.name}: the place could not be brought back: {type(error).__name__}: {error}")


async def outbound_faults(
    home: RehearsalHome, only: Sequence[str], times: int | None, *, as_json: bool, keep: bool = False
) -> int:
    """Run the cases, or those named, one after the other; 0 when nothing failed."""
    chosen = chosen_cases(CASES, only)

    def tell(text: str) -> None:
        if not as_json:
            say(text)

    asterisk = await get_asterisk(home.directory, tell)
    run_dir = home.run(f"outbound-faults-{os.getpid()}")
    results = {case.name: CaseResult(case.name, case.what) for case in chosen}
    began = time.monotonic()
    async with outbound_testbed(asterisk, home, run_dir, tell) as rig:
        tell(f"Asterisk {asterisk.version}\n\n{HEAD}")
        for case in chosen:
            result = results[case.name]
            for _ in range(times or case.times):
                await run_outbound_case(rig, case, result, tell)
            tell(table_lines(result, case))
    took = f"{(time.monotonic() - began) / 60:.1f} minutes"
    kept = home.directory / "outbound-faults" / "result.json" if not only and times is None else None
    return await conclude(list(results.values()), kept, run_dir, took, as_json=as_json, keep=keep)


def table_lines(result: CaseResult, case: OutboundCase) -> str:
    """Return the table's line of a case, and a line for each thing that was timed in it."""
    runs = result.passed + result.failed
    lines = [
        f"{case.row:>3} {result.name:<16}{runs:>5}{runs * case.customers:>7}{result.failed:>7}{_spread(result.reached)}"
        f"{result.seconds:>8.0f}  {result.what}"
    ]
    if len(result.by_who) > 1:
        lines += [f"      {who:<28}{len(seconds):>4}{_spread(seconds)}" for who, seconds in result.by_who.items()]
    return "\n".join(lines)


def _spread(seconds: Sequence[float]) -> str:
    if not seconds:
        return f"{'-':>9}{'-':>9}"
    return f"{statistics.median(seconds):>9.2f}{max(seconds):>9.2f}"
