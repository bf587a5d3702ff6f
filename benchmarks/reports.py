"""How fast reports over a year of calls are made: ``make year-of-reports``."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.history.filters import CallFilter
from agent.history.local import LocalHistory
from agent.history.opening import History
from agent.history.shared import SharedHistory
from agent.rehearsal.real_postgres import RealPostgres, postgres_programs_in
from agent.reports.measured import measured_facts
from agent.reports.periods import By, Period
from agent.reports.registry import REPORTS, build_report
from benchmarks.call_history import last_start_ms, made_year, send_all

MONTH_TARGET_MS = 500.0
YEAR_TARGET_MS = 1_000.0
TIMES = 3
ZONE = ZoneInfo("America/New_York")
"""The clock of the made-up shop."""
_FILTERED = CallFilter(values={"asked": ("returns",)})


def measure(history: History, last_ms: int, say: Callable[[str], None] = print) -> bool:
    """Make every report several times; print medians in milliseconds and return whether all are within their target.

    Reports with a filter are added up from the calls themselves: they are printed, and have no target.
    """
    last = dt.datetime.fromtimestamp(last_ms / 1000, ZONE).date()
    month = Period.days(last - dt.timedelta(days=29), last, ZONE)
    year = Period.days(last - dt.timedelta(days=364), last, ZONE)
    questions: tuple[tuple[str, Period, By | None, CallFilter | None, float | None], ...] = (
        ("30 days", month, None, None, MONTH_TARGET_MS),
        ("by day", month, "day", None, MONTH_TARGET_MS),
        ("a year", year, None, None, YEAR_TARGET_MS),
        ("by week", year, "week", None, YEAR_TARGET_MS),
        ("by day", year, "day", None, YEAR_TARGET_MS),
        ("30 days, filtered", month, None, _FILTERED, None),
    )
    say(f"{'report':<12} {'calls':>9}  " + "".join(f"{title:>20}" for title, *_ in questions))
    within = True
    for name in REPORTS:
        cells, calls = [], 0
        for _, period, by, wanted, target in questions:
            make = partial(build_report, name, history.index, period, by, wanted)
            calls = max(calls, make().n)
            took = _median_ms(make)
            late = target is not None and took > target
            within = within and not late
            cells.append(f"{took:>17.1f}{' >!' if late else '   '}")
        say(f"{name:<12} {calls:>9}  " + "".join(cells))
    say(f"{'measured':<12} {'':>9}  {_median_ms(partial(measured_facts, history.index, year)):>57.1f}   (a year)")
    say(f"milliseconds, median of {TIMES}; targets {MONTH_TARGET_MS:.0f} for 30 days, {YEAR_TARGET_MS:.0f} for a year")
    return within


def _median_ms(job: Callable[[], object]) -> float:
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        job()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def main() -> int:
    """Make the calls and their index where they are not there yet, and every report."""
    parser = argparse.ArgumentParser(description="Measure reports over a year of calls.")
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("ORDERLINE_HOME", "var")))
    parser.add_argument("--calls", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--postgres", action="store_true", help="the same in a real PostgreSQL")
    options = parser.parse_args()
    calls_path = made_year(options.home, options.calls)
    last_ms = last_start_ms(calls_path)
    with ExitStack() as stack:
        history: History
        if options.postgres:
            server = RealPostgres(postgres_programs_in(options.home))
            stack.callback(server.remove)
            server.make()
            server.start("shared_buffers=1GB", "max_wal_size=8GB", "synchronous_commit=off")
            history = shared = SharedHistory(server.url)
            send_all(calls_path, shared)
        else:
            history = LocalHistory(calls_path)
        stack.callback(history.close)
        began = time.monotonic()
        history.catch_up(wait=True)
        print(f"index up to date in {time.monotonic() - began:.1f} s; load {os.getloadavg()[0]:.1f}")
        return 0 if measure(history, last_ms) else 1


if __name__ == "__main__":
    raise SystemExit(main())
