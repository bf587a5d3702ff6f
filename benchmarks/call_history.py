"""How fast a year of calls is indexed, listed and searched: ``make year-of-calls``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from agent.history.filters import Bounds, CallFilter
from agent.history.local import INDEX_FILE, LocalHistory
from agent.history.opening import History
from agent.history.shared import SharedHistory
from agent.rehearsal.real_postgres import RealPostgres, postgres_programs_in
from agent.rehearsal.year_of_calls import write_year

TARGET_MS = 200.0
TIMES = 5
_MONTH_MS = 30 * 86_400_000


def questions(last_ms: int) -> Mapping[str, CallFilter]:
    """Return the lists and searches of a console: the frequent ones, and those that find little among much."""

    def lately(wanted: CallFilter) -> CallFilter:
        return dataclasses.replace(wanted, since_ms=last_ms - _MONTH_MS, until_ms=last_ms)

    def by(**values: str) -> dict[str, tuple[str, ...]]:
        return {kind: (value,) for kind, value in values.items()}

    return {
        "the newest": CallFilter(),
        "a month": lately(CallFilter()),
        "a day long ago": CallFilter(since_ms=last_ms - 6 * _MONTH_MS, until_ms=last_ms - 6 * _MONTH_MS + 86_400_000),
        "outcome": CallFilter(values=by(outcome="handed_over")),
        "two outcomes": CallFilter(values={"outcome": ("handed_over", "caller_hung_up")}),
        "asked and outcome": CallFilter(values=by(asked="returns", outcome="caller_hung_up")),
        "asked and outcome, a month": lately(CallFilter(values=by(asked="returns", outcome="caller_hung_up"))),
        "step": CallFilter(values=by(step="returns.sure")),
        "any step of a procedure": CallFilter(values=by(step="returns.*")),
        "step that no such call came to": CallFilter(values=by(asked="complaint", step="identify.number")),
        "frequent values never together": CallFilter(values=by(outcome="answered", step="transfer.words")),
        "frequent request never so": CallFilter(values=by(asked="order_status", step="returns.done")),
        "reason": CallFilter(values=by(reason="return_refused")),
        "reason and edition": CallFilter(values=by(reason="caller_request", edition="0014")),
        "caller": CallFilter(caller="+1 202 555 0150"),
        "caller's last four": CallFilter(caller="0150"),
        "order": CallFilter(order="104371"),
        "length": CallFilter(length_ms=Bounds(90_000)),
        "length, nearly all": CallFilter(length_ms=Bounds(5_000)),
        "score": CallFilter(score=Bounds(1, 2)),
        "score and request": CallFilter(score=Bounds(1, 1), values=by(asked="promotions")),
        "latency, some": CallFilter(latency_ms=Bounds(900)),
        "latency, few": CallFilter(latency_ms=Bounds(2_000)),
        "latency and outcome": CallFilter(latency_ms=Bounds(1_000), values=by(outcome="caller_hung_up")),
        "slow and long": CallFilter(latency_ms=Bounds(700), length_ms=Bounds(70_000)),
        "fault": CallFilter(values=by(fault="any")),
        "fault with these words": CallFilter(values=by(fault="*orders did not answer*")),
        "fact": CallFilter(values=by(fact="orders.verify.status=delayed")),
        "word of many": CallFilter(said="order"),
        "word of some": CallFilter(caller_said="refund"),
        "phrase": CallFilter(caller_said='"over the fence"'),
        "frequent phrase": CallFilter(agent_said='"anything else i can help"'),
        "beginning of a word": CallFilter(caller_said="promo*"),
        "words by both": CallFilter(caller_said="kettle", agent_said="label"),
        "words never together": CallFilter(caller_said="manager kettle"),
        "frequent words never together": CallFilter(agent_said="refund complaint postcode colleague"),
        "word and reason": CallFilter(said="order", values=by(reason="money_back")),
        "word and outcome, a month": lately(CallFilter(caller_said="late", values=by(outcome="handed_over"))),
        "frequent word and rare fault": CallFilter(said="thanks", values=by(fault="controller*")),
        "everything": lately(
            CallFilter(
                values=by(outcome="handed_over", asked="returns", step="returns.item", reason="caller_request"),
                length_ms=Bounds(20_000),
                caller_said="yes",
            )
        ),
        "nothing": CallFilter(values=by(outcome="no such outcome")),
    }


def measure(history: History, last_ms: int, say: Callable[[str], None] = print) -> float:
    """Ask everything several times; print medians and return the slowest median, in milliseconds."""
    slowest = 0.0
    for name, wanted in questions(last_ms).items():
        find = partial(history.index.find, wanted)
        page = find()
        cpu = time.process_time()
        times = [_milliseconds(find) for _ in range(TIMES)]
        cpu = (time.process_time() - cpu) * 1000 / TIMES
        after = _milliseconds(partial(find, after=page.next))
        count = _milliseconds(partial(history.index.count, wanted, 1_000))
        typical = statistics.median(times)
        slowest = max(slowest, typical, after)
        say(
            f"{name:<34} {len(page.lines):>3} calls  {typical:7.1f} ms (worst {max(times):7.1f}, CPU here {cpu:6.1f})"
            f"  next page {after:7.1f}  counted to 1,000 {count:7.1f}"
        )
    say(f"slowest page: {slowest:.1f} ms, target {TARGET_MS:.0f}")
    return slowest


def _milliseconds(job: Callable[[], object]) -> float:
    began = time.perf_counter()
    job()
    return (time.perf_counter() - began) * 1000


def _index(history: History, calls: int, where: str) -> None:
    began, before = time.monotonic(), os.times()
    history.catch_up(anew=True, wait=True)
    seconds, after = time.monotonic() - began, os.times()
    here = after.user + after.system - before.user - before.system
    reading = after.children_user + after.children_system - before.children_user - before.children_system
    print(
        f"{where}: {calls} calls indexed in {seconds:.0f} s: {calls / seconds:.0f} a second; CPU {here:.0f} s here,"
        f" {reading:.0f} s in the process that reads; load {os.getloadavg()[0]:.1f}"
    )


def send_all(calls_path: Path, shared: SharedHistory) -> None:
    """Put all records of a node into PostgreSQL."""
    shared.prepare()
    with closing(sqlite3.connect(calls_path)) as db:
        rows = db.execute("SELECT id, started_at, record FROM calls ORDER BY rowid")
        while some := rows.fetchmany(2_000):
            shared.send([{"id": one[0], "node": "a", "started_at": one[1], "record": one[2]} for one in some])


def made_year(home: Path, calls: int) -> Path:
    """Return the database with a year of calls below ``home``, made where it is not there yet."""
    directory = home / f"year-{calls}"
    calls_path = directory / "calls.sqlite"
    if not calls_path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        draft = directory / "draft.sqlite"
        draft.unlink(missing_ok=True)
        write_year(draft, calls)
        draft.replace(calls_path)
    return calls_path


def last_start_ms(calls_path: Path) -> int:
    """Return when the last call began, in milliseconds since 1970."""
    with closing(sqlite3.connect(calls_path)) as db:
        (record,) = db.execute("SELECT record FROM calls ORDER BY rowid DESC LIMIT 1").fetchone()
    return int(json.loads(record)["started_utc"] * 1000)


def _files(directory: Path) -> Iterator[str]:
    for name in ("calls.sqlite", INDEX_FILE):
        yield f"{name} {(directory / name).stat().st_size / 1e6:.0f} MB"


def main() -> int:
    """Make the calls where they are not there yet, index them, and ask."""
    parser = argparse.ArgumentParser(description="Measure lists and searches over a year of calls.")
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("ORDERLINE_HOME", "var")))
    parser.add_argument("--calls", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--postgres", action="store_true", help="the same in a real PostgreSQL")
    parser.add_argument("--keep-index", action="store_true", help="do not make the index anew")
    options = parser.parse_args()
    calls_path = made_year(options.home, options.calls)
    last_ms = last_start_ms(calls_path)
    print(f"load before: {os.getloadavg()[0]:.1f}")
    with ExitStack() as stack:
        if not options.postgres:
            local = LocalHistory(calls_path)
            stack.callback(local.close)
            if not options.keep_index:
                _index(local, options.calls, "SQLite")
            print(", ".join(_files(calls_path.parent)))
            return int(measure(local, last_ms) > TARGET_MS)
        server = RealPostgres(postgres_programs_in(options.home))
        stack.callback(server.remove)
        server.make()
        server.start("shared_buffers=1GB", "max_wal_size=8GB", "synchronous_commit=off")
        shared = SharedHistory(server.url)
        stack.callback(shared.close)
        send_all(calls_path, shared)
        _index(shared, options.calls, "PostgreSQL")
        return int(measure(shared, last_ms) > TARGET_MS)


if __name__ == "__main__":
    raise SystemExit(main())
