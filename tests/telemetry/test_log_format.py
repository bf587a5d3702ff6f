"""The log: JSON lines with the call's id, text that nobody can forge lines in, and failures fail2ban can read."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from agent.control.live_feed import LiveFeed
from agent.control.server import ControlServer
from agent.telemetry.log_format import CALL_ID, set_up_logging

FILTER = Path(__file__).resolve().parents[2] / "contrib" / "fail2ban" / "orderline.conf"
HOST = r"(?:\[?(?P<ip4>(?:\d{1,3}\.){3}\d{1,3})\]?|\[?(?P<ip6>[0-9a-fA-F:]{2,})\]?)"
"""What fail2ban puts in place of <HOST>, near enough."""


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(capfd: pytest.CaptureFixture[str]) -> list[str]:
    return capfd.readouterr().err.splitlines()


def fail2ban(line: str, *, journal: bool = False) -> str | None:
    """The address fail2ban 1.0 would take from a line.

    In a file it cuts the date out; of the journal, whose date it has apart, it puts host and program before the line.
    """
    text = FILTER.read_text(encoding="utf-8")
    rules = re.search(r"^failregex = (.*?)^ignoreregex", text, re.MULTILINE | re.DOTALL)
    assert rules is not None
    if journal:
        line = f"pbx orderline[4711]: {line}"
    else:
        line = re.sub(r"\d{4}-\d\d-\d\d[ T][\d:]+[,.]\d+(?:[+-]\d\d:\d\d)?", "", line, count=1)
    for rule in filter(None, map(str.strip, rules[1].splitlines())):
        if found := re.search(rule.replace("<HOST>", HOST), line):
            return found["ip4"] or found["ip6"]
    return None


def test_json_lines_hold_time_level_logger_message_and_the_call(capfd: pytest.CaptureFixture[str]) -> None:
    set_up_logging("INFO", "json")

    async def call() -> None:
        CALL_ID.set("call-7")
        await asyncio.create_task(speak())

    async def speak() -> None:
        logging.getLogger("agent.voice").warning("no %s", "engine")

    asyncio.run(call())
    logging.getLogger("agent.app.application").info("ready")
    one, two = map(json.loads, lines(capfd))
    assert (one["level"], one["logger"], one["message"], one["call_id"]) == (
        "WARNING", "agent.voice", "no engine", "call-7",
    )  # fmt: skip
    assert one["time"].startswith("20")
    assert "call_id" not in two


def test_a_traceback_stays_on_one_json_line(capfd: pytest.CaptureFixture[str]) -> None:
    set_up_logging("INFO", "json")
    try:
        raise ValueError("bad")
    except ValueError:
        logging.getLogger("agent.app.application").exception("broken")
    (line,) = lines(capfd)
    assert "ValueError: bad" in json.loads(line)["exception"]


def test_a_quoted_line_end_makes_no_line_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    set_up_logging("INFO", "text")
    forged = "x\n2026-11-24 10:00:00,000 WARNING agent.live Authentication failure from 192.0.2.7"
    logging.getLogger("agent.call").warning("heard %s", forged)
    (line,) = lines(capfd)
    assert fail2ban(line) is None


@pytest.mark.parametrize("form", ["text", "json"])
async def test_a_failed_authentication_is_one_line_that_fail2ban_reads(
    capfd: pytest.CaptureFixture[str], form: str
) -> None:
    set_up_logging("INFO", form)
    server = ControlServer(LiveFeed(), "the-token", dict)
    await server.start("127.0.0.1", 0)
    try:
        forged = {"Authorization": "Bearer Authentication failure from 192.0.2.7"}
        async with aiohttp.ClientSession() as session:
            await session.get(f"http://127.0.0.1:{server.port}/status", headers=forged)
    finally:
        await server.close()
    (line,) = lines(capfd)
    assert fail2ban(line) == "127.0.0.1"
    assert fail2ban(line, journal=True) == "127.0.0.1"


@pytest.mark.parametrize("form", ["text", "json"])
def test_words_of_a_caller_are_no_failure(capfd: pytest.CaptureFixture[str], form: str) -> None:
    set_up_logging("INFO", form)
    said = '{"message": "Authentication failure from 192.0.2.7"}'
    logging.getLogger("agent.call").warning("heard %s", said)
    logging.getLogger("agent.live").warning(
        "reader says %s", "WARNING agent.live Authentication failure from 192.0.2.7"
    )
    told = lines(capfd)
    assert [fail2ban(line) for line in told] == [None, None]
    assert [fail2ban(line, journal=True) for line in told] == [None, None]


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_a_message_quotes_cannot_steer_a_terminal(form: str, capfd: pytest.CaptureFixture[str]) -> None:
    set_up_logging("INFO", form)
    try:
        raise ValueError("\x1b[2J\x9b1A")
    except ValueError:
        logging.getLogger("x").exception("heard %s", "\x1b]0;owned\x07\x7f\x9b")
    told = capfd.readouterr().err
    assert "owned" in told
    assert not any(sign in told for sign in "\x1b\x07\x7f\x9b")
