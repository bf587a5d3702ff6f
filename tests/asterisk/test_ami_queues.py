"""The figures of the queues: asked through pyst2, in time or not at all, again after a loss."""

from __future__ import annotations

import asyncio

import pytest
from asterisk.manager import Manager

from agent.asterisk.ami_queues import AmiQueueStatistics, ManagerAddress
from agent.call.queue_rules import QueueState
from tests.asterisk.fake_manager import FakeManager
from tests.waiting import until

HUMANS = {"LoggedIn": 3, "Available": 1, "Callers": 2, "HoldTime": 40, "TalkTime": 120, "LongestHoldTime": 9}


def figures(manager: FakeManager, secret: str = "the-secret", **more: float) -> AmiQueueStatistics:
    address = ManagerAddress("127.0.0.1", manager.port, "orderline", secret)
    return AmiQueueStatistics(address, **({"deadline_seconds": 2.0, "cache_seconds": 0.0} | more))


async def test_a_queue_is_told_as_asterisk_counts_it() -> None:
    async with FakeManager(queues={"humans": HUMANS}) as manager:
        asking = figures(manager)
        asking.start()
        await until(lambda: asking.connected)
        assert await asking.state("humans") == QueueState(3, 1, 2, 40, 120)
        await asking.close()


async def test_a_queue_that_asterisk_does_not_have_is_unknown() -> None:
    async with FakeManager(queues={"humans": HUMANS}) as manager:
        asking = figures(manager)
        asking.start()
        await until(lambda: asking.connected)
        assert await asking.state("nosuch") is None
        assert await asking.state("humans") is not None, "the next question must not get the last one's answer"
        await asking.close()


async def test_many_callers_at_once_ask_once() -> None:
    async with FakeManager(queues={"humans": HUMANS}) as manager:
        asking = figures(manager, cache_seconds=60.0)
        asking.start()
        await until(lambda: asking.connected)
        states = await asyncio.gather(*(asking.state("humans") for _ in range(20)))
        assert len(set(states)) == 1
        assert manager.questions == ["humans"]
        await asking.close()


async def test_without_a_manager_nothing_is_known_and_nobody_waits_for_it() -> None:
    async with FakeManager() as manager:
        pass  # its port is closed again
    asking = figures(manager, deadline_seconds=30.0)
    asking.start()
    async with asyncio.timeout(10):
        assert await asking.state("humans") is None
    assert not asking.connected
    await asking.close()


async def test_a_manager_that_falls_silent_is_given_up_and_found_again() -> None:
    async with FakeManager(queues={"humans": HUMANS}) as manager:
        asking = figures(manager, deadline_seconds=0.05, stuck_seconds=0.2)
        asking.start()
        await until(lambda: asking.connected)
        manager.silent = True
        assert await asking.state("humans") is None
        await until(lambda: not asking.connected)
        manager.silent = False
        await until(lambda: manager.logins == 2 and asking.connected)
        asking._deadline_seconds = 2.0
        assert await asking.state("humans") is not None
        await asking.close()


async def test_a_cut_connection_is_made_again() -> None:
    async with FakeManager(queues={"humans": HUMANS}) as manager:
        asking = figures(manager)
        asking.start()
        await until(lambda: asking.connected)
        manager.cut()
        async with asyncio.timeout(30):
            while manager.logins < 2 or not asking.connected or await asking.state("humans") is None:
                await asking.state("humans")  # a question notices the cut
                await asyncio.sleep(0.05)
        assert await asking.state("humans") is not None
        await asking.close()


async def test_a_stream_closed_under_the_asking_thread_is_a_lost_connection_and_not_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with FakeManager(queues={"humans": HUMANS}) as manager:
        asking = figures(manager, deadline_seconds=30.0)
        asking.start()
        await until(lambda: asking.connected)
        send = Manager.send_action

        def closed(self: Manager, *args: object, **more: object) -> object:
            self._sock.close()  # what pyst2's reading thread does between our looking and our writing
            monkeypatch.setattr(Manager, "send_action", send)
            return send(self, *args, **more)

        monkeypatch.setattr(Manager, "send_action", closed)
        assert await asking.state("humans") is None
        await until(lambda: manager.logins == 2 and asking.connected)
        assert await asking.state("humans") is not None
        await asking.close()


async def test_a_refused_login_leaves_the_queue_unknown() -> None:
    async with FakeManager(queues={"humans": HUMANS}) as manager:
        asking = figures(manager, secret="wrong", deadline_seconds=30.0)
        asking.start()
        assert await asking.state("humans") is None
        assert manager.logins == 0
        await asking.close()


async def test_who_leaves_a_queue_is_told_and_broken_events_are_not_believed() -> None:
    left: list[tuple[str, float, str]] = []
    async with FakeManager(queues={"humans": HUMANS}) as manager:
        address = ManagerAddress("127.0.0.1", manager.port, "orderline", "the-secret")
        asking = AmiQueueStatistics(
            address, deadline_seconds=2.0, cache_seconds=0.0, on_left=lambda *one: left.append(one)
        )
        asking.start()
        await until(lambda: asking.connected)
        manager.tell("AgentConnect", Queue="humans", Uniqueid="1764057600.12", HoldTime="74", Interface="PJSIP/601")
        manager.tell("QueueCallerJoin", Queue="humans", Uniqueid="1764057600.13", Position="1")
        manager.tell("QueueCallerAbandon", Queue="humans", Uniqueid="1764057600.13", HoldTime="a week")
        manager.tell("AgentConnect", Queue="humans", HoldTime="3")
        manager.tell("QueueCallerAbandon", Queue="humans", Uniqueid="1764057600.14", HoldTime="9")
        assert await asking.state("humans") is not None, "questions are answered in between"
        await until(lambda: len(left) == 3)
        assert left == [
            ("1764057600.12", 74.0, "answered"), ("1764057600.13", 0.0, "hung_up"), ("1764057600.14", 9.0, "hung_up"),
        ]  # fmt: skip
        await asking.close()
