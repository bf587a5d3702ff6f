"""One finished call as text, for a person in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent.common.untrusted import printable


def call_page(record: Mapping[str, Any]) -> str:
    """Return a record as text: what it was about, the words with their times, the steps, what was asked of systems."""
    return "\n".join(printable(line, keep="") for line in _lines(record))


def _lines(record: Mapping[str, Any]) -> Iterator[str]:
    caller = _part(record, "caller")
    yield f"{record.get('id')}  {record.get('started_at')}  {_seconds(record.get('duration_seconds'))}"
    yield f"caller {caller.get('number') or 'hidden'}, dialled {caller.get('dialled') or '?'}"
    yield f"{record.get('outcome')}, ended by {record.get('ended_by')}"
    if edition := record.get("edition"):
        yield f"procedures: edition {edition}"
    for intent in _list(record, "intents"):
        yield f"asked for {intent.get('intent')}: {intent.get('result') or 'open'}"
    handover = _part(record, "handover")
    if handover:
        ticket = f", ticket {handover['ticket']}" if handover.get("ticket") else ""
        yield f"handed over to {handover.get('queue') or 'the queue'}: {handover.get('reason')}{ticket}"
        yield f"  {handover.get('summary') or ''}"
    for fault in record.get("faults") or ():
        yield f"FAULT: {fault}"
    yield ""
    for turn in _list(record, "turns"):
        yield from _turn(turn)
    yield from _block("steps", map(_step, _list(record, "trail")))
    yield from _block("systems", map(_effect, _list(record, "effects")))
    facts = _list(record, "facts")
    yield from _block("facts", (f"{one.get('operation')} {one.get('name')}={one.get('value')}" for one in facts))


def _turn(turn: Mapping[str, Any]) -> Iterator[str]:
    response = turn.get("response_ms")
    waited = f"  ({response:.0f} ms)" if isinstance(response, int | float) else ""
    yield f"{_seconds(turn.get('at_seconds')):>9}  agent: {turn.get('agent')}{waited}"
    if heard := turn.get("heard"):
        understood = f"  -> {turn['understood']}" if turn.get("understood") else ""
        yield f"{'':>9} caller: {heard}{understood}"


def _step(step: Mapping[str, Any]) -> str:
    return f"{_seconds(step.get('at_seconds')):>9}  {step.get('flow')}.{step.get('step')}: {step.get('way') or 'open'}"


def _effect(effect: Mapping[str, Any]) -> str:
    milliseconds = effect.get("ms")
    took = f" in {milliseconds:.0f} ms" if isinstance(milliseconds, int | float) else ""
    return f"{effect.get('name')}: {effect.get('code')}{took}"


def _block(title: str, lines: Iterator[str]) -> Iterator[str]:
    first = True
    for line in lines:
        if first:
            yield ""
            yield f"{title}:"
            first = False
        yield f"  {line}"


def _seconds(value: object) -> str:
    return f"{value:.1f} s" if isinstance(value, int | float) else "?"


def _part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = record.get(name)
    return value if isinstance(value, Mapping) else {}


def _list(record: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = record.get(name)
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
