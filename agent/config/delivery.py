"""Settings of what leaves the agent: webhooks, the outbox, the Redis that several nodes share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field

from agent.common.addresses import check_url
from agent.config.base import SettingsError, SettingsPart, read_secret

WebhookEventName = Literal[
    "call.started",
    "call.ended",
    "call.handed_over",
    "return.created",
    "ticket.created",
    "survey.answered",
    "outbound.finished",
    "outbound.opted_out",
]


class WebhookSettings(SettingsPart):
    """One receiver of events (docs/webhooks.md)."""

    name: str = Field(pattern="^[a-z0-9][a-z0-9_-]{0,39}$")
    """Stands in the log, in ``orderline outbox`` and in the names of secrets."""
    url: Annotated[str, AfterValidator(lambda url: check_url(url, "http", "https"))]
    secret_file: Path | None = None
    """A file with one ``whsec_...`` a line; or set ORDERLINE_WEBHOOK_<NAME>_SECRET. All of them sign."""
    events: tuple[WebhookEventName, ...] = ()
    """Which it gets; empty for all."""
    timeout_seconds: float = Field(default=10.0, gt=0, le=15)
    phone_numbers: bool = False
    """True tells it the number a call came from."""
    ca_file: Path | None = None
    """PEM file of the authority that signed its certificate; unset: the machine's own authorities."""

    def secret(self) -> str:
        """The secret file's text. Raises SettingsError when it is nowhere."""
        variable = f"ORDERLINE_WEBHOOK_{self.name.upper().replace('-', '_')}_SECRET"
        return read_secret(self.secret_file, variable, f"webhooks ({self.name}) secret_file")


class OutboxSettings(SettingsPart):
    """How long deliveries are tried."""

    max_age_hours: float = Field(default=72, gt=0)
    """Tickets and webhooks older than this go to the dead letters."""
    sms_max_age_hours: float = Field(default=24, gt=0)
    keep_delivered_days: float = Field(default=7, ge=0)
    """How long the keys of what was delivered are kept; their contents are not."""


class RedisSettings(SettingsPart):
    """The Redis that several nodes share."""

    url: Annotated[str, AfterValidator(lambda url: check_redis_url(url))] = ""
    """Empty: none; or set ORDERLINE_REDIS_URL, where a password does not stand in a file."""

    def address(self) -> str:
        """The address, ``""`` for none. Raises SettingsError when the one in the environment is none."""
        given = os.environ.get("ORDERLINE_REDIS_URL", "")
        try:
            return check_redis_url(given) or self.url
        except ValueError as error:
            raise SettingsError(f"ORDERLINE_REDIS_URL: {error}") from error


_REDIS_OPTIONS = frozenset(
    [
        "db",
        "username",
        "password",
        "protocol",
        "client_name",
        "health_check_interval",
        "ssl_cert_reqs",
        "ssl_ca_certs",
        "ssl_ca_path",
        "ssl_certfile",
        "ssl_keyfile",
        "ssl_check_hostname",
    ]
)


def check_redis_url(url: str) -> str:
    """Return the address of one Redis, or ``""``. Raises ValueError, for an administrator; no password stands in it."""
    if not url or url.startswith("unix:///"):
        return url
    check_url(url, "redis", "rediss", "unix")
    parts = urlsplit(url)
    database = parts.path.strip("/")
    if database and not (database.isascii() and database.isdecimal()):
        raise ValueError("ends with a database that is no number: redis://HOST:6379/0")
    for name, _ in parse_qsl(parts.query, keep_blank_values=True):
        if name not in _REDIS_OPTIONS:
            raise ValueError(f"there is no option {name}; there are {', '.join(sorted(_REDIS_OPTIONS))}")
    return url
