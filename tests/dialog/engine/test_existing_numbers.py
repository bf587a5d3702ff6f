"""The shop is asked which readings of a code exist before the code is read back."""

from __future__ import annotations

from dataclasses import replace

from agent.dialog.contract import Effect, EffectFailed, EffectSucceeded, Listen, Turn, TurnInput, Word
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


def test_the_shop_is_asked_about_all_readings_at_once() -> None:
    effect = question(asked_for_a_code().hear(HEARD))
    assert (effect.name, effect.filler) == ("orders.existing", None)
    assert effect.arguments == {"numbers": ["PK-12345", "BK-12345", "TK-12345"]}
    assert effect.deadline_seconds <= 1


def test_the_first_reading_that_exists_is_read_back() -> None:
    conversation = asked_for_a_code()
    effect = question(conversation.hear(HEARD))
    turn = conversation.hear(EffectSucceeded(effect.id, {"numbers": ["TK-12345"]}))
    assert read_back(conversation, turn) == "TK-12345"
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
