"""Calls that we placed: whatever is said, nothing of the matter before the right person; the stop key from anywhere."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialog.callee import CalleeReport
from agent.dialog.contract import (
    Effect,
    EffectFailed,
    EffectSucceeded,
    Event,
    HangUp,
    HungUp,
    Listen,
    NoInput,
    TurnInput,
)
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.errors import DialogError
from tests.shipped_pack import RENDER, shipped_pack

PACK = shipped_pack()
FACTS = CallFacts(
    now=dt.datetime.fromisoformat("2026-11-30T10:00:00-05:00"),
    shop_name="Example Shop",
    entry="outbound",
    caller_number="2025550143",
    call_id="c-1",
    job={"purpose": "delivery", "name": "Maria", "call_back": "2025550100", "message": True},
    job_key="delivery:97531:all",
    matter={"order_number": "97531", "delivered_on": "2026-11-27", "parcels": 2, "subject": "the brass telescope"},
)
PRIVATE = re.compile(r"97531|nine seven five|telescope|\b(order|parcel|package|refund|return|item)s?\b", re.IGNORECASE)
SAID = (
    "hello", "no", "who is this", "are you a robot", "why are you calling", "one moment", "she's not here",
    "i don't know",
    "where is my order", "i want to return something", "what is my order number", "tomorrow", "at five", "repeat that",
    "help", "start over", "wrong number", "stop it", "stop calling me", "cancel", "what did i buy", "go on", "agent",
    "what are your opening hours", "my mom is not here", "he has died", "i'm busy", "goodbye", "[unk]",
)  # fmt: skip


def call(**facts: object) -> Conversation:
    return Conversation(PACK, CallFacts(**{**vars(FACTS), **facts}), RENDER)  # type: ignore[arg-type]


events = st.one_of(
    st.sampled_from(SAID).map(lambda text: TurnInput(text=text)),
    st.sampled_from("023456789*#").map(lambda key: TurnInput(keys=key)),
    st.just(NoInput(3.0)),
    st.sampled_from(["machine", "screener", "ivr", "fax", "unclear"]).map(CalleeReport),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(events, max_size=12), st.booleans())
def test_nothing_of_the_matter_is_said_before_the_right_person_says_so(heard: list[Event], works: bool) -> None:
    conversation = call()
    turn = conversation.start()
    for event in heard:
        assert conversation.slots.get("right_person") != "yes"
        assert not PRIVATE.search(" ".join(prompt.text for prompt in turn.say))
        while isinstance(turn.then, Effect):
            done = EffectSucceeded(turn.then.id) if works else EffectFailed(turn.then.id, "unavailable")
            turn = conversation.hear(done)
            assert not PRIVATE.search(" ".join(prompt.text for prompt in turn.say))
        if not isinstance(turn.then, Listen):
            break
        turn = conversation.hear(event)


def test_the_first_turn_listens_and_says_nothing() -> None:
    turn = call().start()
    assert turn.say == ()
    assert isinstance(turn.then, Listen)
    assert turn.then.callee is not None
    assert turn.then.callee.greeting
    assert turn.then.no_input_seconds == pytest.approx(1.2)
    assert "hello" in turn.then.phrases


def test_machines_are_looked_out_for_until_the_right_person_is_known() -> None:
    conversation = call()
    conversation.start()
    asked = conversation.hear(TurnInput(text="hello")).then
    known = conversation.hear(TurnInput(text="yes speaking")).then
    assert isinstance(asked, Listen)
    assert asked.callee is not None
    assert not asked.callee.greeting
    assert isinstance(known, Listen)
    assert known.callee is None


@pytest.mark.parametrize(
    "before",
    [
        [],
        [TurnInput(text="hello")],
        [TurnInput(text="hello"), TurnInput(text="yes")],
        [TurnInput(text="hello"), TurnInput(text="yes"), TurnInput(text="it never came")],
        [TurnInput(text="hello"), TurnInput(text="no")],
        [TurnInput(text="hello"), TurnInput(text="i'm busy")],
    ],
)
def test_the_stop_key_is_written_down_before_it_is_answered_wherever_it_comes(before: list[Event]) -> None:
    conversation = call()
    conversation.start()
    for event in before:
        conversation.hear(event)
    turn = conversation.hear(TurnInput(keys="9"))
    assert isinstance(turn.then, Effect)
    assert turn.then.name == "outbound.suppress"
    assert turn.say == ()
    told = conversation.hear(EffectSucceeded(turn.then.id))
    assert told.then == HangUp("opted_out")
    assert "won't call" in told.say[0].text
    story = conversation.outbound
    assert story is not None
    assert story.outcome == "opted_out"


def test_a_conversation_goes_on_in_another_process_at_any_moment_of_the_opening() -> None:
    conversation = call()
    conversation.start()
    copied = Conversation.restore(PACK, json.loads(json.dumps(conversation.snapshot())), RENDER)
    assert "Am I speaking with Maria" in copied.resume().say[0].text
    assert "parcels" in copied.hear(TurnInput(text="yes")).say[0].text


def test_what_is_done_for_a_job_has_the_same_key_on_every_call_for_it() -> None:
    keys = set()
    for call_id in ("c-1", "c-2"):
        conversation = call(call_id=call_id)
        conversation.start()
        conversation.hear(TurnInput(text="hello"))
        turn = conversation.hear(TurnInput(keys="9"))
        assert isinstance(turn.then, Effect)
        keys.add(turn.then.key)
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("heard", "reached", "outcome"),
    [
        ([HungUp()], "", ""),
        ([TurnInput(text="hello"), HungUp()], "person", ""),
        ([TurnInput(text="hello"), TurnInput(text="yes"), HungUp()], "right_person", "partial"),
        ([TurnInput(text="hello"), TurnInput(text="wrong number")], "wrong_number", "wrong_number"),
        ([CalleeReport("machine")], "voicemail", ""),
        ([CalleeReport("screener"), NoInput(30.0)], "screener", ""),
        ([CalleeReport("fax")], "fax", ""),
        ([NoInput(1.2), NoInput(3.0), NoInput(3.0)], "silent", ""),
    ],
)
def test_who_was_reached_is_told(heard: list[Event], reached: str, outcome: str) -> None:
    conversation = call()
    conversation.start()
    for event in heard:
        conversation.hear(event)
    story = conversation.outbound
    assert story is not None
    assert (story.reached, story.outcome) == (reached, outcome)
    assert story.message_left is (heard == [CalleeReport("machine")])


def test_an_ordinary_call_has_no_such_story() -> None:
    assert call(entry="inbound", job={}, matter={}).outbound is None


def test_a_purpose_without_a_flow_is_refused() -> None:
    with pytest.raises(DialogError):
        call(job={"purpose": "sales"}).start()


def test_a_yes_into_the_question_is_asked_about_once_because_nobody_had_heard_the_name() -> None:
    talk = call()
    talk.start()
    talk.hear(TurnInput(text="hello"))
    turn = talk.hear(TurnInput(text="this is her", barged_in=True))
    said = " ".join(prompt.text for prompt in turn.say)
    assert "Am I speaking with Maria" in said
    assert not PRIVATE.search(said)
    turn = talk.hear(TurnInput(text="yes this is her", barged_in=True))
    assert "reach you" in " ".join(prompt.text for prompt in turn.say)


def test_a_yes_behind_the_question_is_taken_at_once() -> None:
    talk = call()
    talk.start()
    talk.hear(TurnInput(text="hello"))
    assert "reach you" in " ".join(prompt.text for prompt in talk.hear(TurnInput(text="this is her")).say)


@pytest.mark.parametrize("barged_in", [True, False])
@pytest.mark.parametrize("misheard", ["faulty", "broken", "returning", "[unk]", "change my order"])
def test_a_name_that_is_heard_as_something_to_ask_for_is_still_a_yes(misheard: str, *, barged_in: bool) -> None:
    talk = call()
    talk.start()
    talk.hear(TurnInput(text="hello"))
    turn = talk.hear(TurnInput(text=f"yes this is {misheard}", barged_in=barged_in))
    said = " ".join(prompt.text for prompt in turn.say)
    assert ("Am I speaking with Maria" if barged_in else "reach you") in said
