"""``orderline chat``: the same conversation as on the telephone, in a terminal or as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TextIO

from agent.common.untrusted import load_json
from agent.dialog.contract import (
    Effect,
    EffectFailed,
    EffectSucceeded,
    Event,
    HandOverAction,
    HungUp,
    Listen,
    NoInput,
    TurnInput,
    Word,
)
from agent.dialog.engine.engine import Conversation
from agent.dialog.grammar.templates import did_you_mean
from agent.dialog.tools.text_call import (
    KEYPAD_KEYS,
    EffectPerformer,
    QueueLookup,
    TextCall,
    TextCallExchange,
    as_recognised,
    event_from_line,
)

HELP = "Type what the caller says. #10473 keys digits, an empty line is silence, /hangup ends the call."
MAX_LINE_CHARS = 10_000
MAX_SILENCE_SECONDS = 3600
_ACTS = ("say", "keys", "silence", "hangup")
_BESIDE_SAY = ("confidence", "alternatives")


@dataclass(frozen=True)
class ChatSurroundings:
    """What a chat has around it besides the services; nothing for the demo shop."""

    queue: QueueLookup | None = None
    """How the staff's queues stand; None when nobody knows."""
    not_done: Collection[str] = ()
    """Effects whose success is only pretended: the transcript says so at each."""
    explain_failures: bool = False
    """Whether the transcript says why an effect failed, besides its code."""


NO_SURROUNDINGS = ChatSurroundings()


def chat(
    conversation: Conversation,
    perform: EffectPerformer,
    lines: Iterable[str],
    out: TextIO,
    around: ChatSurroundings = NO_SURROUNDINGS,
) -> TextCallExchange:
    """Hold the conversation with a person at a terminal; return the last exchange.

    ``lines`` are the caller's lines (standard input), ``perform`` does the effects. When the lines end before the call
    does, the caller has hung up.
    """
    call = TextCall(conversation, perform, around.queue)
    print(HELP, file=out)
    exchange = call.start()
    _show(exchange, conversation, out, around)
    for line in _while_it_lasts(call, lines):
        try:
            event = event_from_line(line)
        except ValueError as error:
            print(f"  [{error}]", file=out, flush=True)
            continue
        exchange = call.give(event)
        _show(exchange, conversation, out, around)
    if not exchange.over:
        exchange = call.give(HungUp())
        _show(exchange, conversation, out, around)
    return exchange


def chat_json(
    conversation: Conversation,
    perform: EffectPerformer,
    lines: Iterable[str],
    out: TextIO,
    around: ChatSurroundings = NO_SURROUNDINGS,
) -> TextCallExchange:
    """Hold the conversation with a program: one JSON object a line, both ways; return the last exchange.

    In: ``{"say": text}`` (with optional ``confidence`` and ``alternatives``), ``{"keys": "104"}``, ``{"silence": 5}``,
    ``{"hangup": true}``. Out: the greeting, then one line for every line in: see :func:`exchange_data`. A line that
    cannot be read gives ``{"error": ..., "line": number}`` and changes nothing. When the lines end before the call
    does, the caller has hung up.
    """
    call = TextCall(conversation, perform, around.queue)
    exchange = call.start()
    _write(exchange_data(exchange, conversation, around), out)
    for number, line in enumerate(_while_it_lasts(call, lines), 1):
        if not line.strip():
            continue
        try:
            event = event_from_json(line)
        except ValueError as error:
            _write({"error": f"not a caller's turn: {error}", "line": number}, out)
            continue
        exchange = call.give(event)
        _write(exchange_data(exchange, conversation, around), out)
    if not exchange.over:
        exchange = call.give(HungUp())
        _write(exchange_data(exchange, conversation, around), out)
    return exchange


def _while_it_lasts(call: TextCall, lines: Iterable[str]) -> Iterator[str]:
    """Yield the caller's lines; asks for none when the call is over."""
    typed = iter(lines)
    while not call.over and (line := next(typed, None)) is not None:
        yield line


def event_from_json(line: str) -> Event:
    """Turn one line of JSON into an event. Raises ValueError, in words for the one who wrote it, for anything else."""
    if len(line) > MAX_LINE_CHARS:
        raise ValueError(f"it is longer than {MAX_LINE_CHARS} characters")
    try:
        data = load_json(line)
    except ValueError as error:
        raise ValueError(f"it is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise ValueError("it is not an object")
    acts = [act for act in _ACTS if act in data]
    if len(acts) != 1:
        found = " and ".join(acts) or next(iter(data), "nothing")[:40]
        raise ValueError(f"it needs one of {', '.join(_ACTS)}; it has {found}")
    possible = (*acts, *(_BESIDE_SAY if acts == ["say"] else ()))
    for name in data:
        if name not in possible:
            raise ValueError(f"there is no '{name[:40]}' beside {acts[0]}{did_you_mean(name, possible)}")
    if acts == ["say"]:
        return _heard(data)
    if acts == ["keys"]:
        return _keyed(data["keys"])
    if acts == ["silence"]:
        possible_seconds = f"a number of seconds from 0 to {MAX_SILENCE_SECONDS}"
        return NoInput(_number(data["silence"], "silence", possible_seconds, 0, MAX_SILENCE_SECONDS))
    if data["hangup"] is not True:
        raise ValueError("hangup can only be true")
    return HungUp()


def _heard(data: Mapping[str, Any]) -> TurnInput:
    said, alternatives = data["say"], data.get("alternatives", [])
    if not isinstance(said, str):
        raise ValueError("say is a text")
    if not isinstance(alternatives, list) or not all(isinstance(other, str) for other in alternatives):
        raise ValueError("alternatives is a list of texts")
    confidence = data.get("confidence")
    if confidence is not None:
        confidence = _number(confidence, "confidence", "a number from 0 to 1", 0, 1)
    heard = heard_text(said, confidence, alternatives)
    if not heard.text:
        raise ValueError('say holds no words; a caller who is silent is {"silence": 5}')
    return heard


def _keyed(keys: object) -> TurnInput:
    if not isinstance(keys, str) or not keys or not set(keys) <= set(KEYPAD_KEYS):
        raise ValueError('keys is a text of digits, * and #, like "104"')
    return TurnInput(keys=keys)


def _number(value: object, name: str, what: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise ValueError(f"{name} is {what}")
    return float(value)


def heard_text(text: str, confidence: Any = None, alternatives: Iterable[Any] = ()) -> TurnInput:
    """Return what a recogniser would report for typed text, every word with the given confidence."""
    said = as_recognised(text)
    words = () if confidence is None else tuple(Word(word, float(confidence)) for word in said.split())
    return TurnInput(said, words, tuple(as_recognised(str(other)) for other in alternatives))


def exchange_data(
    exchange: TextCallExchange, conversation: Conversation, around: ChatSurroundings = NO_SURROUNDINGS
) -> dict[str, Any]:
    """Return one exchange as JSON-like data; docs/flows.md explains the keys."""
    then = exchange.turn.then
    data: dict[str, Any] = {
        "agent": [prompt.text for prompt in exchange.said],
        "prompts": [prompt.id for prompt in exchange.said],
        "understood": exchange.understood,
        "flow": exchange.turn.flow,
        "step": exchange.turn.step,
        "listening": then.slot if isinstance(then, Listen) else None,
        "slots": conversation.slots,
        "effects": [_effect_data(effect, outcome, around) for effect, outcome in exchange.effects],
        "over": exchange.over,
        "outcome": exchange.outcome or None,
    }
    if exchange.queue is not None:
        data["queue"] = asdict(exchange.queue)
    if isinstance(then, HandOverAction):
        data["handover"] = {
            "reason": then.reason, "summary": then.summary, "queue": then.queue, "priority": then.priority,
            "facts": dict(then.facts),
        }  # fmt: skip
    return data


def _effect_data(effect: Effect, outcome: EffectSucceeded | EffectFailed, around: ChatSurroundings) -> dict[str, Any]:
    failed = outcome if isinstance(outcome, EffectFailed) else None
    data: dict[str, Any] = {
        "name": effect.name,
        "arguments": dict(effect.arguments),
        "result": dict(outcome.result) if isinstance(outcome, EffectSucceeded) else None,
        "failed": failed.code if failed else None,
        "reason": failed.reason or None if failed else None,
    }
    if failed is not None and around.explain_failures:
        data["message"] = failed.message
    if failed is None and effect.name in around.not_done:
        data["not_done"] = True
    return data


def _failure(outcome: EffectSucceeded | EffectFailed) -> str:
    if not isinstance(outcome, EffectFailed):
        return ""
    return f"{outcome.code}.{outcome.reason}" if outcome.reason else outcome.code


def _effect_line(effect: Effect, outcome: EffectSucceeded | EffectFailed, around: ChatSurroundings) -> str:
    if isinstance(outcome, EffectSucceeded) and effect.name in around.not_done:
        wanted = json.dumps(dict(effect.arguments), ensure_ascii=False, default=str)
        return f"not done (would be: {effect.name} {wanted})"
    arguments = ", ".join(f"{name}={value}" for name, value in effect.arguments.items())
    line = f"{effect.name}({arguments}) {_failure(outcome) or 'done'}"
    if isinstance(outcome, EffectFailed) and around.explain_failures and outcome.message:
        return f"{line}: {outcome.message}"
    return line


def _show(exchange: TextCallExchange, conversation: Conversation, out: TextIO, around: ChatSurroundings) -> None:
    if exchange.understood:
        print(f"  ({exchange.understood})", file=out)
    for effect, outcome in exchange.effects:
        print(f"  [{_effect_line(effect, outcome, around)}]", file=out)
    if exchange.queue is not None:
        opens = f", opens {exchange.queue.opens}" if exchange.queue.opens else ""
        print(f"  [the queue is {exchange.queue.standing}{opens}]", file=out)
    if exchange.said:
        print(f"agent: {exchange.text}", file=out)
    slots = " ".join(f"{name}={value}" for name, value in conversation.slots.items())
    print(f"  <{exchange.turn.flow}.{exchange.turn.step}> {slots}".rstrip(), file=out)
    then = exchange.turn.then
    if isinstance(then, HandOverAction):
        print(f"  [to a person: {then.reason}, priority {then.priority}] {then.summary}", file=out)
    elif exchange.over:
        print(f"  [call over: {exchange.outcome}]", file=out)
    out.flush()


def _write(data: Mapping[str, Any], out: TextIO) -> None:
    print(json.dumps(data, ensure_ascii=False, default=str), file=out, flush=True)
