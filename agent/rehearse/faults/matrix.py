"""``orderline faults``: runs the cases, prints the table, and says in its last line how many passed and failed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from agent.errors import OrderlineError
from agent.rehearse.demo import get_asterisk, say
from agent.rehearse.faults import breaking, killing
from agent.rehearse.faults.case import Case, CaseResult, Findings
from agent.rehearse.faults.cutting import CuttingProxy
from agent.rehearse.faults.place import Place, open_place
from agent.rehearse.pbx import running_pair
from agent.rehearse.private_asterisk import Asterisk
from agent.rehearse.stack import AgentProcess, Home, Stack

CASES: tuple[Case, ...] = (*killing.CASES, *breaking.CASES)
RUN_SECONDS = 90.0


class NoSuchCase(OrderlineError):
    """The matrix has no case of this name."""

    code = "script"


@contextlib.asynccontextmanager
async def fault_place(
    asterisk: Asterisk, home: Home, run_dir: Path, report: Callable[[str], None]
) -> AsyncIterator[Place]:
    """Hold a call centre whose agent reaches Asterisk over a wire that can be cut."""
    async with contextlib.AsyncExitStack() as stack:
        pbx, phones = await stack.enter_async_context(running_pair(asterisk, run_dir / "pbx", report))
        proxy = CuttingProxy("127.0.0.1", pbx.ports.http)
        await proxy.start()
        stack.push_async_callback(proxy.close)
        with socket.socket() as trial:
            trial.bind(("127.0.0.1", 0))
            port = trial.getsockname()[1]
        settings = {"ari": {"url": proxy.url}, "control": {"port": port}}
        environment = {"ORDERLINE_SABOTAGE": str(run_dir / "sabotage")}
        agent = AgentProcess(
            pbx,
            run_dir,
            home.shared,
            settings,
            module="agent.rehearse.faults.sabotage",
            environment=environment,
        )
        await agent.start()
        stack.push_async_callback(agent.stop)
        yield await stack.enter_async_context(open_place(Stack(asterisk, pbx, phones, agent, run_dir), proxy, home))


async def run_case(place: Place, case: Case, times: int, report: Callable[[str], None]) -> CaseResult:
    """Run one case so many times. A run that breaks counts as failed; the next one begins with a living agent."""
    result = CaseResult(case.name, case.what)
    began = time.monotonic()
    for number in range(times):
        findings = Findings()
        try:
            async with asyncio.timeout(RUN_SECONDS):
                await case.run(place, findings)
        except (OrderlineError, TimeoutError, OSError, LookupError, TypeError, AssertionError) as error:
            findings.problems.append(f"{type(error).__name__}: {error}")
        result.add(findings)
        for problem in findings.problems:
            report(f"    {case.name} {number + 1}: {problem}")
        if findings.problems:
            await place.recover()
    result.seconds = time.monotonic() - began
    return result


async def faults(home: Home, only: Sequence[str], times: int | None, *, as_json: bool, keep: bool = False) -> int:
    """Run the matrix, or the cases named; 0 when nothing failed."""
    chosen = [case for case in CASES if not only or case.name in only]
    if unknown := set(only) - {case.name for case in CASES}:
        names = ", ".join(case.name for case in CASES)
        raise NoSuchCase(f"There is no case {', '.join(sorted(unknown))}. There are: {names}.")

    def tell(text: str) -> None:
        if not as_json:
            say(text)

    asterisk = await get_asterisk(home.directory, tell)
    run_dir = home.run(f"faults-{os.getpid()}")
    results: list[CaseResult] = []
    async with fault_place(asterisk, home, run_dir, tell) as place:
        tell(f"Asterisk {asterisk.version}; seconds are from the fault to a person's phone ringing or an honest end\n")
        tell(HEAD)
        for case in chosen:
            result = await run_case(place, case, times or case.times, tell)
            results.append(result)
            tell(line_of(result, case))
    passed, failed = sum(result.passed for result in results), sum(result.failed for result in results)
    if as_json:
        say(json.dumps({"cases": [vars(result) for result in results], "passed": passed, "failed": failed}, indent=2))
    if not failed and not keep:
        await asyncio.to_thread(shutil.rmtree, run_dir, ignore_errors=True)
    else:
        tell(f"Logs and records are in {run_dir}")
    if not as_json:
        say(f"{passed} passed, {failed} failed")
    return 0 if not failed else 1


HEAD = f"{'case':<16}{'runs':>5}{'callers':>8}{'failed':>7}{'median s':>9}{'worst s':>9}{'took s':>8}  what"


def line_of(result: CaseResult, case: Case) -> str:
    """Return the table's line of a case."""
    runs = result.passed + result.failed
    median = f"{result.median:.2f}" if result.median is not None else "-"
    worst = f"{max(result.reached):.2f}" if result.reached else "-"
    return (
        f"{result.name:<16}{runs:>5}{runs * case.callers:>8}{result.failed:>7}{median:>9}{worst:>9}"
        f"{result.seconds:>8.0f}  {result.what}"
    )
