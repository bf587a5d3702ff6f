"""``orderline outbox``: what is listed, what is tried again, what is refused."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from agent.cli.main import main
from agent.common.sqlite import transaction
from agent.records import outbox_sql as table
from agent.records.database import connect
from agent.records.outbox_sql import NewOutboxEntry


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings whose outbox holds a dead ticket (1), a waiting webhook (2) and a delivered text message (3)."""
    (tmp_path / "orderline.yaml").write_text("state_directory: state\n")
    (tmp_path / "state").mkdir()
    with closing(connect(tmp_path / "state" / "calls.sqlite")) as db, transaction(db):
        ticket = NewOutboxEntry(
            "ticket", "k1", {"name": "tickets.create", "arguments": {"summary": "secret"}}, "call-1"
        )
        webhook = NewOutboxEntry(
            "webhook", "k2", {"hook": "crm", "body": {"event": "call.ended"}}, "call-1", "webhook:crm"
        )
        table.add(db, [ticket, webhook, NewOutboxEntry("sms", "k3", {"name": "messages.send"}, "call-1")], 1000.0)
        table.claim(db, "ticket", 1, 1000.0)
        table.mark_dead(db, 1, "HTTP 410: it is gone for good", 1001.0)
        table.confirm(db, "k3", 1001.0)
    return tmp_path


def run(config: Path, *arguments: str) -> int:
    return main(["outbox", "--config", str(config), *arguments])


def states(config: Path) -> dict[int, str]:
    with closing(connect(config / "state" / "calls.sqlite")) as db:
        return {entry.id: entry.state for entry in table.rows(db, table.STATES)}


def test_what_is_on_its_way_is_listed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.split()[:3] == ["2", "webhook:crm", "call.ended"]


def test_dead_letters_are_listed_with_what_hindered_them(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "dead") == 0
    out = capsys.readouterr().out
    assert "tickets.create" in out
    assert "dead, tried 1 time: HTTP 410: it is gone for good" in out


def test_json_has_one_object_a_line_and_nothing_personal(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "list", "--all", "--json") == 0
    out = capsys.readouterr().out
    assert [json.loads(line)["state"] for line in out.splitlines()] == ["dead", "waiting", "delivered"]
    assert "secret" not in out


def test_one_or_all_dead_letters_are_tried_again_as_if_new(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "retry", "--all") == 0
    assert capsys.readouterr().out == "1 to be tried again now.\n"
    assert states(config)[1] == "waiting"
    with closing(connect(config / "state" / "calls.sqlite")) as db:
        entry = table.rows(db, ["waiting"])[0]
    assert entry.attempts == 0
    assert run(config, "retry", "2") == 0


def test_one_is_dropped(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "drop", "1") == 0
    assert states(config) == {2: "waiting", 3: "delivered"}
    assert run(config, "drop", "--all") == 0
    assert states(config) == {2: "waiting", 3: "delivered"}


def test_all_dead_ones_are_dropped_and_nothing_else(config: Path) -> None:
    assert run(config, "drop", "--all") == 0
    assert states(config) == {2: "waiting", 3: "delivered"}


def test_numbers_by_lane(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "stats", "--json") == 0
    expected = {"sms": {"delivered": 1}, "ticket": {"dead": 1}, "webhook:crm": {"waiting": 1}}
    assert json.loads(capsys.readouterr().out) == expected
    assert run(config, "stats") == 0
    assert "1 dead" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [("drop", "3"), ("retry", "99"), ("drop", "99")])
def test_what_cannot_be_done_is_told_and_changes_nothing(
    config: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    before = states(config)
    assert run(config, *arguments) == 1
    assert "no entry" in capsys.readouterr().err
    assert states(config) == before


def test_an_entry_must_be_named(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "drop") == 2
    assert run(config, "retry") == 2


def test_before_the_first_start_there_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "orderline.yaml").write_text("state_directory: state\n")
    assert run(tmp_path, "list") == 1
    assert "there is none yet" in capsys.readouterr().err


def test_webhooks_that_are_not_set_are_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["webhooks", "test", "--config", str(config)]) == 2
    assert "docs/webhooks.md" in capsys.readouterr().err
    assert main(["webhooks", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["discriminator"]["propertyName"] == "event"
