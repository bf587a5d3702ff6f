"""What a call does in other systems is noted first, so that nothing is lost and nothing is done twice."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.call.records import Caller, CallRecord
from agent.common.service_error import ServiceError
from agent.common.tasks import cancel_and_wait
from agent.records.call_store import INTERRUPTED, CallStore
from agent.records.database import connect
from agent.records.delivery import DeliveryFailed
from agent.records.durable_services import DurableServices, operation_deliverer
from agent.records.event_mapper import WebhookEventMapper, WebhookSubscription
from agent.records.outbox_sql import OPEN_STATES, STATES, OutboxEntry, rows
from agent.shop.surveys import survey_answer
from tests.waiting import until

CHANGES = frozenset({"tickets.create", "messages.send", "returns.create", "surveys.answer"})
TICKET = {"reason": "call_back", "summary": "Call back."}
RETURN = {"number": "10473", "item": "kettle"}
ANNOUNCER = WebhookEventMapper([WebhookSubscription("crm")], lambda: dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC))


class ScriptedServices:
    """Answers with what is set for the operation; counts by key."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {name.replace("_", ".", 1): answer for name, answer in answers.items()}
        self.asked: list[tuple[str, str]] = []

    async def perform(self, name: str, arguments: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        self.asked.append((name, key))
        answer = self.answers[name]
        if isinstance(answer, asyncio.Event):
            await answer.wait()
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.sqlite"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[CallStore]:
    store = await opened(path)
    yield store
    await store.close()


async def opened(path: Path, busy_timeout_seconds: float = 20.0) -> CallStore:
    return await CallStore.open(path, news=ANNOUNCER.events_of_record, busy_timeout_seconds=busy_timeout_seconds)


@pytest.fixture
async def hasty_store(path: Path) -> AsyncIterator[CallStore]:
    """A store that waits 50 ms for a locked database: for tests that hold the lock themselves."""
    store = await opened(path, busy_timeout_seconds=0.05)
    yield store
    await store.close()


def record(call_id: str = "call-1", **fields: Any) -> CallRecord:
    return CallRecord(call_id, Caller("2025550143"), "2026-11-24T09:00:00+00:00", **fields)


def services(store: CallStore, shop: ScriptedServices) -> DurableServices:
    return DurableServices(shop, store.outbox, ANNOUNCER.events_of_operation, CHANGES, "call-1")


def entries(path: Path, *states: str) -> list[OutboxEntry]:
    with closing(connect(path)) as db:
        return rows(db, states or STATES)


def announced(path: Path) -> list[str]:
    return [entry.payload["body"]["event"] for entry in entries(path, *OPEN_STATES) if entry.kind == "webhook"]


async def cut_off(work: asyncio.Task[Any], shop: ScriptedServices) -> None:
    """Cancel the work once the shop has been asked, which never answers."""
    await until(lambda: shop.asked)
    await cancel_and_wait(work)


class TestActs:
    async def test_what_was_confirmed_is_done_and_told_in_the_same_moment(self, store: CallStore, path: Path) -> None:
        shop = ScriptedServices(returns_create={"return": {"number": "R-1", "order_number": "10473", "route": "label"}})
        await services(store, shop).perform("returns.create", RETURN, "k1")
        (act,) = entries(path, "delivered")
        assert (act.key, act.kind, act.payload) == ("k1", "act", {})
        (webhook,) = entries(path, "waiting")
        assert webhook.payload["body"]["data"]["number"] == "R-1"
        assert webhook.payload["body"]["event"] == "return.created"

    async def test_the_intent_is_on_the_disk_before_anything_is_asked(self, store: CallStore, path: Path) -> None:
        shop = ScriptedServices(tickets_create=asyncio.Event())
        work = asyncio.create_task(services(store, shop).perform("tickets.create", TICKET, "k1"))
        while not shop.asked:  # noqa: ASYNC110 - the shop's own list
            await asyncio.sleep(0)
        assert [(entry.state, entry.payload["arguments"]) for entry in entries(path)] == [("trying", TICKET)]
        await cut_off(work, shop)

    @pytest.mark.parametrize("code", ["unavailable", "timed_out"])
    async def test_a_ticket_that_is_not_taken_is_safe_and_goes_out_later_with_its_key(
        self, store: CallStore, path: Path, code: str
    ) -> None:
        shop = ScriptedServices(tickets_create=ServiceError(code, "down"))
        answer = await services(store, shop).perform("tickets.create", TICKET, "k1")
        assert answer == {"ticket": {"id": "", "pending": True}}
        (entry,) = entries(path, "waiting")
        shop.answers["tickets.create"] = {"ticket": {"id": "T-1"}}
        also = await operation_deliverer(shop, ANNOUNCER.events_of_operation)(entry)
        assert shop.asked == [("tickets.create", "k1")] * 2
        assert [one.payload["body"]["data"]["ticket"] for one in also] == ["T-1"]

    async def test_a_text_message_that_is_not_taken_is_not_said_to_be_sent_but_is_sent_later(
        self, store: CallStore, path: Path
    ) -> None:
        shop = ScriptedServices(messages_send=ServiceError("unavailable", "down"))
        with pytest.raises(ServiceError) as caught:
            await services(store, shop).perform("messages.send", {"number": "1", "template": "tracking"}, "k1")
        assert (caught.value.code, caught.value.reason) == ("unavailable", "pending")
        assert [entry.kind for entry in entries(path, "waiting")] == ["sms"]

    @pytest.mark.parametrize("name", sorted(CHANGES))
    async def test_what_is_refused_is_not_kept(self, store: CallStore, path: Path, name: str) -> None:
        shop = ScriptedServices(**{name.replace(".", "_"): ServiceError("not_allowed", "no", reason="window_over")})
        with pytest.raises(ServiceError) as caught:
            await services(store, shop).perform(name, RETURN | TICKET, "k1")
        assert caught.value.reason == "window_over"
        assert entries(path) == []

    async def test_look_ups_are_not_noted(self, store: CallStore, path: Path) -> None:
        shop = ScriptedServices(orders_find={"order": {}})
        await services(store, shop).perform("orders.find", {"number": "1"}, "k1")
        assert entries(path) == []

    async def test_a_ticket_that_takes_too_long_is_left_to_the_outbox(self, store: CallStore, path: Path) -> None:
        shop = ScriptedServices(tickets_create=asyncio.Event())
        await cut_off(asyncio.create_task(services(store, shop).perform("tickets.create", TICKET, "k1")), shop)
        await store.write(record())
        assert [entry.key for entry in entries(path, "waiting") if entry.kind == "ticket"] == ["k1"]

    @pytest.mark.parametrize(("name", "kind"), [("tickets.create", "ticket"), ("messages.send", "sms")])
    async def test_a_slow_system_is_left_before_the_flow_gives_up(
        self, store: CallStore, path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
    ) -> None:
        monkeypatch.setattr("agent.records.durable_services.DIRECT_ATTEMPT_SECONDS", 0.01)
        shop = ScriptedServices(**{name.replace(".", "_"): asyncio.Event()})
        work = services(store, shop).perform(name, TICKET, "k1")
        if kind == "ticket":
            assert (await work)["ticket"]["pending"]
        else:
            with pytest.raises(ServiceError) as caught:
                await work
            assert (caught.value.code, caught.value.reason) == ("timed_out", "pending")
        assert [entry.kind for entry in entries(path, "waiting")] == [kind]

    @pytest.mark.parametrize("name", ["tickets.create", "messages.send"])
    async def test_what_may_have_been_done_and_must_not_be_repeated_is_not_promised_and_goes_to_a_person(
        self, store: CallStore, path: Path, name: str
    ) -> None:
        unknown = ServiceError("timed_out", "an earlier attempt may have acted", reason="not_sent_again")
        shop = ScriptedServices(**{name.replace(".", "_"): unknown})
        with pytest.raises(ServiceError) as caught:
            await services(store, shop).perform(name, TICKET, "k1")
        assert (caught.value.code, caught.value.reason) == ("timed_out", "not_sent_again")
        (entry,) = entries(path, "waiting")
        with pytest.raises(DeliveryFailed) as failed:
            await operation_deliverer(shop, ANNOUNCER.events_of_operation)(entry)
        assert failed.value.final

    async def test_a_locked_database_does_not_keep_the_call_from_acting(
        self, hasty_store: CallStore, path: Path
    ) -> None:
        shop = ScriptedServices(tickets_create={"ticket": {"id": "T-1"}})
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            answer = await services(hasty_store, shop).perform("tickets.create", TICKET, "k1")
            other.rollback()
        assert answer["ticket"]["id"] == "T-1"

    async def test_with_a_locked_database_a_failed_ticket_is_not_called_safe(
        self, hasty_store: CallStore, path: Path
    ) -> None:
        shop = ScriptedServices(tickets_create=ServiceError("unavailable", "down"))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(ServiceError):
                await services(hasty_store, shop).perform("tickets.create", TICKET, "k1")
            other.rollback()


class TestChangesCutOff:
    async def test_a_return_during_which_the_caller_hung_up_is_done_with_its_key_and_somebody_tells_them(
        self, store: CallStore, path: Path
    ) -> None:
        shop = ScriptedServices(returns_create=asyncio.Event())
        await cut_off(asyncio.create_task(services(store, shop).perform("returns.create", RETURN, "k1")), shop)
        assert [entry.state for entry in entries(path)] == ["trying"]
        await store.write(record(outcome="caller_hung_up", ended_by="caller"))
        (entry,) = (entry for entry in entries(path, "waiting") if entry.kind == "act")
        shop.answers["returns.create"] = {"return": {"number": "R-1", "order_number": "10473"}}
        event, ticket = await operation_deliverer(shop, ANNOUNCER.events_of_operation)(entry)
        assert [key for _, key in shop.asked] == ["k1", "k1"]
        assert event.payload["body"]["event"] == "return.created"
        assert "R-1" in ticket.payload["arguments"]["summary"]
        assert (ticket.kind, ticket.key) == ("ticket", "k1:unheard")

    async def test_an_answer_to_the_survey_is_told_and_nobody_has_to_call_back_for_it(
        self, store: CallStore, path: Path
    ) -> None:
        shop = ScriptedServices(surveys_answer=asyncio.Event())
        answer = {"number": "10473", "scores": {"call": 4}}
        await cut_off(asyncio.create_task(services(store, shop).perform("surveys.answer", answer, "k1")), shop)
        await store.write(record(outcome="caller_hung_up", ended_by="caller"))
        (entry,) = (entry for entry in entries(path, "waiting") if entry.kind == "act")
        shop.answers["surveys.answer"] = await survey_answer(answer, "k1")
        (event,) = await operation_deliverer(shop, ANNOUNCER.events_of_operation)(entry)
        assert event.payload["body"]["event"] == "survey.answered"
        assert event.payload["body"]["data"] == {
            "order_number": "10473",
            "scores": {"call": 4},
            "comment": None,
            "purpose": "",
            "recording": None,
            "partial": False,
        }

    @pytest.mark.parametrize("key", ["k1", "call-1-returns.create-4111111111111111"])
    async def test_a_return_the_caller_heard_to_be_unconfirmed_is_left_to_the_person(
        self, store: CallStore, path: Path, key: str
    ) -> None:
        shop = ScriptedServices(returns_create=asyncio.Event())
        await cut_off(asyncio.create_task(services(store, shop).perform("returns.create", RETURN, key)), shop)
        await store.write(record(effects=[{"name": "returns.create", "code": "timed_out", "ms": 4000.0, "key": key}]))
        assert [entry for entry in entries(path) if entry.kind == "act"] == []

    @pytest.mark.parametrize(("code", "final"), [("not_allowed", True), ("bad_request", True), ("unavailable", False)])
    async def test_later_refusals_are_final_and_outages_are_not(
        self, store: CallStore, path: Path, code: str, final: bool
    ) -> None:
        shop = ScriptedServices(tickets_create=ServiceError("unavailable", "down"))
        await services(store, shop).perform("tickets.create", TICKET, "k1")
        shop.answers["tickets.create"] = ServiceError(code, "no")
        with pytest.raises(DeliveryFailed) as caught:
            await operation_deliverer(shop, ANNOUNCER.events_of_operation)(entries(path, "waiting")[0])
        assert caught.value.final is final


class TestRecords:
    async def test_record_and_news_are_written_together(self, store: CallStore, path: Path) -> None:
        await store.begin(record())
        assert announced(path) == ["call.started"]
        handover = {"reason": "caller_asked", "ticket": "T-1", "facts": {"verified": True, "order_number": "10473"}}
        await store.write(record(outcome="handed_over", ended_by="handover", handover=handover))
        assert announced(path) == ["call.started", "call.handed_over", "call.ended"]

    async def test_a_call_whose_beginning_could_not_be_noted_is_told_from_its_record(
        self, store: CallStore, path: Path
    ) -> None:
        await store.write(record(outcome="answered"))
        assert announced(path) == ["call.started", "call.ended"]

    async def test_news_travel_with_a_record_through_the_spool(self, path: Path) -> None:
        store = await opened(path, busy_timeout_seconds=0.05)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            await store.write(record())
            await store.close()
            other.rollback()
        store = await opened(path)
        assert announced(path) == ["call.started", "call.ended"]
        await store.close()

    async def test_a_killed_agent_s_call_is_recorded_by_the_next_one(self, path: Path) -> None:
        store = await opened(path)
        await store.begin(record())
        shop = ScriptedServices(tickets_create=asyncio.Event())
        work = asyncio.create_task(services(store, shop).perform("tickets.create", TICKET, "k1"))
        while not shop.asked:  # noqa: ASYNC110 - the shop's own list
            await asyncio.sleep(0)
        await store.close()  # and nothing else: as if killed here
        after = await opened(path)
        await after.begin(record("call-2"))
        assert await after.take_over() == 1
        left = await after.get("call-1")
        assert left is not None
        assert (left["outcome"], left["ended_by"], left["faults"]) == ("failed", "fault", [INTERRUPTED])
        assert await after.get("call-2") is None
        assert [entry.key for entry in entries(path, "waiting") if entry.kind == "ticket"] == ["k1"]
        assert await after.take_over() == 0
        await after.write(record("call-2", outcome="answered"))
        await after.close()
        await cancel_and_wait(work)

    async def test_what_a_living_call_is_trying_is_not_taken_over(self, store: CallStore, path: Path) -> None:
        await store.begin(record())
        shop = ScriptedServices(tickets_create=asyncio.Event())
        work = asyncio.create_task(services(store, shop).perform("tickets.create", TICKET, "k1"))
        while not shop.asked:  # noqa: ASYNC110 - the shop's own list
            await asyncio.sleep(0)
        await store.take_over()
        assert [entry.state for entry in entries(path) if entry.kind == "ticket"] == ["trying"]
        await cut_off(work, shop)


async def test_records_of_the_first_layout_stay_and_get_an_outbox(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(
            "CREATE TABLE calls (id TEXT PRIMARY KEY, started_at TEXT NOT NULL, caller_number TEXT NOT NULL,"
            " outcome TEXT NOT NULL, ended_by TEXT NOT NULL, duration_seconds REAL NOT NULL, record TEXT NOT NULL,"
            " written_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);"
            "INSERT INTO calls VALUES ('old', '2026-01-01', '', 'answered', 'agent', 1.0, '{\"id\": \"old\"}', '');"
            "PRAGMA user_version = 1;"
        )
    store = await opened(path)
    assert await store.get("old") == json.loads('{"id": "old"}')
    await store.write(record())
    assert announced(path) == ["call.started", "call.ended"]
    await store.close()
