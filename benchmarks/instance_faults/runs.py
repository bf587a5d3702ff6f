"""Runs a case of several instances once and counts what came of it; makes the lines of the table."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable, Sequence

from agent.errors import OrderlineError
from benchmarks.faults.fault_caller import CallerNotInState
from benchmarks.faults.fault_case import CaseFindings, CaseResult
from benchmarks.instance_faults.cases import InstanceCase
from benchmarks.instance_faults.testbed import InstanceTestbed

RUN_SECONDS = 180.0
SET_UP_AGAIN = 2


async def run_once(
    place: InstanceTestbed, case: InstanceCase, result: CaseResult, report: Callable[[str], None], patience: float = 1.0
) -> None:
    """Run a case once. A run that breaks counts as failed; the next one begins with living instances.

    ``patience`` stretches the limits of time.
    """
    for again in range(SET_UP_AGAIN, -1, -1):
        findings = CaseFindings(patience)
        try:
            async with asyncio.timeout(RUN_SECONDS * patience):
                await case.run(place, findings)
        except CallerNotInState as error:
            if again:
                report(f"    {case.name} is set up again: {error}")
                result.set_up_again += 1
                await place.recover()
                continue
            findings.problems.append(f"could not be set up: {error}")
        except (OrderlineError, TimeoutError, OSError, LookupError, TypeError) as error:
            findings.problems.append(f"{type(error).__name__}: {error}")
        break
    findings.problems += await asyncio.to_thread(place.exceptions)
    result.add(findings)
    for problem in findings.problems:
        report(f"    {case.name} {result.passed + result.failed}: {problem}")
    if findings.problems:
        await place.recover()


def table_lines(result: CaseResult) -> str:
    """Return the table's line of a case, and one for each kind of wait."""
    runs = result.passed + result.failed
    head = f"{result.name:<14}{runs:>4} runs{result.failed:>4} failed{_spread(result.reached)}  {result.what}"
    return "\n".join([head, *(f"  {who:<22}{_spread(seconds)}" for who, seconds in result.by_who.items())])


def _spread(seconds: Sequence[float]) -> str:
    if not seconds:
        return f"{'-':>9}{'-':>9}"
    return f"{statistics.median(seconds):>9.2f}{max(seconds):>9.2f}"
