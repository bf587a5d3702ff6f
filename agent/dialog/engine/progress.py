"""Notes what a conversation goes through: steps and the way on from each, requests and what came of them.

What is noted goes out with the turn (``Turn.trail``, ``Turn.requests``) and changes nothing about what is said or done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.dialog.contract import HandOverAction, HangUp, NextAction
from agent.dialog.engine.state import AskedRequest, FlowFrame
from agent.dialog.engine.turn_context import TurnContext
from agent.dialog.errors import DialogError
from agent.dialog.model.model import STEP_KINDS
from agent.dialog.model.model import Step as FlowStep
from agent.dialog.pack.lint import CONTEXT_NAMES
from agent.dialog.turn_report import RequestProgress, StepTaken

ON = "next"
"""The way on from a step that has one way only."""
ANSWERED, KNOWN, INTERRUPTED = "answered", "known", "interrupted"
_KIND_OF = {model: kind for kind, model in STEP_KINDS.items()}
_MOST_CHARS = 200
"""A longer text is cut: what is kept of a request is a word or a number, not a story."""


def reach(scene: TurnContext, frame: FlowFrame, step: FlowStep) -> None:
    """Note that the conversation has come to a step; asking the open question again comes to no new one."""
    here = [frame.flow, scene.pack.step_name(frame.flow, frame.step), _KIND_OF[type(step)]]
    if scene.state.open_step == here and frame.asking:
        return
    leave(scene, INTERRUPTED)
    scene.state.open_step = here
    flow, name, kind = here
    scene.trail.append(StepTaken(flow, name, kind))


def leave(scene: TurnContext, way: str) -> None:
    """Note the way on from the step that is open; nothing when none is."""
    if not scene.state.open_step:
        return
    flow, step, kind = scene.state.open_step
    scene.state.open_step = []
    reached_now = bool(scene.trail) and not scene.trail[-1].way
    if reached_now:
        scene.trail.pop()
    scene.trail.append(StepTaken(flow, step, kind, way, reached=reached_now))


def begin_request(scene: TurnContext, flow: str) -> FlowFrame:
    """Note that the caller asks for a flow; return the frame it runs in."""
    scene.state.asked.append(AskedRequest(flow))
    number = len(scene.state.asked) - 1
    _tell(scene, number)
    return FlowFrame(flow, request=True, number=number)


def end_request(scene: TurnContext, frame: FlowFrame, result: str) -> None:
    """Note what came of the request that a frame answers, before what belongs to the flow is forgotten."""
    learn(scene, frame)
    asked = _request_of(scene, frame)
    if asked is not None and not asked.result:
        asked.result = result
        _tell(scene, frame.number)


def end_requests(scene: TurnContext, result: str) -> None:
    """End every request that is open."""
    for frame in reversed(scene.state.frames):
        end_request(scene, frame, result)


def learn(scene: TurnContext, frame: FlowFrame) -> None:
    """Note what is known by now of what the frame's flow keeps."""
    asked = _request_of(scene, frame)
    if asked is None or asked.result:
        return
    keeps = scene.pack.flow(frame.flow).keeps
    known = {name: value for name, text in keeps.items() if (value := _value(scene, text)) is not None}
    if any(asked.about.get(name) != value for name, value in known.items()):
        asked.about.update(known)
        _tell(scene, frame.number)


def conclude(scene: TurnContext, then: NextAction) -> None:
    """Note what the turn comes to: how it leaves the open step, what is known of the requests by now."""
    for frame in scene.state.frames:
        learn(scene, frame)
    kind = scene.state.open_step[2] if scene.state.open_step else ""
    if isinstance(then, HandOverAction) and kind != "handover":
        leave(scene, f"person.{then.reason}")
    elif isinstance(then, HangUp):
        if kind != "hangup":
            leave(scene, scene.way or "goodbye")
        end_requests(scene, then.outcome)


def _request_of(scene: TurnContext, frame: FlowFrame) -> AskedRequest | None:
    return scene.state.asked[frame.number] if 0 <= frame.number < len(scene.state.asked) else None


def _tell(scene: TurnContext, number: int) -> None:
    asked = scene.state.asked[number]
    scene.requests[number] = RequestProgress(number, asked.intent, asked.result, dict(asked.about))


def _value(scene: TurnContext, expression: str) -> Any:
    """Return what is to be kept as a plain value, None for what is not known yet.

    Most of what is kept is a slot, a variable or a place in one (``order.status``): that is looked up without the
    expression's own machinery, as this is done at every turn.
    """
    name, *places = expression.split(".")
    state = scene.state
    if name in state.slots and not places:
        return plain_value(state.slots[name].value)
    if name.isidentifier() and name not in CONTEXT_NAMES | state.slots.keys() and state.variables.get(name) is None:
        return None
    try:
        return plain_value(scene.evaluate(expression))
    except DialogError:
        return None  # what it asks for is not known yet: the order before it was looked up


def plain_value(value: Any) -> Any:
    """Return text, number or truth value as it is (a long text cut), a list of such as one; None for anything else."""
    if isinstance(value, str):
        return value[:_MOST_CHARS] or None
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping) or not isinstance(value, list | tuple):
        return None if value is None or isinstance(value, Mapping) else str(value)[:_MOST_CHARS]
    return [plain for one in value[:20] if (plain := plain_value(one)) is not None] or None
