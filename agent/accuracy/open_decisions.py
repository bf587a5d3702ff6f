"""What an open request is taken for: asks the procedures, and gives the answer as ``orderline flows hear`` does."""

from __future__ import annotations

from agent.accuracy.trial_types import OpenDecision
from agent.dialog.contract import TurnInput
from agent.dialog.pack.loader import FlowPack

_SAID_AS = {"topic": "topic", "promotion": "promotion"}


def decide(pack: FlowPack, event: TurnInput) -> OpenDecision:
    """Return what the first sentence of a call is taken for."""
    match = pack.grammars["collect:request"].match(event)
    if match is None:
        return OpenDecision("again", "", 0.0)
    meaning = match.meaning
    if meaning.kind in ("command", "escalate"):
        person = meaning.kind == "escalate" or meaning.name == "agent"
        return OpenDecision("person" if person else "act", f"{meaning.kind}:{meaning.name}", 1.0)
    if meaning.kind != "request":
        return OpenDecision("again", "", 0.0)
    named = next((f"{_SAID_AS[name]}:{value}" for name, value in meaning.values if name in _SAID_AS), meaning.name)
    return OpenDecision("act", named, 1.0)


__all__ = ["decide"]
