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
from agent.console.views.labels import Label
from agent.console.views.record_values import mapping_of, mappings_in, number_of, text_of, value_text
from agent.console.views.spoken_words import SpokenLine, spoken_lines, words_gone

_SHORTEST_STAY = 0.05
"""Seconds; what passes faster is not told."""


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
    caller, call_id = mapping_of(record.get("caller")), text_of(record.get("id"))
    handover = mapping_of(record.get("handover"))
    link = f"/calls/{quote(call_id, safe='')}"
    lines = tuple(spoken_lines(record))
    responses = [ms for turn in mappings_in(record, "turns") if (ms := number_of(turn.get("response_ms"))) is not None]
    digits = text_of(caller.get("number"))
    sound, missing = _sound(record, link, recordings, may_hear=may_hear)
    return OneCallView(
        id=call_id,
        link=link,
        started=_started(record),
        caller=formats.phone(digits) if digits else "Hidden number",
        caller_name=text_of(caller.get("name")),
        outcome=labels.outcome(text_of(record.get("outcome"))),
        reason=labels.humanise(text_of(handover.get("reason"))),
        facts_line=tuple(_facts_line(record, caller)),
        faults=tuple(map(str, record.get("faults") or ())),
        lines=lines,
        words_gone=words_gone(record, lines),
        median=formats.milliseconds(statistics.median(responses)) if responses else "–",
        slowest=formats.milliseconds(max(responses, default=None)),
        responses=len(responses),
        requests=tuple(_requests(record)),
        trail=tuple(_trail(record)),
        effects=tuple(_effects(record)),
        facts=tuple(
            (text_of(one.get("operation")), text_of(one.get("name")), value_text(one.get("value")))
            for one in mappings_in(record, "facts")
        ),
        handover=_handover(record, handover),
        slots=tuple(
            (labels.humanise(str(name)), value_text(value)) for name, value in mapping_of(record.get("slots")).items()
        ),
        sound=sound,
        sound_missing=missing,
        related=tuple(_related(record, digits)),
        edition=text_of(record.get("edition")),
        raw_trail=tuple(mappings_in(record, "trail")),
    )


# --- parts ------------------------------------------------------------------------------------------


def _facts_line(record: Mapping[str, Any], caller: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Length", formats.span(number_of(record.get("duration_seconds")))
    yield "Dialled", text_of(caller.get("dialled")) or "–"
    if ended_by := text_of(record.get("ended_by")):
        yield "Ended by", labels.word_for("ended_by", ended_by)
    if (greeting := number_of(record.get("greeting_ms"))) is not None:
        yield "Greeting after", formats.milliseconds(greeting)
    if record.get("direction") == "outbound":
        yield "Outbound", labels.humanise(text_of(record.get("purpose"))) or "Yes"
    entry = text_of(record.get("entry"))
    if entry and entry != "inbound":
        yield "Came in as", labels.humanise(entry)
    yield "Consent to record", labels.word_for("consent", text_of(record.get("consent"))) or "Not asked for"
    if edition := text_of(record.get("edition")):
        yield "Edition", edition


def _requests(record: Mapping[str, Any]) -> Iterator[RequestView]:
    for one in mappings_in(record, "intents"):
        about = tuple(
            (labels.humanise(str(name)), value_text(value)) for name, value in mapping_of(one.get("about")).items()
        )
        yield RequestView(
            labels.humanise(text_of(one.get("intent"))),
            formats.moment(number_of(one.get("at_seconds"))),
            labels.result(text_of(one.get("result"))),
            about,
        )


def _trail(record: Mapping[str, Any]) -> Iterator[TrailFlow]:
    steps = mappings_in(record, "trail")
    flow, rows = "", list[TrailRow]()
    for place, step in enumerate(steps):
        if rows and step.get("flow") != flow:
            yield TrailFlow(flow, tuple(rows))
            rows = []
        flow = text_of(step.get("flow"))
        began, left = number_of(step.get("at_seconds")), number_of(step.get("left_at_seconds"))
        stayed = None if began is None or left is None else left - began
        rows.append(
            TrailRow(
                formats.moment(began),
                text_of(step.get("step")),
                text_of(step.get("kind")),
                text_of(step.get("way")),
                "" if stayed is None or stayed < _SHORTEST_STAY else f"{stayed:.1f} s",
                last=place == len(steps) - 1,
            )
        )
    if rows:
        yield TrailFlow(flow, tuple(rows))


def _effects(record: Mapping[str, Any]) -> Iterator[EffectRow]:
    for one in mappings_in(record, "effects"):
        at = number_of(one.get("at_seconds"))
        yield EffectRow(
            formats.moment(at) if at is not None else "",
            text_of(one.get("name")),
            labels.code(text_of(one.get("code"))),
            labels.humanise(text_of(one.get("reason"))),
            formats.milliseconds(number_of(one.get("ms"))),
        )


def _handover(record: Mapping[str, Any], handover: Mapping[str, Any]) -> HandoverView | None:
    if not handover:
        return None
    wait = mapping_of(record.get("queue_wait"))
    waited, expected = number_of(wait.get("waited_seconds")), number_of(wait.get("expected_minutes"))
    told = []
    if waited is not None:
        told.append(f"waited {formats.span(waited)}")
    if ended := text_of(wait.get("ended")):
        told.append(labels.humanise(ended).lower())
    if expected is not None:
        told.append(f"was told {expected:.0f} min")
    return HandoverView(
        labels.humanise(text_of(handover.get("reason"))) or "No reason given",
        text_of(handover.get("queue")) or "the usual queue",
        text_of(handover.get("ticket")),
        text_of(handover.get("summary")),
        ", ".join(told),
    )


def _sound(record: Mapping[str, Any], link: str, recordings: int, *, may_hear: bool) -> tuple[SoundView | None, str]:
    sound = mapping_of(record.get("sound"))
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
        f"{formats.moment(number_of(span.get('from_seconds')))} to "
        f"{formats.moment(until) if (until := number_of(span.get('until_seconds'))) is not None else 'the end'}"
        for span in mappings_in(sound, "silent")
    )
    api = f"/api/v1{link}"
    others = tuple((f"Recording {part + 1}", f"{api}/audio?part={part}") for part in range(1, recordings))
    return SoundView(f"{api}/audio", f"{api}/peaks", others, silent, bool(sound.get("staff"))), ""


def _related(record: Mapping[str, Any], digits: str) -> Iterator[tuple[str, str]]:
    for name, words in (
        ("repeat_of", "The same number called before"),
        ("continues", "This call came back: visit before"),
    ):
        if other := text_of(record.get(name)):
            yield words, f"/calls/{quote(other, safe='')}"
    if digits:
        yield "All calls of this number", f"/calls?{urlencode({'when': '365d', 'caller': digits})}"


def _started(record: Mapping[str, Any]) -> str:
    try:
        return formats.moment_of_day(dt.datetime.fromisoformat(text_of(record.get("started_at"))))
    except ValueError:
        return "Time unknown"
