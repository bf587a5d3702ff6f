"""Kills PostgreSQL, a node that sends records to it, or both, at random moments; then no record is missing, none twice.

``python -m tests.history.kills --times 50`` (``make postgres-kills``).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg

from agent.history.filters import CallFilter
from agent.history.shared import PostgresUnavailable, SharedHistory
from agent.rehearsal.real_postgres import RealPostgres, postgres_programs_in

ROOT = Path(__file__).parents[2]
CALLS = 1_000_000
"""Of one node: more than it can take before it is killed."""
MOST_LINES = 12
WAIT_SECONDS = 300.0
SEED = 20261130


@dataclass(frozen=True)
class KillsResult:
    """What became of the records."""

    killed: Counter[str]
    calls: int
    """Records in the node's own file."""
    logged: int
    """Those of which the node knew that they were safe."""
    missing: set[str]
    """Records of the node that are not in PostgreSQL, or whose node knew them safe and has lost them."""
    different: set[str]
    """Records that are another text there."""
    twice: int
    """Rows of the records and lines of the index beyond one a call."""
    not_indexed: set[str]


def series(server: RealPostgres, directory: Path, times: int, seed: int = SEED) -> KillsResult:
    """Kill so many times, let the node finish, and compare. The server must have been made and started."""
    chance = random.Random(seed)
    killed: Counter[str] = Counter()
    shared = SharedHistory(server.url)
    running: subprocess.Popen[bytes] | None = None
    try:
        for generation in range(times):
            if running is None:
                running = _start(directory, server.url, generation, CALLS)
            _wait_for_lines(directory / "log", chance)
            what = chance.choice(("node", "postgres", "both"))
            killed[what] += 1
            if what != "node":
                server.kill()
            if what != "postgres":
                running.kill()
                running.wait()
                running = None
            if what == "postgres":  # the node goes on without it for a while
                _wait_for_lines(directory / "log", chance)
            if what != "node":
                server.start()
            with contextlib.suppress(PostgresUnavailable):
                shared.catch_up()
        if running is not None:
            running.kill()
            running.wait()
        last = _start(directory, server.url, times, 0)
        if last.wait(timeout=WAIT_SECONDS):
            raise RuntimeError(f"the last node failed: {(directory / 'stderr').read_text()[-2000:]}")
        shared.catch_up(wait=True)
        return _compare(server.url, directory, shared, killed)
    finally:
        if running is not None and running.poll() is None:
            running.kill()
            running.wait()
        shared.close()


def _start(directory: Path, url: str, generation: int, calls: int) -> subprocess.Popen[bytes]:
    command = (sys.executable, "-m", "tests.history.sending_node", directory, url, str(generation), str(calls))
    with (directory / "stderr").open("ab") as errors:
        return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=errors)


def _wait_for_lines(log: Path, chance: random.Random) -> None:
    """Wait until the node has taken some more calls, and a moment more; a busy machine's node takes its time."""
    wanted = _lines(log) + chance.randrange(1, MOST_LINES)
    deadline = time.monotonic() + WAIT_SECONDS
    while _lines(log) < wanted:
        if time.monotonic() > deadline:
            raise TimeoutError("the node takes no calls")
        time.sleep(0.005)
    time.sleep(chance.uniform(0.0, 0.1))


def _lines(log: Path) -> int:
    return log.read_bytes().count(b"\n") if log.exists() else 0


def _compare(url: str, directory: Path, shared: SharedHistory, killed: Counter[str]) -> KillsResult:
    logged = set((directory / "log").read_text().split())
    with closing(sqlite3.connect(directory / "calls.sqlite")) as db:
        own = dict(db.execute("SELECT id, record FROM calls").fetchall())
    with psycopg.connect(url) as connection:
        there = connection.execute("SELECT id, record FROM orderline.records").fetchall()
    indexed = Counter(line.id for line in shared.index.every(CallFilter()))
    of_id = dict(there)
    return KillsResult(
        killed,
        len(own),
        len(logged),
        (own.keys() - of_id.keys()) | (logged - own.keys()),
        {call for call, record in own.items() if of_id.get(call) not in (record, None)},
        len(there) - len(of_id) + sum(indexed.values()) - len(indexed),
        own.keys() - indexed.keys(),
    )


def main() -> int:
    """Run the series and print what became of the records."""
    parser = argparse.ArgumentParser(description="Kill PostgreSQL, the node, or both, at random moments.")
    parser.add_argument("--times", type=int, default=50, metavar="N")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("ORDERLINE_HOME", "var")))
    options = parser.parse_args()
    server = RealPostgres(postgres_programs_in(options.home))
    try:
        server.make()
        server.start()
        with tempfile.TemporaryDirectory() as directory:
            result = series(server, Path(directory), options.times, options.seed)
    finally:
        server.remove()
    kinds = ", ".join(f"{what} {count} times" for what, count in sorted(result.killed.items()))
    print(f"Killed: {kinds}. Records: {result.calls}, known safe by their node: {result.logged}.")
    print(f"Missing {len(result.missing)}, different {len(result.different)}, twice {result.twice}, ", end="")
    print(f"not indexed {len(result.not_indexed)}.")
    return 1 if result.missing or result.different or result.twice or result.not_indexed else 0


if __name__ == "__main__":
    raise SystemExit(main())
