"""A caller given back to the agent is known from the agent's own memory, and from nothing else."""

from __future__ import annotations

from dataclasses import replace

from agent.dialog.contract import Effect, EffectSucceeded, Listen, TurnInput
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.recovery.returning_calls import KEPT_SECONDS, ReturningCalls
from tests.call.text_session import NOW, PACK, RENDER

FIRST = CallFacts(now=NOW, shop_name="Maple and Finch", call_id="call-1")
BACK = replace(FIRST, entry="transfer_back", call_id="call-1-b")


class ReturningCallsFixture:
    def __init__(self) -> None:
        self.now = 0.0
        self.kept = ReturningCalls(lambda: self.now)

    def begin(self, facts: CallFacts, channel_id: str = "ch-1") -> Conversation:
        return self.kept.begin(PACK, facts, RENDER, channel_id)

    def verified_call(self) -> None:
        """Hold a call in which the order was named and verified, and which went to a person."""
        call = self.begin(FIRST)
        call.start()
        call.hear(TurnInput("where is order one oh four seven three"))
        turn = call.hear(TurnInput("six oh six one four"))
        assert isinstance(turn.then, Effect)
        call.hear(EffectSucceeded(turn.then.id, {"order": {"number": "10473", "status": "packed", "parcels": []}}))
        call.hear(TurnInput("agent"))
        self.kept.keep("ch-1", call.snapshot())


def asked_for(conversation: Conversation) -> str | None:
    conversation.start()
    turn = conversation.hear(TurnInput("where is my order"))
    return turn.then.slot if isinstance(turn.then, Listen) else None


def test_the_order_is_not_asked_again() -> None:
    memory = ReturningCallsFixture()
    memory.verified_call()
    back = memory.begin(BACK)
    assert asked_for(back) == "another"
    assert back.story.verified


def test_it_is_asked_again_after_a_quarter_of_an_hour() -> None:
    memory = ReturningCallsFixture()
    memory.verified_call()
    memory.now = KEPT_SECONDS + 1
    back = memory.begin(BACK)
    assert asked_for(back) == "order_number"
    assert not back.story.verified


def test_another_call_knows_nothing_of_it() -> None:
    memory = ReturningCallsFixture()
    memory.verified_call()
    assert asked_for(memory.begin(BACK, "ch-2")) == "order_number"


def test_a_new_call_on_the_same_channel_id_begins_anew() -> None:
    memory = ReturningCallsFixture()
    memory.verified_call()
    assert not memory.begin(FIRST).story.verified


def test_the_memory_does_not_grow_without_end() -> None:
    memory = ReturningCallsFixture()
    snapshot = memory.begin(FIRST).snapshot()
    for number in range(1500):
        memory.kept.keep(f"ch-{number}", snapshot)
    assert memory.kept.take("ch-0") is None
    assert memory.kept.take("ch-1499") is not None


def test_the_visit_before_is_known_on_each_channel() -> None:
    memory = ReturningCallsFixture()
    assert memory.kept.last_visit("ch-1") == ""
    memory.kept.keep("ch-1", {}, "ch-1")
    memory.kept.keep("ch-1", {}, "ch-1-ab12cd34")
    memory.kept.keep("ch-2", {}, "ch-2")
    assert (memory.kept.last_visit("ch-1"), memory.kept.last_visit("ch-2")) == ("ch-1-ab12cd34", "ch-2")
