"""A shop out of the shipped mapping files, in front of the real servers."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from agent.shop.http.idempotency_store import IdempotencyStore
from agent.shop.http.mapping_files import load_directory
from agent.shop.http.shop import HttpShop, open_http_shop
from tests.peers.fixtures import kannel, oscar, roundup
from tests.peers.mapped import write_mappings

__all__ = ["kannel", "open_mapped", "oscar", "roundup"]

NOW = dt.datetime(2026, 1, 9, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=-6)))
OpenMapped = Callable[..., HttpShop]


@pytest.fixture
async def open_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenMapped]:
    """Open the mappings of the servers that are given by name."""
    opened: list[HttpShop] = []

    def open_them(kept: IdempotencyStore | None = None, **servers: object) -> HttpShop:
        directory = write_mappings(tmp_path / "systems", monkeypatch, **servers)  # type: ignore[arg-type]
        shop = open_http_shop([file.system for file in load_directory(directory)], now=lambda: NOW, kept=kept)
        opened.append(shop)
        return shop

    yield open_them
    for shop in opened:
        await shop.close()
