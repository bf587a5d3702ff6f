"""``make instance-faults``: break one of several instances on real calls, each case so many times."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path

from agent.common.signals import cancelled_by_sigterm
from agent.errors import OrderlineError
from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.demo import get_asterisk, say
from benchmarks.faults.case_runner import run_case_once
from benchmarks.faults.fault_case import CaseResult
from benchmarks.faults.matrix import chosen_cases
from benchmarks.instance_faults.cases import CASES, InstanceCase
from benchmarks.instance_faults.table import table_lines
from benchmarks.instance_faults.testbed import open_instances


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instance_faults", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path("var"), help="directory of the private call centre")
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME", help="these cases alone")
    parser.add_argument("--times", type=int, default=20, metavar="N", help="run each case N times (20)")
    return parser.parse_args()


async def _measure(options: argparse.Namespace) -> int:
    home = RehearsalHome(options.home.resolve())
    chosen = chosen_cases(CASES, options.only)
    asterisk = await get_asterisk(home.directory, say)
    run_dir = home.run(f"instance-faults-{os.getpid()}")
    failed = 0
    groups: dict[tuple[bool, int], list[InstanceCase]] = {}
    for case in chosen:
        groups.setdefault((case.with_redis, case.instances), []).append(case)
    for number, ((with_redis, instances), cases) in enumerate(groups.items()):
        place_dir = run_dir / str(number)
        place_dir.mkdir()
        async with open_instances(asterisk, home, place_dir, say, instances=instances, with_redis=with_redis) as place:
            for case in cases:
                result = CaseResult(case.name, case.what)
                began = time.monotonic()
                for _ in range(options.times):
                    await run_case_once(place, case, result, say)
                result.seconds = time.monotonic() - began
                failed += result.failed
                say(table_lines(result))
    say(f"Logs and records are in {run_dir}")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(cancelled_by_sigterm(_measure(_options()))))
    except OrderlineError as error:
        sys.exit(f"instance-faults: {error.message}")
