"""A service call that says what it is about is one act for all calls: a second case is not opened."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from agent.dialog.contract import Effect, EffectSucceeded, Turn, TurnInput
from agent.dialog.engine.engine import Conversation
from tests.dialog.engine.test_engine import FACTS
from tests.shipped_pack import RENDER, shipped_pack

ORDER = {"order": {"number": "10437", "status": "delivered", "parcels": []}}


def items(line: str) -> dict[str, object]:
    item = {"line": line, "sku": line, "name": "Brass Desk Lamp", "price": 64.5, "allowed": True, "reason": ""}
    return {"eligibility": {"allowed": True, "reason": "", "items": [item]}}


def effect(turn: Turn) -> Effect:
    assert isinstance(turn.then, Effect)
    return turn.then


def ticket_key(call_id: str, day: int, line: str = "LMP", said: str = "a part is missing") -> str:
    """Play a call about a defective lamp up to its ticket."""
    now = dt.datetime(2026, 12, day, 10, tzinfo=dt.UTC)
    conversation = Conversation(shipped_pack(), replace(FACTS, call_id=call_id, now=now), RENDER)
    conversation.start()
    conversation.hear(TurnInput(text="it arrived broken"))
    conversation.hear(TurnInput(keys="10437"))
    asked = effect(conversation.hear(TurnInput(keys="78701")))
    asked = effect(conversation.hear(EffectSucceeded(asked.id, ORDER)))
    turn = conversation.hear(EffectSucceeded(asked.id, items(line)))
    assert "broken" in turn.say[-1].text
    conversation.hear(TurnInput(text=said))
    asked = effect(conversation.hear(TurnInput(text="yes")))
    assert asked.name == "messages.send"
    asked = effect(conversation.hear(EffectSucceeded(asked.id, {"message": {"id": "M-1", "to_last_digits": "18"}})))
    assert asked.name == "tickets.create"
    return asked.key


def test_a_later_call_about_the_same_item_asks_for_the_same_act() -> None:
    assert ticket_key("call-1", day=1) == ticket_key("call-2", day=3)


@pytest.mark.parametrize("other", [{"line": "LMP-2"}, {"line": ""}, {"said": "it stopped working"}])
def test_another_item_or_another_fault_is_another_act(other: dict[str, str]) -> None:
    assert ticket_key("call-1", day=1) != ticket_key("call-2", day=1, **other)
