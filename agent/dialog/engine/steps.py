"""Executes the steps of the flows until the caller must speak, a service must act, or the call ends."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from agent.dialog.contract import Effect, EffectFailed, EffectSucceeded, HangUp, NextAction
from agent.dialog.engine import existing_numbers, listening, named_days, progress, second_wishes, several_choices
from agent.dialog.engine.handover import SAME_AS_BEFORE, hand_over, hand_over_again
from agent.dialog.engine.state import FlowFrame, Focus, PendingEffect, PendingRequest, SlotValue
from agent.dialog.engine.turn_context import TurnContext
from agent.dialog.errors import DialogError
from agent.dialog.model.model import (
    CollectStep,
    HandOverStep,
    HangUpStep,
    IfStep,
    LinkStep,
    SayStep,
    ServiceCallStep,
    SetStep,
    Step,
)
from agent.dialog.pack.lint import OTHERWISE
from agent.dialog.templating.expressions import is_none

_MAX_STEPS = 300
_MAX_DEPTH = 16
_KEY_CHARS = 16


def advance(scene: TurnContext, *, again: bool = False) -> NextAction:
    """Go on from the current step. ``again``: a question that is still open is asked in its shorter words.

    Raises :class:`DialogError` when flows run in circles or an expression fails.
    """
    state = scene.state
    state.focus = None
    for _ in range(_MAX_STEPS):
        if not state.frames:
            scene.say(("goodbye",))
            return HangUp("answered")
        frame = scene.frame
        steps = scene.pack.flow(frame.flow).steps
        if frame.step >= len(steps):
            again = _leave(scene)
            continue
        visited = f"{frame.flow}.{scene.pack.step_name(frame.flow, frame.step)}"
        if visited not in state.path:
            state.path.append(visited)
        progress.reach(scene, frame, steps[frame.step])
        then = _take(scene, steps[frame.step], again=again)
        if then is not None:
            return then
        again = False
    raise DialogError(f"the flow {scene.frame.flow!r} runs in a circle")


def begin_request(scene: TurnContext, request: PendingRequest) -> NextAction:
    """Start the flow a caller asked for; in the middle of another flow it comes back there afterwards."""
    state = scene.state
    triggers = scene.pack.flow(request.flow).triggers
    # a key can start a flow that has none; a score names a flow, and none of its triggers that set something
    sets = triggers[request.trigger].set if request.trigger < len(triggers) else {}
    for name, expression in sets.items():
        scene.assign(name, scene.evaluate(expression))
    for name, value in request.values:
        scene.fill(name, SlotValue(value))
    if request.number:
        scene.fill(request.number_slot, SlotValue(request.number, request.doubt, request.confidence))
        for name, number, doubt in request.also:
            scene.fill(name, SlotValue(number, doubt))
    elif request.so_far:
        state.so_far, state.so_far_slot, state.breaths = request.so_far, request.number_slot, 1
    state.reset_failures()
    if any(frame.flow == request.flow for frame in state.frames):
        # asked for what is under way already: take what was new in it and go on
        return advance(scene, again=not request.number)
    state.meant = scene.pack.meanings.of_request(request.flow, request.values)
    state.requests.append(request.flow)
    frame = scene.frame
    step = scene.pack.flow(frame.flow).steps[frame.step]
    asked = isinstance(step, CollectStep) and scene.pack.slot(step.collect).type == "request"
    if asked and isinstance(step, CollectStep):
        scene.fill(step.collect, SlotValue(request.flow))
        progress.leave(scene, progress.ANSWERED)
        _go_on(scene, frame, step)
    asked_for = progress.begin_request(scene, request.flow)
    asked_for.interrupts = not asked
    push_flow(scene, asked_for)
    return advance(scene)


def take_outcome(scene: TurnContext, event: EffectSucceeded | EffectFailed) -> NextAction:
    """Take the outcome of the service call that was asked for."""
    frame = scene.frame
    step = scene.pack.flow(frame.flow).steps[frame.step]
    asked, scene.state.effect = scene.state.effect, None
    if isinstance(step, CollectStep) and asked is not None:
        existing_numbers.take(scene, step.collect, asked, event)
        return advance(scene)
    if not isinstance(step, ServiceCallStep):
        raise DialogError(f"step {frame.step + 1} of {frame.flow!r} called no service")
    if isinstance(event, EffectSucceeded):
        saved = {name: scene.evaluate(text, result=dict(event.result)) for name, text in step.save.items()}
        lacking = [name for name, value in saved.items() if value is None and not is_none(step.save[name])]
        if not lacking:
            for name, value in saved.items():
                scene.assign(name, value)
            progress.leave(scene, "ok")
            _go_on(scene, frame, step)
            return advance(scene)
        # a result without what the flow takes from it is no result
        event = EffectFailed(event.effect, "unavailable", f"the result lacks {', '.join(lacking)}", "malformed")
    scene.state.failure = {"code": event.code, "reason": event.reason}
    known = (f"{event.code}.{event.reason}", event.code, OTHERWISE)
    mapped = next((code for code in known if code in step.failed), None)
    if mapped is None:
        return hand_over(scene, "back_office_down")
    progress.leave(scene, f"failed.{mapped}")
    jump_to_step(scene, frame, step.failed[mapped])
    return advance(scene)


def push_flow(scene: TurnContext, frame: FlowFrame) -> None:
    """Start a flow on top of the present one."""
    if len(scene.state.frames) >= _MAX_DEPTH:
        raise DialogError(f"flows call each other too deeply, last {frame.flow!r}")
    scene.state.frames.append(frame)


def jump_to_step(scene: TurnContext, frame: FlowFrame, target: str) -> None:
    """Go to a step of the frame's flow by name."""
    frame.step = scene.pack.step_index(frame.flow, target)
    frame.asking = False


def drop_flows(scene: TurnContext, depth: int, result: str = "cancelled") -> None:
    """Leave all flows from this depth on, unfinished; ``result`` is what came of the requests among them."""
    frames = scene.state.frames
    dropped, frames[depth:] = frames[depth:], []
    for frame in reversed(dropped):
        progress.end_request(scene, frame, result)
    for frame in dropped:
        scene.forget_flow_values(frame)


def return_to_question(scene: TurnContext, slot: str) -> bool:
    """Go back to where ``slot`` is asked for, in the nearest flow that does; False when none does."""
    frames = scene.state.frames
    for depth in range(len(frames) - 1, -1, -1):
        for index, step in enumerate(scene.pack.flow(frames[depth].flow).steps):
            if isinstance(step, CollectStep) and step.collect == slot:
                drop_flows(scene, depth + 1)
                frames[depth].step, frames[depth].asking = index, False
                return True
    return False


def _leave(scene: TurnContext) -> bool:
    """End the flow on top; True when the one below has an open question."""
    left = scene.state.frames.pop()
    progress.end_request(scene, left, "answered")
    scene.forget_flow_values(left)
    if left.request and left.flow not in scene.state.answered:
        scene.state.answered.append(left.flow)
    wish = second_wishes.take_up(scene, left)
    if wish is not None:
        for name, value in wish.values:
            scene.fill(name, SlotValue(value))
        scene.state.requests.append(wish.flow)
        push_flow(scene, FlowFrame(wish.flow, request=True, interrupts=left.interrupts))
        return False
    if not left.interrupts or not scene.state.frames:
        return False
    scene.say(("back_to",))
    return True


def _go_on(scene: TurnContext, frame: FlowFrame, step: Step) -> None:
    if step.next:
        jump_to_step(scene, frame, step.next)
    else:
        frame.step += 1
        frame.asking = False


def _take(scene: TurnContext, step: Step, *, again: bool) -> NextAction | None:
    """Do one step; None to go on with the next."""
    frame = scene.frame
    name = f"{frame.flow}.{scene.pack.step_name(frame.flow, frame.step)}"
    if isinstance(step, CollectStep):
        return _collect(scene, frame, step, again=again)
    if isinstance(step, ServiceCallStep):
        return _call(scene, step, name)
    if isinstance(step, HandOverStep):
        scene.say(step.say, name)
        if step.handover == SAME_AS_BEFORE:
            scene.state.waits = True
            return hand_over_again(scene, quiet=bool(step.say))
        return hand_over(scene, step.handover, priority=step.priority, queue=step.queue, quiet=bool(step.say))
    if isinstance(step, HangUpStep):
        scene.say(step.say, name)
        return HangUp(step.hangup)
    if isinstance(step, IfStep):
        holds = bool(scene.evaluate(step.if_))
        progress.leave(scene, "then" if holds else "else")
        target = step.then if holds else step.else_
        if target:
            jump_to_step(scene, frame, target)
        else:
            _go_on(scene, frame, step)
        return None
    if isinstance(step, SayStep):
        scene.say(step.say, name)
    elif isinstance(step, SetStep):
        for target, expression in step.set.items():
            scene.assign(target, scene.evaluate(expression))
    progress.leave(scene, progress.ON)
    _go_on(scene, frame, step)
    if isinstance(step, LinkStep):
        push_flow(scene, FlowFrame(step.link))
    return None


def _collect(scene: TurnContext, frame: FlowFrame, step: CollectStep, *, again: bool) -> NextAction | None:
    state = scene.state
    if step.force and not frame.asking:
        scene.forget(step.collect)
    value = state.slots.get(step.collect)
    if value is not None and not value.doubt:
        progress.leave(scene, (scene.way or progress.ANSWERED) if frame.asking else progress.KNOWN)
        scene.way = ""
        _go_on(scene, frame, step)
        return None
    if value is None and not frame.asking and _told_before(scene, step.collect):
        _go_on(scene, frame, step)
        return None
    if value is not None and value.others:
        return existing_numbers.ask(scene, step.collect, value)
    frame.asking = True
    focus = Focus("collect" if value is None else "confirm", step.collect)
    state.focus = focus
    if value is None and state.so_far_slot == step.collect:
        # the request already held the beginning of the number: let the caller finish it
        scene.say(("go_on",))
    else:
        scene.question(focus, again=again)
    return listening.listen(scene)


def _told_before(scene: TurnContext, name: str) -> bool:
    """Fill a day, or a choice from the call's data, that the request named already: "take the candle off my order".

    Once a request, and only where one thing is named: it is read back before anything is done.
    """
    slot = scene.pack.slot(name)
    opening = scene.state.opening
    if opening and slot.type == "date":
        changes = scene.pack.language.changes
        day = named_days.wanted_day(opening.split(), scene.options(name), changes)
        if day:
            scene.state.opening = ""
            scene.fill(name, SlotValue(day))
        return bool(day)
    if not opening or slot.type != "choice" or not slot.named_before:
        return False
    language = scene.pack.language
    found = several_choices.named(opening.split(), scene.options(name), language.choices, language.changes.denials)
    if not found or (len(found) > 1 and not slot.several):
        return False
    if slot.several and len(found) > 1:
        scene.assign(slot.several, found)
    scene.state.opening = ""
    scene.fill(name, SlotValue(found[0]))
    return True


def _call(scene: TurnContext, step: ServiceCallStep, name: str) -> Effect:
    arguments = {key: scene.evaluate(expression) for key, expression in step.arguments.items()}
    key = _key(scene, step, arguments)
    scene.state.effect = PendingEffect(scene.next_effect_id(), step.call, arguments, key)
    return effect_of(scene, step, name)


def effect_of(scene: TurnContext, step: ServiceCallStep, name: str) -> Effect:
    """Return the effect that is pending."""
    pending = scene.state.effect
    if pending is None:
        raise DialogError("no service call is pending")
    filler = scene.prompt(step.filler[0], f"{name}.filler") if step.filler else None
    service = scene.pack.contents.services.get(pending.name)
    keeps = service.keeps if service is not None else ()
    return Effect(
        pending.id, pending.name, pending.arguments, step.deadline, filler, step.filler_after, pending.key, keeps
    )


def _key(scene: TurnContext, step: ServiceCallStep, arguments: Mapping[str, Any]) -> str:
    """Name an act: one request of one call asks for the same thing once, however often it is tried.

    On calls for a job (placed by us, or ringing back) the job asks once, whatever the call; ``once_for`` everybody.
    """
    if step.once_for:
        about = [scene.evaluate(expression) for expression in step.once_for]
        return f"once-{step.call}-{_digest(step.call, about)}"
    job = scene.facts.job_key
    of = 0 if job else len(scene.state.requests)
    return f"{job or scene.facts.call_id or 'call'}-{step.call}-{_digest(step.call, of, arguments)}"


def _digest(*act: object) -> str:
    text = json.dumps(act, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_CHARS]
