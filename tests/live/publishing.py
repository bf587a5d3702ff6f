"""A private call centre whose procedures are published from a console."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from agent.flows import english_pack
from agent.rehearsal.call_centre import RehearsalHome, running_call_centre
from agent.rehearsal.private_asterisk import Asterisk
from tests.live.conftest import CallCentre

SALE_TEST = """
calls:
  - call: a caller asks about the sale
    lines:
      - user: tell me about the autumn sale
        agent: percent
"""
"""What every publication plays first."""


@asynccontextmanager
async def publishing_call_centre(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CallCentre]:
    """Run a call centre on a copy of the English procedures; its ``run_dir`` has them in ``flows``."""
    run_dir = tmp_path_factory.mktemp("run")
    shutil.copytree(english_pack(), run_dir / "flows")
    tests = run_dir / "flow-tests"
    tests.mkdir()
    (tests / "sale.yaml").write_text(SALE_TEST, encoding="utf-8")
    settings: dict[str, object] = {
        "flows_directory": str(run_dir / "flows"), "console": {"tests_directory": str(tests)},
    }  # fmt: skip
    async with running_call_centre(asterisk, home, run_dir, print, settings) as stack:
        yield CallCentre(stack, home, tmp_path_factory.mktemp("calls"))
