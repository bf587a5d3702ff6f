"""Reports calls that run at the same time one after the other: the first live, the others once finished."""

from __future__ import annotations

from collections.abc import Callable

from agent.rehearsal.report import RehearsalReport
from agent.rehearsal.result import ScriptedCallResult


class OrderedReport:
    """A :class:`RehearsalReport` in front of another: the first call dialled is told live, the rest wait for its end.

    Calls are then told in the order in which they were dialled, what has already happened at once.
    """

    def __init__(self, report: RehearsalReport) -> None:
        self._report = report
        self._waiting: dict[str, list[Callable[[], None]]] = {}
        self._finished: set[str] = set()

    def _tell(self, call: str, tell: Callable[[], None]) -> None:
        self._waiting.setdefault(call, []).append(tell)
        while self._waiting:
            first = next(iter(self._waiting))
            for waiting in self._waiting[first]:
                waiting()
            self._waiting[first] = []
            if first not in self._finished:
                return
            del self._waiting[first]

    def dialled(self, call: str, caller: str, number: str) -> None:
        """Take note of a call that is being placed."""
        self._tell(call, lambda: self._report.dialled(call, caller, number))

    def agent_said(self, call: str, text: str, response_ms: float | None) -> None:
        """Take note of the agent's words and how long they took to begin."""
        self._tell(call, lambda: self._report.agent_said(call, text, response_ms))

    def caller_said(self, call: str, said: str, via: str, barge_in: bool) -> None:
        """Take note of what the caller says or keys, as it begins."""
        self._tell(call, lambda: self._report.caller_said(call, said, via, barge_in))

    def agent_heard(self, call: str, heard: str, understood: str) -> None:
        """Take note of what the agent took from it."""
        self._tell(call, lambda: self._report.agent_heard(call, heard, understood))

    def happened(self, call: str, what: str) -> None:
        """Take note of anything else worth a line."""
        self._tell(call, lambda: self._report.happened(call, what))

    def finished(self, result: ScriptedCallResult) -> None:
        """Take note of a finished call; the next one is told from here on."""
        self._finished.add(result.name)
        self._tell(result.name, lambda: self._report.finished(result))
