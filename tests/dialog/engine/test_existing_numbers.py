"""The shop is asked which readings of a code exist before the code is read back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.dialog.contract import Effect, EffectFailed, EffectSucceeded, Listen, SecondText, Turn, TurnInput, Word
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.pack.loader import FlowPack
from agent.flows import english_pack
from tests.dialog.engine.test_engine import FACTS
from tests.shipped_pack import RENDER, shipped_pack

LETTERS = FlowPack.load(english_pack(), RENDER.filters, {"order_number": "AA-99999"})
HEARD = TurnInput(
    text="p k one two three four five",
    spelled=("p k one two three four five", "b k one two three four five", "t k one two three four five"),
)


def asked_for_a_code(pack: FlowPack = LETTERS, facts: CallFacts = FACTS) -> Conversation:
    conversation = Conversation(pack, facts, RENDER)
    conversation.start()
    conversation.hear(TurnInput(text="where is my order"))
    return conversation


def question(turn: Turn) -> Effect:
    assert isinstance(turn.then, Effect)
    return turn.then


def read_back(conversation: Conversation, turn: Turn) -> str:
    """Return the code that was read back, "" for none."""
    assert isinstance(turn.then, Listen)
    focus = conversation.snapshot()["state"]["focus"]
    return value_of(conversation) if focus["kind"] == "confirm" else ""


def value_of(conversation: Conversation) -> str:
    slots = conversation.snapshot()["state"]["slots"]
    return str(slots["order_number"]["value"]) if "order_number" in slots else ""


def test_the_shop_is_asked_about_all_readings_in_one_call() -> None:
    effect = question(asked_for_a_code().hear(HEARD))
    assert (effect.name, effect.filler) == ("orders.existing", None)
    assert effect.arguments == {"numbers": ["PK-12345", "BK-12345", "TK-12345"]}
    assert effect.deadline_seconds <= 1


def test_the_first_reading_that_exists_is_read_back() -> None:
    conversation = asked_for_a_code()
    effect = question(conversation.hear(HEARD))
    turn = conversation.hear(EffectSucceeded(effect.id, {"numbers": ["TK-12345"]}))
    assert (read_back(conversation, turn), turn.understood) == ("TK-12345", "order_number=TK-12345")
    turn = conversation.hear(TurnInput(text="yes"))
    assert value_of(conversation) == "TK-12345"
    assert read_back(conversation, turn) == ""


def test_without_an_answer_the_likeliest_reading_is_read_back() -> None:
    for answer in ({"numbers": []}, {"numbers": ["ZZ-99999"]}, {}):
        conversation = asked_for_a_code()
        effect = question(conversation.hear(HEARD))
        assert read_back(conversation, conversation.hear(EffectSucceeded(effect.id, answer))) == "PK-12345"
    conversation = asked_for_a_code()
    effect = question(conversation.hear(HEARD))
    assert read_back(conversation, conversation.hear(EffectFailed(effect.id, "timed_out"))) == "PK-12345"


def test_a_call_goes_on_from_a_snapshot_taken_while_the_shop_is_asked() -> None:
    conversation = asked_for_a_code()
    effect = question(conversation.hear(HEARD))
    restored = Conversation.restore(LETTERS, conversation.snapshot(), RENDER)
    assert question(restored.hear(TurnInput(text="hello"))) == effect
    turn = restored.hear(EffectSucceeded(effect.id, {"numbers": ["BK-12345"]}))
    assert read_back(restored, turn) == "BK-12345"


def test_the_callers_own_code_is_taken_and_the_shop_is_not_asked() -> None:
    conversation = asked_for_a_code(facts=replace(FACTS, known={"order_number": ("PK-12345",)}))
    turn = conversation.hear(HEARD)
    assert isinstance(turn.then, Listen)
    assert read_back(conversation, turn) == ""
    assert value_of(conversation) == "PK-12345"


def test_numbers_of_digits_alone_ask_the_shop_nothing() -> None:
    conversation = asked_for_a_code(shipped_pack())
    text = "one five two one seven"
    turn = conversation.hear(TurnInput(text=text, spelled=("one nine two one seven", text)))
    assert read_back(conversation, turn) == "15217"


def test_a_code_that_was_spoken_is_read_back_even_without_a_second_reading_and_a_typed_one_is_taken() -> None:
    text = "p k one two three four five"
    spoken = TurnInput(text=text, words=tuple(Word(word, 1.0) for word in text.split()))
    conversation = asked_for_a_code()
    assert read_back(conversation, conversation.hear(spoken)) == "PK-12345"
    conversation = asked_for_a_code()
    turn = conversation.hear(TurnInput(text=text))
    assert (read_back(conversation, turn), value_of(conversation)) == ("", "PK-12345")


def spoken(text: str) -> TurnInput:
    return TurnInput(text=text, words=tuple(Word(word, 1.0) for word in text.split()))


def typed(text: str) -> TurnInput:
    return TurnInput(text=text)


def after(*events: TurnInput, known: str = "") -> tuple[str, str]:
    """Return the code that is read back after these answers, "" for none, and the code that is held."""
    facts = replace(FACTS, known={"order_number": tuple(known.split())})
    conversation = Conversation(LETTERS, facts, RENDER)
    turn = conversation.start()
    for event in events:
        turn = conversation.hear(event)
    return read_back(conversation, turn), value_of(conversation)


ASKED, TAKEN = ("TK-12345", "TK-12345"), ("", "TK-12345")
CODE = "t k one two three four five"
BY_ALPHABET = "tango kilo one two three four five"
WHERE = "where is my order"


def test_a_word_of_the_alphabet_stands_for_its_own_letter_alone() -> None:
    said = "p echo one two three four five"
    assert after(spoken(WHERE), spoken(said)) == ("PE-12345", "PE-12345")
    assert after(spoken(WHERE), spoken(said), known="PE-12345") == ("", "PE-12345")
    assert after(spoken(WHERE), spoken("p papa e echo one two three four five")) == ("", "PE-12345")
    assert after(typed(WHERE), typed(said)) == ("", "PE-12345")


@pytest.mark.parametrize("lead", ["no it's", "no", "i said", ""])
def test_a_code_in_a_correction_is_read_back_where_it_was_spoken(lead: str) -> None:
    before = (spoken(WHERE), spoken("r s nine eight seven six five"))
    assert after(*before, spoken(f"{lead} {CODE}".strip())) == ASKED
    assert after(*before, spoken(f"{lead} {BY_ALPHABET}".strip())) == TAKEN
    assert after(*before, spoken(f"{lead} {CODE}".strip()), known="TK-12345") == TAKEN


def test_a_code_in_a_correction_is_taken_where_it_was_typed() -> None:
    before = (typed(WHERE), typed("r s nine eight seven six five"))
    assert after(*before, typed(f"no it's {CODE}")) == TAKEN


@pytest.mark.parametrize("lead", [WHERE, ""])
def test_a_code_told_with_the_request_or_to_the_greeting_is_read_back_where_it_was_spoken(lead: str) -> None:
    said = f"{lead} {CODE}".strip()
    assert after(spoken(said)) == ASKED
    assert after(spoken(said), known="TK-12345") == TAKEN
    assert after(spoken(f"{lead} {BY_ALPHABET}".strip())) == TAKEN
    assert after(typed(said)) == TAKEN


def test_a_code_of_spoken_letters_and_keyed_digits_is_read_back() -> None:
    keyed = TurnInput(keys="12345")
    assert after(spoken(WHERE), spoken("t k"), keyed) == ASKED
    assert after(spoken(f"{WHERE} t k"), keyed) == ASKED
    assert after(spoken(WHERE), spoken("t k"), keyed, known="TK-12345") == TAKEN
    assert after(spoken(WHERE), spoken("tango kilo"), keyed) == TAKEN
    assert after(typed(WHERE), typed("t k"), keyed) == TAKEN


def test_digits_that_were_keyed_are_no_spoken_letters() -> None:
    pack = FlowPack.load(english_pack(), RENDER.filters, {"order_number": "XX-99999"})
    conversation = Conversation(pack, FACTS, RENDER)
    conversation.start()
    conversation.hear(spoken(WHERE))
    turn = conversation.hear(TurnInput(keys="7312345"))
    assert (read_back(conversation, turn), value_of(conversation)) == ("", "73-12345")


def test_what_a_second_recogniser_heard_is_asked_about_before_the_other_readings() -> None:
    conversation = asked_for_a_code()
    heard = replace(HEARD, words=tuple(Word(word, 0.9) for word in HEARD.text.split()))
    assert conversation.doubts(heard)
    taken = conversation.reconcile(heard, SecondText("T-K-1-2-3-4-5."))
    assert question(conversation.hear(taken)).arguments["numbers"][:2] == ["TK-12345", "PK-12345"]


def test_a_code_said_by_the_alphabet_is_in_no_doubt() -> None:
    said = "papa kilo one two three four five"
    heard = TurnInput(said, tuple(Word(word, 0.9) for word in said.split()))
    assert not asked_for_a_code().doubts(heard)
