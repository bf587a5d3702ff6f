"""Opens the shop that the settings describe: mapped systems, the demo shop, or both."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.settings import SettingsError, ShopSettings
from agent.shop.demo.shop import open_demo_shop
from agent.shop.http.mapping_files import load_directory
from agent.shop.http.shop import open_http_shop
from agent.shop.policy import Policy
from agent.shop.protocols import ShopSystems

NO_SHOP = (
    "No order system is configured: set shop.systems_directory for your own systems (docs/shop-http.md), "
    "or shop.demo_directory to use the demo shop."
)


@dataclass(frozen=True)
class OpenShop:
    """All doors of the shop, its rules, and how its systems are."""

    systems: ShopSystems
    policy: Policy
    status: Callable[[], Mapping[str, Any]]
    """Each mapped system's breaker and last failure; empty for the demo shop."""


async def open_shop(settings: ShopSettings, now: Callable[[], datetime], stack: contextlib.AsyncExitStack) -> OpenShop:
    """Open what is configured; ``stack`` closes it. ``now`` gives the shop's local time.

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
        return OpenShop(systems, settings.policy.over(policy), dict)
    files = load_directory(settings.systems_directory)
    if systems is None and not any("orders.find" in file.system.operations for file in files):
        raise SettingsError(f"{settings.systems_directory}: no file maps orders.find, and there is no demo shop.")
    http = open_http_shop([file.system for file in files], now=now, otherwise=systems, region=settings.country)
    stack.push_async_callback(http.close)
    return OpenShop(http.systems, settings.policy.over(policy), http.status)
