"""Builds the Listen of a turn: grammar, timeouts, barge-in and keys of the open question."""

from __future__ import annotations

from agent.dialog.contract import BargeIn, KeyEntry, Listen
from agent.dialog.engine.state import Focus
from agent.dialog.engine.turn_context import TurnContext
from agent.dialog.errors import DialogError

NO_INPUT_SECONDS = 5.0
MAX_SPEECH_SECONDS = 20.0
WAIT_SECONDS = 60.0
"""How long "hold on" is honoured in silence."""
STAFF_KEY = "0"
REPEAT_KEY = "*"


def listen(scene: TurnContext) -> Listen:
    """Return what to listen for now."""
    focus = scene.state.focus
    if focus is None:
        raise DialogError("the conversation is not listening for anything")
    grammar = scene.grammar(focus)
    seconds = scene.manner("timeout", focus) or NO_INPUT_SECONDS
    if scene.state.waiting:
        seconds = scene.pack.contents.wait_seconds or WAIT_SECONDS
    return Listen(
        phrases=grammar.phrases,
        words=grammar.words,
        samples=grammar.samples,
        slot=focus.slot,
        barge_in=BargeIn(scene.manner("bargein", focus) or BargeIn.ANY.value),
        no_input_seconds=seconds,
        max_speech_seconds=scene.manner("max_speech", focus) or MAX_SPEECH_SECONDS,
        keys=_keys(scene, focus),
        speech=not scene.state.deaf,
        secret=scene.pack.slot(focus.slot).redact,
    )


def takes_digits(scene: TurnContext, focus: Focus) -> bool:
    """Return whether keys are the digits of a number and ``0`` is one of them."""
    return focus.kind == "collect" and scene.pack.slot(focus.slot).type == "number"


def _keys(scene: TurnContext, focus: Focus) -> KeyEntry:
    if takes_digits(scene, focus):
        return KeyEntry(max_digits=scene.pack.formats[focus.slot].max_length, instant=REPEAT_KEY)
    instant = STAFF_KEY + REPEAT_KEY
    if focus.kind == "collect" and scene.pack.slot(focus.slot).type == "request":
        slot = scene.grammar(focus).bare_number
        if slot:
            return KeyEntry(max_digits=scene.pack.formats[slot].max_length, instant=instant)
    return KeyEntry(max_digits=1, instant=instant)
