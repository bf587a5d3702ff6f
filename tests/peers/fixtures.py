"""The real servers as fixtures, one of each for all tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from agent.rehearsal.call_centre import RehearsalHome
from tests.peers.kannel import Kannel, running_kannel
from tests.peers.oscar import Oscar, running_oscar
from tests.peers.roundup import Roundup, running_roundup


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def oscar(home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Oscar]:
    """A django-oscar shop, empty at first."""
    async with running_oscar(home.directory, tmp_path_factory.mktemp("oscar") / "run", print) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def roundup(home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Roundup]:
    """A Roundup tracker, empty at first."""
    async with running_roundup(home.directory, tmp_path_factory.mktemp("roundup") / "run", print) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def kannel(home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kannel]:
    """A Kannel with its fake SMSC."""
    async with running_kannel(home.directory, tmp_path_factory.mktemp("kannel") / "run", print) as running:
        yield running
