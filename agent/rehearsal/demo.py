"""``orderline demo``, ``run`` and ``rehearse``: scripted calls on a private call centre, and their results."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from agent.common.tasks import cancel_and_wait
from agent.rehearsal.call_centre import PrivateCallCentre, RehearsalHome, running_call_centre
from agent.rehearsal.console_process import running_console_of, usual_port
from agent.rehearsal.errors import ScriptError
from agent.rehearsal.live_transcript import TranscriptPrinter
from agent.rehearsal.ordered_report import OrderedReport
from agent.rehearsal.outbound_demo import CUSTOMERS, call_customers
from agent.rehearsal.outbound_demo import SETTINGS as OUTBOUND_SETTINGS
from agent.rehearsal.private_asterisk import Asterisk, ensure_asterisk
from agent.rehearsal.report import ConsoleReport, RehearsalReport, SilentReport, summary_lines, write_summary
from agent.rehearsal.result import RehearsalResult, ScriptedCallResult
from agent.rehearsal.runner import run_scripts
from agent.rehearsal.running_call_centre import RunningCallCentre
from agent.rehearsal.script import CallScript
from agent.rehearsal.script_reader import load_scripts

log = logging.getLogger(__name__)

DEMO_AT_ONCE = 2
"""Two calls at a time keep a later run within a minute and a half; they are printed one after the other."""
DEMO_SCRIPT = Path(__file__).resolve().parent / "scripts" / "demo.yaml"


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(text, flush=True)


async def get_asterisk(home: Path, report: Callable[[str], None] = say) -> Asterisk:
    """The Asterisk to use: ``ASTERISK`` in the environment, an installed one, or a private tree that is fetched."""
    return await ensure_asterisk(home, force=os.environ.get("ASTERISK") or None, report=report)


def _nothing(_: str) -> None:
    """Tell nobody."""


@contextlib.asynccontextmanager
async def temporary_call_centre(
    home: RehearsalHome,
    report: Callable[[str], None],
    flows: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    instances: int = 1,
) -> AsyncIterator[PrivateCallCentre]:
    """Hold a private call centre; its files are removed when all went well, and kept for a look otherwise."""
    asterisk = await get_asterisk(home.directory, report)
    report(f"Asterisk {asterisk.version} ({asterisk.origin})")
    run_dir = home.run(f"run-{os.getpid()}")
    own = {**(settings or {}), **({"flows_directory": str(flows)} if flows else {})}
    async with running_call_centre(asterisk, home, run_dir, report, own, instances) as stack:
        yield stack
    await asyncio.to_thread(shutil.rmtree, run_dir, ignore_errors=True)


async def play_scripts(
    scripts: Sequence[Path | CallScript],
    place: RunningCallCentre,
    home: RehearsalHome,
    *,
    keep: Path,
    at_once: int,
    report: RehearsalReport,
) -> RehearsalResult:
    """Play the calls of these scripts where ``place`` says."""
    return await run_scripts(
        scripts,
        b=place,
        feed_url=place.feed_url,
        feed_token=place.feed_token,
        keep=keep,
        sounds_dir=place.sounds_dir,
        cache_dir=home.shared / "callers",
        at_once=at_once,
        report=report,
    )


async def demo(home: RehearsalHome) -> int:
    """Place the demo calls, print them live, write ``demo/summary.json``; 0 when every call did what it should."""
    keep = home.run("demo")
    async with temporary_call_centre(home, say, settings=OUTBOUND_SETTINGS) as stack:
        report = OrderedReport(ConsoleReport(say))
        place = RunningCallCentre.of(stack)
        result = await play_scripts([DEMO_SCRIPT], place, home, keep=keep, at_once=DEMO_AT_ONCE, report=report)
        not_reached = await call_customers(stack, home, say)
        problems = stack.pbx.log_problems() + stack.phones.log_problems() + stack.agent.problems()
        about = {"asterisk": stack.asterisk.version, **stack.agent.about}
    write_summary(result, keep / "summary.json", about)
    for line in problems:
        say(f"logged: {line}")
    say("\n".join(["", *summary_lines(result)]))
    say(f"{len(CUSTOMERS) - len(not_reached)} of {len(CUSTOMERS)} calls to customers did what they should.")
    for line in not_reached:
        say(line)
    say(f"Recordings, call records and summary.json are in {keep}")
    return 0 if result.ok and not problems and not not_reached else 1


async def play_files(
    files: Sequence[Path],
    home: RehearsalHome,
    *,
    keep: Path | None,
    at_once: int,
    as_json: bool,
    flows: Path | None,
    running: bool,
    voices: Sequence[str] = (),
    least_share: float = 1.0,
) -> int:
    """Play caller scripts and print what came of them; 0 when enough calls did what their scripts expect.

    ``least_share`` (0 to 1) is how many of the calls are enough: the recogniser mishears some synthetic callers.

    With ``voices`` every call is played once by each of them.

    Calls whose scripts need settings of their own, and those of each voice, get a call centre of their own, one after
    the other: what one cast has changed in the demo shop is not there for the next.

    With ``running`` on the private call centre that ``orderline run`` holds in this home, else on one of its own, whose
    agent may follow other procedures than the shipped ones (``flows``).
    """
    report: RehearsalReport = SilentReport() if as_json else OrderedReport(ConsoleReport(say))
    calls = load_scripts(files, voices)
    keep = keep or home.run("rehearsal")
    tell = _nothing if as_json else say
    played: list[ScriptedCallResult] = []
    casts = list(dict.fromkeys((call.settings, call.cast) for call in calls))
    if running and any(settings for settings, _ in casts):
        files_with = sorted({call.file for call in calls if call.settings})
        raise ScriptError([f"{file}: has settings of its own: play it without --running" for file in files_with])
    for index, cast in enumerate(casts, 1):
        own_calls = [call for call in calls if (call.settings, call.cast) == cast]
        settings = json.loads(cast[0] or "{}")
        async with contextlib.AsyncExitStack() as stack:
            if running:
                place = RunningCallCentre.read(home)
            else:
                own = temporary_call_centre(home, tell, flows, settings)
                place = RunningCallCentre.of(await stack.enter_async_context(own))
            folder = keep / str(index) if len(casts) > 1 else keep
            result = await play_scripts(own_calls, place, home, keep=folder, at_once=at_once, report=report)
        played += result.calls
    result = RehearsalResult(tuple(played))
    say(json.dumps(result.to_dict(), indent=2, ensure_ascii=False) if as_json else "\n".join(summary_lines(result)))
    return 0 if result.good_share >= least_share else 1


async def run(home: RehearsalHome, stop: asyncio.Event, *, instances: int = 1) -> int:
    """Leave a private call centre running for a softphone, with a live transcript, until ``stop`` is set."""
    async with temporary_call_centre(home, say, instances=instances) as stack:
        run_dir = stack.agent.config_dir.parent
        with RunningCallCentre.of(stack).told(home):
            async with running_console_of(stack, run_dir, port=usual_port()) as console:
                say(f"\nConsole in the browser: {console.url}")
                say(f"  name         {console.name}\n  password     {console.password}")
                await _show_live_calls(stack, stop)
    return 0


async def _show_live_calls(stack: PrivateCallCentre, stop: asyncio.Event) -> None:
    """Say where to ring, and print what is said, until ``stop`` is set."""
    account = stack.pbx.softphone
    if account is not None:
        say(
            f"\nRing the agent from any softphone on this machine:\n"
            f"  SIP account  {account.user}\n  password     {account.password}\n"
            f"  server       {account.host}:{account.port} (UDP)\n  dial         7000\n\n"
            f"Order 10473, postcode 60614 is on its way; Ctrl-C ends it.\n"
        )
    printers = [asyncio.create_task(_print_live(one.control_url, one.token)) for one in stack.agents]
    try:
        await stop.wait()
    finally:
        await cancel_and_wait(*printers)


async def _print_live(url: str, token: str) -> None:
    printer = TranscriptPrinter(say, colour=sys.stdout.isatty())
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.ws_connect(f"{url}/live") as socket:
        async for message in socket:
            event: dict[str, Any] = json.loads(message.data)
            printer.show(event)
