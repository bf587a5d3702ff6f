"""Plays random edit sessions and counts what was lost: ``python -m benchmarks.edit_sessions --sessions 500``."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from agent.errors import OrderlineError
from benchmarks.edit_sessions.console_process import killable_console
from benchmarks.edit_sessions.editor import EditingBrowser, Unreachable
from benchmarks.edit_sessions.random_session import RandomSession

_PEOPLE = ("ann", "bob")
_TELL_EVERY = 25


@dataclass
class SessionResults:
    """What came of the sessions of a run."""

    played: int = 0
    """Sessions that came to their end and were looked through."""
    words: int = 0
    """Words that were typed in them, each of which was looked for."""
    lost: dict[int, list[str]] = field(default_factory=dict)
    """Session -> what it lost, of those that lost something."""
    broken_off: dict[int, str] = field(default_factory=dict)
    """Session -> why it could not be played to its end: nothing is known of what it typed."""
    done: Counter[str] = field(default_factory=Counter)
    """How often everything was done."""


async def play_sessions(directory: Path, numbers: Iterable[int], say: Callable[[str], None]) -> SessionResults:
    """Play sessions one after another on one console. One that is broken off does not end the run."""
    results = SessionResults()
    async with (
        killable_console(directory, _PEOPLE) as console,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        one, other = (EditingBrowser(console.url, name, console.people[name], http) for name in _PEOPLE)
        for person in (one, other):
            await person.sign_in()
        for place, number in enumerate(numbers, 1):
            session = RandomSession(number, console, (one, other))
            try:
                found = await session.play()
            except (Unreachable, TimeoutError, RuntimeError, OSError, OrderlineError) as error:
                results.broken_off[number] = f"{type(error).__name__}: {error}"[:300]
                say(f"session {number} was broken off: {results.broken_off[number]}")
                await console.kill()
                await console.start()
                continue
            results.played += 1
            results.words += session.words
            results.done += session.done
            results.done["edits"] += len(one.edits) + len(other.edits)
            for edit in (*one.edits, *other.edits):
                results.done[f"edits: {edit.state}"] += 1
            if found:
                results.lost[number] = found
                say(f"session {number}: {found[0]}" + (f" and {len(found) - 1} more" if len(found) > 1 else ""))
            if place % _TELL_EVERY == 0:
                say(f"{_summary(results)}, {console.kills} kills")
    return results


def _summary(results: SessionResults) -> str:
    broken = f", {len(results.broken_off)} broken off" if results.broken_off else ""
    return f"{results.played} sessions with {results.words} words, {len(results.lost)} that lost something{broken}"


def main(arguments: list[str] | None = None) -> int:
    """Play and print; 1 where anything was lost or a session could not be played."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.edit_sessions", description=__doc__)
    parser.add_argument("--sessions", type=int, default=500, help="how many (usual: 500)")
    parser.add_argument("--first", type=int, default=0, help="number of the first one: to repeat a session")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="orderline-edit-sessions-") as directory:
        numbers = range(options.first, options.first + options.sessions)
        results = asyncio.run(play_sessions(Path(directory), numbers, lambda text: print(text, flush=True)))
    print(f"{_summary(results)}, of {len(numbers)} in {time.monotonic() - began:.0f} s")
    for name, count in sorted(results.done.items()):
        print(f"  {name:<20}{count:>7}")
    return 1 if results.lost or results.broken_off else 0


if __name__ == "__main__":
    sys.exit(main())
