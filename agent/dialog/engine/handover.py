"""Builds the hand-over to staff: words for the caller, summary and facts for whoever answers."""

from __future__ import annotations

from typing import Any

from agent.dialog.contract import ABOUT_FACT, VERIFIED_FACT, HandOverAction
from agent.dialog.engine.state import LastHandOver
from agent.dialog.engine.turn_context import TurnContext

SAME_AS_BEFORE = "again"
"""As the reason of a ``handover`` step: the reason, queue and priority of the hand-over before, whatever the wait."""
REASONS_IGNORING_QUEUE = ("fault",)
"""Reasons that go to staff whatever the state of the queue: the rules that could say something have failed."""


def hand_over(
    scene: TurnContext, reason: str, *, priority: int = 0, queue: str = "", quiet: bool = False
) -> HandOverAction:
    """Hand the call over to staff, with the summary so far. ``quiet``: the flow has said its own words already."""
    if not quiet:
        scene.say(("handover",), reason=reason)
    told = scene.pack.story
    verified = bool(scene.state.variables.get(told.verified))
    known: dict[str, Any] = {told.verified: verified} if told.verified else {}
    summary = scene.prompt("handover_summary", reason=reason, **known).text
    facts: dict[str, Any] = {name: value.value for name, value in scene.state.slots.items() if scene.pack.tells(name)}
    if told.about in facts:
        facts[ABOUT_FACT] = facts[told.about]
    facts |= {"requests": list(scene.state.requests), VERIFIED_FACT: verified}
    scene.state.handed = LastHandOver(reason, priority, queue)
    return HandOverAction(reason, summary, queue, priority, facts)


def hand_over_again(scene: TurnContext, *, quiet: bool) -> HandOverAction:
    """Ask for the last hand-over once more, with the story as it is now."""
    handed = scene.state.handed or LastHandOver("caller_asked")
    return hand_over(scene, handed.reason, priority=handed.priority, queue=handed.queue, quiet=quiet)
