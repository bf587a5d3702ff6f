"""What was said on a call, line by line, with times, understanding and response times. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent.console.views import formats, labels
from agent.console.views.call_log import SLOW_MS
from agent.console.views.labels import Label
from agent.console.views.record_values import mapping_of, mappings_in, number_of, text_of

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


def spoken_lines(record: Mapping[str, Any]) -> Iterator[SpokenLine]:
    """Yield what was said on a call, with what is known of each response."""
    turns = mappings_in(record, "turns")
    longest = max((number_of(turn.get("response_ms")) or 0.0 for turn in turns), default=0.0)
    for place, turn in enumerate(turns):
        following = turns[place + 1] if place + 1 < len(turns) else {}
        audible = number_of(turn.get("audible_at_seconds"))
        begun = audible if audible is not None else number_of(turn.get("at_seconds"))
        heard_from = number_of(turn.get("heard_from_seconds"))
        if agent := text_of(turn.get("agent")):
            until = heard_from if heard_from is not None else number_of(following.get("at_seconds"))
            step = ".".join(filter(None, (text_of(turn.get("flow")), text_of(turn.get("step")))))
            response = _response(turn, longest)
            yield SpokenLine("agent", formats.moment(begun), begun, until, agent, step, response)
        if turn.get("heard") or turn.get("result") in ("no_input", "no_match"):
            yield _heard(turn, heard_from)


def _heard(turn: Mapping[str, Any], heard_from: float | None) -> SpokenLine:
    word = text_of(turn.get("result"))
    about = []
    if via := text_of(turn.get("via")):
        about.append(labels.word_for("via", via))
    if turn.get("barged_in"):
        about.append("over the agent")
    confidence = number_of(turn.get("confidence"))
    if confidence is not None and turn.get("via") == "speech":
        about.append(f"{confidence:.0%} sure")
    if turn.get("heard_by") == "second":
        about.append("heard by the second recogniser")
    return SpokenLine(
        "caller",
        formats.moment(heard_from) if heard_from is not None else "",
        heard_from,
        number_of(turn.get("heard_until_seconds")),
        text_of(turn.get("heard")) or ("(silence)" if word == "no_input" else "(nothing intelligible)"),
        understood=text_of(turn.get("understood")),
        result=labels.result(word) if word and word != "understood" else None,
        about=tuple(about),
    )


def _response(turn: Mapping[str, Any], longest: float) -> Response | None:
    whole = number_of(turn.get("response_ms"))
    if whole is None:
        return None
    spent = {name: ms for name, value in mapping_of(turn.get("spent_ms")).items() if (ms := number_of(value))}
    order = [name for name in labels.PARTS if name in spent] + [name for name in spent if name not in labels.PARTS]
    parts, x = [], 0.0
    for name in order:
        width = min(spent[name] / longest * BAR_WIDTH, BAR_WIDTH - x) if longest else 0.0
        text = f"{labels.word_for('parts', name)}: {formats.milliseconds(spent[name])}"
        parts.append(ResponsePart(name, text, round(x, 1), round(max(width, 0.0), 1)))
        x += width
    told = ", ".join(part.text for part in parts)
    return Response(formats.milliseconds(whole), whole > SLOW_MS, tuple(parts), told)


def words_gone(record: Mapping[str, Any], lines: tuple[SpokenLine, ...]) -> str:
    """Return why there are no words; ``""`` where there are."""
    if lines:
        return ""
    if record.get("words_expired"):
        return "The words of this call were deleted when their time was over (retention.words_days)."
    if record.get("consent") == "refused":
        return "The caller refused to be recorded: nothing of what was said is kept."
    return "Nothing was said on this call."
