"""Every global repair is played by the calls in text in several places, counted from what the calls really did."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from agent.dialog.call_script import read_scripts
from agent.dialog.engine import Conversation
from agent.dialog.flow_tests import play
from agent.dialog.loader import FlowPack
from agent.dialog.rendering import SandboxRenderer
from agent.dialog.turns import Event, HangUp, Heard, Listen, NoInput, Turn
from agent.flows import english_pack
from agent.speech.wording import filters

FLOWS = Path(__file__).parent.parent / "flows"
RENDER = SandboxRenderer(filters)
PACK = FlowPack.load(english_pack(), RENDER.filters)
COMMANDS = ("repeat", "help", "cancel", "start_over", "wait", "agent", "goodbye")
PLACES: dict[str, set[tuple[str, str]]] = defaultdict(set)
"""Repair -> the flows and slots in which a caller needed it."""


class Watched(Conversation):
    """A conversation that notes which repair was needed where."""

    def hear(self, event: Event) -> Turn:
        focus, flow = self._state.focus, self._state.frames[-1].flow if self._state.frames else ""
        turn = super().hear(event)
        if focus is not None:
            place = (flow, focus.slot)
            for repair in _repairs(event, turn, focus.slot):
                PLACES[repair].add(place)
        return turn


def _repairs(event: Event, turn: Turn, slot: str) -> list[str]:
    if isinstance(event, NoInput):
        return ["silence"]
    if not isinstance(event, Heard):
        return []
    ids = [prompt.id for prompt in turn.say]
    found = [turn.understood] if turn.understood in COMMANDS else []
    if turn.understood == "nothing":
        found.append("no match")
    if "corrected" in ids or turn.understood.endswith(" is wrong"):
        found.append("correct")
    if slot == "another" and isinstance(turn.then, (Listen, HangUp)):
        found.append("anything else")
    return found


@pytest.fixture(scope="module")
def places() -> dict[str, set[tuple[str, str]]]:
    for located in read_scripts(sorted(FLOWS.glob("*.yaml"))):
        play(PACK, located, RENDER, Watched)
    return PLACES


@pytest.mark.parametrize("repair", [*COMMANDS, "silence", "no match", "correct"])
def test_a_repair_is_played_in_at_least_three_places(repair: str, places: dict[str, set[tuple[str, str]]]) -> None:
    assert len(places[repair]) >= 3, places[repair]


def test_anything_else_is_asked_and_answered(places: dict[str, set[tuple[str, str]]]) -> None:
    """It is one question; what leads there are many flows."""
    assert places["anything else"]
