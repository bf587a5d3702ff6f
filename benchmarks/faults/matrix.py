"""``orderline faults``: runs the cases, prints the table, and says in its last line how many passed and failed."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
import os
import shutil
import socket
import statistics
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from agent.errors import OrderlineError
from agent.rehearsal.call_centre import AgentProcess, PrivateCallCentre, RehearsalHome
from agent.rehearsal.demo import get_asterisk, say
from agent.rehearsal.pbx_pair import running_pair
from agent.rehearsal.private_asterisk import Asterisk
from benchmarks.faults import administration_faults, component_faults, controller_faults, transfer_faults
from benchmarks.faults.case_runner import run_case_once
from benchmarks.faults.cutting_proxy import CuttingProxy
from benchmarks.faults.fault_case import CaseResult, FaultCase
from benchmarks.faults.testbed import FaultTestbed, open_testbed

CASES: tuple[FaultCase, ...] = (
    *controller_faults.CASES,
    *component_faults.CASES,
    *administration_faults.CASES,
    *transfer_faults.CASES,
)
STACKS = 2
"""Call centres side by side: about one for each core."""


class NoSuchCase(OrderlineError):
    """The matrix has no case of this name."""

    code = "script"


class NamedCase(Protocol):
    """A case of any matrix."""

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        ...


Case = TypeVar("Case", bound=NamedCase)


def chosen_cases(cases: Sequence[Case], only: Sequence[str]) -> list[Case]:
    """Return the cases named, or all. Raises :class:`NoSuchCase`."""
    if unknown := set(only) - {case.name for case in cases}:
        names = ", ".join(case.name for case in cases)
        raise NoSuchCase(f"There is no case {', '.join(sorted(unknown))}. There are: {names}.")
    return [case for case in cases if not only or case.name in only]


@contextlib.asynccontextmanager
async def fault_testbed(
    asterisk: Asterisk, home: RehearsalHome, run_dir: Path, report: Callable[[str], None]
) -> AsyncIterator[FaultTestbed]:
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
            module="benchmarks.faults.faulty_agent",
            environment=environment,
        )
        await agent.start()
        stack.push_async_callback(agent.stop)
        yield await stack.enter_async_context(
            open_testbed(PrivateCallCentre(asterisk, pbx, phones, agent, run_dir), proxy, home)
        )


async def faults(
    home: RehearsalHome,
    only: Sequence[str],
    times: int | None,
    *,
    as_json: bool,
    keep: bool = False,
    stacks: int = STACKS,
) -> int:
    """Run the matrix, or the cases named, on so many call centres side by side; 0 when nothing failed."""
    chosen = chosen_cases(CASES, only)

    def tell(text: str) -> None:
        if not as_json:
            say(text)

    asterisk = await get_asterisk(home.directory, tell)
    name = f"faults-{os.getpid()}"
    run_dir = home.run(name)
    results = {case.name: CaseResult(case.name, case.what) for case in chosen}
    wanted = {case.name: times or case.times for case in chosen}
    runs = collections.deque(case for case in chosen for _ in range(wanted[case.name]))
    began = time.monotonic()

    async def work(place: FaultTestbed) -> None:
        while runs:
            case = runs.popleft()
            result = results[case.name]
            await run_case_once(place, case, result, tell)
            if result.passed + result.failed == wanted[case.name]:
                tell(table_lines(result, case))

    async with contextlib.AsyncExitStack() as opened:
        places = [
            await opened.enter_async_context(fault_testbed(asterisk, home, home.run(f"{name}/{number}"), tell))
            for number in range(1, max(1, min(stacks, len(runs))) + 1)
        ]
        tell(f"Asterisk {asterisk.version}; seconds are from the fault to a person's phone ringing or an honest end\n")
        tell(HEAD)
        async with asyncio.TaskGroup() as workers:
            for place in places:
                workers.create_task(work(place))
    callers = sum(wanted[case.name] * case.callers for case in chosen)
    took = f"{callers} callers in {(time.monotonic() - began) / 60:.1f} minutes on {len(places)} call centres"
    kept = home.directory / "faults" / "result.json" if not only and times is None else None
    return await conclude(list(results.values()), kept, run_dir, took, as_json=as_json, keep=keep)


async def conclude(
    results: Sequence[CaseResult], kept: Path | None, run_dir: Path, took: str, *, as_json: bool, keep: bool
) -> int:
    """Say what came of the cases, with ``took`` before the last line; 0 when nothing failed.

    The results go to the file ``kept``; ``run_dir`` with its logs stays when something failed, or with ``keep``.
    """
    passed, failed = sum(one.passed for one in results), sum(one.failed for one in results)
    found = {"cases": [vars(each) for each in results], "passed": passed, "failed": failed}
    text = json.dumps(found, indent=2)
    if kept is not None:
        await asyncio.to_thread(keep_result, kept, text)
    if not failed and not keep:
        await asyncio.to_thread(shutil.rmtree, run_dir, ignore_errors=True)
    elif not as_json:
        say(f"Logs and records are in {run_dir}")
    say(text if as_json else f"{took}\n{passed} passed, {failed} failed")
    return 0 if not failed else 1


def keep_result(path: Path, text: str) -> None:
    """Keep what came of a whole matrix: ``make bench`` reads it. Complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(path)


HEAD = f"{'case':<16}{'runs':>5}{'callers':>8}{'failed':>7}{'median s':>9}{'worst s':>9}{'took s':>8}  what"


def table_lines(result: CaseResult, case: FaultCase) -> str:
    """Return the table's line of a case, and a line for each state where it has several."""
    runs = result.passed + result.failed
    lines = [
        f"{result.name:<16}{runs:>5}{runs * case.callers:>8}{result.failed:>7}{_spread(result.reached)}"
        f"{result.seconds:>8.0f}  {result.what}"
        + (f" (set up again: {result.set_up_again})" if result.set_up_again else "")
    ]
    if len(result.by_who) > 1:
        lines += [
            f"  {who:<14}{'':>5}{len(seconds):>8}{'':>7}{_spread(seconds)}" for who, seconds in result.by_who.items()
        ]
    return "\n".join(lines)


def _spread(seconds: Sequence[float]) -> str:
    if not seconds:
        return f"{'-':>9}{'-':>9}"
    return f"{statistics.median(seconds):>9.2f}{max(seconds):>9.2f}"
