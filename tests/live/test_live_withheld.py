"""A real caller who withholds the number: it is nowhere, but in the emergency log where one is kept."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from agent.rehearsal.call_centre import RehearsalHome, running_call_centre
from agent.rehearsal.private_asterisk import Asterisk
from tests.live.conftest import CallCentre, failures, records_since, stored_records

pytestmark = pytest.mark.asyncio(loop_scope="session")

WITHHELD = """
calls:
  - name: withheld
    dial: "7901"
    caller: Maria Lopez <202-555-0143>
    voice: joe
    steps:
      - barge_in: {after_ms: 900, say: talk to a person}
      - silence: 6
      - hang_up
"""
"""Neither words nor a staff phone are expected: the rehearsal knows both by the number, which neither has."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def call_centre_with_log(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CallCentre]:
    run_dir = tmp_path_factory.mktemp("run")
    settings: dict[str, object] = {
        "call": {"withheld_log_file": str(run_dir / "withheld.log")},
        "shop": {"greet_by_name": "yes"},
    }
    async with running_call_centre(asterisk, home, run_dir, print, settings) as stack:
        yield CallCentre(stack, home, tmp_path_factory.mktemp("calls"))


async def test_number_and_name_are_in_no_record_ticket_log_or_phone(call_centre_with_log: CallCentre) -> None:
    before = stored_records(call_centre_with_log).keys()
    result = await call_centre_with_log.play(WITHHELD)
    assert result.ok, failures(result)
    run_dir = call_centre_with_log.stack.run_dir
    (record,) = await records_since(call_centre_with_log, before)
    assert record["caller"] == {"number": "", "name": "", "dialled": "7901"}
    assert record["outcome"] == "handed_over"
    assert "Maria" not in " ".join(turn["agent"] for turn in record["turns"])
    emergency = run_dir / "withheld.log"
    lines = [json.loads(line) for line in emergency.read_text(encoding="utf-8").splitlines()]
    assert [one["number"] for one in lines if one["call"] == record["id"]] == ["2025550143"]
    files = [path for place in ("state", "shop") for path in (run_dir / place).rglob("*") if path.is_file()]
    calls = [path for path in files if path.name.startswith(("calls.sqlite", "state.sqlite"))]
    assert calls
    for path in [*calls, run_dir / "agent.log"]:
        content = path.read_bytes()
        assert b"2025550143" not in content, path
        assert b"Maria" not in content, path
