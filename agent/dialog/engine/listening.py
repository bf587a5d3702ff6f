"""Builds the Listen of a turn: grammar, timeouts, barge-in and keys of the open question."""

from __future__ import annotations

from collections.abc import Mapping

from agent.dialog.callee import STOP_KEY
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
OWN_KEYS_SECONDS = 1.5
"""The pause that ends ``1`` where ``10`` is an answer too."""


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
        symbols=grammar.symbols,
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
        number_format = scene.pack.formats[focus.slot]
        return KeyEntry(number_format.max_length, number_format.longer_entries, instant=REPEAT_KEY)
    slot = scene.pack.slot(focus.slot)
    if focus.kind == "collect" and slot.own_keys:
        return own_keys(slot.dtmf, stops=scene.placed)
    instant = STAFF_KEY + REPEAT_KEY
    if focus.kind == "collect" and slot.type == "request":
        number = scene.grammar(focus).bare_number
        if number:
            return KeyEntry(max_digits=scene.pack.formats[number].max_length, instant=instant)
    return KeyEntry(max_digits=1, instant=instant)


def own_keys(dtmf: Mapping[str, str], *, stops: bool) -> KeyEntry:
    """Return how keys are gathered where all of them are answers, and ``1`` may be the beginning of ``10``.

    The entry ends at once where no longer one begins like it, else after 1.5 s. ``stops``: the stop key may follow
    itself.
    """
    longest = max(2 if stops else 1, *map(len, dtmf))
    first = [key for key in dtmf if len(key) == 1 and not any(one != key and one.startswith(key) for one in dtmf)]
    instant = "".join(key for key in first if not (stops and key == STOP_KEY))
    return KeyEntry(max_digits=longest, inter_digit_seconds=OWN_KEYS_SECONDS, instant=instant)
