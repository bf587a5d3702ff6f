"""Builds the outbox of one agent: subscriptions, deliverers, and the nodes that share the work."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.call.ports import Services
from agent.common.tasks import cancel_and_wait, report_failure
from agent.config.base import SettingsError
from agent.config.delivery import WebhookSettings
from agent.config.settings import Settings
from agent.errors import OrderlineError
from agent.outbound.model import Job
from agent.records.call_store import CallStore, EventsOfRecord
from agent.records.delivery import DeliveryOptions, OutboxDelivery
from agent.records.durable_services import OPERATION_LANES, DurableServices, operation_deliverer
from agent.records.event_mapper import WebhookEventMapper, WebhookSubscription
from agent.records.outbox_commands import outstanding
from agent.records.outbox_sql import NewOutboxEntry
from agent.records.redis_sharing import RedisSharing
from agent.records.webhooks import (
    InvalidWebhookCa,
    InvalidWebhookSecret,
    WebhookEndpoint,
    WebhookSender,
    read_secrets,
    tls_context_of,
)

if TYPE_CHECKING:
    from agent.history.record_delivery import RecordSender

CALLS_FILE = "calls.sqlite"
_HOUR = 3600.0


@dataclass(frozen=True)
class OutboxService:
    """Everything that leaves one agent: its call records, and what others must hear or do because of them."""

    records: CallStore
    deliveries: OutboxDelivery
    redis_sharing: RedisSharing | None
    """The nodes that share the deliveries, where there are several."""
    record_sender: RecordSender | None
    """What sends records to PostgreSQL, where that is set."""
    _services: Services
    _mapper: WebhookEventMapper
    _changes: frozenset[str]

    @property
    def sharing(self) -> bool:
        """Whether other nodes take part just now."""
        return self.redis_sharing is not None and self.redis_sharing.connected

    def services_of(self, call_id: str) -> Services:
        """Return the services for one call: what changes something is noted before it is tried."""
        return DurableServices(
            self._services, self.records.outbox, self._mapper.events_of_operation, self._changes, call_id
        )

    async def announce_job(self, job: Job) -> None:
        """Tell that a job of calls to a customer is over, without a call that says so; once, whatever breaks."""
        await self.records.outbox.add(
            self._mapper.events_of_job(
                job.key, str(job.purpose), job.facts.order_number, reason=job.reason, attempts=job.attempts
            )
        )


async def open_outbox(
    settings: Settings,
    services: Services,
    changes: frozenset[str],
    wall: Callable[[], dt.datetime],
    stack: contextlib.AsyncExitStack,
) -> OutboxService:
    """Open records and outbox; ``stack`` closes them. Nothing of this node is delivered before ``deliveries.run()``.

    ``changes`` names the operations of ``services`` that change something. Raises SettingsError for a webhook without
    a secret, and what the store raises.
    """
    sender = WebhookSender(webhook_targets(settings))  # before anything is opened
    stack.push_async_callback(sender.close)
    mapper = WebhookEventMapper([webhook_subscription(webhook) for webhook in settings.webhooks], wall)
    shared_records = settings.records.address()
    news = _news_with_records(mapper) if shared_records else mapper.events_of_record
    repeat_seconds = settings.records.repeat_hours * _HOUR
    records = await CallStore.open(calls_path(settings), news=news, repeat_seconds=repeat_seconds)
    stack.push_async_callback(records.close)
    record_sender: RecordSender | None = None
    operations = operation_deliverer(services, mapper.events_of_operation)
    shared = {**dict.fromkeys(OPERATION_LANES, operations), **sender.deliverers()}
    deliverers = dict(shared)
    own_lanes: tuple[str, ...] = ()
    if shared_records:
        from agent.history.record_delivery import LANE, RecordSender  # loads PostgreSQL's driver

        own_lanes = (LANE,)
        record_sender = RecordSender(shared_records, records.get, records.outbox.node)
        stack.push_async_callback(record_sender.close)
        deliverers |= record_sender.deliverers()
    options = delivery_options(settings)
    deliveries = OutboxDelivery(records.outbox, deliverers, options=options, unshared=own_lanes)
    sharing: RedisSharing | None = None
    if address := settings.redis.address():
        sharing = RedisSharing(address, records.outbox, tuple(shared), deliveries.attempt, deliveries.settle)
        stack.push_async_callback(sharing.close)
        task = asyncio.create_task(sharing.run(), name="outbox-sharing")
        task.add_done_callback(report_failure)
        stack.push_async_callback(cancel_and_wait, task)
    return OutboxService(records, deliveries, sharing, record_sender, services, mapper, changes)


def _news_with_records(mapper: WebhookEventMapper) -> EventsOfRecord:
    from agent.history.record_delivery import entries_of_record

    def news(record: Mapping[str, Any], over: bool) -> list[NewOutboxEntry]:
        return [*mapper.events_of_record(record, over), *entries_of_record(record, over)]

    return news


def calls_path(settings: Settings) -> Path:
    """Return where calls and outbox are kept."""
    return settings.state_directory / CALLS_FILE


def delivery_lock_path(settings: Settings) -> Path:
    """Return the file by which one process at a time recovers lost calls and delivers."""
    path = calls_path(settings)
    return path.with_name(path.name + ".deliveries.lock")


async def outbox_depth(path: Path) -> tuple[int, int] | None:
    """How many deliveries were given up, and how many are on their way; None when the file cannot be read."""
    if not path.is_file():  # noqa: ASYNC240 - one look at a name on the local disk
        return 0, 0
    try:
        return await asyncio.to_thread(outstanding, path)
    except OrderlineError:
        return None


def webhook_subscription(webhook: WebhookSettings) -> WebhookSubscription:
    """Return what a webhook wants to hear."""
    every = WebhookSubscription(webhook.name, phone_numbers=webhook.phone_numbers)
    if not webhook.events:
        return every
    return WebhookSubscription(webhook.name, frozenset(webhook.events), webhook.phone_numbers)


def webhook_target(webhook: WebhookSettings) -> WebhookEndpoint:
    """Return where a webhook is posted to. Raises SettingsError when its secret is missing or of another shape."""
    try:
        secrets = read_secrets(webhook.secret())
    except InvalidWebhookSecret as error:
        raise SettingsError(f"webhook {webhook.name}: {error.message}") from error
    hook = WebhookEndpoint(webhook.name, webhook.url, secrets, webhook.timeout_seconds, webhook.ca_file)
    try:
        tls_context_of(hook)
    except InvalidWebhookCa as error:
        raise SettingsError(f"webhook {webhook.name}: {error.message}") from error
    return hook


def webhook_targets(settings: Settings) -> list[WebhookEndpoint]:
    """Return all of them."""
    return [webhook_target(webhook) for webhook in settings.webhooks]


def delivery_options(settings: Settings) -> DeliveryOptions:
    """Return how long deliveries are tried."""
    outbox = settings.outbox
    ages: Mapping[str, float] = {
        **DeliveryOptions().max_age_seconds,
        "ticket": outbox.max_age_hours * _HOUR,
        "webhook": outbox.max_age_hours * _HOUR,
        "sms": outbox.sms_max_age_hours * _HOUR,
    }
    return DeliveryOptions(max_age_seconds=ages, keep_delivered_seconds=outbox.keep_delivered_days * 24 * _HOUR)
