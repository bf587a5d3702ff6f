"""Changes over a restart: the same key gets the first confirmation, and what may have happened is not sent again."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from agent.shop.http.idempotency_store import KEEP_SECONDS, IdempotencyStore, StoredChange
from agent.shop.models import TicketDraft
from tests.shop.http.mapped import NOW, TICKET_MAPPING, OpenShop, service_error_of

DRAFT = TicketDraft("no_match", "")
PATH = "/desk/tickets"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "changes.sqlite"


async def test_a_restart_does_not_make_a_second_ticket(open_shop: OpenShop, httpserver: HTTPServer, file: Path) -> None:
    answer = {"ticket": {"id": 7, "created": NOW.isoformat()}}
    httpserver.expect_request(PATH).respond_with_json(answer, status=201)
    for _ in range(2):
        kept = IdempotencyStore(file)
        made = await open_shop(TICKET_MAPPING, kept=kept).systems.tickets.create(DRAFT, "k1")
        assert (made.id, made.created_at) == ("7", NOW)
        await kept.close()
    assert len(httpserver.log) == 1


async def test_after_a_restart_an_unknown_outcome_is_still_unknown(
    open_shop: OpenShop, httpserver: HTTPServer, file: Path
) -> None:
    httpserver.expect_request(PATH).respond_with_data("", status=504)
    for _ in range(2):
        kept = IdempotencyStore(file)
        error = await service_error_of(open_shop(TICKET_MAPPING, kept=kept).systems.tickets.create(DRAFT, "k1"))
        assert error.code == "timed_out"
        await kept.close()
    assert len(httpserver.log) == 1


async def test_what_was_certainly_not_made_is_made_after_a_restart(
    open_shop: OpenShop, httpserver: HTTPServer, file: Path
) -> None:
    httpserver.expect_ordered_request(PATH).respond_with_data("", status=503)
    httpserver.expect_ordered_request(PATH).respond_with_json({"ticket": {"id": 8}})
    kept = IdempotencyStore(file)
    assert (
        await service_error_of(open_shop(TICKET_MAPPING, kept=kept).systems.tickets.create(DRAFT, "k1"))
    ).code == "unavailable"
    await kept.close()
    kept = IdempotencyStore(file)
    assert (await open_shop(TICKET_MAPPING, kept=kept).systems.tickets.create(DRAFT, "k1")).id == "8"
    await kept.close()


async def test_a_file_that_cannot_be_used_stops_no_change(
    open_shop: OpenShop, httpserver: HTTPServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    httpserver.expect_request(PATH).respond_with_json({"ticket": {"id": 9}})
    kept = IdempotencyStore(tmp_path / "no" / "such" / "directory.sqlite")
    with caplog.at_level(logging.ERROR):
        tickets = open_shop(TICKET_MAPPING, kept=kept).systems.tickets
        assert [(await tickets.create(DRAFT, "k1")).id for _ in range(2)] == ["9", "9"]
    await kept.close()
    assert "Changes are not kept over a restart" in caplog.text
    assert len(httpserver.log) == 1


async def test_old_changes_are_forgotten(file: Path) -> None:
    now = 0.0
    kept = IdempotencyStore(file, clock=lambda: now)
    assert await kept.begin("tickets.create", "k1") is None
    await kept.done("tickets.create", "k1", "{}")
    now = KEEP_SECONDS
    assert await kept.begin("tickets.create", "k1") == StoredChange("{}")
    now = KEEP_SECONDS + 1
    assert await kept.begin("tickets.create", "k1") is None
    await kept.close()
    with sqlite3.connect(file) as db:
        assert db.execute("SELECT count(*) FROM changes").fetchone() == (1,)
