"""What a real call tells: the live feed, read by somebody who is cut off again and again, and the record afterwards."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.live.conftest import CallCentre, failures, records_of

pytestmark = pytest.mark.asyncio(loop_scope="session")
CUTS = 20
CALL = """
calls:
  - name: order status
    dial: "7000"
    caller: Maria Lopez <202-555-0143>
    voice: joe
    steps:
      - expect: /how can i help/
      - keys: "10473"
      - expect: /(zip|post) ?code|postcode/
      - keys: "60614"
      - expect: /on its way|arrive|deliver|shipped/
      - say: no thanks
      - wait: hang_up
"""


class InterruptedReader:
    """Reads the feed from one place on, and is cut off after every second message until that was often enough."""

    def __init__(self, call_centre: CallCentre) -> None:
        agent = call_centre.stack.agent
        self._url = f"{agent.control_url}/live"
        self._headers = {"Authorization": f"Bearer {agent.token}"}
        self._last: dict[str, Any] = {"seq": 0, "epoch": ""}
        self.greetings: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []

    async def read(self) -> None:
        """Read until the call of this test is over: the first whose end is told while it reads."""

        while not self._over:
            await self._connect()

    @property
    def _over(self) -> bool:
        return bool(self.events) and self.events[-1]["event"] == "call_ended"

    @property
    def _enough(self) -> bool:
        return self._over or (len(self.greetings) <= CUTS and len(self.events) % 2 == 0)

    async def begin(self) -> None:
        """Find the place that is reached now."""
        async with (
            aiohttp.ClientSession(headers=self._headers) as session,
            session.ws_connect(f"{self._url}?after=0") as socket,
        ):
            greeting = await socket.receive_json()
            self._last = {"seq": greeting["last"], "epoch": greeting["epoch"]}

    async def _connect(self) -> None:
        place = f"{self._url}?after={self._last['seq']}&epoch={self._last['epoch']}"
        async with (
            aiohttp.ClientSession(headers=self._headers) as session,
            session.ws_connect(place) as socket,
        ):
            self.greetings.append(await socket.receive_json())
            while True:
                self._last = await socket.receive_json()
                self.events.append(self._last)
                if self._enough:
                    return


async def test_a_reader_cut_off_again_and_again_has_the_whole_call_and_the_record_says_the_same(
    call_centre: CallCentre,
) -> None:
    reader = InterruptedReader(call_centre)
    await reader.begin()
    reading = asyncio.create_task(reader.read())
    result = await call_centre.play(CALL)
    assert result.ok, failures(result)
    async with asyncio.timeout(20):
        await reading
    events = [one for one in reader.events if one["call_id"] == result.calls[0].call_id]
    assert len(reader.greetings) > CUTS
    assert all((one["lost"], one["restarted"]) == (0, False) for one in reader.greetings)
    numbers = [one["seq"] for one in reader.events]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert [one["call_seq"] for one in events] == list(range(1, len(events) + 1))

    (record,) = await records_of(call_centre, result)
    steps: dict[int, dict[str, Any]] = {one["data"]["index"]: one["data"] for one in events if one["event"] == "step"}
    told = [{name: step[name] for name in record["trail"][0]} for _, step in sorted(steps.items())]
    assert told == record["trail"]
    assert all(step["way"] for step in record["trail"])
    assert (record["trail"][-1]["kind"], record["trail"][-1]["way"]) == ("hangup", "ended")
    began = [step["at_seconds"] for step in record["trail"]]
    assert began == sorted(began)
    assert [(one["intent"], one["result"]) for one in record["intents"]] == [("order_status", "answered")]
    assert ("orders.verify", "order.status") in {(fact["operation"], fact["name"]) for fact in record["facts"]}
    assert record["edition"]
    assert record["started_utc"] <= record["answered_utc"] <= record["ended_utc"]
    for turn in record["turns"]:
        if turn["heard"]:
            assert turn["heard_from_seconds"] <= turn["heard_until_seconds"], turn
            assert turn["result"] == "understood", turn
