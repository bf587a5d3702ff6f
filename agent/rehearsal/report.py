"""Reports of a rehearsal: turns with response times on the terminal, checks at the end, JSON summary."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from agent.rehearsal.caller_measures import Percentiles
from agent.rehearsal.result import RehearsalResult, ScriptedCallResult


class RehearsalReport(Protocol):
    """Follows a rehearsal. Must not block or raise; calls of several callers come mixed, each with its name."""

    def dialled(self, call: str, caller: str, number: str) -> None:
        """Take note of a call that is being placed."""

    def agent_said(self, call: str, text: str, response_ms: float | None) -> None:
        """Take note of the agent's words and how long they took to begin."""

    def caller_said(self, call: str, said: str, via: str, barge_in: bool) -> None:
        """Take note of what the caller says or keys, as it begins."""

    def agent_heard(self, call: str, heard: str, understood: str) -> None:
        """Take note of what the agent took from it."""

    def happened(self, call: str, what: str) -> None:
        """Take note of anything else worth a line: a look-up, a hand-over, the end."""

    def finished(self, result: ScriptedCallResult) -> None:
        """Take note of a finished call."""


class SilentReport:
    """Says nothing."""

    def dialled(self, call: str, caller: str, number: str) -> None:
        """Pass over it."""

    def agent_said(self, call: str, text: str, response_ms: float | None) -> None:
        """Pass over it."""

    def caller_said(self, call: str, said: str, via: str, barge_in: bool) -> None:
        """Pass over it."""

    def agent_heard(self, call: str, heard: str, understood: str) -> None:
        """Pass over it."""

    def happened(self, call: str, what: str) -> None:
        """Pass over it."""

    def finished(self, result: ScriptedCallResult) -> None:
        """Pass over it."""


class ConsoleReport:
    """Prints line by line. With several calls at once each line begins with its call's name."""

    def __init__(self, write: Callable[[str], None] = print, *, names: bool = False, verbose: bool = False) -> None:
        self._write = write
        self._names = names
        self._verbose = verbose

    def _line(self, call: str, text: str) -> None:
        self._write(f"[{call}] {text}" if self._names else text)

    def dialled(self, call: str, caller: str, number: str) -> None:
        """Print the head of a call."""
        self._line(call, f"--- {call}: {caller} rings {number}")

    def agent_said(self, call: str, text: str, response_ms: float | None) -> None:
        """Print the agent's words."""
        self._line(call, f"  agent  {_time(response_ms)}  {text}")

    def caller_said(self, call: str, said: str, via: str, barge_in: bool) -> None:
        """Print the caller's words or keys."""
        keyed = "keys " if via == "keypad" else ""
        interrupts = "  (interrupting)" if barge_in else ""
        self._line(call, f"  caller {' ' * 9} {keyed}{said}{interrupts}")

    def agent_heard(self, call: str, heard: str, understood: str) -> None:
        """Print what was recognised."""
        meaning = f"  -> {understood}" if understood else ""
        self._line(call, f"         {' ' * 9} heard: {heard or '(nothing)'}{meaning}")

    def happened(self, call: str, what: str) -> None:
        """Print anything else."""
        self._line(call, f"         {' ' * 9} {what}")

    def finished(self, result: ScriptedCallResult) -> None:
        """Print the verdict: the failed checks, or with ``verbose`` all of them."""
        stops = f", barge-in stop {result.barge_in_stop_ms[0]:.0f} ms" if result.barge_in_stop_ms else ""
        greeting = f"greeting {result.greeting_ms:.0f} ms, " if result.greeting_ms is not None else ""
        passed = sum(check.ok for check in result.checks)
        self._line(
            result.name,
            f"--- {result.name}: {'ok' if result.ok else 'FAILED'} ({result.outcome or 'no outcome'}, {greeting}"
            f"{result.duration_s:.1f} s{stops}; {passed} of {len(result.checks)} checks)",
        )
        for check in result.checks:
            if self._verbose or not check.ok:
                detail = f": {check.detail}" if check.detail else ""
                self._line(result.name, f"    {'ok    ' if check.ok else 'FAILED'} {check.what}{detail}")


def _time(response_ms: float | None) -> str:
    return " " * 9 if response_ms is None else f"({response_ms:5.0f} ms)"[:10].rjust(9)


def summary_lines(result: RehearsalResult) -> list[str]:
    """Return the closing lines: how many calls were good, and the spread of the times."""
    good = sum(call.ok for call in result.calls)
    lines = []
    if result.scenarios:
        width = max(len(scenario.name) for scenario in result.scenarios)
        lines.append(f"{'Scenario':<{width}}  task success  without being asked back")
        lines += [
            f"{one.name:<{width}}  {one.good:3d} of {one.calls:3d}    {one.at_once:3d}" for one in result.scenarios
        ]
    lines.append(f"{good} of {len(result.calls)} calls did what they should.")
    for name, values in (
        ("Response time", result.response_ms),
        ("Greeting", result.greeting_ms),
        ("Barge-in stop", result.barge_in_stop_ms),
    ):
        if values.n:
            lines.append(f"{name}: {_spread(values)}")
    return lines


def _spread(values: Percentiles) -> str:
    return f"p50 {values.p50:.0f} ms, p95 {values.p95:.0f} ms of {values.n}"


def write_summary(result: RehearsalResult, path: Path, extra: Mapping[str, Any] | None = None) -> None:
    """Write the result as JSON, complete or not at all. Raises OSError."""
    part = path.with_suffix(path.suffix + ".part")
    part.write_text(json.dumps(result.to_dict(extra), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)
