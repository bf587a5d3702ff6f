"""A real Asterisk for the tests of this folder."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from agent.rehearse.private_asterisk import Asterisk, ensure_asterisk


@pytest.fixture(scope="session")
def asterisk() -> Asterisk:
    """The Asterisk of $ORDERLINE_HOME (``var`` in the repository when unset), fetched on the first run."""
    home = Path(os.environ.get("ORDERLINE_HOME") or Path(__file__).resolve().parents[2] / "var")
    return asyncio.run(ensure_asterisk(home, force=os.environ.get("ASTERISK"), report=print))
