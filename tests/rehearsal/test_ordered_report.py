"""Calls held at once are told one after the other."""

from __future__ import annotations

from agent.rehearsal.ordered_report import OrderedReport
from agent.rehearsal.report import ConsoleReport
from agent.rehearsal.result import ScriptedCallResult


def result(name: str) -> ScriptedCallResult:
    return ScriptedCallResult(
        name=name,
        ok=True,
        checks=(),
        outcome="answered",
        ended_by="agent",
        caller="",
        call_id="",
        answered=True,
        greeting_ms=None,
        duration_s=1.0,
        turns=(),
        barge_in_stop_ms=(),
        key_stop_ms=(),
        longest_silence_s=None,
        recording=None,
        record=None,
    )


def test_the_first_call_is_told_live_and_the_second_one_when_the_first_is_over() -> None:
    lines: list[str] = []
    report = OrderedReport(ConsoleReport(lines.append))
    report.dialled("one", "Ann", "7000")
    report.dialled("two", "Bob", "7000")
    report.agent_said("two", "Hello Bob", 300)
    report.agent_said("one", "Hello Ann", 300)
    assert [line.split()[0] for line in lines] == ["---", "agent"]
    assert "Ann" in lines[1]
    report.finished(result("one"))
    assert [("Ann" in line, "Bob" in line) for line in lines[2:]] == [(False, False), (False, True), (False, True)]
    report.caller_said("two", "bye", "speech", False)
    assert "bye" in lines[-1]


def test_a_call_that_is_finished_while_it_waits_is_told_whole() -> None:
    lines: list[str] = []
    report = OrderedReport(ConsoleReport(lines.append))
    report.dialled("one", "Ann", "7000")
    report.dialled("two", "Bob", "7000")
    report.finished(result("two"))
    report.dialled("three", "Cid", "7000")
    assert len(lines) == 1
    report.finished(result("one"))
    assert ["one" in lines[1], "Bob" in lines[2], "two" in lines[3], "Cid" in lines[4]] == [True] * 4
