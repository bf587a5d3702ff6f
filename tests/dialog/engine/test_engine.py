from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.cli.chat import demo_shop
from agent.dialog.contract import (
    BargeIn,
    Completeness,
    Effect,
    EffectFailed,
    EffectSucceeded,
    Event,
    HandOverAction,
    HangUp,
    HungUp,
    Listen,
    NoInput,
    RecognitionLost,
    Turn,
    TurnInput,
)
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.errors import DialogError
from agent.dialog.pack.loader import FlowPack
from agent.flows import english_pack
from tests.shipped_pack import RENDER, shipped_pack

PACK = shipped_pack()
FACTS = CallFacts(now=datetime.fromisoformat("2026-11-23T10:00:00+00:00"), shop_name="Example Shop", call_id="c1")


def begin(*said: str) -> tuple[Conversation, Turn]:
    conversation = Conversation(PACK, FACTS, RENDER)
    turn = conversation.start()
    for text in said:
        turn = conversation.hear(TurnInput(text=text))
    return conversation, turn


def listening(turn: Turn) -> Listen:
    assert isinstance(turn.then, Listen)
    return turn.then


def test_the_first_turn_greets_and_listens_for_requests_and_numbers() -> None:
    _, turn = begin()
    listen = listening(turn)
    assert "where is my order" in listen.phrases
    assert "where is order" in listen.phrases
    assert {"zero", "oh", "seventy"} <= set(listen.words)
    assert listen.barge_in is BargeIn.ANY
    assert listen.keys.max_digits == 5
    assert listen.keys.instant == "0*"


def test_while_a_number_is_asked_zero_is_a_digit_and_the_entry_has_its_length() -> None:
    _, turn = begin("where is my order")
    listen = listening(turn)
    assert (listen.slot, listen.keys.max_digits, listen.keys.instant) == ("order_number", 5, "*")


def test_hold_on_gives_a_minute_of_silence() -> None:
    _, turn = begin("where is my order", "hold on")
    assert listening(turn).no_input_seconds == 60


def test_a_service_call_is_data_with_a_unique_id_a_deadline_and_a_filler() -> None:
    _, turn = begin("where is order one oh four seven three", "six oh six one four")
    assert isinstance(turn.then, Effect)
    assert turn.then.id == "c1-1"
    assert (turn.then.name, turn.then.arguments) == (
        *("orders.verify", {"number": "10473", "postcode": "60614", "caller": ""}),
    )
    assert turn.then.deadline_seconds == 4.0
    assert turn.then.filler is not None
    assert turn.then.filler.text == "One moment, I'm looking it up."


def test_an_event_nobody_asked_for_changes_nothing() -> None:
    conversation, turn = begin("where is order one oh four seven three", "six oh six one four")
    assert isinstance(turn.then, Effect)
    before = conversation.snapshot()
    for event in (
        TurnInput(text="agent"),
        NoInput(5),
        EffectSucceeded("other", {}),
        EffectFailed("other", "not_found"),
    ):
        again = conversation.hear(event)
        assert (again.say, again.then) == ((), turn.then)
    assert conversation.snapshot() == before


@pytest.mark.parametrize(
    ("said", "partial", "verdict"),
    [
        ((), "where is my order", Completeness.LIKELY),
        ((), "agent", Completeness.COMPLETE),
        ((), "where is order", Completeness.INCOMPLETE),
        ((), "where is order one oh four", Completeness.INCOMPLETE),
        ((), "where is order one oh four seven three", Completeness.COMPLETE),
        ((), "the weather", Completeness.UNEXPECTED),
        (("where is my order",), "one oh four", Completeness.INCOMPLETE),
        (("where is my order",), "it's one oh four seven three", Completeness.COMPLETE),
        (("where is my order", "one oh four"), "seven three", Completeness.COMPLETE),
        (("where is my order", "one oh four"), "seven", Completeness.INCOMPLETE),
        (("where is order one oh four seven three",), "no", Completeness.LIKELY),
        (("where is order one oh four seven three",), "no it's one oh four seven four", Completeness.COMPLETE),
    ],
)
def test_the_worth_of_a_partial_text_depends_on_the_turn(
    said: tuple[str, ...], partial: str, verdict: Completeness
) -> None:
    conversation, _ = begin(*said)
    assert conversation.completeness(partial) is verdict


def test_yes_is_complete_in_a_confirmation_and_no_may_go_on() -> None:
    conversation, turn = begin("where is my order", "one oh four seven no eight three")
    assert "Is that right?" in turn.say[0].text
    assert conversation.completeness("yes") is Completeness.COMPLETE
    assert conversation.completeness("no") is Completeness.LIKELY


@pytest.mark.parametrize(
    ("said", "understood"),
    [
        ("yes not right", "nothing"),
        ("yes it's wrong", "nothing"),
        ("yeah no", "order_number is wrong"),
        ("that's not right", "order_number is wrong"),
        ("yes that's right", "order_number=10723"),
    ],
)
def test_a_refusal_that_begins_with_a_yes_is_asked_about(said: str, understood: str) -> None:
    _, turn = begin("where is my order", "one oh seventy three", said)
    assert turn.understood == understood


def test_a_hand_over_carries_the_story_and_no_secret() -> None:
    conversation, turn = begin("where is order one oh four seven three", "six oh six one four")
    assert isinstance(turn.then, Effect)
    conversation.hear(EffectSucceeded(turn.then.id, {"order": {"status": "in_transit"}}))
    end = conversation.hear(TurnInput(text="agent")).then
    assert isinstance(end, HandOverAction)
    assert end.facts == {"order_number": "10473", "requests": ["order_status"], "verified": True}
    assert "60614" not in end.summary
    assert "six oh six" not in end.summary
    assert "Order 10473, verified, status in transit." in end.summary


def test_the_words_of_a_secret_answer_are_not_quoted_to_people() -> None:
    conversation, _ = begin("where is order one oh four seven three", "six oh six one [unk] four")
    for _ in range(2):
        turn = conversation.hear(TurnInput(text="six oh six one [unk] four"))
    assert isinstance(turn.then, HandOverAction)
    assert "six" not in turn.then.summary


def test_after_the_end_nothing_starts_again() -> None:
    conversation, turn = begin("bye")
    assert turn.then == HangUp("answered")
    assert conversation.hear(TurnInput(text="where is my order")).then == HangUp("answered")


def test_a_caller_who_hangs_up_without_an_answer_has_abandoned_the_call() -> None:
    conversation, _ = begin("where is my order")
    assert conversation.hear(HungUp()).then == HangUp("abandoned")


def test_a_restored_conversation_asks_its_open_question_again() -> None:
    conversation, _ = begin("where is my order", "one oh four seven three")
    other = Conversation.restore(PACK, conversation.snapshot(), RENDER)
    turn = other.resume()
    assert [prompt.text for prompt in turn.say] == ["Sorry, I lost you for a moment.", "What's the postcode?"]
    assert isinstance(turn.then, Listen)


def test_a_restored_conversation_repeats_its_open_effect_under_the_same_id() -> None:
    conversation, turn = begin("where is order one oh four seven three", "six oh six one four")
    assert Conversation.restore(PACK, conversation.snapshot(), RENDER).resume().then == turn.then


def test_a_snapshot_of_another_edition_is_refused() -> None:
    snapshot = begin()[0].snapshot()
    with pytest.raises(DialogError):
        Conversation.restore(PACK, {**snapshot, "pack": "another"}, RENDER)
    with pytest.raises(DialogError):
        Conversation.restore(PACK, {**snapshot, "state": {}}, RENDER)


def test_a_flow_fault_at_run_time_still_brings_a_person() -> None:
    conversation, turn = begin("where is order one oh four seven three", "six oh six one four")
    assert isinstance(turn.then, Effect)
    end = conversation.hear(
        EffectSucceeded(turn.then.id, {"order": {"status": "refunded", "refund_amount": 5, "parcels": 3}})
    )
    assert isinstance(end.then, HandOverAction)
    assert end.then.reason == "fault"


@pytest.fixture(scope="module")
def perform() -> Iterator[Callable[[Effect], EffectSucceeded | EffectFailed]]:
    """Do effects on a real demo shop, on behalf of the owner of an order with three items, whatever was asked for."""
    with demo_shop() as on_demo_shop:

        def do(effect: Effect) -> EffectSucceeded | EffectFailed:
            own = {"number": "58124", "postcode": "89101", "phone": "+17025550151"}
            arguments = {name: own.get(name, value) for name, value in effect.arguments.items()}
            return on_demo_shop(replace(effect, arguments=arguments))

        yield do


_EVENTS = st.one_of(
    st.integers(0, 5000).map(lambda n: ("phrase", n)),
    st.sampled_from(
        ["one oh four seven three", "seven three", "no seven three", "one oh four", "[unk]", "banana", "", "fifteen"]
    ).map(lambda text: ("text", text)),
    st.text("0123456789*#", min_size=1, max_size=6).map(lambda keys: ("keys", keys)),
    st.just(("silence", "")),
)


def _event(kind: str, what: int | str, listen: Listen) -> Event:
    if kind == "phrase" and isinstance(what, int):
        return TurnInput(text=listen.phrases[what % len(listen.phrases)])
    if kind == "keys":
        return TurnInput(keys=str(what))
    return NoInput(5.0) if kind == "silence" else TurnInput(text=str(what), alternatives=("one oh four seven three",))


@given(st.lists(st.tuples(_EVENTS, st.integers(0, 9)), max_size=30))
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_caller_can_break_the_conversation(
    perform: Callable[[Effect], EffectSucceeded | EffectFailed], events: list[tuple[tuple[str, int | str], int]]
) -> None:
    conversation = Conversation(PACK, FACTS, RENDER)
    turn = conversation.start()
    effects: set[str] = set()
    for (kind, what), luck in events:
        for _ in range(20):
            if not isinstance(turn.then, Effect):
                break
            assert turn.then.id not in effects
            effects.add(turn.then.id)
            failure = EffectFailed(turn.then.id, ("not_found", "unavailable", "timed_out", "not_allowed")[luck % 4])
            turn = conversation.hear(perform(turn.then) if luck > 1 else failure)
            assert "fault" not in turn.understood
        if isinstance(turn.then, (HandOverAction, HangUp)):
            break
        turn = conversation.hear(_event(kind, what, listening(turn)))
        assert "fault" not in turn.understood
        if isinstance(turn.then, (HandOverAction, HangUp)):
            break
        assert isinstance(turn.then, Effect) or listening(turn).phrases


def test_numbers_learnt_during_the_call_decide_between_readings() -> None:
    conversation, _ = begin("where is my order")
    conversation.learn({"order_number": ["10703"]})
    conversation.hear(TurnInput(text="one oh seventy three"))
    assert conversation.slots["order_number"] == "10703"
    assert Conversation.restore(PACK, conversation.snapshot(), RENDER).snapshot() == conversation.snapshot()


def test_a_restored_conversation_that_was_going_to_people_goes_there_with_its_own_reason() -> None:
    conversation, turn = begin("i want to talk to a person")
    resumed = Conversation.restore(PACK, conversation.snapshot(), RENDER).resume()
    assert resumed.then == turn.then
    assert resumed.say == ()


def test_a_restored_conversation_that_was_saying_goodbye_says_it_again() -> None:
    conversation, turn = begin("goodbye")
    resumed = Conversation.restore(PACK, conversation.snapshot(), RENDER).resume()
    assert (resumed.say, resumed.then) == (turn.say, turn.then)


def test_any_conversation_can_be_given_to_people_with_its_story() -> None:
    conversation, _ = begin("where is my order", "one oh four seven three")
    told = conversation.hand_over("agent_stopping")
    assert told.reason == "agent_stopping"
    assert "10473" in told.summary
    assert told.facts["order_number"] == "10473"


class TestKeypadOnly:
    def test_the_menu_comes_from_the_keys_of_the_open_question(self) -> None:
        conversation, _ = begin()
        turn = conversation.hear(RecognitionLost())
        assert [prompt.id for prompt in turn.say] == ["cannot_hear", "keys_menu"]
        assert "Where the order is, press one." in turn.say[1].text
        assert "For a person, press zero." in turn.say[1].text
        assert not listening(turn).speech

    def test_a_whole_call_can_be_held_by_keys_and_stays_that_way_after_a_restart(self) -> None:
        conversation, _ = begin()
        conversation.hear(RecognitionLost())
        turn = conversation.hear(TurnInput(keys="1"))
        assert not listening(turn).speech
        conversation = Conversation.restore(PACK, conversation.snapshot(), RENDER)
        assert not listening(conversation.resume()).speech
        turn = conversation.hear(TurnInput(keys="10473"))
        assert turn.say[-1].text == "Please key in the number."
        turn = conversation.hear(TurnInput(keys="60614"))
        assert isinstance(turn.then, Effect)
        turn = conversation.hear(EffectSucceeded(turn.then.id, {"order": {"number": "10473", "status": "placed"}}))
        assert "press two" in turn.say[-1].text


def _keys(conversation: Conversation, keys: str) -> Turn:
    return conversation.hear(TurnInput(keys=keys))


def _order_number(conversation: Conversation) -> str | None:
    return conversation.slots.get("order_number")


def _asks_whether_right(conversation: Conversation) -> bool:
    focus = conversation.snapshot()["state"]["focus"]
    return bool(focus["kind"] == "confirm")


@pytest.mark.parametrize("spoken", ["one oh four", "it's one oh four", "um one zero four", "a hundred and four"])
def test_digits_keyed_after_a_spoken_half_complete_the_number(spoken: str) -> None:
    conversation, turn = begin("where is my order", spoken)
    assert listening(turn).slot == "order_number"
    assert _order_number(conversation) is None
    turn = _keys(conversation, "73")
    assert (_order_number(conversation), listening(turn).slot) == ("10473", "postcode")


@pytest.mark.parametrize("spoken", ["seven three", "seventy three", "and then seven three"])
def test_a_half_spoken_after_keyed_digits_completes_the_number(spoken: str) -> None:
    conversation, _ = begin("where is my order")
    turn = _keys(conversation, "104")
    assert listening(turn).slot == "order_number"
    turn = conversation.hear(TurnInput(text=spoken))
    assert (_order_number(conversation), listening(turn).slot) == ("10473", "postcode")


def test_voice_keys_and_voice_again_make_one_number() -> None:
    conversation, _ = begin("where is my order", "one oh")
    _keys(conversation, "47")
    assert _order_number(conversation) is None
    conversation.hear(TurnInput(text="three"))
    assert _order_number(conversation) == "10473"


def test_a_whole_number_keyed_after_a_spoken_half_replaces_it() -> None:
    conversation, _ = begin("where is my order", "two oh five")
    _keys(conversation, "10473")
    assert _order_number(conversation) == "10473"


def test_a_zero_keyed_into_a_half_spoken_number_is_a_digit_and_no_person() -> None:
    conversation, _ = begin("where is my order", "one oh four seven")
    turn = _keys(conversation, "0")
    assert (_order_number(conversation), listening(turn).slot) == ("10470", "postcode")


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("no the last two are eight three", "10483"),
        ("the last one is five", "10475"),
        ("no it ends in seven four", "10474"),
        ("it starts with two oh", "20473"),
        ("no seven four", "10474"),
    ],
)
def test_a_correction_after_the_read_back_changes_what_it_names_and_is_read_back_itself(said: str, number: str) -> None:
    conversation, turn = begin("where is order one oh four seven three", said)
    assert _order_number(conversation) == number
    assert listening(turn).slot == "order_number"
    assert _asks_whether_right(conversation)


@pytest.mark.parametrize("said", ["twenty four fifty three", "one oh four seven three or one oh four seven four"])
def test_an_ambiguous_number_is_read_back_before_it_is_used(said: str) -> None:
    conversation, turn = begin("where is my order", said)
    assert listening(turn).slot == "order_number"
    assert _asks_whether_right(conversation)


def test_a_number_at_the_end_of_an_unexpected_sentence_is_read_back_only_where_it_was_asked_for() -> None:
    said = "i wrote it on the box one oh four seven three"
    conversation, _ = begin("where is my order", said)
    assert (_order_number(conversation), _asks_whether_right(conversation)) == ("10473", True)
    conversation, _ = begin(said)
    assert _order_number(conversation) is None


def test_a_threat_with_a_number_behind_it_still_brings_a_person() -> None:
    _, turn = begin("where is my order", "talk to my lawyer about one oh four seven three")
    assert isinstance(turn.then, HandOverAction)
    assert turn.then.reason == "legal"


@pytest.mark.parametrize("said", ["four", "oh", "nine", "four please", "uh four", "yeah four", "four four", "4"])
def test_a_digit_alone_after_a_read_back_is_no_correction(said: str) -> None:
    conversation, _ = begin("where is my order", "one oh seventy three")

    def number() -> str:
        return str(conversation.snapshot()["state"]["slots"]["order_number"]["value"])

    before = number()
    turn = conversation.hear(TurnInput(text=said))
    assert (number(), turn.understood) == (before, "")
    conversation.hear(TurnInput(text="no it ends in four"))
    assert number() != before


@pytest.mark.parametrize(
    ("said", "number"),
    [("fifteen", "10415"), ("ninety", "10490"), ("seven four", "10474"), ("10474", "10474"), ("1 0 4 7 4", "10474")],
)
def test_more_than_a_digit_after_a_read_back_corrects_the_number(said: str, number: str) -> None:
    conversation, _ = begin("where is my order", "i wrote it on the box one oh four seven three")
    assert _asks_whether_right(conversation)
    conversation.hear(TurnInput(text=said))
    assert _order_number(conversation) == number


@pytest.mark.parametrize(
    ("number_format", "said", "number", "asks"),
    [
        ("99|999", "fifty", "50", False),
        ("99|999", "fifteen", "15", False),
        ("99|999", "five", "15", True),
        ("9|99", "fifty", "50", False),
        ("9|99", "five", "5", True),
    ],
)
def test_a_short_number_after_a_read_back_is_a_whole_one_where_the_format_has_such(
    number_format: str, said: str, number: str, asks: bool
) -> None:
    pack = FlowPack.load(english_pack(), RENDER.filters, {"order_number": number_format})
    conversation = Conversation(pack, FACTS, RENDER)
    conversation.start()
    for text in ("where is my order", "i think it's one five"):
        conversation.hear(TurnInput(text=text))
    assert (_order_number(conversation), _asks_whether_right(conversation)) == ("15", True)
    conversation.hear(TurnInput(text=said))
    assert (_order_number(conversation), _asks_whether_right(conversation)) == (number, asks)
