"""More callers must not make the answers to each of them many times as slow: a ratio of one run, no absolute time."""

from __future__ import annotations

import pytest

from benchmarks.guard import ratios_over_baseline, read_baseline
from tests.live.conftest import CallCentre, failures
from tests.live.spare_capacity import callers_at_once

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCRIPT = """
calls:
  - name: order status
    dial: "7000"
    voice: joe
    steps:
      - say: where is my order
      - expect: /order number/
      - say: one oh four seven three
      - expect: /postcode/
      - say: six oh six one four
      - expect: /arrive/
      - say: no thanks
      - wait: hang_up
    expect: {outcome: answered, ended_by: agent}
"""


async def test_five_callers_are_answered_about_as_fast_as_one(call_centre: CallCentre) -> None:
    callers = await callers_at_once(5)
    alone = await call_centre.play(SCRIPT)
    together = await call_centre.play(SCRIPT, at_once=callers, repeat=5)
    assert alone.ok, failures(alone)
    assert together.ok, failures(together)
    assert alone.response_ms.p50
    assert together.response_ms.p50
    ratio = together.response_ms.p50 / alone.response_ms.p50
    assert ratios_over_baseline({"p50 of five callers / of one": ratio}, read_baseline()) == []
