"""Every global repair is exercised by calls in text in at least three places, as the calls themselves show."""

from __future__ import annotations

from collections import defaultdict

import pytest

from agent.dialog.contract import Event, NoInput, Turn, TurnInput
from agent.dialog.engine.engine import Conversation
from agent.dialog.tools.text_call_runner import play
from tests.shipped_pack import RENDER, shipped_pack, shipped_text_calls

PACK = shipped_pack()
REPAIRS = (
    "repeat", "help", "correct", "cancel", "start_over", "wait", "agent", "goodbye", "silence", "no_match",
    "anything_else",
)  # fmt: skip
LEAST_PLACES = 3


@pytest.fixture(scope="module")
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

    for located in shipped_text_calls():
        play(PACK, located, RENDER, Watched)
    return places


@pytest.mark.parametrize("repair", REPAIRS)
def test_every_repair_is_played_in_three_places(exercised: dict[str, set[str]], repair: str) -> None:
    assert len(exercised[repair]) >= LEAST_PLACES, f"{repair}: only at {sorted(exercised[repair])}"
