"""Private call centre of the benchmarks, and the scripted callers who ring it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent.asterisk.ari.client import AriClient
from agent.rehearsal.call_centre import PrivateCallCentre, RehearsalHome, running_call_centre
from agent.rehearsal.demo import get_asterisk
from agent.rehearsal.exchange import PhoneExchange
from agent.rehearsal.live_feed import LiveFeedClient
from agent.rehearsal.phone import Leg
from agent.rehearsal.report import SilentReport
from agent.rehearsal.result import ScriptedCallResult
from agent.rehearsal.ringing_phones import RingingPhoneMatcher
from agent.rehearsal.runner import APP, file_names, play_call, render_call_sounds, with_numbers
from agent.rehearsal.script import CallScript
from agent.rehearsal.script_player import CallSounds
from agent.rehearsal.script_reader import load_scripts
from agent.rehearsal.voices import Voices

SCRIPTS = Path(__file__).resolve().parent / "scripts"

SETTINGS: Mapping[str, Any] = {
    # One order is asked about hundreds of times here; a misheard number must not lock it.
    "shop": {"verification": {"per_caller": "10000", "per_order": "10000", "hidden_callers": "10000"}},
}
"""What the benchmarks' agent needs besides the private call centre's own settings. All else is as shipped."""

STAGGER_SECONDS = 0.4
"""Callers begin this far apart: nobody's customers all breathe at the same time."""


@dataclass(frozen=True)
class PlacedCall:
    """A call and what it left at the caller's end."""

    result: ScriptedCallResult
    leg: Leg
    number: str


class ScriptedCallers:
    """Scripted callers on a running call centre. ``async with Callers(stack, home) as callers``."""

    def __init__(self, stack: PrivateCallCentre, home: RehearsalHome) -> None:
        self.stack = stack
        self._sounds_dir = stack.asterisk.data_dir / "sounds" / "en"
        self._voices = Voices(home.shared / "callers", self._sounds_dir)
        self._keep = stack.run_dir / "calls"
        self._names = itertools.count(1)
        self._sounds: dict[CallScript, CallSounds] = {}
        self._legs: dict[str, Leg] = {}
        self._stack = contextlib.AsyncExitStack()
        self._exchange: PhoneExchange | None = None
        self._feed: LiveFeedClient | None = None

    async def __aenter__(self) -> ScriptedCallers:
        phones, agent = self.stack.phones, self.stack.agent
        self._keep.mkdir(parents=True, exist_ok=True)
        ari = await self._stack.enter_async_context(
            AriClient(phones.ari_url, phones.ari_user, phones.ari_password, APP)
        )
        self._exchange = PhoneExchange(ari)
        self._exchange.on_dialled = self._dialled
        self._stack.push_async_callback(self._exchange.close)
        self._feed = await self._stack.enter_async_context(LiveFeedClient(agent.control_url, agent.token))
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    def _dialled(self, leg: Leg, caller_number: str) -> None:
        self._legs[caller_number] = leg

    async def learn(self, calls: Sequence[CallScript]) -> None:
        """Render all that will be said, before anything is measured. Raises CallerVoiceError."""
        for call in calls:
            self._sounds[_plain(call)] = await render_call_sounds(call, self._voices, self._sounds_dir)

    async def place(self, call: CallScript) -> PlacedCall:
        """Place one call and see it to its end. The recording of a call that did what it should is not kept."""
        if self._exchange is None or self._feed is None:
            raise RuntimeError("Callers are used as a context manager.")
        name = f"{next(self._names):04d}-{file_names([call.name])[0]}"
        ringing_phones = RingingPhoneMatcher(self._exchange)
        sounds = self._sounds[_plain(call)]
        result = await play_call(
            call, self._exchange, ringing_phones, self._feed, sounds, self._keep / name, SilentReport()
        )
        for path in (result.recording, result.record):
            if path is not None and result.ok:
                path.unlink(missing_ok=True)
        return PlacedCall(result, self._legs.pop(call.number), call.number)

    async def each(self, calls: Sequence[CallScript], at_once: int, told: Callable[[int], None]) -> list[PlacedCall]:
        """Place every call once, ``at_once`` at a time; ``told`` gets how many are done."""
        await self.learn(calls)
        waiting = list(reversed(calls))
        done: list[PlacedCall] = []

        async def caller(index: int) -> None:
            await asyncio.sleep(index * STAGGER_SECONDS)
            while waiting:
                done.append(await self.place(waiting.pop()))
                told(len(done))

        async with asyncio.TaskGroup() as group:
            for index in range(at_once):
                group.create_task(caller(index))
        return done

    async def hold_at_once(
        self, calls: Sequence[CallScript], size: int, seconds: float, full: asyncio.Event
    ) -> list[PlacedCall]:
        """Hold ``size`` calls at once for so long after all are up: each caller rings again when its call is over.

        ``full`` is set when the last of them has dialled. Calls under way at the end are held to their end.
        """
        await self.learn(calls)
        numbered = with_numbers(calls, repeat=-(-size // len(calls)))
        done: list[PlacedCall] = []
        until = time.monotonic() + size * STAGGER_SECONDS + seconds

        async def caller(index: int) -> None:
            await asyncio.sleep(index * STAGGER_SECONDS)
            if index == size - 1:
                full.set()
            for turn in itertools.count():
                if time.monotonic() >= until:
                    return
                script = calls[(index + turn) % len(calls)]
                done.append(await self.place(replace(script, number=numbered[index].number)))

        async with asyncio.TaskGroup() as group:
            for index in range(size):
                group.create_task(caller(index))
        return done


def _plain(call: CallScript) -> CallScript:
    """The call without what differs between its copies: their sounds are the same."""
    return replace(call, name="", number="")


def load_call_scripts(name: str, copies: int = 1) -> tuple[CallScript, ...]:
    """Return the calls of one of the benchmarks' script files, so many of each, every caller with its own number."""
    return with_numbers(load_scripts([SCRIPTS / f"{name}.yaml"]), copies)


@contextlib.asynccontextmanager
async def call_centre(
    home: RehearsalHome,
    run_name: str,
    say: Callable[[str], None],
    settings: Mapping[str, Any] | None = None,
    checkout: Path | None = None,
) -> AsyncIterator[ScriptedCallers]:
    """Hold a private call centre and its callers, with the agent of another ``checkout`` if one is given.

    Raises PbxError, AgentDied.
    """
    asterisk = await get_asterisk(home.directory, say)
    run_dir = home.run(run_name)
    own = {**SETTINGS, **(settings or {})}
    async with contextlib.AsyncExitStack() as opened:
        with contextlib.chdir(checkout) if checkout is not None else contextlib.nullcontext():
            # python -m takes the package of the directory it is started in
            stack = await opened.enter_async_context(running_call_centre(asterisk, home, run_dir, say, own))
        yield await opened.enter_async_context(ScriptedCallers(stack, home))
        for line in (*stack.pbx.log_problems(), *stack.phones.log_problems(), *stack.agent.problems()):
            say(f"logged: {line}")
    await asyncio.to_thread(shutil.rmtree, run_dir / "pbx", ignore_errors=True)
