"""``python -m benchmarks``: measures the parts asked for, prints the table of targets, writes docs/benchmarks."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from agent.errors import OrderlineError
from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.demo import get_asterisk, say
from benchmarks import speed
from benchmarks.capacity import STEPS, capacity
from benchmarks.checkout_comparison import before_and_after
from benchmarks.console import measure_console
from benchmarks.grammar_cost import measure_grammar_cost
from benchmarks.machine import about
from benchmarks.report import publish, read_faults, read_parts, table
from benchmarks.soak import soak
from benchmarks.yes_no_recognition import measure_yes_no_recognition

Part = Callable[[RehearsalHome, argparse.Namespace], Awaitable[dict[str, Any]]]

PARTS: dict[str, Part] = {
    "response": lambda home, options: speed.response(home, say, _copies(options, 10)),
    "greeting": lambda home, options: speed.greeting(home, say, _copies(options, 40)),
    "barge-in": lambda home, options: speed.barge_in(home, say, _copies(options, 10)),
    "keypad": lambda home, options: speed.keypad(home, say, _copies(options, 10)),
    "length": lambda home, options: speed.length(home, say, _copies(options, 2)),
    "capacity": lambda home, options: capacity(home, say, options.steps, options.seconds),
    "grammar": lambda home, options: measure_grammar_cost(home, say),
    "answers": lambda home, options: measure_yes_no_recognition(home, say),
    "console": lambda home, options: measure_console(
        home, say, options.history, options.readers, _copies(options, 2), options.rounds
    ),
    "soak": lambda home, options: soak(home, say, options.minutes),
    "before": lambda home, options: before_and_after(home, say, options.before.resolve(), _copies(options, 2)),
}
"""What can be measured, in this order; how many calls of each script by default."""


def main() -> int:
    """Return 0 when every row of the table holds, 1 when one does not or nothing could be measured."""
    parser = _parser()
    options = parser.parse_args()
    if "before" in options.parts and options.before is None:
        parser.error("before needs --before DIR: the checkout to compare with")
    home = RehearsalHome(options.home.resolve())
    results = home.directory / "bench"
    results.mkdir(parents=True, exist_ok=True)
    try:
        for name in _wanted(options):
            asyncio.run(_measure(name, home, options, results / f"{name}.json"))
    except OrderlineError as error:
        print(f"benchmarks: {error.message}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    rows = publish(read_parts(results), read_faults(home.directory / "faults"), options.out)
    say(f"\n{table(rows)}\n\nTable, figures and plots are in {options.out}")
    return 0 if all(row.holds for row in rows) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measures Orderline on real calls.")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART", help=f"{', '.join(PARTS)}; all")
    default = Path(os.environ.get("ORDERLINE_HOME", "var"))
    parser.add_argument("--home", type=Path, default=default, help="where what is fetched and measured is kept (var)")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"), help="where table and plots go")
    parser.add_argument("--report", action="store_true", help="measure nothing: table and plots of what there is")
    parser.add_argument("--copies", type=int, metavar="N", help="place every call of a part's script so often")
    parser.add_argument("--before", type=Path, metavar="DIR", help="another checkout, to compare with in one run")
    parser.add_argument("--minutes", type=float, default=30.0, help="length of the soak (30)")
    parser.add_argument("--history", type=int, default=1_000_000, metavar="N", help="finished calls behind the console")
    parser.add_argument("--readers", type=int, default=50, metavar="N", help="browsers that watch the console's calls")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="turns of calls with and without them (3)")
    parser.add_argument("--steps", type=int, nargs="+", default=STEPS, metavar="N", help="calls at once for capacity")
    parser.add_argument("--seconds", type=float, default=30.0, help="length of a step of capacity (30)")
    return parser


def _wanted(options: argparse.Namespace) -> list[str]:
    """The parts to measure: those named, else all; a comparison only when there is something to compare with."""
    if options.parts:
        return list(options.parts)
    if options.report:
        return []
    return [name for name in PARTS if name != "before" or options.before]


def _copies(options: argparse.Namespace, usual: int) -> int:
    return usual if options.copies is None else int(options.copies)


async def _measure(name: str, home: RehearsalHome, options: argparse.Namespace, path: Path) -> None:
    """Measure one part and write its result, complete or not at all."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    asterisk = await get_asterisk(home.directory, say)
    facts = about(asterisk.version)
    say(f"\n=== {name}")
    result = {"about": facts, **await PARTS[name](home, options)}
    for failure in result.get("failures", ())[:10]:
        say(f"  a call went wrong: {failure}")
    part = path.with_suffix(".part")
    part.write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")
    part.replace(path)


if __name__ == "__main__":
    sys.exit(main())
