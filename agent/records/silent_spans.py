"""Where a recording has to be silent: wherever the words of the record were redacted, or a secret was asked for. Pure.

What is kept of the sound follows what is kept of the words. A caller's answer is silent as a whole, from the question's
first sound (it may be answered early) to a second after the agent's next one (an answer may go on): a number that was
misheard, or not heard at all, is not in the words but in the sound. Where the agent says what is not kept, both sides
are silent: the caller's may hold an echo of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

AFTER_SECONDS = 1.0
"""So long after the agent's next words the caller may still be saying the rest of an answer."""


def silent_spans(
    turns: Sequence[Mapping[str, Any]], redacted: Sequence[Mapping[str, Any]], secret_slots: Set[str]
) -> list[dict[str, Any]]:
    """Return the spans (the fields of :class:`agent.call.records.SilentSpan`) of a record's turns, in order.

    ``redacted`` are the same turns without what is not kept.
    """
    spans: list[dict[str, Any]] = []
    for position, (turn, kept) in enumerate(zip(turns, redacted, strict=True)):
        begins = _begins(turn)
        following = _begins(turns[position + 1]) if position + 1 < len(turns) else None
        if turn.get("agent") != kept.get("agent"):
            spans.append({"from_seconds": begins, "until_seconds": following, "side": "both"})
        asked = bool(turn.get("secret")) or str(turn.get("slot") or "") in secret_slots
        if asked or turn.get("heard") != kept.get("heard"):
            until = None if following is None else following + AFTER_SECONDS
            spans.append({"from_seconds": begins, "until_seconds": until, "side": "caller"})
    return spans


def _begins(turn: Mapping[str, Any]) -> float:
    """When the agent's words of a turn began, or the turn where it has none."""
    for name in ("audible_at_seconds", "at_seconds"):
        value = turn.get(name)
        if isinstance(value, int | float):
            return float(value)
    return 0.0
