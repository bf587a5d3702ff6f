"""Conversation by keypad only, for when the recogniser does not work any more."""

from __future__ import annotations

from agent.dialog.contract import Listen, NextAction
from agent.dialog.engine import listening
from agent.dialog.engine.handover import hand_over
from agent.dialog.engine.state import Focus
from agent.dialog.engine.turn_context import TurnContext
from agent.dialog.errors import DialogError
from agent.dialog.model import knowledge

CANNOT_HEAR = "cannot_hear"
"""The prompt that says so, and the reason of a hand-over where keys do not help."""
MENU = "keys_menu"
_YES_NO = (("1", "yes"), ("2", "no"))
_LONGEST_MENU = 9


def switch_to_keypad(scene: TurnContext) -> NextAction:
    """Go on without a recogniser: say so and ask the open question for the keypad, or hand over to staff."""
    scene.state.deaf = True
    scene.understood = "the recogniser does not work"
    scene.keep_last_said = True
    focus = scene.state.focus
    if focus is None:
        raise DialogError("the conversation is not listening for anything")
    if menu(scene, focus) is None:
        return hand_over(scene, CANNOT_HEAR)
    say_if_there(scene, CANNOT_HEAR)
    if scene.pack.slot(focus.slot).type != "request":
        scene.question(focus, again=True)
    return listening.listen(scene)


def offer_keys(scene: TurnContext, listen: Listen) -> NextAction:
    """Add to a question which keys answer it; a question that no key answers goes to a person."""
    focus = scene.state.focus
    choices = menu(scene, focus) if focus is not None else None
    if choices is None or MENU not in scene.pack.contents.prompts:
        return hand_over(scene, CANNOT_HEAR)
    scene.say((MENU,), menu=choices, takes_digits=_takes_number(scene, focus))
    return listen


def menu(scene: TurnContext, focus: Focus | None) -> tuple[tuple[str, str], ...] | None:
    """Return key and meaning of each choice, empty where only a number is keyed in; None where no key answers."""
    if focus is None:
        return None
    if focus.kind == "choose_request":
        offered = [request for request in (focus.request, focus.other) if request is not None]
        return tuple((str(index), scene.words_of(request)) for index, request in enumerate(offered, 1))
    if focus.kind != "collect":
        return _YES_NO
    slot = scene.pack.slot(focus.slot)
    if slot.type == "number":
        return ()
    if slot.type == "yes_no":
        return tuple(slot.dtmf.items()) or _YES_NO
    if slot.dtmf:
        allowed = knowledge.choices(slot, scene.pack.contents.knowledge)
        return tuple((key, _name(scene, value, value in allowed)) for key, value in sorted(slot.dtmf.items()))
    options = scene.options(focus.slot)[:_LONGEST_MENU]
    if options:
        return tuple((str(index), option.name) for index, option in enumerate(options, 1))
    return () if _takes_number(scene, focus) else None


def say_if_there(scene: TurnContext, name: str) -> None:
    """Say a prompt that a pack may have or not."""
    if name in scene.pack.contents.prompts:
        scene.say((name,))


def _takes_number(scene: TurnContext, focus: Focus | None) -> bool:
    if focus is None or focus.kind != "collect":
        return False
    slot = scene.pack.slot(focus.slot)
    return slot.type == "number" or (slot.type == "request" and bool(scene.grammar(focus).bare_number))


def _name(scene: TurnContext, value: str, is_choice: bool) -> str:
    if is_choice:
        return value.replace("_", " ")
    flow = scene.pack.contents.flows.get(value)
    return flow.description if flow is not None and flow.description else value.replace("_", " ")
