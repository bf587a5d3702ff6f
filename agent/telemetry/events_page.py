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
from agent.telemetry.event_examples import EXAMPLES
from agent.telemetry.events import ABSENT, CALL_EVENTS, CallEvent
from agent.telemetry.published_event import PublishedEvent

_INTRODUCTION = """\
# Events of the live feed

<!-- Made by `orderline events -o docs/events.md` from agent/telemetry/events.py. Change that file, not this page. -->

`/live` on the agent's HTTP server (`control`, `127.0.0.1:8188`) is a websocket. It wants `Authorization: Bearer` with
the token in `/etc/orderline/control-token` and sends one JSON object for each event of every call, as it happens. What
a reader sends is ignored. A reader that is 1000 messages behind is disconnected; calls never wait for readers.
[monitoring.md](monitoring.md) describes the other pages of the server.

New events and new fields may come with any version: pass over what you do not know.
"""

_PRIVACY = """\
`data` holds what belongs to the event. Card numbers, and phone numbers and postcodes that callers say, are taken out of
`text`, `understood`, `heard`, `about`, `facts` and `summary`, unless `control.show_private` is on. When a caller has
refused to be recorded, no words of the call are sent: the fields marked "absent" below are left out.
"""

_REPLAY = """\
## Coming late, coming back

`/live` alone sends what happens from now on. With one of these addresses a reader first gets what it has not had yet:

- `/live?after=SEQ&epoch=EPOCH`: the events after the one with this `seq`; with `after=0` all that are kept.
- `/live?call=ID`: the events of this call alone, from its beginning, or after `after`.

The first message is then no event, but says what follows:

```json
{"event": "replay", "epoch": "5f0c1c1f", "after": 812, "last": 849, "events": 37, "lost": 0, "restarted": false}
```

| key | meaning |
| --- | --- |
| `epoch` | the process that runs now |
| `after` | the `seq` after which it goes on |
| `last` | the `seq` of the latest event there is |
| `events` | how many messages follow that happened before the connection |
| `lost` | how many more there were, which are kept no longer |
| `restarted` | true when the agent was started anew since: `seq` counts from 1 again, what was told before is gone |

So a reader keeps `seq` and `epoch` of the last event it took, and asks with them after its connection was lost: it has
every event once and in order, unless `lost` or `restarted` say otherwise. Kept are the latest 10,000 events, and all
events of calls that go on (5000 of one call at most), in the agent's memory alone. When a caller refuses to be
recorded, the words of that call are taken out of them.

When another process goes on with a call (`call_resumed`), `call_seq` jumps ahead, and that event brings the trail so
far.
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
        _REPLAY,
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
