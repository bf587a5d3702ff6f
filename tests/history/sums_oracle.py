"""What reports add up, found by looking at every call, for tests of the sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from agent.history.facts import FinishedCall, call_facts
from agent.history.report_facts import Value

KINDS = (
    *(
        "outcome",
        "contained",
        "solved",
        "number",
        "asked",
        "result",
        "step",
        "listened",
        "no_match",
        "score",
        "edition",
    ),
    *("requests", "requests_result", "edition_step", "edition_left", "turns_listened", "turns_no_match"),
    *("response_bin", "slowest_bin", "greeting_bin", "length_bin", "length_bin_asked", "length_ms", "length_ms_asked"),
    *("wait_bin", "wait_ms", "wait_ended", "again_24h", "again_7d", "again_24h_asked", "again_7d_asked", "matter"),
    *("matter_asked", "matter_solved", "contained_asked", "reason_standing", "left", "direction"),
)
HOUR_MS = 3_600_000
WINDOWS = {"24h": 24 * HOUR_MS, "7d": 7 * 24 * HOUR_MS}


def facts_of(records: Iterable[Mapping[str, Any]]) -> list[FinishedCall]:
    """Return what is known of calls, the earliest first. All must have a beginning."""
    return sorted((call_facts(record, 0) for record in records), key=lambda facts: facts.started_ms)


def again_ms(every: list[FinishedCall], call: FinishedCall) -> int | None:
    """Return how long after a call the same number called again on the same matter; None where it did not."""
    if not call.has_matter:
        return None
    later = (
        other.started_ms - call.started_ms
        for other in every
        if other.first_seq > call.first_seq
        and other.has_matter
        and _digits(other.caller) == _digits(call.caller)
        and (_asked(other) & _asked(call) or set(other.orders) & set(call.orders))
    )
    return next((ms for ms in sorted(later) if ms < WINDOWS["7d"]), None)


def added_up(every: list[FinishedCall], since_ms: int, until_ms: int, direction: str = "") -> Counter[Value]:
    """Return all that reports add up, of the calls that began within a span."""
    total = Counter[Value]()
    for call in every:
        if not since_ms <= call.started_ms < until_ms or (direction and call.direction != direction):
            continue
        total.update(call.values)
        total.update(dict(call.sums))
        total["length_ms", ""] += call.duration_ms
        for intent in _asked(call):
            total["length_ms_asked", intent] += call.duration_ms
        for kind, value in call.values:
            if kind == "wait_ended" and call.wait_ms is not None:
                total["wait_ms", value] += call.wait_ms
        again = again_ms(every, call)
        for window, ms in WINDOWS.items():
            if again is not None and again < ms and ("solved", "yes") in call.values:
                total[f"again_{window}", ""] += 1
                total.update((f"again_{window}_asked", intent) for intent in _asked(call))
    return total


def of_kinds(total: Counter[Value]) -> dict[Value, int]:
    """Return what tests compare of a total."""
    return {value: amount for value, amount in total.items() if value[0] in KINDS and amount}


def _asked(call: FinishedCall) -> set[str]:
    return {value for kind, value in call.values if kind == "asked"}


def _digits(number: str) -> str:
    return "".join(one for one in number if "0" <= one <= "9")
