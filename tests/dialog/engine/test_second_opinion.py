"""Where a second recogniser is asked, and which of two texts a conversation goes on with."""

from __future__ import annotations

import pytest

from agent.dialog.contract import SecondText, TurnInput, Word
from agent.dialog.engine.consent import ConsentDialog
from agent.dialog.engine.second_opinion import spelled_words
from agent.dialog.model.model import RecordingConsent
from agent.languages.en.numbers import NUMBERS
from tests.dialog.engine.test_open_requests import call, pack

SURE, UNSURE = {"returns": 0.95}, {"returns": 0.5}


def heard(text: str, confidence: float = 0.9, spelled: tuple[str, ...] = ()) -> TurnInput:
    return TurnInput(text, tuple(Word(word, confidence) for word in text.split()), spelled=spelled)


@pytest.mark.parametrize("text", ["gizmo went kaput", "nothing known"])
def test_an_open_request_that_would_be_asked_about_or_asked_again_is_in_doubt(text: str) -> None:
    assert call(pack(gizmo_went_kaput=UNSURE)).doubts(heard(text))


@pytest.mark.parametrize(
    "text",
    [
        "gizmo went kaput",
        "where is my order",
        "i want to speak to a person",
        "this is ridiculous i will sue you",
        "can you repeat that",
        "goodbye",
    ],
)
def test_what_is_sure_and_what_rules_decide_is_in_no_doubt(text: str) -> None:
    assert not call(pack(gizmo_went_kaput=SURE)).doubts(heard(text))


def test_asking_changes_nothing_about_the_conversation() -> None:
    conversation = call(pack(gizmo_went_kaput=UNSURE, the_gizmo_broke=SURE))
    before = conversation.snapshot()
    conversation.doubts(heard("gizmo went kaput"))
    conversation.reconcile(heard("gizmo went kaput"), SecondText("The gizmo broke."))
    assert conversation.snapshot() == before


def test_a_second_text_that_is_understood_is_gone_on_with() -> None:
    conversation = call(pack(gizmo_went_kaput=UNSURE, the_gizmo_broke=SURE))
    taken = conversation.reconcile(heard("gizmo went kaput"), SecondText("The gizmo broke."))
    assert taken.text == "the gizmo broke"


def test_a_person_or_anger_in_the_second_text_alone_is_a_rule_as_well() -> None:
    conversation = call(pack())
    taken = conversation.reconcile(heard("nothing known"), SecondText("I want to speak to a person."))
    assert conversation.hear(taken).understood == "agent"


def test_a_second_text_that_is_nothing_leaves_the_question_to_be_asked_again() -> None:
    first = heard("nothing known")
    assert call(pack()).reconcile(first, SecondText("My cat sat down.")) == first


def test_a_guess_that_the_second_text_does_not_bear_out_is_dropped() -> None:
    conversation = call(pack(gizmo_went_kaput=UNSURE))
    taken = conversation.reconcile(heard("gizmo went kaput"), SecondText("The gist of it was kept."))
    assert taken.text == "the gist of it was kept"


@pytest.mark.parametrize("text", ["", "...", "you", "Blank audio."])
def test_few_words_that_mean_nothing_drop_no_guess(text: str) -> None:
    first = heard("gizmo went kaput")
    assert call(pack(gizmo_went_kaput=UNSURE)).reconcile(first, SecondText(text)) == first


def test_a_second_text_is_as_sure_as_it_was_heard() -> None:
    conversation = call(pack(gizmo_went_kaput=UNSURE, the_gizmo_broke=SURE))
    taken = conversation.reconcile(heard("gizmo went kaput"), SecondText("The gizmo broke.", 0.5))
    assert {word.confidence for word in taken.words} == {0.5}


def test_what_is_said_after_hold_on_and_what_is_long_is_not_asked_about() -> None:
    assert not call(pack()).doubts(heard("nothing known " * 11))
    conversation = call(pack())
    conversation.hear(heard("hold on"))
    assert not conversation.doubts(heard("nothing known"))


@pytest.mark.parametrize("second", [SecondText("The gizmo broke.", 0.2), SecondText("Goodbye."), SecondText("")])
def test_a_doubtful_second_text_and_one_that_would_end_the_call_are_never_taken(second: SecondText) -> None:
    first = heard("nothing known")
    assert call(pack(the_gizmo_broke=SURE)).reconcile(first, second) == first


def test_while_consent_is_asked_for_nobody_else_is_asked() -> None:
    dialog = ConsentDialog(call(pack()), "ask", RecordingConsent(), lambda text: text)
    dialog.start()
    first = heard("nothing known")
    assert not dialog.doubts(first)
    assert dialog.reconcile(first, SecondText("Yes.")) == first


def test_a_question_for_digits_alone_or_for_yes_and_no_is_never_asked_about() -> None:
    conversation = call(pack())
    conversation.hear(TurnInput("where is my order"))
    assert not conversation.doubts(heard("blah"))


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("U-N-N-Y-H-6.", "u n n y h six"),
        ("M O R E", "m o r e"),
        ("A and Y.", "a and y"),
        ("KL 5027", "k l five zero two seven"),
    ],
)
def test_a_written_code_becomes_single_words(written: str, spoken: str) -> None:
    assert spelled_words(written, NUMBERS) == spoken
