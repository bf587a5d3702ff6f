"""The one way a call goes to people: words for the caller, a story and facts for whoever answers."""

from __future__ import annotations

from typing import Any

from agent.dialog.scene import Scene
from agent.dialog.turns import HandOver


def hand_over(scene: Scene, reason: str, *, priority: int = 0, queue: str = "", quiet: bool = False) -> HandOver:
    """Give the call to people, with the story so far. ``quiet``: the flow has said its own words already."""
    if not quiet:
        scene.say(("handover",), reason=reason)
    verified = bool(scene.state.variables.get("verified"))
    summary = scene.prompt("handover_summary", reason=reason, verified=verified).text
    slots = scene.pack.contents.slots
    facts: dict[str, Any] = {
        name: value.value
        for name, value in scene.state.slots.items()
        if not slots[name].redact and slots[name].type != "request"
    }
    facts |= {"requests": list(scene.state.requests), "verified": verified}
    return HandOver(reason, summary, queue, priority, facts)
