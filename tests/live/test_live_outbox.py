"""Real calls and what others hear of them: webhooks, a ticket's page, and a call whose agent was killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from agent.rehearsal.call_centre import RehearsalHome, running_call_centre
from agent.rehearsal.private_asterisk import Asterisk
from tests.live.conftest import CallCentre, failures, records_of, stored_records
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@dataclass
class WebhookListener:
    """A call centre and what its webhook heard."""

    centre: CallCentre
    events: list[dict[str, Any]] = field(default_factory=list)

    def of(self, call_id: str) -> list[str]:
        return [event["event"] for event in self.events if event["call_id"] == call_id]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def listening(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[WebhookListener]:
    events: list[dict[str, Any]] = []

    async def hear(request: web.Request) -> web.Response:
        events.append(Webhook(SECRET).verify(await request.read(), dict(request.headers)))
        return web.Response(status=204)

    application = web.Application()
    application.add_routes([web.post("/", hear)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    secret = tmp_path_factory.mktemp("secret") / "webhook"
    secret.touch(mode=0o600)
    secret.write_text(SECRET)
    hook = {"name": "crm", "url": f"http://127.0.0.1:{runner.addresses[0][1]}/", "secret_file": str(secret)}
    settings: dict[str, object] = {"webhooks": [hook], "shop": {"survey": "yes"}}
    async with running_call_centre(asterisk, home, tmp_path_factory.mktemp("run"), print, settings) as stack:
        yield WebhookListener(CallCentre(stack, home, tmp_path_factory.mktemp("calls")), events)
    await runner.cleanup()


def outbox_states(centre: CallCentre) -> set[str]:
    with closing(sqlite3.connect(centre.stack.run_dir / "state" / "calls.sqlite")) as db:
        return {state for (state,) in db.execute("SELECT state FROM outbox")}


def last_ticket(run_dir: Path) -> str:
    with closing(sqlite3.connect(run_dir / "shop" / "tickets.sqlite")) as db:
        page: str = db.execute("SELECT page FROM tickets ORDER BY number DESC").fetchone()[0]
    return page


async def test_a_call_that_ends_with_a_person_is_told_and_its_ticket_has_a_page(listening: WebhookListener) -> None:
    result = await listening.centre.play_until_heard(
        """
calls:
  - name: a person, please
    dial: "7000"
    voice: joe
    steps:
      - say: where is order one oh four seven three
      - expect: /postcode/
      - keys: "60614"
      - expect: /arrive/
      - say: I want to talk to a person
      - human: {phone: "601", says: hello, ticket_matches: /^T-\\d+$/, hangs_up: human}
    expect: {outcome: handed_over}
"""
    )
    assert result.ok, failures(result)
    call_id = result.calls[0].call_id
    expected = {"call.started", "ticket.created", "call.handed_over", "call.ended"}
    await until(lambda: set(listening.of(call_id)) == expected)
    assert len(listening.of(call_id)) == len(expected)
    assert "60614" not in json.dumps(listening.events)
    page = last_ticket(listening.centre.stack.run_dir)
    assert "- yes, by order number and postcode" in page
    assert "- Order 10473: in transit" in page
    await until(lambda: outbox_states(listening.centre) == {"delivered"})


async def test_what_a_caller_thought_of_the_call_stands_in_its_record_and_is_told(listening: WebhookListener) -> None:
    result = await listening.centre.play_until_heard(
        """
defaults: {dial: "7000", voice: joe}
calls:
  - name: four, in words
    steps:
      - say: where is order one oh four seven three
      - expect: /postcode/
      - keys: "60614"
      - expect: /arrive/
      - say: no thanks
      - expect: /From one to five/
      - say: four
      - expect: /Thank you/
      - wait: hang_up
    expect: {outcome: answered, effects: [surveys.answer]}
  - name: five, by key
    steps:
      - say: what are your opening hours
      - expect: /nine to six/
      - say: no thanks
      - expect: /From one to five/
      - keys: "5"
      - expect: /Thank you/
      - wait: hang_up
    expect: {outcome: answered, effects: [surveys.answer]}
""",
        at_once=2,
    )
    assert result.ok, failures(result)
    told: list[dict[str, Any]] = []
    records = await records_of(listening.centre, result)
    assert [record["slots"]["survey_score"] for record in records] == ["4", "5"]
    for call, score, order in zip(result.calls, ("4", "5"), ("10473", None), strict=True):
        await until(lambda call=call: "call.ended" in listening.of(call.call_id))  # type: ignore[misc]
        told = [one for one in listening.events if one["call_id"] == call.call_id and one["event"] == "survey.answered"]
        (event,) = told
        assert event["data"]["scores"] == {"call": int(score)}
        assert event["data"].get("order_number") == order


async def test_a_call_whose_agent_is_killed_is_recorded_and_told_after_the_next_start(
    listening: WebhookListener,
) -> None:
    centre = listening.centre
    known = set(stored_records(centre))
    call = asyncio.create_task(
        centre.play(
            """
calls:
  - name: cut off
    dial: "7000"
    voice: joe
    steps:
      - human: {reason: controller_down, rings_within_seconds: 8}
"""
        )
    )
    await until(lambda: any(event["call_id"] not in known for event in listening.events), 30)
    call_id = next(event["call_id"] for event in listening.events if event["call_id"] not in known)
    agent = centre.stack.agent
    assert agent.pid is not None
    await asyncio.sleep(0.5)  # into the greeting
    os.kill(agent.pid, signal.SIGKILL)
    await call
    assert call_id not in stored_records(centre)
    await agent.stop()
    await agent.start()
    await until(lambda: "call.ended" in listening.of(call_id), 30)
    record = stored_records(centre)[call_id]
    assert (record["outcome"], record["ended_by"]) == ("lost", "fault")
    assert listening.of(call_id) == ["call.started", "call.ended"]
