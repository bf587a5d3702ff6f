"""``orderline demo-shop``: what is printed, what is changed, what is refused."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from agent.cli.main import main
from agent.shop.demo.shop import open_demo_shop
from agent.shop.models import TicketDraft


def run(directory: Path, *arguments: str) -> int:
    return main(["demo-shop", "--directory", str(directory), *arguments])


def test_orders_are_listed_by_phone_and_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "list", "--phone", "619-555-0107", "--status", "packed") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("85512  packed")


def test_an_order_is_shown_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "show", "47086") == 0
    order = json.loads(capsys.readouterr().out)
    assert order["items"][0]["name"] == "Electric Kettle"
    assert order["returns"][0]["number"] == 2001


def test_a_change_counts_for_the_order_and_its_parcels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "set", "10473", "status=delayed", "expected_on=2026-12-24", "expected_window=") == 0
    order = json.loads(capsys.readouterr().out)
    assert (order["status"], order["expected_on"], order["expected_window"]) == ("delayed", "2026-12-24", None)
    assert {(parcel["status"], parcel["expected_on"]) for parcel in order["parcels"]} == {("delayed", "2026-12-24")}
    assert run(tmp_path, "reset") == 0
    capsys.readouterr()
    run(tmp_path, "show", "10473")
    assert json.loads(capsys.readouterr().out)["status"] == "in_transit"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("set", "10473", "color=red"), "must be COLUMN=VALUE"),
        (("set", "10473", "status=lost"), "there is no status 'lost'"),
        (("set", "10473", "expected_on=tomorrow"), "must be a day like"),
        (("set", "10472", "place=Memphis"), "has no order 10472"),
        (("show", "10472"), "has no order 10472"),
        (("list", "--status", "lost"), "there is no status"),
        (("list", "--phone", "twelve"), "cannot be a phone number"),
    ],
)
def test_mistakes_are_told_and_change_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    assert run(tmp_path, *arguments) == 1
    assert told in capsys.readouterr().err


def test_what_calls_have_made_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "tickets") == 0
    assert capsys.readouterr().out == ""


async def test_a_ticket_is_shown_as_the_person_who_takes_it_reads_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = await open_demo_shop(tmp_path, now=lambda: datetime.now().astimezone())
    await shop.tickets.create(TicketDraft("call_back", "Call back.", page="# Call back\n\nAll of it.\n"), "k")
    await shop.close()
    assert run(tmp_path, "ticket", "T-1042") == 0
    assert capsys.readouterr().out.endswith("\n\n# Call back\n\nAll of it.\n")
    assert run(tmp_path, "ticket", "T-7") == 1
    assert "has no ticket T-7" in capsys.readouterr().err


async def test_tickets_of_an_earlier_version_stay_and_have_no_page(tmp_path: Path) -> None:
    shop = await open_demo_shop(tmp_path, now=lambda: datetime.now().astimezone())
    await shop.tickets.create(TicketDraft("call_back", "Call back."), "k")
    await shop.close()
    with closing(sqlite3.connect(tmp_path / "tickets.sqlite")) as db:
        db.execute("ALTER TABLE tickets DROP COLUMN page")
    shop = await open_demo_shop(tmp_path, now=lambda: datetime.now().astimezone())
    assert (await shop.tickets.find("T-1042")).draft.page == ""
    await shop.close()
