"""``orderline demo``, ``run`` and ``rehearse``: a private call centre, scripted callers, and what came of it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from agent.rehearse.in_turn import InTurnReport
from agent.rehearse.live_print import LivePrinter
from agent.rehearse.private_asterisk import Asterisk, ensure_asterisk
from agent.rehearse.rehearsal import rehearse
from agent.rehearse.report import ConsoleReport, Report, SilentReport, summary_lines
from agent.rehearse.result import RehearsalResult
from agent.rehearse.stack import Home, Stack, running_stack

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


async def play(
    files: Sequence[Path], home: Home, *, keep: Path, at_once: int = 1, quiet: bool = False
) -> tuple[RehearsalResult, Stack]:
    """Start a private call centre, play the calls of these scripts, stop it. Returns the result and what it ran on."""
    report = _nothing if quiet else say
    calls: Report = SilentReport() if quiet else InTurnReport(ConsoleReport(say))
    asterisk = await get_asterisk(home.directory, report)
    report(f"Asterisk {asterisk.version} ({asterisk.origin})")
    async with running_stack(asterisk, home, home.run(f"run-{os.getpid()}"), report) as stack:
        result = await rehearse(
            files,
            b=stack.phones,
            feed_url=stack.agent.control_url,
            feed_token=stack.agent.token,
            keep=keep,
            sounds_dir=asterisk.data_dir / "sounds" / "en",
            cache_dir=home.shared / "callers",
            at_once=at_once,
            report=calls,
        )
        return result, stack


async def demo(home: Home) -> int:
    """Place the demo calls, print them live, write ``demo/summary.json``; 0 when every call did what it should."""
    keep = home.run("demo")
    result, stack = await play([DEMO_SCRIPT], home, keep=keep, at_once=DEMO_AT_ONCE)
    problems = stack.pbx.log_problems() + stack.phones.log_problems() + stack.agent.problems()
    summary = {
        "asterisk": stack.asterisk.version,
        "model": "vosk-model-tiny-en-us-phone",
        "voice": "hibari",
        **result.to_dict(),
    }
    (keep / "summary.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for line in problems:
        say(f"logged: {line}")
    say("\n".join(["", *summary_lines(result)]))
    say(f"Recordings, call records and summary.json are in {keep}")
    shutil.rmtree(stack.run_dir, ignore_errors=True)
    return 0 if result.ok and not problems else 1


async def play_files(files: Sequence[Path], home: Home, *, keep: Path | None, at_once: int, as_json: bool) -> int:
    """Play caller scripts and print what came of them; 0 when every call did what its script expects."""
    result, stack = await play(files, home, keep=keep or home.run("rehearsal"), at_once=at_once, quiet=as_json)
    say(json.dumps(result.to_dict(), indent=2, ensure_ascii=False) if as_json else "\n".join(summary_lines(result)))
    shutil.rmtree(stack.run_dir, ignore_errors=True)
    return 0 if result.ok else 1


async def run(home: Home, stop: asyncio.Event) -> int:
    """Leave a private call centre running for a softphone, with a live transcript, until ``stop`` is set."""
    asterisk = await get_asterisk(home.directory)
    async with running_stack(asterisk, home, home.run(f"run-{os.getpid()}"), say) as stack:
        account = stack.pbx.softphone
        if account is not None:
            say(
                f"\nRing the agent from any softphone on this machine:\n"
                f"  SIP account  {account.user}\n  password     {account.password}\n"
                f"  server       {account.host}:{account.port} (UDP)\n  dial         7000\n\n"
                f"Order 10473, postcode 60614 is on its way; Ctrl-C ends it.\n"
            )
        printer = asyncio.create_task(_print_live(stack.agent.control_url, stack.agent.token))
        try:
            await stop.wait()
        finally:
            printer.cancel()
            await asyncio.gather(printer, return_exceptions=True)
    return 0


async def _print_live(url: str, token: str) -> None:
    printer = LivePrinter(say, colour=sys.stdout.isatty())
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.ws_connect(f"{url}/live") as socket:
        async for message in socket:
            event: dict[str, Any] = json.loads(message.data)
            printer.show(event)
