"""``python -m benchmarks.side_by_side``: place the calls, write JSON, table and picture."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import shlex
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from agent.errors import OrderlineError
from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.private_asterisk import ensure_asterisk
from benchmarks.side_by_side.call_rounds import comparison_setup, loads, play_round
from benchmarks.side_by_side.comparison_page import measured, page, table
from benchmarks.side_by_side.comparison_plot import draw
from benchmarks.side_by_side.results import Comparison, about, figures

NAME = "side-by-side"


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.side_by_side", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path("var"), help="directory of the private call centre")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="every caller rings everyone N times")
    parser.add_argument("--at-once", type=int, default=3, metavar="N", help="calls at once in the rounds")
    parser.add_argument(
        "--loads", default="1,5,10,20,40", metavar="N,N", help="calls at once of the loads; empty: none"
    )
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"), metavar="DIR", help="where results go")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep recordings and logs here")
    parser.add_argument("--add", action="store_true", help="add to the results that are there, of the same machine")
    parser.add_argument("--redraw", action="store_true", help="place no calls: write table and picture anew")
    return parser.parse_args()


async def measure(chosen: argparse.Namespace, work: Path, save: Callable[[Comparison], None]) -> None:
    """Place all calls; ``save`` gets what there is after each round and each load. Raises OrderlineError."""

    def report(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    asterisk = await ensure_asterisk(chosen.home, force=os.environ.get("ASTERISK"), report=report)
    sizes = [int(size) for size in chosen.loads.split(",") if size.strip()]
    async with comparison_setup(asterisk, RehearsalHome(chosen.home), work, report) as place:
        what = place.stack.agent.about
        command = shlex.join(
            [
                *("python", "-m", "benchmarks.side_by_side", "--rounds", str(chosen.rounds)),
                *("--at-once", str(chosen.at_once), "--loads", chosen.loads),
            ]
        )
        run = about(command, asterisk.version, what.get("model", ""), what.get("voice", ""))
        found = Comparison(runs=(run,))
        for number in range(chosen.rounds):
            found = replace(found, calls=(*found.calls, *await play_round(place, number, chosen.at_once)))
            save(found)
        async for row in loads(place, sizes):
            found = replace(found, loads=(*found.loads, row))
            save(found)


def main() -> int:
    """Measure (or read), then write and print."""
    chosen = options()
    logging.basicConfig(level=logging.WARNING)
    stem = chosen.out / NAME
    results = stem.with_suffix(".json")
    chosen.out.mkdir(parents=True, exist_ok=True)
    before = Comparison.read(results) if chosen.redraw or (chosen.add and results.exists()) else Comparison()
    if not chosen.redraw:
        try:
            with tempfile.TemporaryDirectory(prefix="side-by-side-") as scratch:
                work = (chosen.keep or Path(scratch)).resolve()
                asyncio.run(measure(chosen, work, lambda found: before.joined(found).write(results)))
        except KeyboardInterrupt:
            print("side by side: stopped; what was measured so far is kept", file=sys.stderr)
        except OrderlineError as error:
            print(f"side by side: {error.message}", file=sys.stderr)
            return 1
    found = Comparison.read(results)
    found.write(results)
    stem.with_suffix(".md").write_text(page(found), encoding="utf-8")
    draw(found, stem)
    names = found.contenders
    print(table(figures(found.calls, found.loads, names), names))
    print(measured(found))
    print(json.dumps({"written": [str(stem.with_suffix(ending)) for ending in (".json", ".md", ".svg", ".png")]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
