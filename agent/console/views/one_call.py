"""One finished call as its page shows it: words with times, response times, trail, systems, outcome. Pure.

Everything is taken out of the stored record (docs/records.md), of every version of Orderline: what an older one did not
know is left out.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from agent.console.views import formats, labels
from agent.console.views.call_log import SLOW_MS
from agent.console.views.labels import Label

_SHORTEST_STAY = 0.05
"""Seconds; what passes faster is not told."""
BAR_WIDTH = 200.0
"""Of the longest response time of a call, in the units of its drawing."""


@dataclass(frozen=True)
class ResponsePart:
    """One part of a response time, as a piece of a bar."""

    name: str
    text: str
    x: float
    width: float


@dataclass(frozen=True)
class Response:
    """From the caller's last voice or key to the agent's first audio."""

    text: str
    slow: bool
    parts: tuple[ResponsePart, ...]
    described: str
    """The parts in words."""


@dataclass(frozen=True)
class SpokenLine:
    """What one side said."""

    speaker: str
    """``agent`` or ``caller``."""
    at: str
    seek_seconds: float | None
    """Where it begins in the sound; None where that is not known."""
    until_seconds: float | None
    text: str
    step: str = ""
    response: Response | None = None
    understood: str = ""
    result: Label | None = None
    about: tuple[str, ...] = ()
    """How it was said: by keys, over the agent, how sure the recogniser was."""


@dataclass(frozen=True)
class RequestView:
    """One thing that was asked for."""

    asked: str
    at: str
    result: Label
    about: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TrailRow:
    """One step that the call came to."""

    at: str
    step: str
    kind: str
    way: str
    stayed: str
    last: bool


@dataclass(frozen=True)
class TrailFlow:
    """Steps one after another in one procedure."""

    flow: str
    rows: tuple[TrailRow, ...]


@dataclass(frozen=True)
class EffectRow:
    """One operation of the shop's systems."""

    at: str
    name: str
    code: Label
    reason: str
    took: str


@dataclass(frozen=True)
class HandoverView:
    """Where the call was handed over to, with what."""

    reason: str
    queue: str
    ticket: str
    summary: str
    wait: str


@dataclass(frozen=True)
class SoundView:
    """The recording of a call."""

    link: str
    peaks_link: str
    others: tuple[tuple[str, str], ...]
    """Further recordings of a call that went on in another process: name and address."""
    silent: tuple[str, ...]
    """Spans in which something was taken out, as text."""
    with_staff: bool


@dataclass(frozen=True)
class OneCallView:
    """Everything the page shows."""

    id: str
    link: str
    started: str
    caller: str
    caller_name: str
    outcome: Label
    reason: str
    facts_line: tuple[tuple[str, str], ...]
    """What is told under the heading: label and text."""
    faults: tuple[str, ...]
    lines: tuple[SpokenLine, ...]
    words_gone: str
    """Why there are no words, where there are none."""
    median: str
    slowest: str
    responses: int
    requests: tuple[RequestView, ...]
    trail: tuple[TrailFlow, ...]
    effects: tuple[EffectRow, ...]
    facts: tuple[tuple[str, str, str], ...]
    """Operation, name and value."""
    handover: HandoverView | None
    slots: tuple[tuple[str, str], ...]
    sound: SoundView | None
    sound_missing: str
    """Why there is nothing to hear, where there is nothing."""
    related: tuple[tuple[str, str], ...]
    """Words and addresses of other calls: the one before, the visit before, all of this caller."""
    edition: str
    raw_trail: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)


def one_call(record: Mapping[str, Any], *, may_hear: bool, recordings: int) -> OneCallView:
    """Return the view of a record as the reader may see it. Never raises.

    ``may_hear`` says whether the reader may hear recordings, ``recordings`` how many there are of this call here.
    """
    caller, call_id = _mapping(record.get("caller")), _text(record.get("id"))
    handover = _mapping(record.get("handover"))
    link = f"/calls/{quote(call_id, safe='')}"
    lines = tuple(_lines(record))
    responses = [ms for turn in _list(record, "turns") if (ms := _number(turn.get("response_ms"))) is not None]
    digits = _text(caller.get("number"))
    sound, missing = _sound(record, link, recordings, may_hear=may_hear)
    return OneCallView(
        id=call_id,
        link=link,
        started=_started(record),
        caller=formats.phone(digits) if digits else "Hidden number",
        caller_name=_text(caller.get("name")),
        outcome=labels.outcome(_text(record.get("outcome"))),
        reason=labels.humanise(_text(handover.get("reason"))),
        facts_line=tuple(_facts_line(record, caller)),
        faults=tuple(map(str, record.get("faults") or ())),
        lines=lines,
        words_gone=_words_gone(record, lines),
        median=formats.milliseconds(statistics.median(responses)) if responses else "–",
        slowest=formats.milliseconds(max(responses, default=None)),
        responses=len(responses),
        requests=tuple(_requests(record)),
        trail=tuple(_trail(record)),
        effects=tuple(_effects(record)),
        facts=tuple(
            (_text(one.get("operation")), _text(one.get("name")), _value(one.get("value")))
            for one in _list(record, "facts")
        ),
        handover=_handover(record, handover),
        slots=tuple(
            (labels.humanise(str(name)), _value(value)) for name, value in _mapping(record.get("slots")).items()
        ),
        sound=sound,
        sound_missing=missing,
        related=tuple(_related(record, digits)),
        edition=_text(record.get("edition")),
        raw_trail=tuple(_list(record, "trail")),
    )


# --- words ------------------------------------------------------------------------------------------


def _lines(record: Mapping[str, Any]) -> Iterator[SpokenLine]:
    turns = _list(record, "turns")
    longest = max((_number(turn.get("response_ms")) or 0.0 for turn in turns), default=0.0)
    for place, turn in enumerate(turns):
        following = turns[place + 1] if place + 1 < len(turns) else {}
        audible = _number(turn.get("audible_at_seconds"))
        begun = audible if audible is not None else _number(turn.get("at_seconds"))
        heard_from = _number(turn.get("heard_from_seconds"))
        if agent := _text(turn.get("agent")):
            until = heard_from if heard_from is not None else _number(following.get("at_seconds"))
            step = ".".join(filter(None, (_text(turn.get("flow")), _text(turn.get("step")))))
            response = _response(turn, longest)
            yield SpokenLine("agent", formats.moment(begun), begun, until, agent, step, response)
        if turn.get("heard") or turn.get("result") in ("no_input", "no_match"):
            yield _heard(turn, heard_from)


def _heard(turn: Mapping[str, Any], heard_from: float | None) -> SpokenLine:
    word = _text(turn.get("result"))
    about = []
    if via := _text(turn.get("via")):
        about.append(labels.word_for("via", via))
    if turn.get("barged_in"):
        about.append("over the agent")
    confidence = _number(turn.get("confidence"))
    if confidence is not None and turn.get("via") == "speech":
        about.append(f"{confidence:.0%} sure")
    return SpokenLine(
        "caller",
        formats.moment(heard_from) if heard_from is not None else "",
        heard_from,
        _number(turn.get("heard_until_seconds")),
        _text(turn.get("heard")) or ("(silence)" if word == "no_input" else "(nothing intelligible)"),
        understood=_text(turn.get("understood")),
        result=labels.result(word) if word and word != "understood" else None,
        about=tuple(about),
    )


def _response(turn: Mapping[str, Any], longest: float) -> Response | None:
    whole = _number(turn.get("response_ms"))
    if whole is None:
        return None
    spent = {name: ms for name, value in _mapping(turn.get("spent_ms")).items() if (ms := _number(value))}
    order = [name for name in labels.PARTS if name in spent] + [name for name in spent if name not in labels.PARTS]
    parts, x = [], 0.0
    for name in order:
        width = min(spent[name] / longest * BAR_WIDTH, BAR_WIDTH - x) if longest else 0.0
        text = f"{labels.word_for('parts', name)}: {formats.milliseconds(spent[name])}"
        parts.append(ResponsePart(name, text, round(x, 1), round(max(width, 0.0), 1)))
        x += width
    told = ", ".join(part.text for part in parts)
    return Response(formats.milliseconds(whole), whole > SLOW_MS, tuple(parts), told)


def _words_gone(record: Mapping[str, Any], lines: tuple[SpokenLine, ...]) -> str:
    if lines:
        return ""
    if record.get("words_expired"):
        return "The words of this call were deleted when their time was over (retention.words_days)."
    if record.get("consent") == "refused":
        return "The caller refused to be recorded: nothing of what was said is kept."
    return "Nothing was said on this call."


# --- parts ------------------------------------------------------------------------------------------


def _facts_line(record: Mapping[str, Any], caller: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Length", formats.span(_number(record.get("duration_seconds")))
    yield "Dialled", _text(caller.get("dialled")) or "–"
    if ended_by := _text(record.get("ended_by")):
        yield "Ended by", labels.word_for("ended_by", ended_by)
    if (greeting := _number(record.get("greeting_ms"))) is not None:
        yield "Greeting after", formats.milliseconds(greeting)
    if record.get("direction") == "outbound":
        yield "Outbound", labels.humanise(_text(record.get("purpose"))) or "Yes"
    entry = _text(record.get("entry"))
    if entry and entry != "inbound":
        yield "Came in as", labels.humanise(entry)
    yield "Recording", labels.word_for("consent", _text(record.get("consent"))) or "Nobody asked"
    if edition := _text(record.get("edition")):
        yield "Edition", edition


def _requests(record: Mapping[str, Any]) -> Iterator[RequestView]:
    for one in _list(record, "intents"):
        about = tuple((labels.humanise(str(name)), _value(value)) for name, value in _mapping(one.get("about")).items())
        yield RequestView(
            labels.humanise(_text(one.get("intent"))),
            formats.moment(_number(one.get("at_seconds"))),
            labels.result(_text(one.get("result"))),
            about,
        )


def _trail(record: Mapping[str, Any]) -> Iterator[TrailFlow]:
    steps = _list(record, "trail")
    flow, rows = "", list[TrailRow]()
    for place, step in enumerate(steps):
        if rows and step.get("flow") != flow:
            yield TrailFlow(flow, tuple(rows))
            rows = []
        flow = _text(step.get("flow"))
        began, left = _number(step.get("at_seconds")), _number(step.get("left_at_seconds"))
        stayed = None if began is None or left is None else left - began
        rows.append(
            TrailRow(
                formats.moment(began),
                _text(step.get("step")),
                _text(step.get("kind")),
                _text(step.get("way")),
                "" if stayed is None or stayed < _SHORTEST_STAY else f"{stayed:.1f} s",
                last=place == len(steps) - 1,
            )
        )
    if rows:
        yield TrailFlow(flow, tuple(rows))


def _effects(record: Mapping[str, Any]) -> Iterator[EffectRow]:
    for one in _list(record, "effects"):
        at = _number(one.get("at_seconds"))
        yield EffectRow(
            formats.moment(at) if at is not None else "",
            _text(one.get("name")),
            labels.code(_text(one.get("code"))),
            labels.humanise(_text(one.get("reason"))),
            formats.milliseconds(_number(one.get("ms"))),
        )


def _handover(record: Mapping[str, Any], handover: Mapping[str, Any]) -> HandoverView | None:
    if not handover:
        return None
    wait = _mapping(record.get("queue_wait"))
    waited, expected = _number(wait.get("waited_seconds")), _number(wait.get("expected_minutes"))
    told = []
    if waited is not None:
        told.append(f"waited {formats.span(waited)}")
    if ended := _text(wait.get("ended")):
        told.append(labels.humanise(ended).lower())
    if expected is not None:
        told.append(f"was told {expected:.0f} min")
    return HandoverView(
        labels.humanise(_text(handover.get("reason"))) or "No reason given",
        _text(handover.get("queue")) or "the usual queue",
        _text(handover.get("ticket")),
        _text(handover.get("summary")),
        ", ".join(told),
    )


def _sound(record: Mapping[str, Any], link: str, recordings: int, *, may_hear: bool) -> tuple[SoundView | None, str]:
    sound = _mapping(record.get("sound"))
    if not sound and not recordings:
        if record.get("consent") == "refused":
            return None, "The caller refused to be recorded."
        return None, "This call was not recorded. Recordings are switched on by sound.keep in orderline.yaml."
    if not may_hear:
        return None, "There is a recording. Your role may not hear it: an administrator can grant the right “sound”."
    if not recordings:
        return (
            None,
            "The recording is not here (any more): it was deleted when its time was over, or is on another node.",
        )
    silent = tuple(
        f"{formats.moment(_number(span.get('from_seconds')))} to "
        f"{formats.moment(until) if (until := _number(span.get('until_seconds'))) is not None else 'the end'}"
        for span in _list(sound, "silent")
    )
    api = f"/api/v1{link}"
    others = tuple((f"Recording {part + 1}", f"{api}/audio?part={part}") for part in range(1, recordings))
    return SoundView(f"{api}/audio", f"{api}/peaks", others, silent, bool(sound.get("staff"))), ""


def _related(record: Mapping[str, Any], digits: str) -> Iterator[tuple[str, str]]:
    for name, words in (
        ("repeat_of", "The same number called before"),
        ("continues", "This call came back: visit before"),
    ):
        if other := _text(record.get(name)):
            yield words, f"/calls/{quote(other, safe='')}"
    if digits:
        yield "All calls of this number", f"/calls?{urlencode({'when': '365d', 'caller': digits})}"


def _started(record: Mapping[str, Any]) -> str:
    try:
        return formats.moment_of_day(dt.datetime.fromisoformat(_text(record.get("started_at"))))
    except ValueError:
        return "Time unknown"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(part: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = part.get(name)
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return "–" if value is None else str(value)
