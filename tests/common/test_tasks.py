"""Tasks end when they are told to, and a task that fails says so."""

from __future__ import annotations

import asyncio
import logging

import pytest

from agent.common.tasks import cancel_and_wait, report_failure


class SlowTask:
    """Cleans up, when it is cancelled, until it is allowed to end."""

    def __init__(self) -> None:
        self.begun, self.cleaning_up, self.may_end = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cleaning_up.set()
            await self.may_end.wait()


async def fail() -> None:
    raise ValueError("broken")


class TestCancelAndWait:
    async def test_it_returns_when_every_task_has_cleaned_up(self) -> None:
        slow = SlowTask()
        await slow.begun.wait()
        waiting = asyncio.create_task(cancel_and_wait(slow.task))
        await slow.cleaning_up.wait()
        assert not waiting.done()
        slow.may_end.set()
        await waiting
        assert slow.task.cancelled()

    async def test_what_a_task_ended_with_is_dropped(self) -> None:
        failed, ended = asyncio.create_task(fail()), asyncio.create_task(asyncio.sleep(0))
        await asyncio.wait([failed, ended])
        await cancel_and_wait(failed, ended)
        assert isinstance(failed.exception(), ValueError)

    async def test_a_caller_who_is_cancelled_learns_of_it_when_the_tasks_have_ended(self) -> None:
        slow = SlowTask()
        await slow.begun.wait()
        waiting = asyncio.create_task(cancel_and_wait(slow.task))
        await slow.cleaning_up.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert slow.task.done()

    async def test_no_task_is_no_wait(self) -> None:
        await cancel_and_wait()


class TestReportFailure:
    async def test_a_task_that_failed_is_named_with_its_error(self, caplog: pytest.LogCaptureFixture) -> None:
        task = asyncio.create_task(fail(), name="watchdog")
        task.add_done_callback(report_failure)
        await asyncio.wait([task])
        (record,) = caplog.records
        assert record.levelno == logging.ERROR
        assert record.message.startswith("watchdog has failed")
        assert "ValueError: broken" in caplog.text

    async def test_a_task_that_was_cancelled_or_is_done_is_not_worth_a_line(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        for task in (asyncio.create_task(asyncio.Event().wait()), asyncio.create_task(asyncio.sleep(0))):
            task.add_done_callback(report_failure)
            await asyncio.sleep(0)
            await cancel_and_wait(task)
        assert not caplog.records
