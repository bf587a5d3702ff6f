"""Answers to questions not being asked: a changed earlier answer ("no wait, Thursday"), a day in a request."""

from __future__ import annotations

from collections.abc import Iterator

from agent.dialog.contract import NextAction, TurnInput
from agent.dialog.engine import named_days, steps
from agent.dialog.engine.state import Focus, SlotValue
from agent.dialog.engine.turn_context import TurnContext
from agent.dialog.grammar.grammar_builder import CONFIRM_REQUEST
from agent.dialog.model.model import CollectStep


def changed_answer(scene: TurnContext, heard: TurnInput) -> NextAction | None:
    """Take a text that answers an earlier question of the flow under way; None when it answers none, or several.

    The slot gets the new value, what hangs on it is forgotten, and the flow goes on from that question: what is still
    known is not asked again, and what is to be done is read back anew.
    """
    frame = scene.frame
    found: list[tuple[int, str, str]] = []
    for index, slot in _answered(scene):
        for words in _without_leads(heard.text, scene.pack.language.changes.leads):
            value = _value(scene, slot, words)
            if value:
                found.append((index, slot, value))
                break
    if len(found) != 1:
        return None
    index, slot, value = found[0]
    scene.understood = f"{slot}={value}"
    scene.state.reset_failures()
    scene.fill(slot, SlotValue(value))
    frame.step, frame.asking = index, False
    return steps.advance(scene)


def is_denial(scene: TurnContext, heard: TurnInput) -> bool:
    """Return whether a text says no to what was just guessed."""
    match = scene.pack.grammars[CONFIRM_REQUEST].match(heard)
    return match is not None and match.meaning.kind == "value" and match.meaning.name == "no"


def date_in_request(scene: TurnContext, flow: str, heard: TurnInput) -> tuple[str, str] | None:
    """Return a date slot of the flow and the one day a sentence wants for it; None without one."""
    tokens = heard.text.lower().split()
    steps = scene.pack.flow(flow).steps
    asked = (step.collect for step in steps if isinstance(step, CollectStep))
    slot = next((name for name in asked if scene.pack.slot(name).type == "date"), "")
    day = _wanted(scene, slot, tokens) if slot else ""
    return (slot, day) if day else None


def single_date(scene: TurnContext, focus: Focus, heard: TurnInput) -> str:
    """Return the one day named in an answer that was not understood as a whole; ``""`` for none."""
    if focus.kind != "collect" or scene.pack.slot(focus.slot).type != "date":
        return ""
    return _wanted(scene, focus.slot, heard.text.lower().split())


def _wanted(scene: TurnContext, slot: str, tokens: list[str]) -> str:
    return named_days.wanted_day(tokens, scene.options(slot), scene.pack.language.changes)


def _answered(scene: TurnContext) -> Iterator[tuple[int, str]]:
    """Yield the questions of the running flow with a choice or a day that have an answer, and where they are asked."""
    frame = scene.frame
    known: set[str] = set()
    for index, step in enumerate(scene.pack.flow(frame.flow).steps[: frame.step]):
        if isinstance(step, CollectStep) and not step.force and step.collect in scene.state.slots.keys() - known:
            known.add(step.collect)
            if scene.pack.slot(step.collect).type in ("choice", "date"):
                yield index, step.collect


def _without_leads(text: str, leads: frozenset[str]) -> Iterator[str]:
    words = text.split()
    yield text
    while words and words[0] in leads:
        words = words[1:]
        if words:
            yield " ".join(words)


def _value(scene: TurnContext, slot: str, words: str) -> str:
    """Return the value of the slot that these words stand for, when it is another one than now."""
    match = scene.grammar(Focus("collect", slot)).match(TurnInput(words))
    if match is None or match.meaning.kind != "value" or match.meaning.guessed:
        return ""
    return match.meaning.name if match.meaning.name != scene.state.slots[slot].value else ""
