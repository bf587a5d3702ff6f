"""Webhooks: signed so that receivers can check them, of a published shape, without what they were not asked to know."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import io
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from agent.call.records import Caller, CallRecord, OutboundPart
from agent.cli.main import EXIT_USAGE, main
from agent.config.delivery import WebhookEventName
from agent.records import webhook_events
from agent.records.call_record import call_record
from agent.records.delivery import DeliveryFailed
from agent.records.event_mapper import WebhookEventMapper, WebhookSubscription
from agent.records.outbox_sql import NewOutboxEntry, OutboxEntry
from agent.records.redaction import redact_record
from agent.records.webhook_commands import test_webhooks as run_test
from agent.records.webhook_events import EVENTS, envelope, schema_text
from agent.records.webhooks import InvalidWebhookSecret, WebhookEndpoint, WebhookSender, read_secrets

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()
OTHER = "whsec_" + base64.b64encode(b"another one of thirty-two bytes.").decode()
NOW = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
PUBLISHED_SCHEMA = Path(webhook_events.__file__).with_name("webhook_schema.json")
DOCUMENT = Path(__file__).parents[2] / "docs" / "webhooks.md"


class Receiver:
    """A real server that answers what the test wants and keeps what it was sent."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        self.headers: dict[str, str] = {}
        self.text = ""
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status, headers=self.headers, text=self.text or None)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    application = web.Application()
    application.router.add_route("*", "/{any:.*}", receiver.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/orderline"
    yield receiver
    await runner.cleanup()


def hook(receiver: Receiver, *secrets: str, timeout_seconds: float = 2.0) -> WebhookEndpoint:
    return WebhookEndpoint("crm", receiver.url, read_secrets("\n".join(secrets or (SECRET,))), timeout_seconds)


def event(event_id: str = "evt_1") -> dict[str, Any]:
    return envelope("ticket.created", event_id, NOW.isoformat(), "call-1", {"ticket": "T-1", "reason": "call_back"})


async def posted(to: WebhookEndpoint, body: dict[str, Any] | None = None) -> None:
    post = WebhookSender([to])
    entry = OutboxEntry(
        1, "webhook", "webhook:crm", "k", "", {"hook": "crm", "body": body or event()}, "delivering", 0, 0, 0, ""
    )
    try:
        await post.deliverers()["webhook:crm"](entry)
    finally:
        await post.close()


class TestSignatures:
    async def test_the_specification_s_own_library_accepts_them(self, receiver: Receiver) -> None:
        await posted(hook(receiver))
        ((headers, body),) = receiver.requests
        assert Webhook(SECRET).verify(body, headers)["id"] == headers["webhook-id"] == "evt_1"

    async def test_a_changed_body_is_noticed(self, receiver: Receiver) -> None:
        await posted(hook(receiver))
        ((headers, body),) = receiver.requests
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(body.replace(b"T-1", b"T-2"), headers)

    async def test_while_a_secret_is_changed_both_fit(self, receiver: Receiver) -> None:
        await posted(hook(receiver, OTHER, SECRET))
        ((headers, body),) = receiver.requests
        for secret in (SECRET, OTHER):
            Webhook(secret).verify(body, headers)

    @pytest.mark.parametrize("secret", ["sesame", "whsec_short", "whsec_!!!", base64.b64encode(b"x" * 32).decode()])
    def test_a_weak_or_malformed_secret_is_refused_with_the_way_to_make_one(self, secret: str) -> None:
        with pytest.raises(InvalidWebhookSecret, match="openssl rand -base64 32"):
            read_secrets(secret)

    async def test_the_example_in_the_documentation_checks_them(self, receiver: Receiver) -> None:
        code = DOCUMENT.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
        names: dict[str, Any] = {}
        exec(code, names)  # noqa: S102 - our own documentation
        verify: Callable[..., dict[str, Any]] = names["verify"]
        await posted(hook(receiver))
        ((headers, body),) = receiver.requests
        assert verify(SECRET, headers, body)["event"] == "ticket.created"
        with pytest.raises(ValueError, match="signature"):
            verify(OTHER, headers, body)
        with pytest.raises(ValueError, match="old"):
            verify(SECRET, {**headers, "webhook-timestamp": "1600000000"}, body)


class TestAnswers:
    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    async def test_any_2xx_is_delivered(self, receiver: Receiver, status: int) -> None:
        receiver.status = status
        await posted(hook(receiver))

    @pytest.mark.parametrize(
        ("status", "final", "said"),
        [(500, False, "failed"), (404, False, "nothing at this url"), (401, False, "secret"), (410, True, "for good")],
    )
    async def test_others_are_not(self, receiver: Receiver, status: int, final: bool, said: str) -> None:
        receiver.status = status
        with pytest.raises(DeliveryFailed, match=said) as caught:
            await posted(hook(receiver))
        assert caught.value.final is final

    async def test_neither_secrets_of_the_address_nor_what_a_receiver_quotes_get_into_the_failure(
        self, receiver: Receiver
    ) -> None:
        receiver.status, receiver.text = 422, "bad caller_number +12025550143"
        secret = replace(hook(receiver), url=receiver.url.replace("http://", "http://me:sesame@") + "?token=sesame")
        with pytest.raises(DeliveryFailed) as caught:
            await posted(secret)
        assert "bad caller_number" in caught.value.message
        for private in ("sesame", "5550143"):
            assert private not in caught.value.message

    async def test_redirects_are_not_followed_and_named(self, receiver: Receiver) -> None:
        receiver.status, receiver.headers = 308, {"location": "https://elsewhere.example/x"}
        with pytest.raises(DeliveryFailed, match="elsewhere"):
            await posted(hook(receiver))
        assert len(receiver.requests) == 1

    async def test_an_answer_that_drips_ends_with_the_deadline(self) -> None:
        async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n":
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(0.05)
            writer.close()

        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        async with server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            with pytest.raises(DeliveryFailed, match=r"no answer within 0\.3 s"):
                await posted(WebhookEndpoint("crm", url, read_secrets(SECRET), 0.3))

    async def test_a_2xx_is_enough_its_answer_need_not_come_to_its_end(self) -> None:
        async def begin(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nthank")
            await writer.drain()

        server = await asyncio.start_server(begin, "127.0.0.1", 0)
        async with server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            await posted(WebhookEndpoint("crm", url, read_secrets(SECRET), 15.0))

    async def test_a_receiver_that_is_down_is_a_failure_that_says_where(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(DeliveryFailed, match=url):
            await posted(WebhookEndpoint("crm", url, read_secrets(SECRET)))


def record(**fields: Any) -> CallRecord:
    values: dict[str, Any] = {
        "id": "orderline-a-1795391290.0",
        "caller": Caller("2025550143", "Maria", "7000"),
        "started_at": "2026-11-24T09:30:00.000+00:00",
        "duration_seconds": 24.5,
        "outcome": "handed_over",
        "ended_by": "handover",
        "slots": {"order_number": "10473", "postcode": "60614"},
        "effects": [{"name": "orders.verify", "code": "ok", "ms": 12.0, "key": "k"}],
        "handover": {
            "reason": "caller_asked",
            "queue": "",
            "priority": 3,
            "summary": 'Last words: "my card is 4111 1111 1111 1111, zip 60614".',
            "ticket": "T-1",
            "facts": {"order_number": "10473", "verified": True},
        },
    }
    return CallRecord(**values | fields)


def webhook_entries(*subscriptions: WebhookSubscription, over: bool = True) -> list[NewOutboxEntry]:
    return WebhookEventMapper(subscriptions, lambda: NOW).events_of_record(redact_record(call_record(record())), over)


class TestEvents:
    def test_every_event_fits_the_published_schema(self) -> None:
        announcer = WebhookEventMapper([WebhookSubscription("crm", phone_numbers=True)], lambda: NOW)
        part = OutboundPart(
            reached="right_person",
            outcome="completed",
            scores={"csat": 4},
            comment="call 202-555-0143",
            opted_out="surveys",
        )
        placed = record(direction="outbound", purpose="survey", job="survey:10473", outbound=part)
        entries = announcer.events_of_record(redact_record(call_record(placed)), True)
        made = {"number": "R-2101", "order_number": "10473", "item": "Kettle", "amount": 49.0, "send_by": "2026-12-01"}
        survey = {"number": "10473", "scores": {"service": 5}, "comment": "call me on 202-555-0143"}
        for operation, arguments, result in (
            ("tickets.create", {"reason": "call_back", "summary": "x"}, {"ticket": {"id": "T-2"}}),
            ("returns.create", {}, {"return": made}),
            ("surveys.answer", survey, {}),
        ):
            entries += announcer.events_of_operation("call-1", operation, arguments, result, operation)
        bodies = [entry.payload["body"] for entry in entries]
        assert {body["event"] for body in bodies} == set(EVENTS)
        schema = json.loads(PUBLISHED_SCHEMA.read_text(encoding="utf-8"))
        for body in bodies:
            jsonschema.validate(body, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**bodies[0], "version": 2}, schema)
        assert "0143" not in json.dumps([body for body in bodies if body["event"] == "survey.answered"])

    def test_a_survey_call_tells_its_answers_once_and_says_whether_they_are_all(self) -> None:
        part = OutboundPart(
            reached="right_person", outcome="partial", scores={"csat": 4}, partial=True, order_number="10473"
        )
        placed = record(direction="outbound", purpose="survey", job="survey:10473", outbound=part)
        mapper = WebhookEventMapper([WebhookSubscription("crm")], lambda: NOW)
        bodies = [one.payload["body"] for one in mapper.events_of_record(redact_record(call_record(placed)), True)]
        told = {body["event"]: body["data"] for body in bodies}
        assert told["survey.answered"]["scores"] == {"csat": 4}
        assert (told["survey.answered"]["partial"], told["survey.answered"]["order_number"]) == (True, "10473")
        assert (told["outbound.finished"]["job"], told["outbound.finished"]["outcome"]) == ("survey:10473", "partial")
        assert "outbound.opted_out" not in told

    def test_a_job_that_no_call_has_ended_is_told_once_with_its_reason(self) -> None:
        mapper = WebhookEventMapper([WebhookSubscription("crm")], lambda: NOW)
        tell = lambda attempts: mapper.events_of_job(  # noqa: E731
            "delivery:A1:all", "delivery", "A1", reason="expired", attempts=attempts
        )
        [tried], [never] = tell(2), tell(0)
        assert tried.key == never.key, "the same job is told once"
        data = tried.payload["body"]["data"]
        assert (data["outcome"], data["reason"], data["attempts"]) == ("not_reached", "expired", 2)
        assert never.payload["body"]["data"]["outcome"] == "dropped"
        jsonschema.validate(tried.payload["body"], json.loads(PUBLISHED_SCHEMA.read_text(encoding="utf-8")))

    def test_the_published_schema_is_the_one_of_the_models(self) -> None:
        remedy = "orderline webhooks schema -o agent/records/webhook_schema.json"
        assert PUBLISHED_SCHEMA.read_text(encoding="utf-8") == schema_text(), remedy

    def test_the_settings_know_the_same_events(self) -> None:
        assert WebhookEventName.__args__ == EVENTS

    def test_no_secret_is_told_and_the_callers_number_only_where_it_is_wanted(self) -> None:
        plain = json.dumps([entry.payload for entry in webhook_entries(WebhookSubscription("crm"))])
        for secret in ("60614", "4111", "2025550143"):
            assert secret not in plain
        assert "2025550143" in json.dumps(
            [entry.payload for entry in webhook_entries(WebhookSubscription("crm", phone_numbers=True))]
        )

    def test_each_webhook_gets_what_it_asked_for_and_the_same_happening_has_the_same_id(self) -> None:
        entries = webhook_entries(WebhookSubscription("crm"), WebhookSubscription("audit", frozenset({"call.ended"})))
        assert [(entry.lane, entry.payload["body"]["event"]) for entry in entries] == [
            ("webhook:crm", "call.started"),
            ("webhook:crm", "call.handed_over"),
            ("webhook:crm", "call.ended"),
            ("webhook:audit", "call.ended"),
        ]
        assert entries[2].payload["body"]["id"] == entries[3].payload["body"]["id"]
        assert webhook_entries(WebhookSubscription("crm"), over=False)[0] == entries[0]

    def test_an_id_holds_no_dot_because_the_signature_uses_them(self) -> None:
        assert all("." not in entry.payload["body"]["id"] for entry in webhook_entries(WebhookSubscription("crm")))

    def test_a_result_without_a_number_is_not_told(self) -> None:
        announcer = WebhookEventMapper([WebhookSubscription("crm")], lambda: NOW)
        assert (
            announcer.events_of_operation(
                "c", "tickets.create", {"reason": "x"}, {"ticket": {"id": "", "pending": True}}, "k"
            )
            == []
        )


class TestTheCommand:
    def test_the_schema_is_made_from_the_models_so_that_an_old_or_empty_file_is_written_anew(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        old = tmp_path / "webhook_schema.json"
        old.write_text("", encoding="utf-8")
        assert main(["webhooks", "schema", "-o", str(old)]) == 0
        assert old.read_text(encoding="utf-8") == schema_text()
        assert capsys.readouterr().out == ""
        assert main(["webhooks", "schema"]) == 0
        assert capsys.readouterr().out == schema_text()

    def test_a_file_to_write_is_refused_for_a_test_event(self, tmp_path: Path) -> None:
        assert main(["webhooks", "test", "-o", str(tmp_path / "out")]) == EXIT_USAGE

    async def test_a_receiver_that_takes_it_is_told_with_its_time(self, receiver: Receiver) -> None:
        out = io.StringIO()
        assert await run_test([hook(receiver)], out)
        assert out.getvalue().startswith(f"crm: ok: {receiver.url} answered 204 in ")
        ((headers, body),) = receiver.requests
        assert Webhook(SECRET).verify(body, headers)["event"] == "test"

    async def test_a_receiver_that_does_not_is_told_with_what_is_wrong(self, receiver: Receiver) -> None:
        receiver.status, receiver.text = 401, "bad signature"
        out = io.StringIO()
        assert not await run_test([hook(receiver)], out)
        assert "crm: FAILED" in out.getvalue()
        assert "is its secret the same as here? (bad signature)" in out.getvalue()
