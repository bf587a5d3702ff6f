"""Fixtures of the tests of recovery."""

from __future__ import annotations

import pytest

from agent.dialog.pack.loader import FlowPack
from tests.recovery.killed_agent import load_pack


@pytest.fixture(scope="session")
def pack() -> FlowPack:
    """The shipped procedures, loaded once."""
    return load_pack()
