"""Calls placed over a real trunk: every far end is told apart, and whoever answers is never left in silence."""

from __future__ import annotations

import asyncio
import re
import wave
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from agent.asterisk.ami_database import AsteriskDatabase
from agent.asterisk.ami_queues import ManagerAddress
from agent.asterisk.ari.client import AriClient
from agent.asterisk.outbound_calls import APP_SUFFIX, DIAL_EVENT_TYPES, AsteriskTrunk, TrunkOptions
from agent.call.dialling import DialEnd, DialProgress, DialRefused, DialRequest, DialState
from agent.rehearsal.pbx_pair import Pbx, running_pair
from agent.rehearsal.private_asterisk import Asterisk
from tests.rehearsal.rig import AriEventRecorder

pytestmark = pytest.mark.asyncio(loop_scope="module")
RING_SECONDS = 3
EXPECTED = (
    r"Stasis app 'orderline' doesn't exist",
    r"outbound websocket per-call config for app 'orderline'",
    r"endpoint 'nowhere' was not found",
)
"""What Asterisk says when the agent's program is not connected, and of the trunk that it does not know."""


class Line:
    """A trunk and what it told."""

    def __init__(self, pbx: Pbx, phones: Pbx, trunk: AsteriskTrunk) -> None:
        self.pbx, self.phones, self.trunk = pbx, phones, trunk
        self.told: list[DialProgress] = []
        self._news = asyncio.Condition()
        self._count = 0

    async def dial_progressed(self, progress: DialProgress) -> None:
        async with self._news:
            self.told.append(progress)
            self._news.notify_all()

    def request(self, number: str) -> DialRequest:
        self._count += 1
        attempt = f"ob-{self._count:016x}-z"
        return DialRequest(attempt, f"delivery:{self._count}:all", "delivery", number, "+12025550190", RING_SECONDS)

    async def dial(self, number: str, trunk: AsteriskTrunk | None = None) -> str:
        request = self.request(number)
        await (trunk or self.trunk).dial(request)
        return request.attempt

    def states(self, attempt: str) -> list[DialState]:
        return [progress.state for progress in self.told if progress.attempt == attempt]

    async def reached(self, attempt: str, state: DialState, seconds: float = 20.0) -> DialProgress:
        def found() -> list[DialProgress]:
            return [one for one in self.told if one.attempt == attempt and one.state is state]

        async with asyncio.timeout(seconds), self._news:
            await self._news.wait_for(lambda: bool(found()))
        return found()[0]

    async def end(self, number: str) -> DialProgress:
        return await self.reached(await self.dial(number), DialState.ENDED)

    def played(self, sound: str) -> int:
        log = (self.pbx.log_dir / "full.log").read_text(encoding="utf-8", errors="replace")
        return len(re.findall(rf"Playing '{re.escape(sound)}", log))


def _client(pbx: Pbx) -> AriClient:
    ari = AriClient(pbx.ari_url, pbx.ari_user, pbx.ari_password, "orderline" + APP_SUFFIX, event_types=DIAL_EVENT_TYPES)
    ari.open()
    return ari


def _marks(pbx: Pbx) -> AsteriskDatabase:
    return AsteriskDatabase(ManagerAddress("127.0.0.1", pbx.ami_port, pbx.ami_user, pbx.ami_secret))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    directory = tmp_path_factory.mktemp("outbound")
    with wave.open(str(directory / "message.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(8000))
    async with running_pair(asterisk, directory, print) as (pbx, phones):
        options = TrunkOptions("PJSIP/{number}@carrier", "PJSIP/carrier", message_file=str(directory / "message"))
        trunk = AsteriskTrunk(_client(pbx), options, _marks(pbx))
        line = Line(pbx, phones, trunk)
        await trunk.start(line)
        async with asyncio.timeout(10):
            while trunk.problem:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        yield line
        await trunk.close()
        assert pbx.log_problems(expected=EXPECTED) == []


ROWS = [
    (17, 17, 486, DialEnd.BUSY),
    (19, 19, 480, DialEnd.NO_ANSWER),
    (20, 19, 480, DialEnd.NO_ANSWER),
    (31, 19, 480, DialEnd.NO_ANSWER),
    (18, 18, 408, DialEnd.NO_ANSWER),
    (21, 21, 403, DialEnd.REFUSED),
    (16, 21, 603, DialEnd.DECLINED),
    (41, 21, 603, DialEnd.DECLINED),
    (47, 21, 603, DialEnd.DECLINED),
    (50, 21, 603, DialEnd.DECLINED),
    (1, 1, 404, DialEnd.BAD_NUMBER),
    (3, 1, 404, DialEnd.BAD_NUMBER),
    (22, 22, 410, DialEnd.BAD_NUMBER),
    (28, 28, 484, DialEnd.BAD_NUMBER),
    (34, 34, 503, DialEnd.TRUNK_FAULT),
    (42, 34, 503, DialEnd.TRUNK_FAULT),
    (27, 27, 502, DialEnd.TRUNK_FAULT),
    (38, 38, 500, DialEnd.TRUNK_FAULT),
    (58, 58, 488, DialEnd.TRUNK_FAULT),
]
"""(the far end's cause, Asterisk's, the SIP status, what it is)"""


async def test_every_way_of_refusing_is_told_apart(line: Line) -> None:
    ends = await asyncio.gather(*(line.end(f"+120255501{theirs:02d}") for theirs, *_ in ROWS))
    found = [(row[0], end.cause, end.tech_cause, end.end, end.rang) for row, end in zip(ROWS, ends, strict=True)]
    assert found == [(*row, False) for row in ROWS]


async def test_who_does_not_answer_is_told_from_a_trunk_that_is_dead_by_the_ringing(line: Line) -> None:
    rang, dead = await asyncio.gather(line.end("+13035550101"), line.end("+13035550102"))
    assert (rang.end, rang.rang, rang.cause) == (DialEnd.NO_ANSWER, True, 19)
    assert (dead.end, dead.rang, dead.cause) == (DialEnd.TRUNK_FAULT, False, 19)


async def test_forwards_and_announcements_before_the_answer_are_no_answer(line: Line) -> None:
    forwarded, announced = await asyncio.gather(line.end("+13035550103"), line.end("+13035550104"))
    assert forwarded.end is DialEnd.FORWARDED
    assert announced.rang
    assert announced.end is DialEnd.BAD_NUMBER or announced.end is DialEnd.NO_ANSWER


async def test_a_ringing_call_is_cancelled(line: Line) -> None:
    attempt = await line.dial("+13035550101")
    await line.reached(attempt, DialState.RANG)
    assert await line.trunk.find(attempt) is DialState.RANG
    assert await line.trunk.channels() >= 1
    assert await line.trunk.cancel(attempt)
    assert (await line.reached(attempt, DialState.ENDED)).end is DialEnd.CANCELLED
    assert await line.trunk.find(attempt) is None
    assert not await line.trunk.was_answered(attempt)


async def test_an_endpoint_asterisk_does_not_know_is_refused(line: Line) -> None:
    trunk = AsteriskTrunk(line.trunk._ari, TrunkOptions("PJSIP/{number}@nowhere", "PJSIP/carrier"), _marks(line.pbx))
    trunk.problem = ""
    with pytest.raises(DialRefused):
        await line.dial("+13035550101", trunk)


async def test_without_an_agent_whoever_answers_hears_the_message_at_once(line: Line) -> None:
    before = line.played(line.trunk._options.message_file)
    attempt = await line.dial("+13035550106")
    await line.reached(attempt, DialState.ANSWERED)
    end = await line.reached(attempt, DialState.ENDED)
    assert end.end is DialEnd.ANSWERED
    assert line.played(line.trunk._options.message_file) == before + 1
    assert await line.trunk.was_answered(attempt)


async def test_an_agent_that_is_silent_loses_the_callee_to_the_message(line: Line) -> None:
    before = line.played(line.trunk._options.message_file)
    async with AriEventRecorder(line.pbx, "orderline") as agent:
        attempt = await line.dial("+13035550105")
        channel = await agent.entered("outbound")
        assert channel["id"] == attempt
        assert channel["args"][2:] == [attempt, "delivery", "+13035550105"]
        assert channel["caller"]["number"] == "+13035550105", "staff see the customer's number, not our own"
        await agent.gone(attempt)
        await line.reached(attempt, DialState.ENDED)
    assert line.played(line.trunk._options.message_file) == before + 1
    assert line.states(attempt) == [DialState.DIALLED, DialState.RANG, DialState.ANSWERED, DialState.ENDED]


async def test_the_queue_takes_a_callee_who_wanted_a_person_and_nobody_else(line: Line) -> None:
    before = line.played(line.trunk._options.message_file)
    async with AriEventRecorder(line.pbx, "orderline") as agent, AriEventRecorder(line.phones, "rehearse") as phones:
        first = await line.dial("+13035550106")
        await agent.entered("outbound")
        await agent.ari.channels.continue_in_dialplan(first, context="orderline-handover", extension="agent_fault")
        await line.reached(first, DialState.ENDED)
        assert line.played(line.trunk._options.message_file) == before + 1
        second = await line.dial("+13035550106")
        await agent.entered("outbound")
        await agent.ari.channels.set_variable(second, "ORDERLINE_PERSON_WANTED", "1")
        await agent.ari.channels.continue_in_dialplan(second, context="orderline-handover", extension="caller_asked")
        phone = await phones.entered("phone", "601")
        assert phone["caller"]["number"] == "+13035550106"
        await agent.ari.channels.hangup(second)
        await line.reached(second, DialState.ENDED)
