"""Runs one case of a fault matrix once, and counts what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from agent.errors import OrderlineError
from benchmarks.faults.fault_caller import CallerNotInState
from benchmarks.faults.fault_case import CaseFindings, CaseResult

RUN_SECONDS = 180.0
SET_UP_AGAIN = 2


class Place(Protocol):
    """Where cases run: agents, callers, and ways to break them."""

    async def recover(self) -> None:
        """Have everything run again as before the case."""
        ...

    def exceptions(self) -> list[str]:
        """Return what the logs tell of errors nobody caught, since the last time. Blocks on files."""
        ...


class Case(Protocol):
    """Something that breaks, and what callers must get all the same."""

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        ...

    @property
    def run(self) -> Callable[[Any, CaseFindings], Awaitable[None]]:
        """Break it in a place, and note what was found."""
        ...


async def run_case_once(
    place: Place, case: Case, result: CaseResult, report: Callable[[str], None], patience: float = 1.0
) -> None:
    """Run a case once. A run that breaks counts as failed; the next one begins with living agents.

    A run that breaks nothing yet because a caller is not where it must be (misheard, too slow) is set up again, at most
    :data:`SET_UP_AGAIN` times; the table tells how often. ``patience`` stretches the limits of time.
    """
    began = time.monotonic()
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
        except (OrderlineError, TimeoutError, OSError, LookupError, TypeError, AssertionError) as error:
            findings.problems.append(f"{type(error).__name__}: {error}")
        break
    findings.problems += await asyncio.to_thread(place.exceptions)
    result.add(findings)
    result.seconds += time.monotonic() - began
    for problem in findings.problems:
        report(f"    {case.name} {result.passed + result.failed}: {problem}")
    if findings.problems:
        try:
            await place.recover()
        except (OrderlineError, TimeoutError, OSError) as error:
            report(f"    {case.name}: the place could not be brought back: {type(error).__name__}: {error}")
