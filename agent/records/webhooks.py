"""Signs webhooks and posts them, after the Standard Webhooks specification (standardwebhooks.com).

Receivers check ``webhook-signature``: HMAC-SHA256 over ``webhook-id.webhook-timestamp.body``, with any library for
that specification or with the ten lines in docs/webhooks.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from agent import __version__
from agent.errors import OrderlineError
from agent.records.delivery import Deliverer, DeliveryFailed
from agent.records.outbox_sql import NewOutboxEntry, OutboxEntry
from agent.records.redaction import redact_text

SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret of the specification begins with
MIN_SECRET_BYTES = 24
_ANSWER_BYTES = 300


class InvalidWebhookSecret(OrderlineError):
    """A webhook's secret cannot be used."""

    code = "webhook_secret"


class InvalidWebhookCa(OrderlineError):
    """A webhook's ``ca_file`` cannot be used."""

    code = "webhook_ca_file"


@dataclass(frozen=True)
class WebhookEndpoint:
    """Where to post, and what to sign with."""

    name: str
    url: str
    secrets: tuple[bytes, ...] = field(repr=False)
    """All of them sign; two while a secret is being changed."""
    timeout_seconds: float = 10.0
    ca_file: Path | None = None
    """PEM file of whom to trust; None: the machine's own authorities. Certificates are always verified."""

    @property
    def place(self) -> str:
        """The address as it may stand in logs: without what a query or a user part may keep secret."""
        return without_secrets(self.url)


@dataclass(frozen=True)
class WebhookResponse:
    """What a receiver said."""

    status: int
    text: str
    ms: float
    location: str = ""


def read_secrets(text: str) -> tuple[bytes, ...]:
    """Return the keys of a secret file: one ``whsec_...`` a line. Raises :class:`InvalidWebhookSecret`."""
    keys = []
    for line in text.split():
        try:
            key = base64.b64decode(line.removeprefix(SECRET_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not line.startswith(SECRET_PREFIX) or len(key) < MIN_SECRET_BYTES:
            raise InvalidWebhookSecret(
                f"a webhook secret must be {SECRET_PREFIX} and at least {MIN_SECRET_BYTES} bytes in base64;"
                f' make one with: echo "{SECRET_PREFIX}$(openssl rand -base64 32)"'
            )
        keys.append(key)
    return tuple(keys)


def tls_context_of(hook: WebhookEndpoint) -> ssl.SSLContext:
    """Return what verifies a receiver's certificate. Raises :class:`InvalidWebhookCa`."""
    try:
        return ssl.create_default_context(cafile=hook.ca_file)
    except (OSError, ValueError) as error:
        raise InvalidWebhookCa(f"ca_file {hook.ca_file} cannot be used: {error}") from error


def signature(secrets: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the header ``webhook-signature``: one ``v1,<base64>`` for each secret, with spaces between."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(
        "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode() for secret in secrets
    )


class WebhookSender:
    """Posts bodies. Open one session for all hooks; close it."""

    def __init__(self, hooks: Sequence[WebhookEndpoint], clock: Callable[[], float] = time.time) -> None:
        self._hooks = {hook.name: hook for hook in hooks}
        self._tls = {hook.name: tls_context_of(hook) for hook in hooks}
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    def deliverers(self) -> Mapping[str, Deliverer]:
        """Return a deliverer for each hook's lane."""
        return {f"webhook:{name}": self._deliver for name in self._hooks}

    async def post(self, hook: WebhookEndpoint, body: Mapping[str, Any]) -> WebhookResponse:
        """Post one body and return the answer, whatever it is. Raises :class:`DeliveryFailed` when there is none."""
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        timestamp = int(self._clock())
        headers = {
            "content-type": "application/json",
            "user-agent": f"orderline/{__version__}",
            "webhook-id": str(body["id"]),
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(hook.secrets, str(body["id"]), timestamp, content),
        }
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        started = time.monotonic()
        timeout = aiohttp.ClientTimeout(total=hook.timeout_seconds)
        try:
            async with self._session.post(
                hook.url,
                data=content,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
                ssl=self._tls[hook.name],
            ) as answer:
                # 2xx is all there is to know: what such an answer holds, and when it ends, does not matter
                good = 200 <= answer.status < 300
                text = "" if good else (await answer.content.read(_ANSWER_BYTES)).decode("utf-8", "replace")
                location = answer.headers.get("location", "")
                return WebhookResponse(answer.status, text, round((time.monotonic() - started) * 1000, 1), location)
        except TimeoutError as error:
            raise DeliveryFailed(f"{hook.place}: no answer within {hook.timeout_seconds:g} s") from error
        except aiohttp.ClientConnectorCertificateError as error:
            why = str(getattr(error.certificate_error, "verify_message", "") or "it cannot be verified")
            message = f"its certificate is not trusted: {why} (ca_file, when the authority is your own)"
            raise DeliveryFailed(f"{hook.place}: {message}") from error
        except aiohttp.ClientConnectorError as error:
            why = error.os_error.strerror or type(error.os_error).__name__
            raise DeliveryFailed(f"{hook.place}: no connection: {why}") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise DeliveryFailed(f"{hook.place}: {error or type(error).__name__}") from error

    async def close(self) -> None:
        """Close the connections; idempotent."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _deliver(self, entry: OutboxEntry) -> Sequence[NewOutboxEntry]:
        hook = self._hooks[str(entry.payload["hook"])]
        answer = await self.post(hook, entry.payload["body"])
        if problem := response_problem(answer):
            raise DeliveryFailed(f"{hook.place}: {problem}", final=answer.status == 410)
        return ()


def without_secrets(url: str) -> str:
    """Return an address without user, password, query and fragment."""
    parts = urlsplit(url)
    hidden = "?..." if parts.query else ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{hidden}"


def response_problem(answer: WebhookResponse) -> str:
    """Say what is wrong with an answer; ``""`` for 2xx, which alone counts as delivered."""
    if 200 <= answer.status < 300:
        return ""
    if 300 <= answer.status < 400:
        return f"it redirects ({answer.status}) to {answer.location or 'nowhere'}, which is not followed: set that url"
    said = redact_text(" ".join(answer.text.split()))  # receivers like to quote what they were sent
    hints = {
        401: "it refuses the request; is its secret the same as here?",
        403: "it refuses the request; is its secret the same as here?",
        404: "there is nothing at this url",
        405: "it does not take POST at this url",
        410: "it is gone for good and not tried again",
    }
    hint = hints.get(answer.status, "it failed" if answer.status >= 500 else "it does not take the event")
    return f"HTTP {answer.status}: {hint}{f' ({said})' if said else ''}"
