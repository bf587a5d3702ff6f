"""Response, greeting, barge-in, keypad and length of calls, from real calls at the caller's end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.caller_measures import Span, barge_in_stop_ms, response_ms
from agent.rehearsal.result import ScriptedCallResult
from benchmarks.call_centre import PlacedCall, call_centre, load_call_scripts
from benchmarks.figures import by_kind, failures_of, lateness_of, spread, turns_of
from benchmarks.key_events import key_events

AT_ONCE = 3
"""Calls held at once while times are taken: a quiet hour, not an empty one."""
_KEY_STOP_WITHIN_SECONDS = 2.0

Say = Callable[[str], None]


async def response(home: RehearsalHome, say: Say, copies: int, at_once: int = AT_ONCE) -> dict[str, Any]:
    """Hold the conversations, so many of each; return response times by kind, with all raw values."""
    return await _conversations(home, say, "response", load_call_scripts("conversations", copies), at_once)


async def length(home: RehearsalHome, say: Say, copies: int, at_once: int = AT_ONCE) -> dict[str, Any]:
    """The same, of the calls that ask where an order is alone."""
    calls = [call for call in load_call_scripts("conversations", copies) if call.scenario == "order status"]
    return await _conversations(home, say, "length", calls, at_once)


async def _conversations(
    home: RehearsalHome, say: Say, name: str, calls: Sequence[Any], at_once: int
) -> dict[str, Any]:
    async with call_centre(home, f"bench-{name}", say) as callers:
        placed = await callers.each(calls, at_once, _counting(say, len(calls)))
    results = [one.result for one in placed]
    turns = turns_of(results)
    return _common(results) | {
        "at_once": at_once,
        "response_ms": by_kind(turns),
        "length_s": spread(lengths(results)),
        "late_audio": lateness_of(results),
        "turns": turns,
        "lengths_s": lengths(results),
        "pairs": _pairs(by_kind(turns)),
    }


async def greeting(home: RehearsalHome, say: Say, copies: int, at_once: int = AT_ONCE) -> dict[str, Any]:
    """Callers who listen to the greeting and leave."""
    calls = load_call_scripts("greeting", copies)
    async with call_centre(home, "bench-greeting", say) as callers:
        placed = await callers.each(calls, at_once, _counting(say, len(calls)))
    return _common([one.result for one in placed]) | {"at_once": at_once}


async def barge_in(home: RehearsalHome, say: Say, copies: int, at_once: int = AT_ONCE) -> dict[str, Any]:
    """Callers who speak over the greeting."""
    calls = load_call_scripts("barge_in", copies)
    async with call_centre(home, "bench-barge-in", say) as callers:
        placed = await callers.each(calls, at_once, _counting(say, len(calls)))
    results = [one.result for one in placed]
    stops = [value for call in results for value in call.barge_in_stop_ms]
    return _common(results) | {"at_once": at_once, "stop_ms": spread(stops), "stops_ms": _rounded(stops)}


async def keypad(home: RehearsalHome, say: Say, copies: int, at_once: int = AT_ONCE) -> dict[str, Any]:
    """Callers who key over the greeting: from the end of the key, and from Asterisk's word of it, to silence."""
    calls = load_call_scripts("keypad", copies)
    async with call_centre(home, "bench-keypad", say) as callers, key_events(callers.stack.pbx) as moments:
        placed = await callers.each(calls, at_once, _counting(say, len(calls)))
    results = [one.result for one in placed]
    after_event = [
        value for one in placed if (value := _stop_after_event(one, moments.get(one.number, ()))) is not None
    ]
    answers = [value for one in placed if (value := _answer_after_event(one, moments.get(one.number, ()))) is not None]
    after_key = [value for call in results for value in call.key_stop_ms]
    return _common(results) | {
        "at_once": at_once,
        "stop_after_event_ms": spread(after_event),
        "stop_after_key_ms": spread(after_key),
        "answer_after_event_ms": spread(answers),
        "stops_after_event_ms": _rounded(after_event),
        "stops_after_key_ms": _rounded(after_key),
    }


def _stop_after_event(placed: PlacedCall, moments: Sequence[float]) -> float | None:
    """First word of a key -> the end of the agent's last loud frame, ms; 0 when it was silent already."""
    if not moments:
        return None
    stop = barge_in_stop_ms(placed.leg.heard, Span(moments[0], moments[0] + _KEY_STOP_WITHIN_SECONDS))
    return 0.0 if stop is None else stop


def _answer_after_event(placed: PlacedCall, moments: Sequence[float]) -> float | None:
    """Word of the last key -> the agent's first sound after it, ms."""
    return response_ms(placed.leg.heard, moments[-1]) if moments else None


def lengths(results: Sequence[ScriptedCallResult]) -> list[float]:
    """Dial to goodbye, seconds, of the order-status calls that did what they should."""
    return [
        round(call.duration_s + (call.ring_s or 0.0), 2)
        for call in results
        if call.ok and call.scenario == "order status" and call.ended_by == "agent"
    ]


def _pairs(table: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Ratios between kinds of turns of the same run."""
    pairs = {}
    for one, other in (("look-up", "digits"), ("keypad", "digits"), ("request or menu", "yes/no")):
        if one in table and other in table:
            pairs[f"p50 of {one} / p50 of {other}"] = round(table[one]["p50"] / table[other]["p50"], 2)
    return pairs


def _common(results: Sequence[ScriptedCallResult]) -> dict[str, Any]:
    greetings = [call.greeting_ms for call in results if call.greeting_ms is not None]
    return {
        "calls": len(results),
        "good": sum(call.ok for call in results),
        "failures": failures_of(results),
        "greeting_ms": spread(greetings),
        "greetings_ms": _rounded(greetings),
    }


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 1) for value in values]


def _counting(say: Say, total: int) -> Callable[[int], None]:
    step = max(1, total // 8)

    def told(done: int) -> None:
        if done % step == 0 or done == total:
            say(f"  {done} of {total} calls")

    return told


__all__ = ["barge_in", "greeting", "keypad", "length", "lengths", "response"]
