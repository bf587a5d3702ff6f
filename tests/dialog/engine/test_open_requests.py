"""The four outcomes of a request in a caller's own words, with the shipped pack and scores set by hand."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent.dialog.contract import HandOverAction, Listen, Turn, TurnInput, Word
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.pack.loader import FlowPack
from agent.dialog.understanding.evidence import RuleEvidence, is_foreign
from agent.dialog.understanding.examples import example_lists
from tests.shipped_pack import RENDER, shipped_pack

FACTS = CallFacts(datetime(2026, 11, 30, 10, tzinfo=UTC), "the shop", call_id="c1")


class SetScore:
    """Scores as a test sets them: sentence -> meaning -> score; nothing for other sentences."""

    fingerprint = "set-by-hand"
    uses_vectors = False

    def __init__(self, known: Mapping[str, Mapping[str, float]]) -> None:
        self._known = known

    def has_words(self, text: str) -> bool:
        return bool(text)

    def candidates(self, text: str, rules: RuleEvidence) -> tuple[tuple[str, float], ...]:
        found = self._known.get(text, {})
        return tuple(sorted(found.items(), key=lambda pair: -pair[1]))


def pack(**known: Mapping[str, float]) -> FlowPack:
    sentences = {text.replace("_", " "): scores for text, scores in known.items()}
    return replace(shipped_pack(), score=SetScore(sentences))  # type: ignore[arg-type]


def call(known: FlowPack) -> Conversation:
    conversation = Conversation(known, FACTS, RENDER)
    conversation.start()
    return conversation


def words(turn: Turn) -> str:
    return " ".join(prompt.text for prompt in turn.say)


def said(conversation: Conversation, text: str, confidence: float = 1.0) -> Turn:
    return conversation.hear(TurnInput(text, tuple(Word(word, confidence) for word in text.split())))


def test_a_sure_request_is_acted_on_and_told_before_the_first_question() -> None:
    conversation = call(pack(gizmo_went_kaput={"returns": 0.9}))
    turn = said(conversation, "gizmo went kaput")
    assert words(turn).startswith("So you'd like to return or exchange something.")
    assert "order number" in words(turn)
    assert conversation.story.wanted == ("to return or exchange something",)


def test_a_sure_question_is_answered_without_an_echo() -> None:
    turn = said(call(pack(gizmo_doors_when={"topic:hours": 0.9})), "gizmo doors when")
    assert words(turn).startswith("We're open Monday to Friday")


@pytest.mark.parametrize("text", ["a where's my order", "where's my order the", "and the where's my order of a"])
def test_stray_words_of_noise_around_a_phrase_leave_it_a_phrase(text: str) -> None:
    doubtful = replace(shipped_pack(), score=SetScore({text: {"order_items": 0.5, "order_status": 0.4}}))  # type: ignore[arg-type]
    turn = said(call(doubtful), text)
    assert words(turn) == "What's the order number?"


def test_every_meaning_with_examples_can_be_acted_on() -> None:
    """Also a procedure all of whose triggers set something: the score names none of them."""
    meanings = {listed.meaning for listed in example_lists(shipped_pack().contents)}
    served = sorted(meaning for meaning in meanings if not is_foreign(meaning))
    assert len(served) > 50
    for meaning in served:
        conversation = call(pack(gizmo_went_kaput={meaning: 0.95}))
        said(conversation, "gizmo went kaput")
        assert conversation.state.meant == meaning


@pytest.mark.parametrize("answer", ["yes", "exactly", "that's right"])
def test_yes_to_an_echo_asks_the_question_again_and_costs_no_try(answer: str) -> None:
    conversation = call(pack(gizmo_went_kaput={"returns": 0.9}))
    said(conversation, "gizmo went kaput")
    turn = said(conversation, answer)
    assert "order number" in words(turn)
    assert conversation.state.failures == 0


def test_no_to_an_echo_with_what_is_meant_starts_that_instead() -> None:
    known = pack(gizmo_went_kaput={"order_status": 0.9}, the_gizmo_has_a_wobble={"returns": 0.9, "order_status": 0.1})
    conversation = call(known)
    said(conversation, "gizmo went kaput")
    turn = said(conversation, "no the gizmo has a wobble")
    assert words(turn).startswith("So you'd like to return or exchange something.")
    assert conversation.story.wanted == ("to return or exchange something",)


def test_an_unsure_request_is_asked_about_and_a_yes_starts_it() -> None:
    conversation = call(pack(gizmo_went_kaput={"returns": 0.5}))
    turn = said(conversation, "gizmo went kaput")
    assert words(turn) == "You'd like to return or exchange something. Is that right?"
    assert conversation.story.wanted == ()
    turn = said(conversation, "yes")
    assert "order number" in words(turn)
    assert conversation.story.wanted == ("to return or exchange something",)


def test_a_no_is_remembered_so_that_the_same_is_not_asked_again() -> None:
    conversation = call(pack(gizmo_went_kaput={"returns": 0.5, "money_back": 0.1}))
    said(conversation, "gizmo went kaput")
    turn = said(conversation, "no")
    assert "How can I help" in words(turn)
    turn = said(conversation, "gizmo went kaput")
    assert "return or exchange" not in words(turn)


def test_no_to_the_question_with_what_is_meant_is_taken() -> None:
    known = pack(gizmo_went_kaput={"returns": 0.5}, the_gizmo_never_came={"order_status": 0.9})
    conversation = call(known)
    said(conversation, "gizmo went kaput")
    turn = said(conversation, "no the gizmo never came")
    assert words(turn).startswith("So you'd like to know where the order is.")


OFFERED = {"returns": 0.3, "refund_status": 0.2}


def test_two_requests_that_are_nearly_as_likely_are_offered() -> None:
    turn = said(call(pack(gizmo_money={**OFFERED})), "gizmo money")
    assert words(turn) == "Do you want to return or exchange something, or to know where the refund is?"
    assert isinstance(turn.then, Listen)
    assert {"the first one", "the second"} <= set(turn.then.phrases)


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (TurnInput("the first one"), "to return or exchange something"),
        (TurnInput("the second one"), "where the refund is"),
        (TurnInput(keys="1"), "to return or exchange something"),
        (TurnInput(keys="2"), "where the refund is"),
        (TurnInput("the gizmo cash"), "where the refund is"),
    ],
)
def test_a_choice_is_answered_by_place_by_key_and_in_own_words(answer: TurnInput, wanted: str) -> None:
    known = pack(gizmo_money={**OFFERED}, the_gizmo_cash={"refund_status": 0.4, "returns": 0.1})
    conversation = call(known)
    said(conversation, "gizmo money")
    conversation.hear(answer)
    assert conversation.story.wanted == (wanted,)


def test_neither_of_two_asks_openly_again_and_something_else_is_taken() -> None:
    conversation = call(pack(gizmo_money={**OFFERED}))
    said(conversation, "gizmo money")
    turn = said(conversation, "no")
    assert "How can I help" in words(turn)
    said(conversation, "i want to speak to a person")
    assert conversation.state.ended == "handed_over"


def test_a_choice_that_is_not_understood_names_the_keys() -> None:
    conversation = call(pack(gizmo_money={**OFFERED}))
    said(conversation, "gizmo money")
    turn = said(conversation, "blah blah")
    assert "press one" in words(turn)
    assert "press two" in words(turn)


def test_what_is_never_understood_goes_to_a_person_with_the_words_and_what_they_may_mean() -> None:
    conversation = call(pack(gizmo_gazebo={"returns": 0.11, "complaint": 0.05}, flim_flam={"refund_status": 0.02}))
    said(conversation, "gizmo gazebo")
    said(conversation, "flim flam")
    turn = said(conversation, "gizmo gazebo")
    assert isinstance(turn.then, HandOverAction)
    assert turn.then.reason == "no_match"
    assert '"gizmo gazebo"' in turn.then.summary
    assert [one for one, _ in conversation.story.unclear] == ["gizmo gazebo", "flim flam", "gizmo gazebo"]


def test_what_was_asked_about_and_left_open_is_told_to_staff() -> None:
    conversation = call(pack(gizmo_went_kaput={"returns": 0.5, "complaint": 0.13}))
    said(conversation, "gizmo went kaput")
    turn = said(conversation, "agent")
    assert isinstance(turn.then, HandOverAction)
    assert "Perhaps to return or exchange something, or to make a complaint." in turn.then.summary
    assert conversation.story.unclear[0][1] == ("to return or exchange something", "to make a complaint")


def test_a_topic_that_nobody_serves_goes_to_a_person_at_the_first_try_with_its_name() -> None:
    conversation = call(pack(gizmo_employment={"not_for_us:jobs": 0.9}))
    turn = said(conversation, "gizmo employment")
    assert isinstance(turn.then, HandOverAction)
    assert turn.then.reason == "not_served"
    assert "a job with us" in words(turn)
    assert "Asked about a job with us." in turn.then.summary
    assert conversation.story.unanswered == ("about a job with us",)


def test_a_gist_alone_no_longer_decides() -> None:
    text = "tracking of the moon and the order of planets"
    assert shipped_pack().opening_evidence(text).gists
    assert "order number" in words(said(call(shipped_pack()), text))
    assert "order number" not in words(said(call(pack()), text))


def test_written_out_phrases_stay_rules_whatever_the_score_says() -> None:
    conversation = call(pack(where_is_my_order={"returns": 0.99}))
    said(conversation, "where is my order")
    assert conversation.story.wanted == ("where the order is",)


@pytest.mark.parametrize("confidence", [0.4, 0.7, 0.79])
def test_what_was_not_heard_well_is_asked_about_before_it_is_done(confidence: float) -> None:
    conversation = call(pack(gizmo_went_kaput={"returns": 0.95}))
    turn = said(conversation, "gizmo went kaput", confidence=confidence)
    assert words(turn) == "You'd like to return or exchange something. Is that right?"


def test_thresholds_of_the_recogniser_are_used() -> None:
    known = pack(gizmo_went_kaput={"returns": 0.76})
    heard = Conversation(known, replace(FACTS, recognizer="vosk-model-tiny-en-us-phone"), RENDER)
    heard.start()
    assert "Is that right?" in words(said(heard, "gizmo went kaput"))
    assert "Is that right?" not in words(said(call(known), "gizmo went kaput"))


def test_in_the_middle_of_a_request_only_what_is_sure_begins_another() -> None:
    known = pack(gizmo_went_kaput={"returns": 0.5}, gizmo_cash_is_late={"refund_status": 0.9})
    conversation = call(known)
    said(conversation, "where is my order")
    turn = said(conversation, "gizmo went kaput")
    assert "return or exchange" not in words(turn)
    turn = said(conversation, "gizmo cash is late")
    assert "where the refund is" in words(turn)


def test_an_angry_sentence_tells_staff_what_it_was_about() -> None:
    conversation = call(pack(my_gizmo_broke_this_is_ridiculous={"returns": 0.6}))
    turn = said(conversation, "my gizmo broke this is ridiculous")
    assert isinstance(turn.then, HandOverAction)
    assert turn.then.reason == "anger"
    assert "Perhaps to return or exchange something." in turn.then.summary


def test_a_number_told_with_a_request_is_kept_whatever_the_request_is() -> None:
    text = "gizmo trouble order one oh four seven three"
    conversation = call(replace(shipped_pack(), score=SetScore({text: {"returns": 0.9}})))  # type: ignore[arg-type]
    said(conversation, text)
    assert conversation.slots.get("order_number", "") in ("", "10473")
    assert conversation.story.wanted == ("to return or exchange something",)


NUMBER = "one oh four seven three"
READ_BACK = "Order one zero four, seven three."


@pytest.mark.parametrize(
    ("scores", "asked"),
    [
        ({"order_status": 0.02, "returns": 0.01}, "Would you like to know where the order is?"),
        ({}, "Would you like to know where the order is?"),
        ({"topic:opening_hours": 0.3, "order_status": 0.25}, "Would you like to know where the order is?"),
        ({"topic:opening_hours": 0.2, "returns": 0.14}, "Would you like to return or exchange something?"),
        ({"returns": 0.5}, "Would you like to return or exchange something?"),
    ],
)
def test_a_number_told_with_an_unclear_request_is_kept_and_the_likeliest_that_takes_it_is_asked_about(
    scores: Mapping[str, float], asked: str
) -> None:
    conversation = call(pack(**{f"gizmo_hours_{NUMBER.replace(' ', '_')}": scores}))
    assert words(said(conversation, f"gizmo hours {NUMBER}")) == f"{READ_BACK} {asked}"
    turn = said(conversation, "yes")
    assert words(turn) == f"{READ_BACK} And what's the postcode on it?"
    assert conversation.slots["order_number"] == "10473"


def test_two_requests_that_take_the_number_are_offered_and_keep_it() -> None:
    conversation = call(pack(**{f"gizmo_{NUMBER.replace(' ', '_')}": {"returns": 0.3, "cancel_order": 0.29}}))
    assert words(said(conversation, f"gizmo {NUMBER}")).startswith("Do you want to return or exchange something, or")
    said(conversation, "the first one")
    assert conversation.slots["order_number"] == "10473"


def test_a_number_heard_badly_is_confirmed_by_the_yes_to_the_question_that_reads_it_back() -> None:
    conversation = call(pack(**{f"gizmo_{NUMBER.replace(' ', '_')}": {"returns": 0.5}}))
    assert words(said(conversation, f"gizmo {NUMBER}", 0.5)).startswith(READ_BACK)
    assert "And what's the postcode on it?" in words(said(conversation, "yes"))


def test_a_number_outlives_the_no_to_the_request_and_is_read_back_before_it_is_used() -> None:
    conversation = call(pack(**{f"gizmo_{NUMBER.replace(' ', '_')}": {"returns": 0.5}}))
    said(conversation, f"gizmo {NUMBER}")
    said(conversation, "no")
    assert words(said(conversation, "where is my order")) == "I heard one zero four, seven three. Is that right?"


def test_what_is_surely_meant_is_done_with_the_number_that_was_told() -> None:
    conversation = call(pack(**{f"gizmo_went_kaput_{NUMBER.replace(' ', '_')}": {"returns": 0.9}}))
    turn = said(conversation, f"gizmo went kaput {NUMBER}")
    assert words(turn).startswith(f"So you'd like to return or exchange something. {READ_BACK}")


def test_words_that_only_sound_like_a_number_are_none() -> None:
    conversation = call(pack(two_for_the_gizmo_one={"returns": 0.5}))
    assert (
        words(said(conversation, "two for the gizmo one"))
        == "You'd like to return or exchange something. Is that right?"
    )


def test_a_pack_without_words_for_the_number_asks_as_always_and_reads_the_number_back_later() -> None:
    known = pack(**{f"gizmo_{NUMBER.replace(' ', '_')}": {"returns": 0.5}})
    prompts = {name: text for name, text in known.contents.prompts.items() if name != "confirm_numbered_request"}
    conversation = call(replace(known, contents=known.contents.model_copy(update={"prompts": prompts})))
    assert words(said(conversation, f"gizmo {NUMBER}", 0.5)).startswith("You'd like to return")
    assert words(said(conversation, "yes")) == "I heard one zero four, seven three. Is that right?"


def test_an_offer_that_is_never_answered_goes_to_a_person() -> None:
    conversation = call(pack(gizmo_went_kaput={"returns": 0.5}))
    turn = said(conversation, "gizmo went kaput")
    for _ in range(4):
        if not isinstance(turn.then, HandOverAction):
            turn = said(conversation, "gizmo went kaput")
    assert isinstance(turn.then, HandOverAction)
    assert turn.then.reason == "no_match"


def test_a_choice_is_answered_by_the_words_it_was_offered_in() -> None:
    conversation = call(pack(gizmo_gazebo={"topic:return_policy": 0.3, "topic:refund_time": 0.2}))
    assert words(said(conversation, "gizmo gazebo")) == (
        "Do you want to ask about the rules for returns, or to ask about how refunds work?"
    )
    assert words(said(conversation, "refunds")).startswith("Within five days")


def test_a_person_that_was_perhaps_asked_for_is_asked_about_in_words() -> None:
    turn = said(call(pack(gizmo_went_kaput={"command:agent": 0.3})), "gizmo went kaput")
    assert words(turn) == "You'd like to talk to a person. Is that right?"


def test_a_number_alone_is_a_yes_to_is_that_right() -> None:
    conversation = call(pack(gizmo_went_kaput={"returns": 0.5}))
    said(conversation, "gizmo went kaput")
    turn = said(conversation, "one oh four seven three")
    assert conversation.story.wanted == ("to return or exchange something",)
    assert conversation.slots["order_number"] == "10473"
    assert "postcode" in words(turn)


def test_a_question_about_a_request_survives_a_snapshot() -> None:
    known = pack(gizmo_money={**OFFERED})
    conversation = call(known)
    said(conversation, "gizmo money")
    again = Conversation.restore(known, conversation.snapshot(), RENDER)
    assert "press two" in words(again.resume())
    again.hear(TurnInput(keys="2"))
    assert again.story.wanted == ("where the refund is",)
