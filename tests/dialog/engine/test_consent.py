"""Recording: announced, or asked for; only a clear yes is consent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from agent.dialog.callee import OutboundStory
from agent.dialog.contract import (
    Completeness,
    ConversationSummary,
    Event,
    HandOverAction,
    HangUp,
    HungUp,
    Listen,
    NoInput,
    Prompt,
    Turn,
    TurnInput,
)
from agent.dialog.engine.consent import ConsentDialog, ConsentMode
from agent.dialog.model.model import RecordingConsent
from agent.dialog.turn_report import StepTaken

WORDS = RecordingConsent(
    announcement="{{ shop }} records.",
    question="May we?",
    question_again="Yes or no?",
    accepted="Thanks.",
    refused="Nothing is kept.",
    accept=("yes", "yes please"),
    refuse=("no", "no thanks"),
)


class GreetingConversation:
    """A conversation that greets and then repeats what it heard."""

    edition = "e-1"
    understanding = ""
    slots: Mapping[str, Any] = {}
    story = ConversationSummary()
    outbound: OutboundStory | None = None

    def start(self) -> Turn:
        trail = (StepTaken("main", "greet", "collect"),)
        return Turn((Prompt("greeting", "Hello."),), Listen(("order",)), "main", "greet", trail=trail)

    def hear(self, event: Event) -> Turn:
        return Turn((Prompt("echo", str(event)),), Listen(()))

    def completeness(self, text: str) -> Completeness:
        return Completeness.LIKELY

    def snapshot(self) -> dict[str, Any]:
        return {"version": 1}

    def resume(self) -> Turn:
        return Turn((Prompt("lost_you", "I lost you."),), Listen(()))

    def hand_over(self, reason: str) -> HandOverAction:
        return HandOverAction(reason, "The story.")


def consent(mode: ConsentMode) -> tuple[ConsentDialog, list[str]]:
    answers: list[str] = []
    return ConsentDialog(
        GreetingConversation(), mode, WORDS, lambda text: text.replace("{{ shop }}", "Maple"), answers.append
    ), answers


def said(turn: Turn) -> str:
    return " ".join(prompt.text for prompt in turn.say)


def test_switched_off_nothing_is_said_and_nothing_noted() -> None:
    dialog, answers = consent("off")
    assert said(dialog.start()) == "Hello."
    assert answers == []


def test_the_announcement_stands_before_the_greeting_and_costs_no_turn() -> None:
    dialog, answers = consent("announce")
    turn = dialog.start()
    assert said(turn) == "Maple records. Hello."
    assert (turn.flow, turn.step) == ("main", "greet")
    assert answers == ["announced"]


@pytest.mark.parametrize("event", [TurnInput("yes"), TurnInput("Yes, please!"), TurnInput(keys="1")])
def test_a_clear_yes_is_consent(event: Event) -> None:
    dialog, answers = consent("ask")
    assert said(dialog.start()) == "May we?"
    assert said(dialog.hear(event)) == "Thanks. Hello."
    assert answers == ["given"]
    assert dialog.snapshot()["consent"] == "given"


@pytest.mark.parametrize("event", [TurnInput("no"), TurnInput("no thanks"), TurnInput(keys="2")])
def test_a_no_is_none_and_the_call_goes_on(event: Event) -> None:
    dialog, answers = consent("ask")
    dialog.start()
    assert said(dialog.hear(event)) == "Nothing is kept. Hello."
    assert answers == ["refused"]
    assert "where" in said(dialog.hear(TurnInput("where")))


@pytest.mark.parametrize("event", [NoInput(6), TurnInput("my parcel"), TurnInput(keys="7"), TurnInput("")])
def test_silence_and_anything_else_are_asked_once_more_and_then_no_consent(event: Event) -> None:
    dialog, answers = consent("ask")
    dialog.start()
    assert said(dialog.hear(event)) == "Yes or no?"
    assert answers == []
    assert said(dialog.hear(event)) == "Nothing is kept. Hello."
    assert answers == ["refused"]


def test_hanging_up_at_the_question_is_no_consent() -> None:
    dialog, answers = consent("ask")
    dialog.start()
    dialog.hear(HungUp())
    assert answers == ["refused"]


def test_a_whole_answer_ends_the_turn_at_once() -> None:
    dialog, _ = consent("ask")
    dialog.start()
    assert dialog.completeness("yes please") is Completeness.COMPLETE
    assert dialog.completeness("yes pl") is Completeness.OPEN
    dialog.hear(TurnInput("yes"))
    assert dialog.completeness("yes") is Completeness.LIKELY


def test_a_call_picked_up_again_is_asked_again_only_where_the_question_was_open() -> None:
    dialog, _ = consent("ask")
    dialog.start()
    asked = dialog.snapshot()
    dialog.hear(TurnInput("yes"))
    answered = dialog.snapshot()
    assert (asked["asking"], answered["asking"]) == (True, False)
    for kept, first in ((asked, "May we?"), (answered, "I lost you.")):
        again = ConsentDialog(GreetingConversation(), "ask", WORDS, str, answer=kept["consent"], asking=kept["asking"])
        assert said(again.resume()) == first
        assert again.answer == kept["consent"]


def test_who_goes_to_people_before_the_answer_has_not_agreed() -> None:
    dialog, answers = consent("ask")
    dialog.start()
    assert dialog.hand_over("agent_stopping").reason == "agent_stopping"
    assert answers == ["refused"]


def test_the_question_is_a_step_of_the_trail_with_the_answer_as_its_way() -> None:
    for said, way, result in (("yes", "given", "understood"), ("no", "refused", "understood")):
        dialog, _ = consent("ask")
        asked = dialog.start()
        assert [(step.flow, step.step, step.way) for step in asked.trail] == [("recording", "question", "")]
        answered = dialog.hear(TurnInput(said))
        left, *rest = answered.trail
        assert (left.step, left.way, left.reached) == ("question", way, False)
        assert [(step.flow, step.step) for step in rest] == [("main", "greet")]
        assert answered.reading is not None
        assert answered.reading.result == result
    dialog, _ = consent("ask")
    dialog.start()
    again = dialog.hear(TurnInput("blue cheese"))
    assert (again.trail, again.reading and again.reading.result) == ((), "no_match")


class PlacedCall(GreetingConversation):
    """Listens first; who says yes is the right person, who says bye ends the call."""

    def start(self) -> Turn:
        self.outbound = OutboundStory()
        return Turn((), Listen(()))

    def hear(self, event: Event) -> Turn:
        if event == TurnInput("yes"):
            self.outbound = OutboundStory("right_person")
        if event == TurnInput("bye"):
            return Turn((Prompt("goodbye", "Goodbye."),), HangUp("later"))
        return Turn((Prompt("question", "Did it come?"),), Listen(("it came",)))


class TestOfACallThatWePlaced:
    def dialog(self, mode: ConsentMode) -> ConsentDialog:
        return ConsentDialog(PlacedCall(), mode, WORDS, lambda text: text, put_off=True)

    def test_nothing_is_told_before_the_right_person_is_there(self) -> None:
        dialog = self.dialog("announce")
        assert dialog.start().say == ()
        assert [prompt.text for prompt in dialog.hear(TurnInput("hello")).say] == ["Did it come?"]
        told = [prompt.text for prompt in dialog.hear(TurnInput("yes")).say]
        assert told == ["{{ shop }} records.", "Did it come?"]
        assert dialog.answer == "announced"

    def test_the_question_stands_before_the_first_one_of_the_matter(self) -> None:
        dialog = self.dialog("ask")
        dialog.start()
        asked = dialog.hear(TurnInput("yes"))
        assert [prompt.text for prompt in asked.say] == ["May we?"]
        then = dialog.hear(TurnInput("yes"))
        assert [prompt.text for prompt in then.say] == ["Thanks.", "Did it come?"]
        assert dialog.answer == "given"

    def test_a_call_that_ends_before_it_was_asked_has_not_agreed(self) -> None:
        dialog = self.dialog("ask")
        dialog.start()
        dialog.hear(TurnInput("bye"))
        assert dialog.answer == "refused"
