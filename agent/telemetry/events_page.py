"""Writes docs/events.md, the page on the events of the live feed, from the classes in agent/telemetry/events.py."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import Field, fields
from datetime import datetime, timedelta, timezone
from typing import Any, get_args, get_type_hints

from agent.telemetry.event_bus import EventBus
from agent.telemetry.events import (
    ABSENT,
    CALL_EVENTS,
    AgentSaid,
    CallBegan,
    CallerSaid,
    CallEvent,
    CallFinished,
    CallingParty,
    CallRefused,
    ConsentAnswered,
    EffectEnded,
    EffectStarted,
    HandedOver,
    HoldOver,
    HoldStarted,
    ListeningStarted,
    PublishedEvent,
    QueueChecked,
    TakenOver,
)

_ID = "1764057600.12"
EXAMPLES: tuple[CallEvent, ...] = (
    CallRefused("1764057581.9", why="paused"),
    CallBegan(_ID, CallingParty("2025550143", "Maria", "7000"), dialled="7000", entry="inbound"),
    ConsentAnswered(_ID, answer="announced"),
    AgentSaid(
        _ID,
        text="Please give me your order number.",
        prompts=("ask_order_number",),
        flow="order_status",
        step="ask_number",
        understood="request=order_status",
        response_ms=412.5,
        spent_ms={"wait": 300.0, "recognition": 41.2, "rules": 3.1, "look_up": 0.0, "voice": 68.2},
    ),
    ListeningStarted(_ID, slot="order_number"),
    CallerSaid(
        _ID,
        heard="one oh four seven three",
        via="speech",
        confidence=0.94,
        barged_in=False,
        slot="order_number",
    ),
    EffectStarted(_ID, name="orders.verify"),
    EffectEnded(_ID, name="orders.verify", code="ok", ms=37.4),
    HoldStarted(_ID, patience_seconds=300.0),
    HoldOver(_ID, held_seconds=41.7),
    QueueChecked(_ID, standing="open", wait_minutes=2, opens=""),
    HandedOver(
        _ID,
        reason="caller_asked",
        queue="support",
        priority=0,
        summary="Asked where order 10473 is; it is on its way. Wants a person.",
        ticket="T-1042",
        facts={"order_number": "10473", "verified": True},
    ),
    TakenOver(_ID, by="201"),
    CallFinished(_ID, outcome="handed_over", ended_by="handover", duration_seconds=48.213, record=None),
)
"""One of each kind, in the order of the registry."""

_INTRODUCTION = """\
# Events of the live feed

<!-- Made by `orderline events -o docs/events.md` from agent/telemetry/events.py. Change that file, not this page. -->

`/live` on the agent's HTTP server (`control`, `127.0.0.1:8188`) is a websocket. It wants `Authorization: Bearer` with
the token in `/etc/orderline/control-token` and sends one JSON object for each event of every call, as it happens. What
a reader sends is ignored. A reader that is 1000 messages behind is disconnected; calls never wait for readers. Events
from before the connection are not sent again. [monitoring.md](monitoring.md) describes the other pages of the server.

New events and new fields may come with any version: pass over what you do not know.
"""

_PRIVACY = """\
`data` holds what belongs to the event. Card numbers, and phone numbers and postcodes that callers say, are taken out of
`text`, `understood`, `heard` and `summary`, unless `control.show_private` is on. When a caller has refused to be
recorded, no words of the call are sent: the fields marked "absent" below are left out.
"""

_TYPE_NAMES: Mapping[object, str] = {
    str: "string",
    int: "whole number",
    float: "number",
    bool: "true or false",
    tuple[str, ...]: "list of strings",
}


def events_page() -> str:
    """Return the text of docs/events.md."""
    parts = [
        _INTRODUCTION,
        "## The message\n",
        _message_table(),
        _PRIVACY,
        "## The events\n",
        _contents(),
        *(_event_section(published) for published in _published_examples()),
    ]
    return "\n".join(parts)


def field_docstrings(kind: type) -> dict[str, str]:
    """Return the docstring under each field of a class, on one line, by the field's name."""
    (definition,) = ast.parse(inspect.getsource(kind)).body
    if not isinstance(definition, ast.ClassDef):
        raise TypeError(f"{kind!r} is no class")
    found: dict[str, str] = {}
    for statement, following in zip(definition.body, definition.body[1:], strict=False):
        match statement, following:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = " ".join(text.split())
    return found


def _message_table() -> str:
    said = field_docstrings(PublishedEvent) | field_docstrings(CallEvent)
    rows = [
        ("event", "string", said["event"]),
        ("call_id", "string", said["call_id"]),
        ("seq", "whole number", said["seq"]),
        ("epoch", "string", said["epoch"]),
        ("at", "string", said["at"]),
        ("at_seconds", "number", said["at_seconds"]),
        ("data", "object", "The fields of the event, below."),
    ]
    return _table(("key", "type", "meaning"), rows)


def _contents() -> str:
    rows = [(f"[`{name}`](#{name})", _first_sentence(kind)) for name, kind in CALL_EVENTS.items()]
    return _table(("event", "when"), rows, code=False)


def _event_section(published: PublishedEvent) -> str:
    kind = type(published.event)
    types, said = get_type_hints(kind), field_docstrings(kind)
    rows = [(one.name, _type_name(types[one.name], one), _meaning(said[one.name], one)) for one in _own_fields(kind)]
    example = json.dumps(published.message(), ensure_ascii=False, indent=2)
    return "\n".join(
        (
            f"### {kind.event}\n",
            f"{inspect.cleandoc(kind.__doc__ or '')}\n",
            _table(("field", "type", "meaning"), rows),
            f"```json\n{example}\n```\n",
        )
    )


def _published_examples() -> list[PublishedEvent]:
    """The examples as a bus publishes them, half a second apart."""
    start = datetime(2026, 11, 25, 9, 0, 0, tzinfo=timezone(timedelta(hours=1)))
    published: list[PublishedEvent] = []

    def seconds() -> float:
        return 0.5 * len(published)

    bus = EventBus(
        clock=lambda: 81720.25 + seconds(),
        wall=lambda: start + timedelta(seconds=seconds()),
        epoch="5f0c1c1fb0f94cf7a3b6a1d2c9e87d10",
    )
    bus.subscribe(published.append)
    for event in EXAMPLES:
        bus.publish(event)
    return published


def _own_fields(kind: type[CallEvent]) -> list[Field[Any]]:
    return [one for one in fields(kind) if one.name != "call_id"]


def _type_name(hint: object, one: Field[Any]) -> str:
    choices = get_args(hint)
    if type(None) not in choices:
        return _TYPE_NAMES.get(hint, "object")
    (held,) = (choice for choice in choices if choice is not type(None))
    name = _TYPE_NAMES.get(held, "object")
    return name if ABSENT in one.metadata else f"{name} or null"


def _meaning(text: str, one: Field[Any]) -> str:
    absent = one.metadata.get(ABSENT)
    return text if absent is None else f"{text} Absent {absent}."


def _first_sentence(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "").split(". ")[0].rstrip(".")


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, code: bool = True) -> str:
    """Return a Markdown table; ``code``: the first column is set as code."""
    lines = [head, ("---",) * len(head)]
    lines += [((f"`{row[0]}`" if code else row[0]), *row[1:]) for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
