"""Plays caller scripts against a PBX: prepares their sounds, places the calls, some at once, gathers the results."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from agent.asterisk.ari.client import AriClient
from agent.common.tasks import cancel_and_wait
from agent.rehearsal.audio import write_call
from agent.rehearsal.call_evaluation import evaluate_call
from agent.rehearsal.call_log import CallLog
from agent.rehearsal.exchange import PhoneExchange
from agent.rehearsal.live_feed import CallFeed, CallFeedSource, EmptyFeedSource, LiveFeedClient
from agent.rehearsal.noises import make_noise
from agent.rehearsal.phone import Leg
from agent.rehearsal.progress_reporter import ProgressReporter
from agent.rehearsal.report import RehearsalReport, SilentReport
from agent.rehearsal.result import RehearsalResult, ScriptedCallResult
from agent.rehearsal.ringing_phones import RingingPhoneMatcher
from agent.rehearsal.script import CallScript, ScriptedStaffPhone
from agent.rehearsal.script_player import CallSounds, ScriptPlayer
from agent.rehearsal.script_reader import load_scripts
from agent.rehearsal.staff_phone import StaffPhone
from agent.rehearsal.voices import Voices

APP = "rehearse"
"""The ARI application that owns the legs on the second Asterisk."""
_RECORD_SECONDS = 5.0
"""After the line is dead the agent has this long to say that its record is written."""
_RING_SECONDS = 35.0
_FICTIONAL_AREAS = ("202", "303", "404", "505", "606", "707", "808", "909", "212", "313")
"""555-0100 to 555-0199 are reserved for fiction in each of them."""


class PhonesPbx(Protocol):
    """The second Asterisk: how its ARI is reached."""

    @property
    def ari_url(self) -> str:
        """Base address."""

    @property
    def ari_user(self) -> str:
        """User of the application ``run_scripts``."""

    @property
    def ari_password(self) -> str:
        """That user's password."""


async def run_scripts(
    scripts: Sequence[Path | CallScript],
    *,
    b: PhonesPbx,
    feed_url: str | None,
    feed_token: str = "",
    keep: Path,
    sounds_dir: Path | None = None,
    cache_dir: Path | None = None,
    at_once: int = 1,
    repeat: int = 1,
    report: RehearsalReport | None = None,
) -> RehearsalResult:
    """Play the scripts and return what came of each call.

    ``b`` is the carrier's Asterisk, ``feed_url`` the agent's control address (None: judged from the audio alone),
    ``keep`` where the recordings and records go, ``sounds_dir`` Asterisk's English core sounds (the folder of
    ``digits/1.wav``), ``cache_dir`` where rendered speech is kept (default ``keep/voices``). ``at_once`` calls are
    held at the same time; each call is placed ``repeat`` times, the copies from numbers of their own.

    Raises ScriptError, CallerVoiceError (before anything is dialled), AriError and PhoneError.
    """
    calls = with_numbers(load_calls(scripts), repeat)
    await asyncio.to_thread(keep.mkdir, parents=True, exist_ok=True)
    voices = Voices(cache_dir or keep / "voices", sounds_dir)
    sounds = [await render_call_sounds(call, voices, sounds_dir) for call in calls]
    files = file_names([call.name for call in calls])
    async with contextlib.AsyncExitStack() as stack:
        ari = await stack.enter_async_context(AriClient(b.ari_url, b.ari_user, b.ari_password, APP))
        exchange = PhoneExchange(ari)
        stack.push_async_callback(exchange.close)
        ringing_phones = RingingPhoneMatcher(exchange)
        feed: CallFeedSource = (
            EmptyFeedSource()
            if feed_url is None
            else await stack.enter_async_context(LiveFeedClient(feed_url, feed_token))
        )
        places = asyncio.Semaphore(max(1, at_once))

        async def place(index: int) -> ScriptedCallResult:
            async with places:
                path = keep / files[index]
                return await play_call(
                    calls[index], exchange, ringing_phones, feed, sounds[index], path, report or SilentReport()
                )

        tasks = [asyncio.create_task(place(index)) for index in range(len(calls))]
        try:
            return RehearsalResult(tuple(await asyncio.gather(*tasks)))
        finally:
            for task in tasks:
                if not task.cancelling():  # a second cancellation would break into its cleaning up
                    task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def load_calls(scripts: Sequence[Path | CallScript]) -> tuple[CallScript, ...]:
    """Return the calls of files and of scripts already read, in their order. Raises ScriptError."""
    load_scripts([script for script in scripts if isinstance(script, Path)])  # all mistakes of all files at once
    calls: list[CallScript] = []
    for script in scripts:
        calls.extend(load_scripts([script]) if isinstance(script, Path) else [script])
    return tuple(calls)


def with_numbers(calls: Sequence[CallScript], repeat: int = 1) -> tuple[CallScript, ...]:
    """Repeat the calls, and give a fictional number of its own to every copy and to every caller without one."""
    taken = {call.number for call in calls}
    fictional = (
        number for area in _FICTIONAL_AREAS for line in range(100) if (number := f"{area}55501{line:02d}") not in taken
    )
    placed: list[CallScript] = []
    for round_number in range(max(1, repeat)):
        for call in calls:
            name = call.name if round_number == 0 else f"{call.name} ({round_number + 1})"
            own = call.number if round_number == 0 else ""
            # After a thousand callers the numbers begin anew: they are the callers' own only as long as they last.
            number = own or next(fictional, f"{_FICTIONAL_AREAS[0]}55501{len(placed) % 100:02d}")
            placed.append(replace(call, name=name, number=number))
    return tuple(placed)


async def render_call_sounds(call: CallScript, voices: Voices, sounds_dir: Path | None) -> CallSounds:
    """Render everything a call will put on the line. Raises CallerVoiceError."""
    speeches = {speech: await voices.render(speech, call.level_dbfs) for speech in call.speeches}
    noises = {noise: await asyncio.to_thread(make_noise, noise, sounds_dir) for noise in call.noises}
    return CallSounds(speeches, noises)


async def play_call(
    script: CallScript,
    exchange: PhoneExchange,
    ringing_phones: RingingPhoneMatcher,
    feed: CallFeedSource,
    sounds: CallSounds,
    keep: Path,
    report: RehearsalReport,
) -> ScriptedCallResult:
    """Place one call, play its script, save both sides and the record beside ``keep`` (a path without ending).

    However the call ends, nothing of it is left on the second Asterisk. Raises PhoneError when that one fails.
    """
    background = sounds.noises[script.noise] if script.noise is not None else None
    async with feed.follow(script.number) as call_feed:
        log = CallLog(script.number, call_feed)
        report.dialled(script.name, f"{script.caller_name} <{script.number}>".strip(), script.dial)
        leg = await exchange.dial(script.dial, script.number, script.caller_name, background)
        if script.echo is not None:
            leg.enable_echo(script.echo.delay_ms, script.echo.loss_db)
        log.heard, log.sent, log.dialled_at = leg.heard, leg.spoken, leg.dialled_at
        narrator = ProgressReporter(script.name, log, report)
        telling = asyncio.create_task(narrator.run())
        try:
            await _hold(script, leg, log, ringing_phones, sounds, keep)
        finally:
            await leg.close()
            await cancel_and_wait(telling)
        log.ended_at, log.hung_up_by = leg.ended_at or time.monotonic(), leg.hung_up_by
        record = await _record(call_feed, keep.with_name(keep.name + ".record.json"))
        await narrator.rest()
    recording = keep.with_name(keep.name + ".wav")
    await asyncio.to_thread(write_call, recording, log.sent, log.heard)
    result = await asyncio.to_thread(evaluate_call, script, log, recording, record)
    report.finished(result)
    return result


async def _hold(
    script: CallScript, leg: Leg, log: CallLog, ringing_phones: RingingPhoneMatcher, sounds: CallSounds, keep: Path
) -> None:
    leaving = asyncio.create_task(_leave_at(leg, script.hang_up_at_ms)) if script.hang_up_at_ms is not None else None
    try:
        async with asyncio.timeout(script.limit_seconds):
            if not await _answered(script, leg, log):
                return
            humans = any(isinstance(step, ScriptedStaffPhone) for step in script.steps)
            human = StaffPhone(
                ringing_phones, leg, log, sounds, keep.with_name(keep.name + "-human.wav") if humans else None
            )
            await ScriptPlayer(script, leg, log.feed, sounds, log, human).run()
    except TimeoutError:
        log.check(f"the call is over within {script.limit_seconds:g} s", False, "the caller gave up")
    finally:
        if leaving is not None:
            await cancel_and_wait(leaving)


async def _answered(script: CallScript, leg: Leg, log: CallLog) -> bool:
    """Wait for the answer and join the audio; False when there was none (which may be what the script wants)."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_RING_SECONDS):
            await leg.answered.wait()
    if leg.answered_at is not None:
        log.answered_at = leg.answered_at
        await leg.join()
        return True
    if script.hang_up_at_ms is None:
        log.check("the call is answered", False, leg.cause or "nobody answered")
    return False


async def _leave_at(leg: Leg, after_ms: float) -> None:
    if not await leg.ends_within(leg.dialled_at + after_ms / 1000 - time.monotonic()):
        await leg.hang_up()


async def _record(feed: CallFeed, path: Path) -> Path | None:
    """Wait for the agent's record and save it; None when the agent never had the call or kept silent."""
    if not feed.started or not await feed.wait_for(
        lambda: feed.last_of_visit("call_ended") is not None, _RECORD_SECONDS
    ):
        return None
    ended = feed.last_of_visit("call_ended")
    text = json.dumps(ended.data.get("record") if ended else None, indent=2, ensure_ascii=False, default=str) + "\n"
    await asyncio.to_thread(path.write_text, text, encoding="utf-8")
    return path


def file_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return a file name (without ending) for each call's name; no two are the same."""
    found: list[str] = []
    for name in names:
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "call"
        unique, count = plain, 2
        while unique in found:
            unique, count = f"{plain}-{count}", count + 1
        found.append(unique)
    return tuple(found)
