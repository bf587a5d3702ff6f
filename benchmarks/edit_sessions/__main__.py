"""Plays random edit sessions and counts what was lost: ``python -m benchmarks.edit_sessions --sessions 500``."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import aiohttp

from benchmarks.edit_sessions.console_process import killable_console
from benchmarks.edit_sessions.editor import EditingBrowser
from benchmarks.edit_sessions.random_session import RandomSession

_PEOPLE = ("ann", "bob")


async def play_sessions(
    directory: Path, numbers: range, say: Callable[[str], None]
) -> tuple[dict[int, list[str]], Counter[str]]:
    """Play sessions one after another on one console.

    Return session -> what it lost, of those that lost something; and how often everything was done.
    """
    lost: dict[int, list[str]] = {}
    done: Counter[str] = Counter()
    async with (
        killable_console(directory, _PEOPLE) as console,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        one, other = (EditingBrowser(console.url, name, console.people[name], http) for name in _PEOPLE)
        for person in (one, other):
            await person.sign_in()
        for number in numbers:
            session = RandomSession(number, console, (one, other))
            found = await session.play()
            done += session.done
            done["edits"] += len(one.edits) + len(other.edits)
            for edit in (*one.edits, *other.edits):
                done[f"edits: {edit.state}"] += 1
            if found:
                lost[number] = found
                say(f"session {number}: {found[0]}" + (f" and {len(found) - 1} more" if len(found) > 1 else ""))
            if number % 25 == 24:
                say(f"{number + 1 - numbers.start} sessions, {len(lost)} that lost something, {console.kills} kills")
    return lost, done


def main(arguments: list[str] | None = None) -> int:
    """Play and print; 1 where anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.edit_sessions", description=__doc__)
    parser.add_argument("--sessions", type=int, default=500, help="how many (usual: 500)")
    parser.add_argument("--first", type=int, default=0, help="number of the first one: to repeat a session")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="orderline-edit-sessions-") as directory:
        numbers = range(options.first, options.first + options.sessions)
        lost, done = asyncio.run(play_sessions(Path(directory), numbers, lambda text: print(text, flush=True)))
    print(f"{len(numbers)} sessions in {time.monotonic() - began:.0f} s, {len(lost)} that lost something")
    for name, count in sorted(done.items()):
        print(f"  {name:<20}{count:>7}")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
