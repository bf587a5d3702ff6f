"""Writes a simulated call as a call in text: a test that fails when the procedures come to do something else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from agent.builder.simulation import AnsweredEffect, SimulatedExchange
from agent.builder.simulation_input import CallSetup
from agent.dialog.contract import EffectFailed, HandOverAction, HangUp
from agent.dialog.tools.text_call_model import DEFAULT_NOW

_SENTENCE = re.compile(r"[^.?!]+[.?!]*")
_INDENT = "  "


def saved_test_yaml(name: str, setup: CallSetup, exchanges: Sequence[SimulatedExchange]) -> str:
    """Return the call as one entry of ``calls:``, indented by two spaces.

    Each turn expects the last sentence of every prompt that was said, what became known, and how the call ended; not
    every word: most of a prompt may be put better without a test to be changed.
    """
    call: dict[str, Any] = {"call": name, **_setup(setup)}
    known: dict[str, str] = {}
    lines: list[dict[str, Any]] = []
    for exchange in exchanges:
        lines += _lines(exchange, known)
        known = dict(exchange.slots)
    call["lines"] = lines or [{"silence": 5}]
    text = yaml.dump([call], sort_keys=False, allow_unicode=True, width=4096, default_flow_style=None, Dumper=_Dumper)
    return "".join(f"{_INDENT}{line}\n" if line else "\n" for line in text.splitlines())


class _Dumper(yaml.SafeDumper):
    """Puts the items of a list below their key, indented, as the shipped files have them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


# the reader of packs and calls knows "~" for nothing; "null" is a text to it
_Dumper.add_representer(type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", "~"))


def _setup(setup: CallSetup) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if setup.caller:
        told["caller"] = setup.caller
    if setup.entry and setup.entry != "inbound":
        told["entry"] = setup.entry
    if setup.now != DEFAULT_NOW:
        told["now"] = setup.now.isoformat()
    if setup.known:
        told["known"] = {slot: list(numbers) for slot, numbers in setup.known.items()}
    if setup.survey:
        told["survey"] = "yes"
    if setup.calls_back:
        told["calls_back"] = "yes"
    if setup.second_facts != CallSetup().second_facts:
        told["second_facts"] = list(setup.second_facts)
    if setup.outbound is not None:
        told["outbound"] = setup.outbound.model_dump(exclude_defaults=True)
    return told


def _lines(exchange: SimulatedExchange, known: dict[str, str]) -> Iterator[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    if exchange.given is not None and not exchange.given.by_service:
        lines.append(_caller(exchange))
    lines += [{"effect": {effect.effect.name: _answer(effect)}} for effect in exchange.effects]
    if exchange.queue is not None:
        lines.append({"queue": exchange.queue.standing})
    if not lines:
        lines.append({})
    lines[-1] |= _expected(exchange, known)
    yield from (line for line in lines if line)


def _caller(exchange: SimulatedExchange) -> dict[str, Any]:
    given = exchange.given
    if given is None:
        return {}
    if given.say is not None:
        if given.confidence is None and not given.alternatives:
            return {"user": given.say}
        said: dict[str, Any] = {"say": given.say}
        if given.confidence is not None:
            said["confidence"] = given.confidence
        if given.alternatives:
            said["alternatives"] = list(given.alternatives)
        return {"user": said}
    if given.keys is not None:
        return {"keys": given.keys}
    return {"hangup": "yes"} if given.silence is None else {"silence": given.silence}


def _answer(effect: AnsweredEffect) -> Any:
    outcome = effect.outcome
    if isinstance(outcome, EffectFailed):
        return f"{outcome.code}.{outcome.reason}".strip(".")
    return dict(outcome.result)


def _expected(exchange: SimulatedExchange, known: dict[str, str]) -> dict[str, Any]:
    then = exchange.turn.then
    told: dict[str, Any] = {}
    bridged = {effect.effect.filler for effect in exchange.effects if effect.slow}  # a call in text knows no slowness
    said = (_last_sentence(prompt.text) for prompt in exchange.said if prompt not in bridged)
    words = list(dict.fromkeys(filter(None, said)))
    if words:
        told["agent"] = words if len(words) > 1 else words[0]
    learned = {name: value for name, value in exchange.slots.items() if known.get(name) != value}
    if learned:
        told["slots"] = learned
    if isinstance(then, HandOverAction):
        told["handover"] = then.reason
        if then.priority:
            told["priority"] = then.priority
    if isinstance(then, HangUp):
        told["ends"] = then.outcome
    return told


def _last_sentence(text: str) -> str:
    sentences = [one.strip() for one in _SENTENCE.findall(text) if one.strip(" .?!")]
    words = sentences[-1] if sentences else text.strip()
    # between two slashes it would be read as a regular expression
    return words.strip("/") if words[:1] == words[-1:] == "/" else words
