"""What all tests share: a real Asterisk, fetched once."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from agent.rehearse.private_asterisk import Asterisk, ensure_asterisk
from agent.rehearse.stack import Home


@pytest.fixture(scope="session")
def home() -> Home:
    """Where the private Asterisk and the caches are: $ORDERLINE_HOME, or ``var`` in the repository."""
    return Home(Path(os.environ.get("ORDERLINE_HOME") or Path(__file__).resolve().parents[1] / "var"))


@pytest.fixture(scope="session")
def asterisk(home: Home) -> Asterisk:
    """The Asterisk in there, fetched on the first run, or the one that $ASTERISK names."""
    return asyncio.run(ensure_asterisk(home.directory, force=os.environ.get("ASTERISK") or None, report=print))


# The suite plays the same examples every time; HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))
