"""Builds the outbox of one agent: subscriptions, deliverers, and the nodes that share the work."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from agent.call.ports import Services
from agent.config.base import SettingsError
from agent.config.delivery import WebhookSettings
from agent.config.settings import Settings
from agent.records.call_store import CallStore
from agent.records.delivery import DeliveryOptions, OutboxDelivery
from agent.records.durable_services import OPERATION_LANES, DurableServices, operation_deliverer
from agent.records.event_mapper import WebhookEventMapper, WebhookSubscription
from agent.records.redis_sharing import RedisSharing
from agent.records.webhooks import (
    InvalidWebhookCa,
    InvalidWebhookSecret,
    WebhookEndpoint,
    WebhookSender,
    read_secrets,
    tls_context_of,
)

log = logging.getLogger(__name__)

CALLS_FILE = "calls.sqlite"
_HOUR = 3600.0


class OutboxService:
    """Everything that leaves the agent. :meth:`open` it, :meth:`start` it when the services are there, close it."""

    def __init__(self, records: CallStore, announcer: WebhookEventMapper, settings: Settings) -> None:
        self.records = records
        self._announcer = announcer
        self._settings = settings
        self._post = WebhookSender(webhook_targets(settings))
        self._stack = contextlib.AsyncExitStack()
        self._changes: frozenset[str] = frozenset()
        self._services: Services | None = None
        self._sharing: RedisSharing | None = None

    @classmethod
    async def open(cls, settings: Settings, wall: Callable[[], dt.datetime]) -> OutboxService:
        """Open records and outbox. Raises SettingsError for a webhook without a secret, and what the store raises."""
        webhook_targets(settings)  # before anything is opened
        subscriptions = [webhook_subscription(webhook) for webhook in settings.webhooks]
        announcer = WebhookEventMapper(subscriptions, wall)
        records = await CallStore.open(calls_path(settings), news=announcer.events_of_record)
        return cls(records, announcer, settings)

    async def start(
        self, services: Services, changes: frozenset[str], take_over: Callable[[], Awaitable[int]] | None = None
    ) -> None:
        """Begin to deliver; ``changes`` names the operations that change something.

        ``take_over`` sees to the calls of a process that is gone, before anything is delivered.
        """
        self._services, self._changes = services, changes
        acts = operation_deliverer(services, self._announcer.events_of_operation)
        deliverers = {**dict.fromkeys(OPERATION_LANES, acts), **self._post.deliverers()}
        outbox = self.records.outbox
        path = calls_path(self._settings)
        deliveries = OutboxDelivery(
            outbox,
            deliverers,
            lock_file=path.with_name(path.name + ".deliveries.lock"),
            take_over=take_over or self.records.take_over,
            options=delivery_options(self._settings),
        )
        if address := self._settings.redis.address():
            sharing = RedisSharing(address, outbox, tuple(deliverers), deliveries.attempt, deliveries.settle)
            deliveries.sharing = self._sharing = sharing
            self._stack.push_async_callback(sharing.close)
            self._run(sharing.run(), "outbox-sharing", lambda task: task.cancel())
        self._run(deliveries.run(), "outbox-deliveries", lambda task: deliveries.stop())

    @property
    def sharing(self) -> bool:
        """Whether other nodes take part just now."""
        return self._sharing is not None and self._sharing.connected

    def services_of(self, call_id: str) -> Services:
        """Return the services for one call: what changes something is noted before it is tried."""
        if self._services is None:
            raise RuntimeError("start() comes first")
        return DurableServices(
            self._services, self.records.outbox, self._announcer.events_of_operation, self._changes, call_id
        )

    async def close(self) -> None:
        """Finish what is under way and close everything."""
        await self._stack.aclose()
        await self._post.close()
        await self.records.close()

    def _run(self, work: Any, name: str, end: Callable[[asyncio.Task[None]], object]) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)
        task.add_done_callback(_log_delivery_failure)

        async def finish() -> None:
            end(task)
            await asyncio.gather(task, return_exceptions=True)

        self._stack.push_async_callback(finish)


def calls_path(settings: Settings) -> Path:
    """Return where calls and outbox are kept."""
    return settings.state_directory / CALLS_FILE


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


def _log_delivery_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s ended: nothing more is delivered until a restart", task.get_name(), exc_info=error)
