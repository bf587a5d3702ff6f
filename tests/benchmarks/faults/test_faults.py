"""The fault matrix counts what it has tried, and sets up again what it has not come to try."""

from __future__ import annotations

from typing import cast

import pytest

from benchmarks.faults.case_runner import SET_UP_AGAIN, run_case_once
from benchmarks.faults.fault_caller import CallerNotInState
from benchmarks.faults.fault_case import CaseFindings, CaseResult, FaultCase
from benchmarks.faults.matrix import table_lines
from benchmarks.faults.testbed import FaultTestbed


class IdleTestbed:
    """A call centre without calls."""

    def __init__(self) -> None:
        self.recovered = 0

    def exceptions(self) -> list[str]:
        return []

    async def recover(self) -> None:
        self.recovered += 1


class CaseNotSetUpAtFirst:
    """A case that is not set up at first."""

    def __init__(self, not_set_up: int, problem: str = "") -> None:
        self.left = not_set_up
        self.problem = problem

    async def run(self, place: FaultTestbed, findings: CaseFindings) -> None:
        findings.require(self.left == 0, "what was noted before the set-up failed")
        if self.left:
            self.left -= 1
            raise CallerNotInState("the caller was misheard")
        findings.require(not self.problem, self.problem)
        findings.reach(1.5, "caller")


async def result_of(tried: CaseNotSetUpAtFirst) -> tuple[CaseResult, IdleTestbed, list[str], str]:
    place, told = IdleTestbed(), list[str]()
    case = FaultCase("case", "something breaks", tried.run)
    result = CaseResult(case.name, case.what)
    await run_case_once(cast(FaultTestbed, place), case, result, told.append)
    return result, place, told, table_lines(result, case)


async def test_a_run_that_was_set_up_at_once_counts_and_says_nothing_of_it() -> None:
    result, place, told, line = await result_of(CaseNotSetUpAtFirst(0))
    assert (result.passed, result.failed, result.set_up_again, place.recovered) == (1, 0, 0, 0)
    assert told == []
    assert "again" not in line


@pytest.mark.parametrize("tries", [1, SET_UP_AGAIN])
async def test_a_caller_who_was_not_where_it_must_be_is_set_up_again_and_that_is_told(tries: int) -> None:
    result, place, told, line = await result_of(CaseNotSetUpAtFirst(tries))
    assert (result.passed, result.failed, result.set_up_again, place.recovered) == (1, 0, tries, tries)
    assert result.reached == [1.5]
    assert len(told) == tries
    assert f"set up again: {tries}" in line


async def test_what_cannot_be_set_up_has_failed() -> None:
    result, _, _, _ = await result_of(CaseNotSetUpAtFirst(SET_UP_AGAIN + 1))
    assert (result.passed, result.failed) == (0, 1)
    assert result.problems[-1] == "could not be set up: the caller was misheard"


async def test_what_was_set_up_and_went_wrong_is_not_tried_again() -> None:
    result, place, _, _ = await result_of(CaseNotSetUpAtFirst(1, "no person"))
    assert (result.passed, result.failed, place.recovered) == (0, 1, 2)
    assert result.problems == ["no person"]
