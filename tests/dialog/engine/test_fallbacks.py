"""Every global repair is exercised by calls in text in at least three places, as the calls themselves show."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from agent.dialog.contract import Event, NoInput, Turn, TurnInput
from agent.dialog.engine.engine import Conversation
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from agent.dialog.tools.text_call_model import read_text_calls
from agent.dialog.tools.text_call_runner import play
from agent.flows import english_pack
from agent.speech.wording import filters

RENDER = SandboxRenderer(filters)
PACK = FlowPack.load(english_pack(), RENDER.filters)
SCRIPTS = read_text_calls(sorted((Path(__file__).parents[2] / "flows").glob("*.yaml")))
REPAIRS = (
    "repeat", "help", "correct", "cancel", "start_over", "wait", "agent", "goodbye", "silence", "no_match",
    "anything_else",
)  # fmt: skip
LEAST_PLACES = 3


def exercised() -> dict[str, set[str]]:
    """Play every call; return for each repair the slots (places in the conversation) where a caller used it."""
    places: dict[str, set[str]] = defaultdict(set)

    class Watched(Conversation):
        """A conversation that notes where which repair was used."""

        def hear(self, event: Event) -> Turn:
            focus, before = self._state.focus, dict(self.slots)
            flow = self._state.frames[-1].flow if self._state.frames else ""
            turn = super().hear(event)
            if focus is None:
                return turn
            place = f"{flow}.{focus.slot}"
            if turn.understood in REPAIRS:
                places[turn.understood].add(place)
            if turn.understood == "nothing" and isinstance(event, TurnInput):
                places["no_match"].add(place)
            if isinstance(event, NoInput) and turn.understood == "silence":
                places["silence"].add(place)
            changed = {name for name, value in before.items() if self.slots.get(name) not in (None, value)}
            if isinstance(event, TurnInput) and changed - {"another", "request"}:
                places["correct"].add(place)
            if any(prompt.id == "anything_else" for prompt in turn.say):
                places["anything_else"].add(self._state.answered[-1] if self._state.answered else flow)
            return turn

    for located in SCRIPTS:
        play(PACK, located, RENDER, Watched)
    return places


FOUND = exercised()


@pytest.mark.parametrize("repair", REPAIRS)
def test_every_repair_is_played_in_three_places(repair: str) -> None:
    assert len(FOUND[repair]) >= LEAST_PLACES, f"{repair}: only at {sorted(FOUND[repair])}"
