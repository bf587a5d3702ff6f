"""Choices, days, knowledge and several facts in one sentence, in a small pack of their own."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialog.contract import (
    Completeness,
    Effect,
    EffectFailed,
    EffectSucceeded,
    HandOverAction,
    HangUp,
    Listen,
    NoInput,
    Turn,
    TurnInput,
    Word,
)
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.errors import DialogError, FlowError
from agent.dialog.grammar.choices import Option, options_from, spoken_choices, unique_namings
from agent.dialog.grammar.spoken_dates import day_options
from agent.dialog.model.model import ChoicesFrom
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from agent.languages.en import LANGUAGE as ENGLISH
from agent.speech.wording import filters

RENDER = SandboxRenderer(filters)
MONDAY = dt.datetime.fromisoformat("2026-11-23T10:00:00+00:00")
ENGINE_PROMPTS = "\n".join(
    f"  {name}: {text}"
    for name, text in {
        "ask_again": "Sorry.",
        "back_to": "Now back.",
        "cancelled": "Left it.",
        "confirm_number": "'I heard {{ value | groups }}?'",
        "confirm_request": "'You mean {{ request }}?'",
        "corrected": "Sorry.",
        "go_on": "Go on.",
        "goodbye": "Bye.",
        "handover": "A person.",
        "handover_summary": "'{{ reason }}: {{ failure.reason }}'",
        "help": "Help.",
        "not_that": "Not that.",
        "start_over": "Again.",
        "still_there": "Here.",
        "wait": "Sure.",
        "silence": "Hello.",
        "again": "What.",
    }.items()
)
PACK = """
language: en
start: main
defaults: {noinput: [silence, silence], nomatch: [again, again]}
variables: {items: none}
answers: {"yes": [yes], "no": [no]}
commands: {repeat: [repeat that], agent: [an agent]}
services:
  goods.list: {arguments: [number], failures: [not_allowed, unavailable]}
  goods.take: {arguments: [number, item, why, state], optional: [day], failures: [not_allowed, unavailable]}
slots:
  request: {type: request, prompt: "How can I help?"}
  order_number:
    type: number
    format: "99999"
    prompt: "Which order?"
    phrases: ["{order_number}", "order {order_number} [and] zip {postcode}"]
    choices: {unknown: [i don't have it]}
  postcode: {type: number, format: "99999", prompt: "And the zip?"}
  item:
    type: choice
    choices_from: {list: items, value: sku, name: name}
    choices: {all: [both, all of them]}
    prompt: "Which one: {{ options | listing('or') }}?"
    nomatch: ["Say {{ options | listing('or') }}.", again]
    phrases: ["{item} [because it's] {why}"]
  why:
    type: choice
    prompt: "Why?"
    choices: {size: [(too small | too big)], broken: [broken]}
    phrases: ["{why} and [it's] {state}"]
  state: {type: choice, prompt: "Opened?", choices: {worn: [worn], new: [unopened]}}
  day: {type: date, prompt: "Which day?"}
  promotion: {type: choice, choices_from: promotions, prompt: "Which offer?"}
  topic: {type: choice, choices_from: answers, prompt: "About what?"}
prompts:
ENGINE_PROMPTS
knowledge:
  answers:
    hours: {ask: ["(when | what time) do you open", opening hours], says: "From nine to six, {{ shop }}."}
    gifts: {ask: [gift wrapping], says: We wrap for free.}
  promotions:
    autumn: {name: the autumn sale, code: AUTUMN20, spoken: [autumn twenty, the autumn sale], ends: 2026-10-31,
             minimum: 50, tiers: gold, once: true, says: "Twenty percent off until {{ promotions.autumn.ends }}."}
flows:
  main:
    description: the call
    steps:
      - {id: ask, collect: request, force: true}
      - {if: items != 'never', then: ask}
  send_back:
    description: to send back
    triggers:
      - send it back
      - "send back order {order_number}"
      - "send back order {order_number} {why}"
      - "send back order {order_number} zip {postcode}"
    steps:
      - collect: order_number
      - collect: postcode
      - {id: list, call: goods.list, with: {number: order_number}, save: {items: result.items}}
      - collect: item
      - collect: why
      - collect: state
      - id: take
        call: goods.take
        with: {number: order_number, item: item, why: why, state: state}
        failed: {not_allowed.window_over: late, not_allowed: refused, otherwise: again}
      - {say: "Taken {{ item }}.", next: end}
      - {id: late, say: "Too late for {{ item }}.", next: end}
      - {id: refused, handover: refused}
      - {id: again, if: "failure.code in ('unavailable', 'timed_out')", then: take, else: refused}
  change_day:
    description: another day
    triggers: [another day]
    steps:
      - collect: day
      - {say: "{{ day }} it is."}
  question:
    description: a question
    triggers: ["{topic}"]
    steps:
      - {say: knowledge.answer}
  offer:
    description: an offer
    triggers: ["what about {promotion}", "my code"]
    steps:
      - collect: promotion
      - {say: knowledge.promotion}
      - {say: "{{ promotions[promotion].minimum }} {{ promotions[promotion].tiers | join }}"}
""".replace("ENGINE_PROMPTS", ENGINE_PROMPTS)
GOODS = [
    {"sku": "L1", "name": "Brass Desk Lamp"},
    {"sku": "M2", "name": "Stoneware Mug"},
    {"sku": "T3", "name": "Tall Mug"},
]


def load(directory: Path, text: str = PACK) -> FlowPack:
    (directory / "pack.yaml").write_text(text, encoding="utf-8")
    return FlowPack.load(directory, RENDER.filters)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> FlowPack:
    return load(tmp_path_factory.mktemp("pack"))


def begin(pack: FlowPack, *said: str) -> tuple[Conversation, Turn]:
    conversation = Conversation(pack, CallFacts(now=MONDAY, shop_name="Example Shop", call_id="c7"), RENDER)
    turn = conversation.start()
    for text in said:
        turn = hear(conversation, text)
    return conversation, turn


def hear(conversation: Conversation, text: str, confidence: float = 1.0) -> Turn:
    words = tuple(Word(word, confidence) for word in text.split())
    return conversation.hear(TurnInput(text=text, words=words))


def effect(turn: Turn) -> Effect:
    assert isinstance(turn.then, Effect)
    return turn.then


def words(turn: Turn) -> str:
    return " ".join(prompt.text for prompt in turn.say)


def asked_for_item(pack: FlowPack) -> tuple[Conversation, Turn]:
    conversation, turn = begin(pack, "send back order one oh four seven three zip six oh six one four")
    assert effect(turn).name == "goods.list"
    return conversation, conversation.hear(EffectSucceeded(effect(turn).id, {"items": GOODS}))


# --- choices from data --------------------------------------------------------------------------------


def test_the_question_names_what_there_is_to_choose(pack: FlowPack) -> None:
    _, turn = asked_for_item(pack)
    assert words(turn) == "Which one: Brass Desk Lamp, Stoneware Mug or Tall Mug?"


@pytest.mark.parametrize(
    ("said", "sku"),
    [
        ("the brass desk lamp", "L1"),
        ("the lamp", "L1"),
        ("my desk lamp", "L1"),
        ("it's the lamp", "L1"),
        ("stoneware mug", "M2"),
        ("the stoneware one", "M2"),
        ("the tall mug", "T3"),
        ("the first one", "L1"),
        ("number two", "M2"),
        ("the last one", "T3"),
        ("third", "T3"),
        ("both", "all"),
    ],
)
def test_an_item_is_chosen_by_its_name_or_its_end_or_its_place(pack: FlowPack, said: str, sku: str) -> None:
    conversation, _ = asked_for_item(pack)
    hear(conversation, said)
    assert conversation.slots["item"] == sku


def test_a_name_that_two_items_share_chooses_neither(pack: FlowPack) -> None:
    conversation, _ = asked_for_item(pack)
    turn = hear(conversation, "the mug")
    assert "item" not in conversation.slots
    assert words(turn) == "Say Brass Desk Lamp, Stoneware Mug or Tall Mug."


def test_the_key_of_an_item_is_its_place_and_a_key_too_far_is_not_understood(pack: FlowPack) -> None:
    conversation, _ = asked_for_item(pack)
    conversation.hear(TurnInput(keys="4"))
    assert "item" not in conversation.slots
    conversation.hear(TurnInput(keys="2"))
    assert conversation.slots["item"] == "M2"


def test_a_choice_heard_badly_is_asked_again(pack: FlowPack) -> None:
    conversation, _ = asked_for_item(pack)
    hear(conversation, "the lamp", confidence=0.4)
    assert "item" not in conversation.slots


def test_items_of_this_call_are_in_the_recognisers_phrases_and_complete_at_once(pack: FlowPack) -> None:
    conversation, turn = asked_for_item(pack)
    assert isinstance(turn.then, Listen)
    assert {"the lamp", "tall mug", "the first one"} <= set(turn.then.phrases)
    assert "the mug" not in turn.then.phrases
    assert conversation.completeness("the tall mug") in (Completeness.COMPLETE, Completeness.LIKELY)


def test_a_conversation_moves_to_another_process_in_the_middle_of_such_a_question(pack: FlowPack) -> None:
    conversation, _ = asked_for_item(pack)
    other = Conversation.restore(pack, conversation.snapshot(), RENDER)
    assert words(other.resume()) == "Which one: Brass Desk Lamp, Stoneware Mug or Tall Mug?"
    hear(other, "the tall mug")
    assert other.slots["item"] == "T3"


def test_a_back_office_that_sends_no_list_brings_a_person(pack: FlowPack) -> None:
    conversation, turn = begin(pack, "send back order one oh four seven three zip six oh six one four")
    turn = conversation.hear(EffectSucceeded(effect(turn).id, {"items": "everything"}))
    assert isinstance(turn.then, HandOverAction)
    assert turn.then.reason == "fault"


def test_entries_without_a_value_are_left_out_and_a_value_counts_once() -> None:
    source = ChoicesFrom(list="x", value="sku", name="name")
    listed = [{"name": "No number"}, {"sku": "A"}, {"sku": "A", "name": "Again"}, {"sku": 7, "name": "Seven"}, None]
    assert options_from(source, listed) == (Option("A", "A"), Option("7", "Seven"))
    assert options_from(source, None) == ()
    with pytest.raises(DialogError, match="is no list"):
        options_from(source, {"a": 1})


@given(st.lists(st.text(max_size=40), max_size=8))
def test_no_two_options_are_ever_called_the_same(names: list[str]) -> None:
    options = [Option(str(index), name) for index, name in enumerate(names)]
    meanings: dict[tuple[str, ...], set[str]] = {}
    for value, said in spoken_choices(options, ENGLISH.choices):
        meanings.setdefault(said, set()).add(value)
    assert all(len(values) == 1 for values in meanings.values())


def test_a_thing_is_also_called_by_what_stands_before_its_details() -> None:
    (_, case), _ = unique_namings([Option("1", "Case for Two Bottles"), Option("2", "Lamp")], ENGLISH.choices)
    assert ("case",) in case
    assert ("bottles",) not in case


# --- days ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("tomorrow", "2026-11-24"),
        ("the day after tomorrow", "2026-11-25"),
        ("friday", "2026-11-27"),
        ("on friday", "2026-11-27"),
        ("monday", "2026-11-30"),
        ("next monday", "2026-11-30"),
        ("next friday", "2026-12-04"),
        ("friday next week", "2026-12-04"),
        ("the twelfth", "2026-12-12"),
        ("december the twelfth", "2026-12-12"),
        ("saturday the twelfth", "2026-12-12"),
        ("the thirtieth of november", "2026-11-30"),
        ("in three days", "2026-11-26"),
        ("in a week", "2026-11-30"),
    ],
)
def test_a_day_is_understood_as_people_name_it(pack: FlowPack, said: str, day: str) -> None:
    conversation, turn = begin(pack, "another day", said)
    assert words(turn).startswith(f"{day} it is.")
    assert conversation.slots["day"] == day


@given(st.dates(min_value=dt.date(2024, 1, 1), max_value=dt.date(2030, 1, 1)), st.integers(1, 60))
def test_no_way_of_naming_a_day_stands_for_two_days(today: dt.date, ahead: int) -> None:
    options = day_options(today, ahead, ENGLISH.days)
    said = [way for option in options for way in option.phrases]
    assert len(said) == len(set(said))
    assert [option.value for option in options] == [(today + dt.timedelta(n)).isoformat() for n in range(1, ahead + 1)]


# --- several facts in one sentence ----------------------------------------------------------------------


def test_two_numbers_in_the_request_are_both_kept(pack: FlowPack) -> None:
    conversation, turn = begin(pack, "send back order ten four seventy three zip six oh six one four")
    assert conversation.slots["order_number"] == "10473"
    assert conversation.slots["postcode"] == "60614"
    assert effect(turn).arguments == {"number": "10473"}


def test_two_numbers_in_the_answer_are_both_kept(pack: FlowPack) -> None:
    conversation, _ = begin(pack, "send it back", "order one oh four seven three and zip six oh six one four")
    assert conversation.slots == {"request": "send_back", "order_number": "10473", "postcode": "60614"}


def test_half_of_two_numbers_is_no_answer(pack: FlowPack) -> None:
    conversation, _ = begin(pack, "send it back", "order one oh four seven three and zip six oh")
    assert "postcode" not in conversation.slots


def test_a_number_and_a_reason_in_the_request_are_both_kept(pack: FlowPack) -> None:
    conversation, _ = begin(pack, "send back order one oh four seven three too small")
    assert conversation.slots["why"] == "size"
    assert conversation.slots["order_number"] == "10473"


def test_an_answer_may_hold_the_next_answer_too(pack: FlowPack) -> None:
    conversation, _ = asked_for_item(pack)
    hear(conversation, "the lamp because it's too small")
    assert (conversation.slots["item"], conversation.slots["why"]) == ("L1", "size")
    conversation, _ = asked_for_item(pack)
    hear(conversation, "the lamp")
    hear(conversation, "too big and it's worn")
    assert (conversation.slots["why"], conversation.slots["state"]) == ("size", "worn")


def test_a_caller_without_the_number_can_say_so(pack: FlowPack) -> None:
    conversation, _ = begin(pack, "send it back", "i don't have it")
    assert conversation.slots["order_number"] == "unknown"


# --- failures and keys ----------------------------------------------------------------------------------


def asked_for_taking(pack: FlowPack) -> tuple[Conversation, Turn]:
    conversation, _ = asked_for_item(pack)
    hear(conversation, "the lamp")
    return conversation, hear(conversation, "broken and unopened")


def test_a_refusal_goes_where_its_reason_says(pack: FlowPack) -> None:
    conversation, turn = asked_for_taking(pack)
    turn = conversation.hear(EffectFailed(effect(turn).id, "not_allowed", reason="window_over"))
    assert words(turn).startswith("Too late for L1.")


def test_a_refusal_without_a_step_for_its_reason_goes_where_its_code_says(pack: FlowPack) -> None:
    conversation, turn = asked_for_taking(pack)
    turn = conversation.hear(EffectFailed(effect(turn).id, "not_allowed", reason="something_else"))
    assert isinstance(turn.then, HandOverAction)
    assert turn.then.summary == "refused: something_else"


def test_the_same_act_tried_again_has_the_same_key_and_another_request_another(pack: FlowPack) -> None:
    conversation, turn = asked_for_taking(pack)
    first = effect(turn)
    again = effect(conversation.hear(EffectFailed(first.id, "unavailable")))
    assert again.id != first.id
    assert again.key == first.key
    conversation.hear(EffectSucceeded(again.id))
    turn = hear(conversation, "send it back")
    turn = conversation.hear(EffectSucceeded(effect(turn).id, {"items": GOODS}))
    later = effect(turn)
    assert later.arguments == first.arguments
    assert later.key != first.key


# --- the knowledge file -----------------------------------------------------------------------------------


def test_a_question_is_answered_from_the_knowledge_file_in_the_middle_of_something(pack: FlowPack) -> None:
    _, turn = begin(pack, "send it back", "what time do you open")
    assert words(turn) == "From nine to six, Example Shop. Now back. Which order?"


def test_a_promotion_is_named_or_asked_for(pack: FlowPack) -> None:
    _, turn = begin(pack, "what about autumn twenty")
    assert words(turn).startswith("Twenty percent off until 2026-10-31. 50.0 gold")
    _, turn = begin(pack, "my code", "the autumn sale")
    assert "Twenty percent off" in words(turn)


def test_an_edited_answer_counts_from_the_next_call_on(pack: FlowPack, tmp_path: Path) -> None:
    present, _ = begin(pack)
    edited = load(tmp_path, PACK.replace("We wrap for free.", "Wrapping is two dollars."))
    assert edited.fingerprint != pack.fingerprint
    assert words(hear(present, "gift wrapping")).startswith("We wrap for free.")
    _, turn = begin(edited, "gift wrapping")
    assert words(turn).startswith("Wrapping is two dollars.")


@pytest.mark.parametrize(
    ("before", "after", "key", "message"),
    [
        ("says: We wrap for free.", "says: 'We wrap {{ nonsense }}.'", "knowledge.answers.gifts.says", "nonsense"),
        ("ask: [gift wrapping]", "ask: ['gift (wrapping']", "knowledge.answers.gifts.ask", "template"),
        ("minimum: 50", "minimum: lots", "knowledge.promotions.autumn.minimum", "number"),
        ("once: true", "twice: true", "knowledge.promotions.autumn.twice", "no key"),
        ("list: items,", "list: nothing_here,", "slots.item.choices_from", "nothing_here"),
        ('zip {postcode}"]', '{postcode}"]', "slots.order_number.phrases", "a word between"),
    ],
)
def test_mistakes_in_these_places_are_found(tmp_path: Path, before: str, after: str, key: str, message: str) -> None:
    assert before in PACK
    with pytest.raises(FlowError) as caught:
        load(tmp_path, PACK.replace(before, after))
    assert any(key in str(finding) and message in str(finding) for finding in caught.value.findings), caught.value


# --- giving up --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("give_up", "outcome"),
    [("", "handed_over"), ("give_up: {noinput: goodbye}", "answered"), ("give_up: {noinput: person}", "handed_over")],
)
def test_after_the_last_silence_the_slot_says_what_happens(tmp_path: Path, give_up: str, outcome: str) -> None:
    asks = 'request: {type: request, prompt: "How can I help?"'
    pack = load(tmp_path, PACK.replace(f"{asks}}}", f"{asks}{', ' if give_up else ''}{give_up}}}"))
    conversation, _ = begin(pack)
    for _ in range(3):
        turn = conversation.hear(NoInput(5.0))
    ended = turn.then
    assert (ended.outcome if isinstance(ended, HangUp) else "handed_over") == outcome


def test_a_silence_may_stand_for_an_answer(tmp_path: Path) -> None:
    pack = load(tmp_path, PACK.replace("state: {type: choice,", "state: {type: choice, give_up: {noinput: new},"))
    conversation, _ = asked_for_item(pack)
    hear(conversation, "the lamp because it's too small")
    for _ in range(3):
        turn = conversation.hear(NoInput(5.0))
    assert conversation.slots["state"] == "new"
    assert effect(turn).arguments["state"] == "new"


def test_giving_up_into_nowhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match="no value or ending 'nwe'; did you mean 'new'"):
        load(tmp_path, PACK.replace("state: {type: choice,", "state: {type: choice, give_up: {noinput: nwe},"))
