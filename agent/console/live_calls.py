"""The calls that go on, as the console knows them from the feeds of its nodes: events, words, and who may see them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from agent.console.numbers import without_numbers
from agent.console.rights import ConsolePerson
from agent.telemetry.events import ABSENT, AFTER_REFUSAL, CALL_EVENTS

MOST_EVENTS = 2_000
"""Of one call; the oldest words go first."""
_DOING = {
    "agent_said": "speaking",
    "listening": "listening",
    "caller_said": "thinking",
    "effect": "thinking",
    "hold": "on hold",
    "hold_ended": "thinking",
    "queue": "handing over",
    "handed_over": "handing over",
    "taken_over": "taken over",
}
_WITHHELD: Mapping[str, frozenset[str]] = {
    name: frozenset(one.name for one in fields(kind) if one.metadata.get(ABSENT) == AFTER_REFUSAL)
    for name, kind in CALL_EVENTS.items()
}
"""Of each event, the fields that hold what was said."""


@dataclass
class LiveEvent:
    """One event of a node's feed, and its messages for browsers, each made once however many watch."""

    node: str
    epoch: str
    seq: int
    call_id: str
    message: dict[str, Any]
    """``node``, ``event``, ``call_id``, ``seq``, ``call_seq``, ``at``, ``at_seconds``, ``data``."""
    place: str = ""
    """Where all nodes' feeds stood after it: the id by which a browser goes on."""
    _texts: dict[bool, str] = field(default_factory=dict)

    def text(self, *, whole_numbers: bool) -> str:
        """Return the message as JSON, with callers' numbers or without."""
        if whole_numbers not in self._texts:
            shown = self.message if whole_numbers else without_numbers(self.message)
            self._texts[whole_numbers] = json.dumps(shown, ensure_ascii=False, default=str)
        return self._texts[whole_numbers]

    def without_words(self) -> None:
        """Forget what was said: the caller has refused to be recorded."""
        withheld = _WITHHELD.get(str(self.message["event"]), frozenset())
        data = {name: value for name, value in self.message["data"].items() if name not in withheld}
        self.message = {**self.message, "data": data}
        self._texts.clear()


@dataclass
class LiveCall:
    """One call that goes on."""

    node: str
    call_id: str
    started_at: str
    """ISO 8601."""
    caller: str = ""
    caller_name: str = ""
    dialled: str = ""
    direction: str = "inbound"
    entry: str = ""
    edition: str = ""
    doing: str = "answering"
    flow: str = ""
    step: str = ""
    said: str = ""
    """The agent's last words."""
    heard: str = ""
    """The caller's last words."""
    queue: str = ""
    """Where it is being handed over to."""
    events: list[LiveEvent] = field(default_factory=list)

    def take(self, event: LiveEvent) -> None:
        """Follow one event of this call."""
        self.events.append(event)
        del self.events[:-MOST_EVENTS]
        name, data = event.message["event"], event.message["data"]
        self.doing = _DOING.get(name, self.doing)
        if name in ("step", "agent_said"):
            self.flow, self.step = _text(data, "flow") or self.flow, _text(data, "step") or self.step
        if name == "agent_said":
            self.said = _text(data, "text")
        elif name == "caller_said":
            self.heard = _text(data, "heard")
        elif name == "handed_over":
            self.queue = _text(data, "queue")
        elif name == "call_started":
            self._begin(data)
        elif name == "consent" and data.get("answer") == "refused":
            self.said = self.heard = self.flow = self.step = ""
            for kept in self.events:
                kept.without_words()

    def visible_to(self, person: ConsolePerson) -> bool:
        """Return whether somebody may see it: of a queue's calls those that are handed over to it."""
        return person.sees(queue=self.queue, dialled=self.dialled)

    def summary(self, *, whole_numbers: bool) -> dict[str, Any]:
        """Return the call as a line of the list, as JSON-like data."""
        told = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "events"}
        return told if whole_numbers else without_numbers(told)

    def _begin(self, data: Mapping[str, Any]) -> None:
        caller = data.get("caller")
        party: Mapping[str, Any] = caller if isinstance(caller, Mapping) else {}
        self.caller, self.caller_name = _text(party, "number"), _text(party, "name")
        self.dialled, self.direction = _text(data, "dialled"), _text(data, "direction") or "inbound"
        self.entry, self.edition = _text(data, "entry"), _text(data, "edition")


def live_event(node: str, message: Mapping[str, Any]) -> LiveEvent | None:
    """Return a message of a node's feed as an event; None for what is none of ours.

    The whole record at the end of a call (``control.show_private``) is left out: browsers get records by their right.
    """
    name, call_id, data = message.get("event"), message.get("call_id"), message.get("data")
    seq, epoch = message.get("seq"), message.get("epoch")
    if not (isinstance(name, str) and isinstance(call_id, str) and isinstance(data, dict) and isinstance(seq, int)):
        return None
    told = {key: message[key] for key in ("event", "call_id", "seq", "call_seq", "at", "at_seconds") if key in message}
    told |= {"node": node, "data": {key: value for key, value in data.items() if key != "record"}}
    return LiveEvent(node, str(epoch), seq, call_id, told)


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""
