"""A few cells of the fault matrix (``orderline shop faults`` plays all): real calls over systems that go wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.private_asterisk import Asterisk
from benchmarks.shop_faults.cells import cells_chosen
from benchmarks.shop_faults.matrix import run_cells
from benchmarks.shop_faults.table import heading, row

pytestmark = pytest.mark.asyncio(loop_scope="session")

CELLS = "orders:dripping,deliveries:late,messages:certificate,tickets:slow"
"""A look-up without an end, a change that was made and not confirmed, a text that follows, a ticket that comes late."""


async def test_nobody_hears_long_silence_or_a_false_done_and_nothing_is_lost_or_done_twice(
    asterisk: Asterisk, home: RehearsalHome, tmp_path: Path
) -> None:
    results = await run_cells(asterisk, home, cells_chosen(CELLS), keep=tmp_path, at_once=2)
    table = "\n".join([heading(), *(row(result) for result in results)])
    print(table)
    assert len(results) == 4
    assert all(result.ok for result in results), table
