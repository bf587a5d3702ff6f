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
from pathlib import Path

from agent.errors import OrderlineError
from agent.rehearse.private_asterisk import ensure_asterisk
from agent.rehearse.stack import Home
from benchmarks.side_by_side.page import measured, page, table
from benchmarks.side_by_side.picture import draw
from benchmarks.side_by_side.results import Comparison, about, figures
from benchmarks.side_by_side.runs import arena, loads, one_round

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


async def measure(chosen: argparse.Namespace, work: Path) -> Comparison:
    """Place all calls. Raises OrderlineError."""

    def report(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    asterisk = await ensure_asterisk(chosen.home, force=os.environ.get("ASTERISK"), report=report)
    sizes = [int(size) for size in chosen.loads.split(",") if size.strip()]
    async with arena(asterisk, Home(chosen.home), work, report) as place:
        what = place.stack.agent.about
        command = shlex.join(
            [
                *("python", "-m", "benchmarks.side_by_side", "--rounds", str(chosen.rounds)),
                *("--at-once", str(chosen.at_once), "--loads", chosen.loads),
            ]
        )
        run = about(command, asterisk.version, what.get("model", ""), what.get("voice", ""))
        calls = [row for number in range(chosen.rounds) for row in await one_round(place, number, chosen.at_once)]
        return Comparison(tuple(calls), tuple(await loads(place, sizes)), (run,))


def main() -> int:
    """Measure (or read), then write and print."""
    chosen = options()
    logging.basicConfig(level=logging.WARNING)
    stem = chosen.out / NAME
    found = Comparison.read(stem.with_suffix(".json")) if chosen.add or chosen.redraw else Comparison()
    if not chosen.redraw:
        try:
            with tempfile.TemporaryDirectory(prefix="side-by-side-") as scratch:
                found = found.joined(asyncio.run(measure(chosen, (chosen.keep or Path(scratch)).resolve())))
        except OrderlineError as error:
            print(f"side by side: {error.message}", file=sys.stderr)
            return 1
    chosen.out.mkdir(parents=True, exist_ok=True)
    found.write(stem.with_suffix(".json"))
    stem.with_suffix(".md").write_text(page(found), encoding="utf-8")
    draw(found, stem)
    names = found.contenders
    print(table(figures(found.calls, found.loads, names), names))
    print(measured(found))
    print(json.dumps({"written": [str(stem.with_suffix(ending)) for ending in (".json", ".md", ".svg", ".png")]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
