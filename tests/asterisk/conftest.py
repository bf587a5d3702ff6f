"""A made-up Asterisk, and an ARI client that is connected to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from agent.asterisk.ari.client import AriClient
from tests.asterisk.fake_asterisk import FakeAsterisk


@pytest.fixture
async def asterisk() -> AsyncIterator[FakeAsterisk]:
    fake = FakeAsterisk()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def ari(asterisk: FakeAsterisk) -> AsyncIterator[AriClient]:
    async with AriClient(asterisk.url, "orderline", "secret", "orderline") as client:
        yield client
