"""Evaluates a finished call: builds its turns, takes its measures, checks the script's expectations. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.rehearsal.call_log import CallerInput, CallLog
from agent.rehearsal.caller_measures import (
    Span,
    barge_in_stop_ms,
    greeting_ms,
    lateness,
    longest_silence,
    response_ms,
    sounds,
)
from agent.rehearsal.live_feed import FeedEvent, said
from agent.rehearsal.patterns import matches
from agent.rehearsal.result import Check, ScriptedCallResult, TurnResult
from agent.rehearsal.script import CallScript, Expectation

SPEAKS_ON_SECONDS = 0.8
"""Longer than the pauses between two sentences of a prompt, shorter than any reaction to something that was said."""


def evaluate_call(script: CallScript, log: CallLog, recording: Path | None, record: Path | None) -> ScriptedCallResult:
    """Return what came of the call."""
    outcome, ended_by = call_ending(log)
    responses = [_response(log, index) for index in range(len(log.spoken))]
    turns = build_turns(log, responses)
    greeting = None if log.answered_at is None else greeting_ms(log.heard, log.answered_at)
    stops = tuple(value for value in (_stop(log, spoken) for spoken in log.spoken) if value is not None)
    key_stops = tuple(value for value in (_key_stop(log, spoken) for spoken in log.spoken) if value is not None)
    silence = _silence(log)
    duration_s = 0.0 if log.answered_at is None else max(0.0, log.ended_at - log.answered_at)
    checks = list(log.checks)
    for deadline in log.deadlines:
        value = greeting if deadline.index < 0 else responses[deadline.index]
        checks.append(_at_most(f"line {deadline.line}: reaction", value, deadline.within_ms, "ms"))
    checks += _barge_in_checks(log, stops, key_stops)
    if log.feed.started:
        recorded = log.feed.last_of_visit("call_ended") is not None
        checks.append(Check("the agent records the call", recorded, "" if recorded else "no call_ended in its feed"))
    checks += _noise_checks(log)
    checks += _text_checks(script.expect, log)
    checks += _end_checks(script.expect, log, outcome, ended_by)
    checks += [
        _at_most(what, value, limit, unit)
        for what, values, limit, unit in (
            ("duration", [duration_s], script.expect.max_duration_seconds, "s"),
            ("greeting", [greeting], script.expect.greeting_ms_max, "ms"),
            ("response", [value for value in responses if value is not None], script.expect.response_ms_max, "ms"),
            ("barge-in stop", [*stops], script.expect.barge_in_stop_ms_max, "ms"),
            ("longest silence", [silence], script.expect.longest_silence_seconds_max, "s"),
        )
        if limit is not None
        for value in ([*values] or [None])
    ]
    return ScriptedCallResult(
        name=script.name,
        ok=all(check.ok for check in checks),
        checks=tuple(checks),
        outcome=outcome,
        ended_by=ended_by,
        caller=log.number,
        call_id=log.feed.call_id,
        answered=log.answered_at is not None,
        greeting_ms=greeting,
        duration_s=duration_s,
        turns=turns,
        barge_in_stop_ms=stops,
        key_stop_ms=key_stops,
        longest_silence_s=silence,
        recording=recording,
        record=record,
        scenario=script.scenario,
        repairs=log.repairs,
        ring_s=None if log.answered_at is None else log.answered_at - log.dialled_at,
        late=lateness(log.heard),
    )


def call_ending(log: CallLog) -> tuple[str, str]:
    """Return (outcome, ended by): the agent's word where there is one, else what the caller could notice."""
    ended = log.feed.last_of_visit("call_ended")
    if ended is not None:
        return str(ended.data.get("outcome", "")), str(ended.data.get("ended_by", ""))
    if log.staff_answered_at is not None:
        return "handed_over", "handover"
    if log.hung_up_by == "us":
        return "caller_hung_up", "caller"
    return "unknown", ""


def build_turns(log: CallLog, responses: Sequence[float | None]) -> tuple[TurnResult, ...]:
    """Sort the agent's words and what it heard to the things the caller said, by the moments they came.

    A turn is the agent's words before something was said, that, and the reaction to it. Words that come after the last
    thing said make a turn of their own.
    """
    starts = [-math.inf, *(spoken.began_at for spoken in log.spoken), math.inf]
    turns = []
    for index in range(len(log.spoken) + 1):
        agent = said([event for event in log.feed.events if starts[index] <= event.at < starts[index + 1]])
        if index == len(log.spoken):
            if agent:
                turns.append(TurnResult(agent, "", "", None, ""))
            continue
        spoken = log.spoken[index]
        answers = [
            event for event in log.feed.named("caller_said") if starts[index + 1] <= event.at < starts[index + 2]
        ]
        heard = " | ".join(str(event.data.get("heard", "")) for event in answers if event.data.get("heard"))
        slot = str(answers[0].data.get("slot", "")) if answers else ""
        effects, spent = _reaction(
            [event for event in log.feed.events if starts[index + 1] <= event.at < starts[index + 2]]
        )
        turns.append(TurnResult(agent, spoken.said, heard, responses[index], spoken.via, slot, effects, spent))
    return tuple(turns)


def _reaction(events: Sequence[FeedEvent]) -> tuple[tuple[str, ...], Mapping[str, float]]:
    """Return what the agent asked of the business systems before its first words in these events, and its own times."""
    effects: list[str] = []
    for event in events:
        if event.name == "effect":
            effects.append(str(event.data.get("name", "")))
        elif event.name == "agent_said" and event.data.get("response_ms") is not None:
            return tuple(effects), dict(event.data.get("spent_ms") or {})
    return tuple(effects), {}


def _response(log: CallLog, index: int) -> float | None:
    spoken = log.spoken[index]
    if spoken.span is None:
        return None
    until = log.spoken[index + 1].began_at if index + 1 < len(log.spoken) else math.inf
    # Once a human has answered it is no longer the agent who is heard.
    until = min(until, log.staff_answered_at or math.inf)
    ended_at = spoken.span.end
    if spoken.via == "keypad":
        # An entry may be complete before its last key (``#`` after the fifth digit of five): the answer then belongs
        # to the key that completed it.
        over = [sound for sound in sounds(log.heard) if spoken.span.start < sound.start < ended_at < sound.end]
        before = [end for end in spoken.key_ends if over and end <= over[0].start]
        ended_at = before[-1] if before else ended_at
    return response_ms(log.heard, ended_at, until)


def _stop(log: CallLog, spoken: CallerInput) -> float | None:
    if not spoken.barge_in or spoken.via != "speech" or spoken.span is None:
        return None
    return barge_in_stop_ms(log.heard, spoken.span)


def _key_stop(log: CallLog, spoken: CallerInput) -> float | None:
    if not spoken.barge_in or spoken.via != "keypad" or spoken.span is None or not spoken.key_ends:
        return None
    return barge_in_stop_ms(log.heard, Span(spoken.key_ends[0], spoken.span.end))


def _silence(log: CallLog) -> float | None:
    if log.answered_at is None:
        return None
    spans = [spoken.span for spoken in log.spoken if spoken.span is not None]
    return longest_silence(log.heard, spans, log.answered_at, log.staff_answered_at or log.ended_at).seconds


def _barge_in_checks(log: CallLog, stops: Sequence[float], key_stops: Sequence[float]) -> list[Check]:
    wanted = sum(spoken.barge_in and spoken.span is not None for spoken in log.spoken)
    found = len(stops) + len(key_stops)
    if not wanted:
        return []
    detail = "" if wanted == found else f"{wanted - found} of {wanted} came when the agent was not speaking"
    return [Check("the agent was speaking when the caller barged in", wanted == found, detail)]


def _noise_checks(log: CallLog) -> list[Check]:
    """A noise that is no voice must neither stop the agent nor be taken for an answer.

    From the audio: shortly after the noise the agent is still to be heard. By the feed: nothing "heard" arrives between
    the noise and the caller's next words.
    """
    checks = []
    for noise in log.noises:
        until = min((spoken.began_at for spoken in log.spoken if spoken.began_at > noise.start), default=math.inf)
        taken = [event for event in log.feed.named("caller_said") if noise.start <= event.at < until]
        if taken:
            checks.append(
                Check("the agent takes a noise for no answer", False, f"it heard {taken[0].data.get('heard')!r}")
            )
        elif noise.end + SPEAKS_ON_SECONDS <= log.ended_at:
            ok = bool(sounds(log.heard, noise.end + 0.1, noise.end + SPEAKS_ON_SECONDS))
            checks.append(Check("the agent speaks on through a noise", ok, "" if ok else "it fell silent"))
    return checks


def _text_checks(expect: Expectation, log: CallLog) -> list[Check]:
    all_said = said(log.feed.events)
    all_heard = " | ".join(str(event.data.get("heard", "")) for event in log.feed.named("caller_said"))
    effects = [str(event.data.get("name", "")) for event in log.feed.named("effect")]
    unknown = "" if log.feed.started else "the agent's words are not known: the call never showed in its live feed"
    checks = [
        Check(f"the agent says {pattern}", matches(pattern, all_said), unknown or f"it said: {all_said}")
        for pattern in expect.says_sometime
    ]
    # A caller who left before the agent had the call heard nothing forbidden.
    excused = not unknown or log.hung_up_by == "us"
    checks += [
        Check(
            f"the agent never says {pattern}",
            excused and not matches(pattern, all_said),
            unknown or f"it said: {all_said}",
        )
        for pattern in expect.never_says
    ]
    checks += [
        Check(f"the agent hears {pattern}", matches(pattern, all_heard), unknown or f"it heard: {all_heard}")
        for pattern in expect.heard
    ]
    checks += [
        Check(f"the agent does {name}", name in effects, unknown or f"it did: {', '.join(effects) or 'nothing'}")
        for name in expect.effects
    ]
    return [check if not check.ok else Check(check.what, True) for check in checks]


def _end_checks(expect: Expectation, log: CallLog, outcome: str, ended_by: str) -> list[Check]:
    handed = log.feed.last("handed_over")
    reason = str(handed.data.get("reason", "")) if handed else ""
    wanted = (
        ("outcome", expect.outcome, outcome),
        ("ended by", expect.ended_by, ended_by),
        ("reason", expect.reason, reason),
    )
    return [
        Check(f"{what} {value}", value == found, "" if value == found else f"it was {found or 'not known'}")
        for what, value, found in wanted
        if value
    ]


def _at_most(what: str, value: float | None, limit: float | None, unit: str) -> Check:
    name = f"{what} at most {limit:g} {unit}"
    if value is None or limit is None:
        return Check(name, False, "there was nothing to measure")
    return Check(name, value <= limit, f"{value:.0f} ms" if unit == "ms" else f"{value:.1f} s")
