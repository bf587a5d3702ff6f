"""The whole outbox of an agent: settings in, a real receiver at the other end, a dead Redis beside it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from agent.app.outbox_factory import open_outbox
from agent.call.records import Caller, CallRecord
from agent.cli.main import main
from agent.config.base import SettingsError
from agent.config.loader import load_settings
from agent.config.settings import Settings
from agent.history.filters import CallFilter
from agent.history.shared import SharedHistory
from agent.rehearsal.real_postgres import RealPostgres
from tests.waiting import until

SECRET = "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
CHANGES = frozenset({"tickets.create"})


def wall() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Shop:
    """Makes tickets."""

    async def perform(self, name: str, arguments: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        return {"ticket": {"id": "T-1"}}


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", got
    server.shutdown()
    server.server_close()


def settings(directory: Path, url: str, more: str = "") -> Settings:
    (directory / "orderline.yaml").write_text(
        f"state_directory: state\nwebhooks:\n  - name: crm\n    url: {url}\n    secret_file: webhook-crm\n{more}"
    )
    (directory / "webhook-crm").write_text(SECRET + "\n")
    return load_settings(directory)


@pytest.mark.parametrize("more", ["", "redis: {url: 'redis://127.0.0.1:1/0'}\n"])
async def test_a_call_s_happenings_reach_the_receiver(
    tmp_path: Path, receiver: tuple[str, list[dict[str, Any]]], more: str
) -> None:
    url, got = receiver
    stack = contextlib.AsyncExitStack()
    outbox_service = await open_outbox(settings(tmp_path, url, more), Shop(), CHANGES, wall, stack)
    delivering = asyncio.create_task(outbox_service.deliveries.run(outbox_service.redis_sharing))
    record = CallRecord(
        "call-1", Caller("2025550143"), "2026-11-24T10:00:00+00:00", outcome="answered", ended_by="agent"
    )
    await outbox_service.records.begin(record)
    services = outbox_service.services_of("call-1")
    await services.perform("tickets.create", {"reason": "call_back", "summary": "x"}, "k1")
    await outbox_service.records.write(record)
    await until(lambda: len(got) == 3)
    outbox_service.deliveries.stop()
    await delivering
    await stack.aclose()
    assert {event["event"] for event in got} == {"call.started", "ticket.created", "call.ended"}
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("outbox")] == []


async def test_a_webhook_without_a_secret_stops_the_start_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "orderline.yaml").write_text(
        "state_directory: state\nwebhooks: [{name: crm, url: 'https://crm.example'}]\n"
    )
    with pytest.raises(SettingsError, match="ORDERLINE_WEBHOOK_CRM_SECRET"):
        await open_outbox(load_settings(tmp_path), Shop(), CHANGES, wall, contextlib.AsyncExitStack())


def test_the_test_command_says_what_came_back(
    tmp_path: Path, receiver: tuple[str, list[dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    settings(tmp_path, receiver[0])
    assert main(["webhooks", "test", "--config", str(tmp_path)]) == 0
    assert "crm: ok" in capsys.readouterr().out
    assert receiver[1][0]["event"] == "test"
    settings(tmp_path, "http://127.0.0.1:1/")
    assert main(["webhooks", "test", "crm", "--config", str(tmp_path)]) == 1
    assert "crm: FAILED" in capsys.readouterr().out


async def test_records_go_to_postgresql_where_it_is_set(
    postgres: RealPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERLINE_RECORDS_URL", postgres.url)
    settings = Settings(state_directory=tmp_path)
    async with contextlib.AsyncExitStack() as stack:
        service = await open_outbox(settings, Shop(), CHANGES, wall, stack)
        delivering = asyncio.create_task(service.deliveries.run())
        await service.records.write(CallRecord("call.1", Caller("2025550143"), wall().isoformat(), outcome="answered"))
        async with asyncio.timeout(60):
            while (await service.records.outbox.counts()).get("records") != {"delivered": 1}:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert service.record_sender is not None
        assert service.record_sender.problem == ""
        service.deliveries.stop()
        await delivering
    shared = SharedHistory(postgres.url)
    await asyncio.to_thread(shared.catch_up)
    assert [line.id for line in (await asyncio.to_thread(shared.index.find, CallFilter())).lines] == ["call.1"]
    shared.close()
