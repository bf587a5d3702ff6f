"""The console over a long history: times of pages, searches and reports; live words; calls while many watch."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import gzip
import json
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp

from agent.console.store import FILE as CONSOLE_FILE
from agent.history.local import LocalHistory
from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.console_process import ConsoleSignIn, running_console_of
from agent.rehearsal.result import ScriptedCallResult
from agent.reports.registry import REPORTS
from benchmarks.call_centre import ScriptedCallers, call_centre, load_call_scripts
from benchmarks.call_history import last_start_ms, made_year
from benchmarks.console_visitor import signed_in
from benchmarks.figures import by_kind, failures_of, spread, turns_of

TIMES = 20
"""How often each address is asked for, after once to warm up."""
AT_ONCE = 3
_CALL_LINK = re.compile(r'class="open" href="(/calls/[^"?]+)"')
_NEXT_LINK = re.compile(r'href="([^"]+)" rel="next"')
_STATIC = re.compile(r'(?:src|href)="(/static/[^"]+\.(?:js|css)[^"]*)"')

Say = Callable[[str], None]


async def measure_console(
    home: RehearsalHome, say: Say, history: int, readers: int, copies: int, rounds: int
) -> dict[str, Any]:
    """Return times over ``history`` finished calls, and of real calls while nobody and while ``readers`` watch.

    ``copies``: how many of each conversation a round has; ``rounds``: turns of calls alone and watched.
    """
    say(f"  a year of {history:,} calls is made and indexed where it is not there yet")
    calls_path = await asyncio.to_thread(made_year, home.directory, history)
    last = await asyncio.to_thread(_indexed, calls_path)
    async with call_centre(home, "bench-console", say) as callers:
        run_dir, state = callers.stack.run_dir, calls_path.parent
        async with running_console_of(callers.stack, run_dir, state_directory=state) as console:
            pages = await _pages(console, last, say)
            placed, delays = await _in_turns(callers, console, readers, copies, rounds, say)
    return _result(history, readers, rounds, pages, placed, delays)


def _indexed(calls_path: Path) -> dt.date:
    """Bring the index up to date, forget accounts of an earlier run; return the day of the last call."""
    for name in (CONSOLE_FILE, f"{CONSOLE_FILE}-wal", f"{CONSOLE_FILE}-shm"):
        (calls_path.parent / name).unlink(missing_ok=True)
    history = LocalHistory(calls_path)
    try:
        history.catch_up(wait=True)
    finally:
        history.close()
    return dt.datetime.fromtimestamp(last_start_ms(calls_path) / 1000, dt.UTC).date()


# --- pages ---------------------------------------------------------------------------------------------


def addresses(last: dt.date) -> Iterator[tuple[str, str]]:
    """Yield kind and address of what is asked for; ``last`` is the day of the last call."""
    month = {"from": str(last - dt.timedelta(days=29)), "to": str(last)}
    year = {"from": str(last - dt.timedelta(days=364)), "to": str(last)}
    for path in (
        "/live",
        "/queues",
        "/health",
        "/outbound",
        "/people",
        "/audit",
        "/settings",
        "/account",
        "/promotions",
    ):
        yield "page", path
    for more in ({}, {"outcome": "handed_over"}, {"asked": "returns", "outcome": "caller_hung_up"}):
        yield "page", f"/calls?{urlencode({**year, **more})}"
    yield "page", f"/calls?{urlencode({**month, 'left': 'identify.postcode=hung_up'})}"
    yield "page", f"/misheard?{urlencode(month)}"
    searches: Sequence[dict[str, str]] = (
        {"said": "refund"},
        {"caller_said": '"over the fence"'},
        {"caller_said": "promo*"},
        {"caller_said": "kettle", "agent_said": "label"},
        {"said": "order"},
        {"order": "104371"},
        {"caller": "2025550150"},
        {"least_latency_ms": "2000"},
        {"said": "thanks", "fault": "any"},
    )
    for search in searches:
        yield "search", f"/calls?{urlencode({**year, **search})}"
    for name in REPORTS:
        yield "report", f"/reports/{name}?{urlencode(month)}"
        yield "year", f"/reports/{name}?{urlencode(year)}"


async def _pages(console: ConsoleSignIn, last: dt.date, say: Say) -> list[dict[str, Any]]:
    measured = []
    async with signed_in(console.url, console.name, console.password) as session:
        for kind, path in addresses(last):
            text, _ = await _load(session, path)
            times = [(await _load(session, path))[1] for _ in range(TIMES)]
            measured.append(_page(kind, path, times, await _weight_kb(session, text)))
        measured += await _following(session, last)
    for one in measured:
        say(f"  {one['kind']:<7} p50 {one['p50']:>7} p95 {one['p95']:>7} ms {one['kb']:>6} kB  {one['path']}")
    return measured


async def _following(session: aiohttp.ClientSession, last: dt.date) -> list[dict[str, Any]]:
    """Go on from page to page of the log, and open a call of each."""
    path = f"/calls?{urlencode({'from': str(last - dt.timedelta(days=364)), 'to': str(last)})}"
    pages, calls, weight = list[float](), list[float](), 0.0
    for _ in range(TIMES):
        text, took = await _load(session, path)
        pages.append(took)
        links, following = _CALL_LINK.findall(text), _NEXT_LINK.search(text)
        if links:
            of_call, took = await _load(session, links[0])
            calls.append(took)
            weight = max(weight, await _weight_kb(session, of_call))
        if following is None:
            break
        path = following[1].replace("&amp;", "&")
    return [_page("page", "/calls, page after page", pages, 0.0), _page("page", "/calls/{id}", calls, weight)]


async def _load(session: aiohttp.ClientSession, path: str) -> tuple[str, float]:
    """Return a page and how long it took, in milliseconds. Raises aiohttp.ClientResponseError."""
    began = time.perf_counter()
    async with session.get(path) as answer:
        text = await answer.text()
        took = (time.perf_counter() - began) * 1000
        answer.raise_for_status()
    return text, took


async def _weight_kb(session: aiohttp.ClientSession, text: str) -> float:
    """Return how much a browser loads for a page, gzipped, in kB."""
    parts = [text.encode()]
    for path in dict.fromkeys(_STATIC.findall(text)):
        async with session.get(path) as answer:
            parts.append(await answer.read())
    return round(sum(len(gzip.compress(part, 6)) for part in parts) / 1000, 1)


def _page(kind: str, path: str, times: Sequence[float], weight_kb: float) -> dict[str, Any]:
    return {"kind": kind, "path": path, "kb": weight_kb, **spread(times)}


# --- calls while somebody watches ----------------------------------------------------------------------


async def _in_turns(
    callers: ScriptedCallers, console: ConsoleSignIn, readers: int, copies: int, rounds: int, say: Say
) -> tuple[dict[str, list[ScriptedCallResult]], list[float]]:
    """Hold the same conversations with nobody watching and with readers, in turns; and how late readers were told."""
    scripts = load_call_scripts("conversations", copies)
    placed: dict[str, list[ScriptedCallResult]] = {"alone": [], "watched": []}
    delays: list[float] = []
    for number in range(rounds):
        say(f"  round {number + 1} of {rounds}: {len(scripts)} calls alone, then as many while {readers} watch")
        placed["alone"] += await _held(callers, scripts)
        async with _watching(console, readers) as told:
            placed["watched"] += await _held(callers, scripts)
        delays += told
    return placed, delays


async def _held(callers: ScriptedCallers, scripts: Sequence[Any]) -> list[ScriptedCallResult]:
    return [one.result for one in await callers.each(scripts, AT_ONCE, lambda _: None)]


@contextlib.asynccontextmanager
async def _watching(console: ConsoleSignIn, readers: int) -> AsyncIterator[list[float]]:
    """Hold readers in a process of their own; the list gets how late each was told, in ms, at the end."""
    delays: list[float] = []
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.live_readers"),
        *(console.url, console.name, console.password, str(readers)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=64_000_000,
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the readers have no pipes")
    try:
        if (await process.stdout.readline()).strip() != b"ready":
            raise RuntimeError("the readers did not get the live calls")
        yield delays
        process.stdin.close()
        delays += json.loads(await process.stdout.readline() or b"[]")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


# --- result --------------------------------------------------------------------------------------------


def _result(
    history: int,
    readers: int,
    rounds: int,
    pages: Sequence[dict[str, Any]],
    placed: dict[str, list[ScriptedCallResult]],
    delays: Sequence[float],
) -> dict[str, Any]:
    kinds = sorted({str(one["kind"]) for one in pages})
    response = {name: by_kind(turns_of(results)).get("spoken", spread([])) for name, results in placed.items()}
    every = [result for results in placed.values() for result in results]
    return {
        "history": history,
        "readers": readers,
        "rounds": rounds,
        "calls": len(every),
        "good": sum(result.ok for result in every),
        "failures": failures_of(every),
        "pages": list(pages),
        "worst": {kind: max(one["p95"] for one in pages if one["kind"] == kind) for kind in kinds},
        "measured": {kind: sum(one["n"] for one in pages if one["kind"] == kind) for kind in kinds},
        "heaviest_kb": max(one["kb"] for one in pages),
        "live_ms": spread(delays),
        "response_ms": response,
        "slower_percent": slower_percent(response["alone"]["p95"], response["watched"]["p95"]),
    }


def slower_percent(alone: float | None, watched: float | None) -> float | None:
    """Return by how many per cent the watched calls' p95 is above the others'; below zero where it is not."""
    return None if not alone or watched is None else round((watched / alone - 1) * 100, 1)
