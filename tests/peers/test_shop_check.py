"""``orderline shop check`` over the real systems, by the mappings that come with Orderline."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest

from agent.shop.http import commands
from agent.shop.http.check_requests import CheckSamples
from agent.shop.http.mapping_files import additions, load_directory
from tests.peers.conftest import NOW
from tests.peers.kannel import Kannel
from tests.peers.mapped import write_mappings
from tests.peers.oscar import BoughtItem, NewOrder, Oscar
from tests.peers.roundup import Roundup

PHONE = "+12025550141"


@pytest.fixture
def systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, oscar: Oscar, roundup: Roundup, kannel: Kannel) -> Path:
    return write_mappings(tmp_path, monkeypatch, oscar=oscar, roundup=roundup, kannel=kannel)


async def check(systems: Path, samples: CheckSamples) -> tuple[int, str]:
    out = io.StringIO()
    files = load_directory(systems)
    worst = await asyncio.to_thread(commands.check, files, samples, "US", lambda: NOW, out)
    return worst, out.getvalue()


async def test_all_three_answer_as_they_should_and_nothing_is_made(
    systems: Path, oscar: Oscar, roundup: Roundup, kannel: Kannel
) -> None:
    await oscar.place([NewOrder("10601", PHONE, "60614", (BoughtItem("MUG-1", "Blue mug", "9.00"),))])
    tickets, messages = len(roundup.tickets()), len(kannel.left())

    worst, told = await check(systems, CheckSamples(order="10601", phone=PHONE))

    assert worst == 0, told
    assert [line.split()[:2] for line in told.splitlines() if line.startswith("ok")] == [
        ["ok", "messages.send"],
        ["ok", "orders.find"],
        ["ok", "orders.find_by_phone"],
        ["ok", "tickets.create"],
        ["ok", "orders.find"],  # and odd variants of what was read
        ["ok", "orders.find_by_phone"],
    ]
    assert (len(roundup.tickets()), len(kannel.left())) == (tickets, messages)


async def test_wrong_secrets_are_told_with_the_place_where_they_belong(
    systems: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OSCAR_TOKEN", "KANNEL_PASSWORD"):
        monkeypatch.setenv(f"ORDERLINE_{name}", "wrong")

    worst, told = await check(systems, CheckSamples(order="10601", phone=PHONE))

    assert worst == 2
    assert told.count("FAILED  ") == 3
    assert "ORDERLINE_OSCAR_TOKEN" in told
    assert "ORDERLINE_KANNEL_PASSWORD" in told


@pytest.mark.parametrize("name", ["oscar", "roundup", "kannel", "orderline_oscar.py", "roundup_schema.py"])
def test_what_an_administrator_copies_is_printed(name: str) -> None:
    out = io.StringIO()

    commands.print_mapping(name, out)

    assert out.getvalue().splitlines()[0].startswith(("# ", '"""'))
    assert set(additions()) == {"orderline_oscar.py", "roundup_schema.py"}
