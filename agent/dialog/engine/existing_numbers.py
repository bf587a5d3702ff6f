"""Asks the shop which of a code's readings exist before it is read back: the first that does is the one that was meant.

Only where the slot names a service for it (``exists``) and the recogniser had several whole readings of a code with
letters. What the shop does not answer in time is read back as it was heard.
"""

from __future__ import annotations

from dataclasses import replace

from agent.dialog.contract import Effect, EffectFailed, EffectSucceeded
from agent.dialog.engine.state import PendingEffect, SlotValue
from agent.dialog.engine.turn_context import TurnContext
from agent.dialog.errors import DialogError
from agent.dialog.numbers.reading import NumberReading

MOST_READINGS = 8
"""Readings of one code the shop is asked about, in one call."""
DEADLINE_SECONDS = 1.0
"""Longer nobody waits for it: reading back what was heard costs the caller no more."""


def slot_value(scene: TurnContext, name: str, reading: NumberReading, *, doubt: bool, confidence: float) -> SlotValue:
    """Return a number as it was heard, with its other readings where the shop is to be asked which of them exists."""
    asks = doubt and bool(scene.pack.slot(name).exists) and scene.pack.formats[name].has_letters
    others = reading.alternatives[: MOST_READINGS - 1] if asks else ()
    return SlotValue(reading.value or "", doubt, confidence, others)


def ask(scene: TurnContext, name: str, value: SlotValue) -> Effect:
    """Ask the shop which of the readings exist; they are asked about once."""
    state = scene.state
    state.slots[name] = replace(value, others=())
    arguments = {"numbers": [value.value, *value.others]}
    state.effect = PendingEffect(scene.next_effect_id(), scene.pack.slot(name).exists, arguments)
    return pending(scene)


def pending(scene: TurnContext) -> Effect:
    """Return the question to the shop that is open."""
    asked = scene.state.effect
    if asked is None:
        raise DialogError("the shop was asked nothing")
    return Effect(asked.id, asked.name, asked.arguments, DEADLINE_SECONDS)


def take(scene: TurnContext, name: str, asked: PendingEffect, event: EffectSucceeded | EffectFailed) -> None:
    """Put the first reading that exists in place of the likeliest one; without an answer that one stays."""
    value = scene.state.slots.get(name)
    found = event.result.get("numbers") if isinstance(event, EffectSucceeded) else None
    if value is None or not isinstance(found, list | tuple):
        return
    first = next((one for one in asked.arguments["numbers"] if one in found), None)
    if first is not None and first != value.value:
        scene.fill(name, replace(value, value=first))
        scene.understood = f"{scene.understood} {name}={first}".lstrip()


__all__ = ["DEADLINE_SECONDS", "MOST_READINGS", "ask", "pending", "slot_value", "take"]
