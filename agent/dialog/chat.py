"""``orderline chat``: the same conversation as on the telephone, in a terminal or as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from agent.dialog.engine import Conversation
from agent.dialog.text_call import Exchange, Perform, TextCall, event_of, spoken
from agent.dialog.turns import Event, Failed, HandOver, Heard, HungUp, NoInput, Word

HELP = "Type what the caller says. #10473 keys digits, an empty line is silence, /hangup ends the call."


def chat(conversation: Conversation, perform: Perform, lines: Iterable[str], out: TextIO) -> Exchange:
    """Hold the conversation with a person at a terminal; return the last exchange.

    ``lines`` are the caller's lines (standard input), ``perform`` does the effects.
    """
    call = TextCall(conversation, perform)
    print(HELP, file=out)
    exchange = call.start()
    _show(exchange, conversation, out)
    for line in lines:
        if exchange.over:
            break
        exchange = call.give(event_of(line))
        _show(exchange, conversation, out)
    return exchange


def chat_json(conversation: Conversation, perform: Perform, lines: Iterable[str], out: TextIO) -> Exchange:
    """Hold the conversation with a program: one JSON object a line, both ways; return the last exchange.

    In: ``{"say": text}`` (with optional ``confidence`` and ``alternatives``), ``{"keys": "104"}``, ``{"silence": 5}``,
    ``{"hangup": true}``. Out: see :func:`exchange_data`; a line that cannot be read gives ``{"error": ...}``.
    """
    call = TextCall(conversation, perform)
    exchange = call.start()
    _write(exchange_data(exchange, conversation), out)
    for line in lines:
        if exchange.over:
            break
        if not line.strip():
            continue
        try:
            event = event_from_json(json.loads(line))
        except (ValueError, TypeError) as error:
            _write({"error": f"not a caller's turn: {error}"}, out)
            continue
        exchange = call.give(event)
        _write(exchange_data(exchange, conversation), out)
    return exchange


def event_from_json(data: Any) -> Event:
    """Turn one JSON object into an event. Raises ValueError for anything else."""
    if not isinstance(data, Mapping):
        raise ValueError("it is not an object")
    if "say" in data:
        return heard_text(str(data["say"]), data.get("confidence"), data.get("alternatives") or ())
    if "keys" in data:
        keys = str(data["keys"])
        if not keys or not set(keys) <= set("0123456789*#"):
            raise ValueError("keys are digits, * and #")
        return Heard(keys=keys)
    if "silence" in data:
        return NoInput(float(data["silence"]))
    if data.get("hangup"):
        return HungUp()
    raise ValueError("it has none of say, keys, silence, hangup")


def heard_text(text: str, confidence: Any = None, alternatives: Iterable[Any] = ()) -> Heard:
    """Return what a recogniser would report for typed text, every word with the given confidence."""
    said = spoken(text)
    words = () if confidence is None else tuple(Word(word, float(confidence)) for word in said.split())
    return Heard(said, words, tuple(spoken(str(other)) for other in alternatives))


def exchange_data(exchange: Exchange, conversation: Conversation) -> dict[str, Any]:
    """Return one exchange as JSON-like data."""
    then = exchange.turn.then
    data: dict[str, Any] = {
        "agent": [prompt.text for prompt in exchange.said],
        "prompts": [prompt.id for prompt in exchange.said],
        "understood": exchange.understood,
        "flow": exchange.turn.flow,
        "step": exchange.turn.step,
        "slots": conversation.slots,
        "effects": [
            {"name": effect.name, "arguments": dict(effect.arguments), "failed": _failure(outcome)}
            for effect, outcome in exchange.effects
        ],
        "outcome": exchange.outcome or None,
    }
    if isinstance(then, HandOver):
        data["handover"] = {
            "reason": then.reason, "summary": then.summary, "queue": then.queue, "priority": then.priority,
            "facts": dict(then.facts),
        }  # fmt: skip
    return data


def _failure(outcome: object) -> str | None:
    return outcome.code if isinstance(outcome, Failed) else None


def _show(exchange: Exchange, conversation: Conversation, out: TextIO) -> None:
    if exchange.understood:
        print(f"  ({exchange.understood})", file=out)
    for effect, outcome in exchange.effects:
        arguments = ", ".join(f"{name}={value}" for name, value in effect.arguments.items())
        print(f"  [{effect.name}({arguments}) {_failure(outcome) or 'done'}]", file=out)
    print(f"agent: {exchange.text}", file=out)
    slots = " ".join(f"{name}={value}" for name, value in conversation.slots.items())
    print(f"  <{exchange.turn.flow}.{exchange.turn.step}> {slots}".rstrip(), file=out)
    then = exchange.turn.then
    if isinstance(then, HandOver):
        print(f"  [to a person: {then.reason}, priority {then.priority}] {then.summary}", file=out)
    elif exchange.over:
        print(f"  [call over: {exchange.outcome}]", file=out)
    out.flush()


def _write(data: Mapping[str, Any], out: TextIO) -> None:
    print(json.dumps(data, ensure_ascii=False, default=str), file=out, flush=True)
