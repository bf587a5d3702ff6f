"""The comparison's other bot takes a call at the same Asterisk as Orderline."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.rehearsal.call_centre import RehearsalHome
from benchmarks.side_by_side.call_rounds import ComparisonSetup
from benchmarks.side_by_side.contenders import SAMPLE, rival
from tests.live.conftest import CallCentre

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_other_bot_answers_hears_keys_and_looks_up_in_the_same_shop(
    call_centre: CallCentre, home: RehearsalHome, tmp_path: Path
) -> None:
    script = tmp_path / "keypad.yaml"
    script.write_text(
        "name: by keypad\n"
        "steps: [say: where is my order, expect: /order number/, keys: '10473', expect: /postcode/,"
        " keys: '60614', expect: /tomorrow/, hang_up: ]\n",
        encoding="utf-8",
    )
    stack = call_centre.stack
    async with rival(stack, SAMPLE, "9001", tmp_path / "rival") as bot:
        arena = ComparisonSetup(stack, home, (bot,), tmp_path / "calls", print)
        result = await arena.play(bot, script, "smoke", 1)
        assert bot.cpu_seconds() > 0
    call = result.calls[0]
    assert call.answered
    assert call.greeting_ms is not None
    assert call.turns[0].heard != ""
    assert call.turns[1].heard == "10473"
    assert call.turns[1].response_ms is not None
    assert await call_centre.leftovers() == []
