"""Failed verifications are counted over calls, restarts and agents, for an hour."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.shop.attempts_sqlite import HIDDEN_CALLERS, PER_CALLER, PER_NUMBER, SqliteAttemptLimits

CALLER = "+12025550199"


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def limits(tmp_path: Path, clock: Clock) -> AsyncIterator[SqliteAttemptLimits]:
    limits = SqliteAttemptLimits(tmp_path / "attempts.sqlite", clock=clock)
    yield limits
    await limits.close()


async def fail(limits: SqliteAttemptLimits, times: int, caller: str = CALLER, number: str = "") -> None:
    for n in range(times):
        await limits.failed(caller, number or f"{n:05d}")


async def test_a_caller_is_locked_after_five_failures_in_an_hour(limits: SqliteAttemptLimits, clock: Clock) -> None:
    await fail(limits, PER_CALLER - 1)
    assert not await limits.locked(CALLER, "10473")
    await fail(limits, 1)
    assert await limits.locked(CALLER, "10473")
    assert not await limits.locked("+12025550198", "10473")
    clock.seconds += 3601
    assert not await limits.locked(CALLER, "10473")


async def test_the_shop_says_how_many_failures_are_too_many_and_for_how_long(tmp_path: Path, clock: Clock) -> None:
    strict = SqliteAttemptLimits(tmp_path / "own.sqlite", per_caller=2, window_seconds=600, clock=clock)
    await fail(strict, 1)
    assert not await strict.locked(CALLER, "10473")
    await fail(strict, 1)
    assert await strict.locked(CALLER, "10473")
    clock.seconds += 601
    assert not await strict.locked(CALLER, "10473")
    await strict.close()


async def test_an_order_is_locked_whoever_calls(limits: SqliteAttemptLimits) -> None:
    for n in range(PER_NUMBER):
        await limits.failed(f"+1202555010{n}", "10473")
    assert await limits.locked("+12025550188", "10473")
    assert not await limits.locked("+12025550188", "10437")


async def test_hidden_callers_share_one_allowance(limits: SqliteAttemptLimits) -> None:
    await fail(limits, HIDDEN_CALLERS - 1, caller="")
    assert not await limits.locked("", "10473")
    await fail(limits, 1, caller="")
    assert await limits.locked("", "10473")
    assert not await limits.locked(CALLER, "10473")


async def test_a_restart_and_a_second_agent_see_the_same_counts(tmp_path: Path, clock: Clock) -> None:
    first = SqliteAttemptLimits(tmp_path / "a.sqlite", clock=clock)
    second = SqliteAttemptLimits(tmp_path / "a.sqlite", clock=clock)
    await fail(first, PER_CALLER)
    assert await second.locked(CALLER, "1")
    await first.close()
    await second.close()
    third = SqliteAttemptLimits(tmp_path / "a.sqlite", clock=clock)
    assert await third.locked(CALLER, "1")
    await third.close()


async def test_a_file_that_cannot_be_used_locks_nobody_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    limits = SqliteAttemptLimits(tmp_path)  # a directory
    await limits.failed(CALLER, "1")
    assert not await limits.locked(CALLER, "1")
    assert "not counted" in caplog.text
    await limits.close()
    await limits.close()


async def test_failures_of_a_clock_that_was_wrong_lock_nobody_for_years(
    limits: SqliteAttemptLimits, clock: Clock
) -> None:
    clock.seconds += 1e8
    for _ in range(PER_NUMBER):
        await limits.failed(CALLER, "10473")
    clock.seconds -= 1e8
    assert not await limits.locked(CALLER, "10473")
