"""Computes figures from calls: response times by kind of turn, greetings, barge-in stops, lengths. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agent.rehearsal.result import ScriptedCallResult, TurnResult

KINDS = ("yes/no", "request or menu", "digits", "look-up", "keypad")
"""Kinds of turns. A look-up is a spoken answer after which the order system is asked; what is keyed is keypad."""
PARTS = ("wait", "recognition", "rules", "look_up", "voice", "way")
"""Where a response's time goes: the agent's own parts, then the way of the sound through Asterisk, both directions."""
_YES_NO = frozenset({"yes", "no", "no thanks", "no thank you", "yes please"})
_NUMBER_SLOTS = frozenset({"order_number", "postcode", "phone"})


def kind_of(turn: TurnResult) -> str:
    """Return what kind of turn the caller's answer was."""
    if turn.via == "keypad":
        return "keypad"
    if turn.effects:
        return "look-up"
    if turn.said.lower() in _YES_NO:
        return "yes/no"
    return "digits" if turn.slot in _NUMBER_SLOTS else "request or menu"


def turns_of(calls: Iterable[ScriptedCallResult]) -> list[dict[str, Any]]:
    """Return every answered turn as JSON-like data: kind, response at the caller's end, and its parts in ms."""
    found = []
    for call in calls:
        for turn in call.turns:
            if turn.response_ms is None or not turn.said:
                continue
            spent = dict(turn.spent_ms)
            way = turn.response_ms - sum(spent.values()) if spent else None
            found.append(
                {
                    "kind": kind_of(turn),
                    "said": turn.said,
                    "heard": turn.heard,
                    "response_ms": round(turn.response_ms, 1),
                    "spent_ms": spent | ({"way": round(way, 1)} if way is not None else {}),
                }
            )
    return found


def spread(values: Sequence[float], digits: int = 1) -> dict[str, Any]:
    """Return p50, p95, p99 (nearest rank), the largest and the count; None where there is nothing."""
    ordered = sorted(values)

    def rank(part: float) -> float | None:
        return round(ordered[max(0, math.ceil(part * len(ordered)) - 1)], digits) if ordered else None

    return {
        "p50": rank(0.5),
        "p95": rank(0.95),
        "p99": rank(0.99),
        "max": round(ordered[-1], digits) if ordered else None,
        "n": len(ordered),
    }


def by_kind(turns: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the spread of the response of each kind of turn, of all spoken ones, and the mean of each part."""
    table = {}
    for kind in ("spoken", *KINDS):
        own = [turn for turn in turns if turn["kind"] == kind or (kind == "spoken" and turn["kind"] != "keypad")]
        if own:
            table[kind] = spread([turn["response_ms"] for turn in own]) | {"parts_ms": mean_parts(own)}
    return table


def mean_parts(turns: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the mean milliseconds of each part over the turns whose parts are known."""
    known = [turn["spent_ms"] for turn in turns if turn["spent_ms"]]
    return {part: round(sum(spent.get(part, 0.0) for spent in known) / len(known), 1) for part in PARTS if known}


def lateness_of(calls: Iterable[ScriptedCallResult]) -> dict[str, Any]:
    """Return how evenly the agent's speech arrived over all calls."""
    late = [call.late for call in calls]
    frames, bad = sum(one.frames for one in late), sum(one.late for one in late)
    return {
        "frames": frames,
        "late": bad,
        "share": round(bad / frames, 5) if frames else None,
        "worst_ms": round(max((one.worst_ms for one in late), default=0.0), 1),
    }


def failures_of(calls: Iterable[ScriptedCallResult]) -> list[str]:
    """Return what went wrong, a line a failed check."""
    return [f"{call.name}: {check.what}: {check.detail}" for call in calls for check in call.checks if not check.ok]
