"""Fallbacks valid at any moment: no input, no match, repeat, help, cancel, wait, staff, goodbye."""

from __future__ import annotations

from agent.dialog.contract import HandOverAction, HangUp, Listen, NextAction
from agent.dialog.engine import listening, outbound, progress, steps
from agent.dialog.engine.handover import hand_over
from agent.dialog.engine.state import FlowFrame, Focus, SlotValue
from agent.dialog.engine.turn_context import TurnContext, level_texts
from agent.dialog.model.model import GOODBYE, PERSON, Slot
from agent.dialog.pack.lint import is_prompt_id

MAX_REJECTED_READBACKS = 3
"""Read-backs a caller may reject before a person takes over."""
OTHER_LANGUAGE = "other_language"
"""The prompt, and the reason of the hand-over."""
_MAX_MUTTERS = 6
_DEFAULT_LEVELS = 2


def no_match(scene: TurnContext) -> NextAction:
    """Answer something that was not understood: a level's prompt, in the end a person."""
    state = scene.state
    if state.waiting and state.no_match < _MAX_MUTTERS:
        # a caller who is looking for something talks to the room, not to us
        state.no_match += 1
        scene.result = None
        scene.keep_last_said = True
        return listening.listen(scene)
    scene.result = "no_match"
    state.waiting = False
    state.clear_partial_number()
    state.failures += 1
    state.no_match += 1
    return _level(scene, "nomatch", state.no_match, "no_match")


def no_input(scene: TurnContext) -> NextAction:
    """Answer silence: after "hold on" a gentle question, otherwise a level's prompt, in the end a person."""
    state = scene.state
    if state.waiting:
        state.reset_failures()
        scene.result = None
        scene.say(("still_there",))
        return ask_again(scene)
    scene.result = "no_input"
    state.failures += 1
    state.no_input += 1
    return _level(scene, "noinput", state.no_input, "no_input")


def command(scene: TurnContext, name: str) -> NextAction:
    """Do what the caller may ask for at any moment."""
    state = scene.state
    scene.understood = name
    if name == "agent":
        return hand_over(scene, "caller_asked")
    if name == "goodbye":
        progress.end_requests(scene, "goodbye")
        scene.say(("goodbye",))
        return HangUp("answered")
    if name == "aside":
        # said to somebody else: what was asked stays open, and so does "hold on"
        scene.keep_last_said = True
        return listening.listen(scene)
    if name == "stop_calling":
        return outbound.stop(scene, sure=True)
    state.reset_failures()
    if name == "repeat":
        scene.said = list(state.last_said)
        return listening.listen(scene)
    if name == "wait":
        state.waiting = True
        scene.keep_last_said = True
        scene.say(("wait",))
        return listening.listen(scene)
    if name == "help":
        scene.say(scene.manner("help", _focus(scene)) or ("help",), f"{_focus(scene).slot}.help")
        return ask_again(scene)
    if name == "start_over":
        return _start_over(scene)
    return _cancel(scene)


def ask_again(scene: TurnContext) -> Listen:
    """Ask the open question again in its shorter words."""
    scene.question(_focus(scene), again=True)
    return listening.listen(scene)


def other_language(scene: TurnContext, language: str) -> HandOverAction:
    """Bring a person at once to a caller who speaks another language, and say so in words that are easy to know."""
    scene.understood = f"speaks {language}"
    words = "other_language" in scene.pack.contents.prompts
    if words:
        scene.say(("other_language",), language=language)
    return hand_over(scene, OTHER_LANGUAGE, quiet=words)


def escalate(scene: TurnContext, name: str) -> HandOverAction:
    """Bring a person at once: anger, a legal threat."""
    escalation = scene.pack.contents.escalate[name]
    scene.understood = name
    scene.say(escalation.say, f"escalate.{name}")
    return hand_over(scene, name, priority=escalation.priority, quiet=bool(escalation.say))


def readback_rejected(scene: TurnContext, slot: str) -> NextAction:
    """The caller says the number read back is wrong, without saying the right one."""
    state = scene.state
    state.wrong += 1
    scene.understood = f"{slot} is wrong"
    if state.wrong >= MAX_REJECTED_READBACKS:
        return hand_over(scene, "no_match")
    scene.forget(slot)
    state.clear_partial_number()
    if not steps.return_to_question(scene, slot):
        return ask_again(scene)
    progress.leave(scene, "rejected")
    scene.say(("not_that",))
    levels, _ = level_texts(scene.pack.slot(slot), scene.pack.defaults, "nomatch")
    if state.wrong == MAX_REJECTED_READBACKS - 1 and len(levels) > 1:
        # the second time the keypad is the better way
        then = steps.advance(scene, again=True)
        scene.said = scene.said[:1]
        scene.say(levels[-1:], f"{slot}.nomatch")
        return then
    return steps.advance(scene, again=True)


def wrong_guess(scene: TurnContext) -> NextAction:
    """Leave a request that was guessed and not meant."""
    scene.understood = "no"
    return _leave(scene, "not_that")


def _focus(scene: TurnContext) -> Focus:
    focus = scene.state.focus
    if focus is None:
        return Focus("collect", next(iter(scene.pack.contents.slots)))
    return focus


def _level(scene: TurnContext, kind: str, level: int, reason: str) -> NextAction:
    focus = _focus(scene)
    if focus.kind == "choose_request" and scene.state.failures <= _DEFAULT_LEVELS:
        return _listen_again(scene, focus)
    if focus.kind != "collect":
        if scene.state.failures > _DEFAULT_LEVELS:
            return hand_over(scene, reason)
        scene.say(("ask_again",))
        return _listen_again(scene, focus)
    slot = scene.pack.slot(focus.slot)
    levels, ask = level_texts(slot, scene.pack.defaults, kind)
    if scene.state.failures > len(levels):
        return _give_up(scene, focus, slot, kind, reason)
    text = levels[min(level, len(levels)) - 1]
    place = "" if is_prompt_id(text) else f"{focus.slot}.{kind}.{level}"
    scene.said.append(scene.prompt(text, place, **scene.choices(focus)))
    if ask:
        return _listen_again(scene, focus)
    return listening.listen(scene)


def _give_up(scene: TurnContext, focus: Focus, slot: Slot, kind: str, reason: str) -> NextAction:
    """Do what the slot wants after its last level."""
    action = slot.give_up.get("noinput" if kind == "noinput" else "nomatch", PERSON)
    scene.way = reason
    if action == PERSON and scene.placed and kind == "noinput":
        return command(scene, "goodbye")  # we called them: staff are not given a silent line
    if action == PERSON:
        return hand_over(scene, reason)
    if action == GOODBYE:
        return command(scene, "goodbye")
    scene.state.reset_failures()
    scene.fill(focus.slot, SlotValue(action))
    return steps.advance(scene)


def _listen_again(scene: TurnContext, focus: Focus) -> Listen:
    scene.question(focus, again=True)
    return listening.listen(scene)


def _cancel(scene: TurnContext) -> NextAction:
    """Leave the request that is under way, back to the one it interrupted or to "anything else"."""
    return _leave(scene, "cancelled")


def _leave(scene: TurnContext, words: str) -> NextAction:
    frames = scene.state.frames
    scene.say((words,))
    scene.state.guessed = False
    scene.state.clear_partial_number()
    cut = next((index for index in range(len(frames) - 1, -1, -1) if frames[index].request), None)
    if cut is None:
        return ask_again(scene)
    result = "cancelled" if words == "cancelled" else "not_meant"
    progress.leave(scene, result)
    steps.drop_flows(scene, cut, result)
    return steps.advance(scene, again=True)


def _start_over(scene: TurnContext) -> NextAction:
    """Forget what was said, not what was tried: attempt counters survive."""
    state = scene.state
    progress.leave(scene, "start_over")
    progress.end_requests(scene, "cancelled")
    kept = {name: state.variables[name] for name in scene.pack.contents.keep if name in state.variables}
    state.slots.clear()
    state.variables = {}
    for name, expression in scene.pack.contents.variables.items():
        state.variables[name] = scene.evaluate(expression)
    state.variables.update(kept)
    state.clear_partial_number()
    state.wrong = 0
    state.frames = [FlowFrame(outbound.entry_flow(scene) if scene.placed else scene.pack.contents.start)]
    scene.say(("start_over",))
    return steps.advance(scene, again=True)
