"""What an open request is taken for: asks the procedures, and gives the answer as ``orderline flows hear`` does."""

from __future__ import annotations

from agent.accuracy.trial_types import OpenDecision
from agent.dialog.contract import TurnInput
from agent.dialog.engine.engine import CallFacts
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import Renderer
from agent.dialog.tools.hearing import hear_input


def decide(pack: FlowPack, facts: CallFacts, render: Renderer, event: TurnInput) -> OpenDecision:
    """Return what the first sentence of a call is taken for, as this recogniser heard it."""
    told = hear_input(pack, facts, render, event)
    return OpenDecision(told.decision, told.meaning, told.score, told.candidates)


__all__ = ["decide"]
