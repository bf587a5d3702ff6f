"""Text calls as YAML: the model of a flow test file and its reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from agent.common import yaml_reader
from agent.common.files import read_text
from agent.common.yaml_reader import KeyPath as KeyPath
from agent.common.yaml_reader import path_text
from agent.dialog.callee import CalleeKind
from agent.dialog.contract import QueueAvailability
from agent.dialog.errors import FlowError, YamlFinding
from agent.dialog.grammar.templates import did_you_mean

DEFAULT_NOW = datetime.fromisoformat("2026-11-23T10:00:00-05:00")
"""A Monday morning."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class CallerUtterance(_Model):
    """A caller's words with what the recogniser thought of them."""

    say: str
    """The words."""
    confidence: float | None = Field(default=None, ge=0, le=1)
    """Of every word, 0..1."""
    alternatives: tuple[str, ...] = ()
    """Other readings, best first."""


def _as_spoken(value: Any) -> Any:
    return {"say": value} if isinstance(value, str) else value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class ScriptedQueue(_Model):
    """The state of the staff queue."""

    standing: QueueAvailability
    """In a word."""
    wait_minutes: int = Field(default=0, ge=0)
    """The expected wait."""
    opens: str = ""
    """When staff are back, ISO 8601."""


def _as_queue(value: Any) -> Any:
    return {"standing": value} if isinstance(value, str) else value


_TextsOrNone = str | tuple[str, ...] | None


class TextCallLine(_Model):
    """One line of a call: something the caller does, or something expected."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "dependencies": {"given": ["effect"]}})

    user: Annotated[
        CallerUtterance | None, BeforeValidator(_as_spoken, json_schema_input_type=str | CallerUtterance | None)
    ] = None
    """What the caller says."""
    keys: str | None = None
    """What the caller keys in."""
    silence: float | None = None
    """The caller says nothing for so many seconds."""
    hangup: bool | None = None
    """The caller is gone."""
    callee: CalleeKind | None = None
    """Of a call that we placed: what answers is no person, but a ``machine`` (voicemail), a ``screener``, an ``ivr``, a
    ``fax``, or it stays ``unclear``."""
    effect: dict[str, Any] | None = None
    """Answers the service call that must be pending: a result, a name of ``answers``, or a failure (``not_found``,
    ``not_allowed.already_shipped``)."""
    given: dict[str, Any] | None = None
    """Arguments that service call must have been given; others are not looked at."""
    agent: Annotated[tuple[str, ...] | None, BeforeValidator(_as_list, json_schema_input_type=_TextsOrNone)] = None
    """Texts the agent must have said since the caller's last line; ``/.../`` is a regular expression."""
    never: Annotated[tuple[str, ...] | None, BeforeValidator(_as_list, json_schema_input_type=_TextsOrNone)] = None
    """Texts the agent must not have said since then."""
    queue: Annotated[
        ScriptedQueue | None, BeforeValidator(_as_queue, json_schema_input_type=str | ScriptedQueue | None)
    ] = None
    """The state of the staff queue, reported after a hand-over was asked for: ``closed``, ``holiday``, ``empty``,
    ``full``, ``too_long``, ``open``."""
    slots: dict[str, str | None] | None = None
    """What must be known by now; an empty value: nothing."""
    handover: str | None = None
    """The call must have been handed over for this reason."""
    priority: int | None = None
    """Of that hand-over."""
    summary: str | None = None
    """Text the summary for staff must contain."""
    ends: str | None = None
    """The call must have ended with this outcome."""

    @model_validator(mode="after")
    def _not_empty(self) -> TextCallLine:
        if not self.model_fields_set:
            raise ValueError("a line says what the caller does or what is expected")
        if self.given is not None and self.effect is None:
            raise ValueError("'given' needs an 'effect' whose arguments it looks at")
        return self


class ScriptedJob(_Model):
    """What a call is for that we place, or that somebody makes who rings back."""

    purpose: str
    """One of the pack's ``outbound: flows``."""
    name: str = ""
    """Whom to ask for."""
    call_back: str = "2025550100"
    """The number that can be called."""
    message: bool = False
    """Whether a voicemail gets a message."""
    order_number: str = ""
    """What it is about; told after the right person's yes."""
    delivered_on: str = ""
    """ISO date."""
    parcels: int = 1
    """How many the order came in."""
    subject: str = ""
    """Of a call-back, what it is about."""
    measure: str = ""
    """Of a survey, what is asked besides the satisfaction: ``nps``, ``ces``, or nothing."""
    comment: bool = True
    """Of a survey, whether a comment is asked for."""


class TextCallScript(_Model):
    """One call."""

    call: str
    """What happens in it."""
    caller: str = ""
    """The number it comes from."""
    entry: str = ""
    """How the call comes in: ``inbound``, ``outbound`` for a call that we place, or one of the pack's ``entries`` for
    a call that comes back."""
    now: datetime = DEFAULT_NOW
    """ISO time; a Monday morning otherwise."""
    left: dict[str, str] = {}
    """What the dialplan left for the call."""
    survey: bool = False
    """Whether the shop asks at the end how the call was."""
    calls_back: bool = False
    """Whether the agent may promise to call back itself."""
    second_facts: tuple[str, ...] = ("postcode", "phone", "email")
    """What the shop takes as proof besides the number of an order."""
    outbound: ScriptedJob | None = None
    """A call that we place (the usual with this key), or one that rings back (``entry: inbound``)."""
    known: dict[str, tuple[str, ...]] = {}
    """Number slot -> numbers this caller may well mean."""
    lines: tuple[TextCallLine, ...] = Field(min_length=1)
    """What happens, one thing after the other."""


class TextCallFile(_Model):
    """A file of calls."""

    answers: dict[str, Any] = {}
    """Named results for ``effect``."""
    calls: tuple[TextCallScript, ...] = Field(min_length=1)
    """The calls."""


@dataclass(frozen=True)
class LocatedTextCall:
    """A call and where it stands."""

    file: str
    line: int
    script: TextCallScript
    answers: dict[str, Any]
    lines: tuple[int, ...]
    """The line number of each line of the call."""


def _is_result(path: KeyPath) -> bool:
    """Return whether this place of a file holds what a service answers: JSON-like, not text."""
    return path[:1] == ("answers",) or "effect" in path


def read_text_calls(files: Sequence[Path]) -> list[LocatedTextCall]:
    """Read test files. Raises :class:`FlowError` with every mistake in them."""
    found: list[LocatedTextCall] = []
    findings: list[YamlFinding] = []
    for file in files:
        try:
            content = read_text(file)
        except (OSError, UnicodeDecodeError) as error:
            findings.append(
                YamlFinding(file.name, 0, "", f"cannot be read: {getattr(error, 'strerror', None) or error}")
            )
            continue
        calls, problems = text_calls_of(file.name, content)
        found += calls
        findings += problems
    if findings:
        raise FlowError(sorted(findings))
    return found


def text_calls_of(file: str, content: str) -> tuple[list[LocatedTextCall], list[YamlFinding]]:
    """Return the calls in the text of one test file, and the mistakes in it; with mistakes of shape it has no calls."""
    source = yaml_reader.read(file, content, _is_result)
    findings = list(source.findings)
    try:
        parsed = TextCallFile.model_validate(source.data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            path = tuple(detail["loc"])
            message = detail["msg"]
            if detail["type"] == "extra_forbidden":
                meant = did_you_mean(str(path[-1]), list(TextCallLine.model_fields))
                message = f"there is no key '{path[-1]}' here{meant}"
            findings.append(YamlFinding(file, source.line(path), path_text(path), message, keys=path))
        return [], findings
    found: list[LocatedTextCall] = []
    for index, script in enumerate(parsed.calls):
        at = ("calls", index)
        lines = tuple(source.line((*at, "lines", place)) for place in range(len(script.lines)))
        found.append(LocatedTextCall(file, source.line(at), script, parsed.answers, lines))
    return found, findings
