"""Requests as phrases tell them, with the numbers told in the same sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from agent.dialog.contract import TurnInput
from agent.dialog.engine.confidence import LOW_CONFIDENCE
from agent.dialog.engine.state import Focus, PendingRequest
from agent.dialog.engine.turn_context import TurnContext
from agent.dialog.grammar.grammar_builder import collect_key
from agent.dialog.grammar.turn_grammar import GrammarMatch
from agent.dialog.numbers.capture import NumberReading
from agent.dialog.understanding.teaching import NUMBER


def pending_request(scene: TurnContext, match: GrammarMatch, confidence: float) -> PendingRequest:
    """Return the request that a phrase stands for, with the numbers told with it."""
    meaning = match.meaning
    reading = match.reading or NumberReading()
    return PendingRequest(
        flow=meaning.name,
        trigger=meaning.trigger,
        values=meaning.values,
        number_slot=match.number_slot,
        number=reading.value or "",
        doubt=reading.value is not None and must_be_confirmed(scene, match.number_slot, reading, confidence),
        so_far=match.number_text if reading.partial else "",
        confidence=confidence,
        also=tuple(further_numbers(scene, match, confidence)),
        guessed=meaning.guessed,
    )


def with_number_told(scene: TurnContext, focus: Focus, heard: TurnInput) -> PendingRequest | None:
    """Take a number alone as a yes to "is that right?": who tells it goes on with what was asked about.

    Where the request asks for no such number, it is what a number alone is at the start of a call.
    """
    opening = next((name for name, slot in scene.pack.contents.slots.items() if slot.type == "request"), "")
    teaching = scene.pack.teaching
    if focus.kind != "confirm_request" or focus.request is None or not opening or teaching is None:
        return None
    if set(teaching.plain(heard.text).split()) != {NUMBER}:
        return None
    match = scene.pack.grammars[collect_key(opening)].match(heard, scene.facts.known)
    told = pending_request(scene, match, heard.confidence) if match is not None and match.number_slot else None
    if told is None or not told.number or not scene.pack.asks_for(focus.request.flow, told.number_slot):
        return told
    return replace(
        focus.request, number_slot=told.number_slot, number=told.number, doubt=told.doubt, confidence=told.confidence
    )


def further_numbers(scene: TurnContext, match: GrammarMatch, confidence: float) -> Iterator[tuple[str, str, bool]]:
    """Yield the other numbers of the same sentence: slot, number, whether it must be confirmed."""
    for name, reading in match.also:
        if reading.value is not None:
            yield name, reading.value, must_be_confirmed(scene, name, reading, confidence)


def must_be_confirmed(scene: TurnContext, name: str, reading: NumberReading, confidence: float) -> bool:
    """Return whether a number is read back before it is used."""
    policy = scene.pack.slot(name).confirm
    low = confidence < LOW_CONFIDENCE
    unsure = reading.must_confirm or may_be_misheard(scene, name, reading)
    return unsure or policy == "always" or (policy == "low_confidence" and low)


def may_be_misheard(scene: TurnContext, name: str, reading: NumberReading) -> bool:
    """Return whether a code holds letters that were said plainly, and is none that the caller may be known to mean."""
    if not scene.state.spoken or not reading.plain_letters:
        return False
    number_format = scene.pack.formats[name]
    return reading.value not in {number_format.normalise(one) for one in scene.facts.known.get(name, ())}
