"""Opens the shop that the settings describe: mapped systems, the demo shop, or both."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from agent.common.redis import SharedRedis
from agent.config.base import SettingsError
from agent.config.shop import ShopSettings, VerificationSettings
from agent.config.timezone import wall_clock
from agent.shop import normalise
from agent.shop.attempts_redis import RedisAttemptLimits
from agent.shop.attempts_sqlite import SqliteAttemptLimits
from agent.shop.demo.shop import open_demo_shop
from agent.shop.http import commands, sources
from agent.shop.http.check_requests import CheckSamples
from agent.shop.http.idempotency_store import IdempotencyStore
from agent.shop.http.mapping_files import load_directory
from agent.shop.http.shop import open_http_shop
from agent.shop.http.transport import tls_context
from agent.shop.policy import Policy
from agent.shop.protocols import AttemptLimits, ShopSystems
from agent.shop.verification import VERIFY_FLOOR_SECONDS

NO_SHOP = (
    "No order system is configured: set shop.systems_directory for your own systems (docs/shop-http.md), "
    "or shop.demo_directory to use the demo shop."
)

MAPPED_VERIFY_FLOOR_SECONDS = 0.9
"""Over a network an order that is there can take longer than one that is not: the address and the lines are asked for
too. Just below the second after which a caller is told that it takes a moment."""


@dataclass(frozen=True)
class ConfiguredShop:
    """All doors of the shop, its rules, and how its systems are."""

    systems: ShopSystems
    policy: Policy
    status: Callable[[], Mapping[str, Any]]
    """Each mapped system's breaker and last failure; empty for the demo shop."""
    verify_floor_seconds: float = VERIFY_FLOOR_SECONDS
    """A refused verification comes no sooner, so that its delay does not tell why it was refused."""
    serves: Callable[[str], bool] = lambda operation: True
    """Whether some system serves an operation of mapping files (``returns.create``); the demo shop serves all."""


async def open_shop(
    settings: ShopSettings,
    now: Callable[[], datetime],
    stack: contextlib.AsyncExitStack,
    changes_file: Path,
) -> ConfiguredShop:
    """Open what is configured; ``stack`` closes it.

    ``now`` gives the shop's local time; ``changes_file`` is where changes of mapped systems are remembered.

    Raises SettingsError (MappingError for mistakes in mapping files) and what opening the demo shop raises.
    """
    policy = Policy()
    systems: ShopSystems | None = None
    if settings.demo_directory is not None:
        demo = await open_demo_shop(settings.demo_directory, now=now)
        stack.push_async_callback(demo.close)
        systems, policy = demo.systems, demo.policy
    if settings.systems_directory is None:
        if systems is None:
            raise SettingsError(NO_SHOP)
        return ConfiguredShop(systems, settings.policy.over(policy), dict)
    files = load_directory(settings.systems_directory)
    if systems is None and not any("orders.find" in file.system.operations for file in files):
        raise SettingsError(f"{settings.systems_directory}: no file maps orders.find, and there is no demo shop.")
    kept = IdempotencyStore(changes_file)
    stack.push_async_callback(kept.close)
    specs = [file.system for file in files]
    http = open_http_shop(specs, now=now, otherwise=systems, region=settings.country, kept=kept)
    stack.push_async_callback(http.close)
    mapped = frozenset(name for spec in specs for name in spec.operations)
    with_demo = systems is not None
    return ConfiguredShop(
        http.systems,
        settings.policy.over(policy),
        http.status,
        MAPPED_VERIFY_FLOOR_SECONDS,
        lambda operation: with_demo or operation in mapped,
    )


def open_attempt_limits(
    allowed: VerificationSettings, file: Path, redis: SharedRedis | None, stack: contextlib.AsyncExitStack
) -> AttemptLimits:
    """Open the count of failed verifications in ``file``, and that of all nodes in Redis; ``stack`` closes it."""
    window_seconds = allowed.window_minutes * 60.0
    own = SqliteAttemptLimits(
        file,
        per_caller=allowed.per_caller,
        per_number=allowed.per_order,
        hidden=allowed.hidden_callers,
        window_seconds=window_seconds,
    )
    stack.push_async_callback(own.close)
    if redis is None:
        return own
    return RedisAttemptLimits(
        own,
        redis,
        per_caller=allowed.per_caller,
        per_number=allowed.per_order,
        hidden=allowed.hidden_callers,
        window_seconds=window_seconds,
    )


def describe_shop(settings: ShopSettings) -> str:
    """Say what the shop is made of, without asking any system.

    Raises SettingsError, MappingError, SecretMissing for a secret that is not where its mapping says, and ServiceError
    for a CA file that cannot be used.
    """
    demo = "the demo shop" if settings.demo_directory is not None else ""
    if settings.systems_directory is None:
        if not demo:
            raise SettingsError(NO_SHOP)
        return demo
    files = load_directory(settings.systems_directory)
    for file in files:
        tls_context(file.system)
        for source in sources.sources_of(file.system.auth):
            sources.read(source)
    told = [f"{file.system.system} ({', '.join(file.system.operations)})" for file in files]
    return "; ".join([*told, *([f"{demo} for the rest"] if demo else [])])


def check_systems(settings: ShopSettings, options: Mapping[str, Any], out: TextIO) -> int:
    """Check every mapped operation (``orderline shop check``); ``options`` are order, phone, postcode and write.

    Returns the exit code. Raises SettingsError, MappingError, and ServiceError for a CA file that cannot be used.
    """
    if settings.systems_directory is None:
        raise SettingsError("shop.systems_directory is not set: there are no mapped systems (docs/shop-http.md).")
    phone = normalise.phone(options["phone"], settings.country)
    if options["phone"] and not phone:
        raise SettingsError(f"--phone: this cannot be a phone number of {settings.country}")
    samples = CheckSamples(normalise.order_number(options["order"]), phone, options["postcode"], options["write"])
    files = load_directory(settings.systems_directory)
    return commands.check(files, samples, settings.country, wall_clock(settings.timezone), out)
