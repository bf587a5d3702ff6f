"""Every step a conversation comes to is told, with the way on from it; every request, with what came of it."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest

from agent.dialog.contract import (
    Effect,
    EffectFailed,
    EffectSucceeded,
    Event,
    HandOverAction,
    HangUp,
    NoInput,
    QueueReport,
    Turn,
    TurnInput,
)
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.model.model import END, CollectStep, IfStep, LinkStep, ServiceCallStep, Step
from agent.dialog.pack.loader import FlowPack
from agent.dialog.tools.text_call_runner import play
from agent.dialog.turn_report import RequestProgress, StepTaken
from tests.dialog.pack.small_pack import load_small_pack
from tests.shipped_pack import RENDER, shipped_pack, shipped_text_calls

FACTS = CallFacts(now=datetime.fromisoformat("2026-11-23T10:00:00+00:00"), shop_name="Example Shop", call_id="c1")


class FollowedConversation(Conversation):
    """A conversation whose turns are kept."""

    __test__ = False
    kept: list[list[Turn]] = []  # noqa: RUF012 - the runner makes the conversations, the test reads them

    def start(self) -> Turn:
        self.kept.append([])
        return self._keep(super().start())

    def hear(self, event: Event) -> Turn:
        return self._keep(super().hear(event))

    def _keep(self, turn: Turn) -> Turn:
        self.kept[-1].append(turn)
        return turn


def trail_of(turns: Sequence[Turn]) -> list[StepTaken]:
    """Join what the turns tell into a trail, as the record does; only the last step may be open."""
    trail: list[StepTaken] = []
    for step in (step for turn in turns for step in turn.trail):
        if step.reached:
            assert not trail or trail[-1].way, f"{step} was reached while {trail[-1]} was open"
            trail.append(step)
        else:
            assert same_place(trail[-1], step), f"{step} was left, but {trail[-1]} was open"
            assert not trail[-1].way
            trail[-1] = step
    return trail


def same_place(one: StepTaken, other: StepTaken) -> bool:
    return (one.flow, one.step, one.kind) == (other.flow, other.step, other.kind)


def requests_of(turns: Sequence[Turn]) -> list[RequestProgress]:
    latest: dict[int, RequestProgress] = {}
    for told in (told for turn in turns for told in turn.requests):
        assert latest.get(told.number, told).result in ("", told.result), "what is over stays over"
        latest[told.number] = told
    return [latest[number] for number in sorted(latest)]


@cache
def all_calls() -> tuple[tuple[str, tuple[Turn, ...], tuple[str, ...]], ...]:
    """Return name, turns and reached steps of every call in text of the shipped pack."""
    found = []
    for located in shipped_text_calls():
        FollowedConversation.kept.clear()
        result = play(shipped_pack(), located, RENDER, FollowedConversation)
        (turns,) = FollowedConversation.kept
        found.append((result.name, tuple(turns), result.path))
    return tuple(found)


def step_of(pack: FlowPack, taken: StepTaken) -> tuple[Step, int]:
    steps = pack.flow(taken.flow).steps
    index = next(index for index in range(len(steps)) if pack.step_name(taken.flow, index) == taken.step)
    return steps[index], index


def target_of(pack: FlowPack, taken: StepTaken) -> str | None:
    """Return the one step a way leads to as ``flow.step``; None where it may lead to several."""
    step, index = step_of(pack, taken)
    following = step.next or index + 1
    if isinstance(step, LinkStep):
        return f"{step.link}.{pack.step_name(step.link, 0)}"
    if isinstance(step, IfStep):
        following = step.then if taken.way == "then" else step.else_ or following
    elif isinstance(step, ServiceCallStep) and taken.way.startswith("failed."):
        following = step.failed[taken.way.removeprefix("failed.")]
    elif isinstance(step, ServiceCallStep) and taken.way != "ok":
        return None
    elif isinstance(step, CollectStep):
        asks_for_anything = pack.slot(step.collect).type == "request"
        if taken.way not in ("answered", "known", "no_input", "no_match") or asks_for_anything:
            return None
    elif taken.kind in ("handover", "hangup"):
        return None
    if following == END:
        return None
    place = pack.step_index(taken.flow, following) if isinstance(following, str) else following
    return f"{taken.flow}.{pack.step_name(taken.flow, place)}" if place < len(pack.flow(taken.flow).steps) else None


def test_the_trail_holds_every_step_reached_in_the_order_of_the_procedures() -> None:
    pack = shipped_pack()
    for name, turns, path in all_calls():
        trail = trail_of(turns)
        assert list(dict.fromkeys(f"{step.flow}.{step.step}" for step in trail)) == list(path), name
        for taken, after in itertools.pairwise(trail):
            target = target_of(pack, taken)
            assert target in (None, f"{after.flow}.{after.step}"), f"{name}: {taken} did not lead to {after}"


def test_every_kind_of_step_is_left_by_each_of_its_ways() -> None:
    ways: dict[str, set[str]] = defaultdict(set)
    for _, turns, _ in all_calls():
        for taken in trail_of(turns):
            ways[taken.kind].add(taken.way.partition(".")[0])
    assert ways["if"] == {"then", "else"}
    assert ways["say"] == ways["set"] == ways["link"] == {"next"}
    assert ways["call"] >= {"ok", "failed"}
    assert ways["handover"] <= {"", "queue"}
    assert ways["hangup"] == {"", "stop_calling"}  # key 9 in the last words of a call that we placed
    asked = {
        "answered",
        "known",
        "interrupted",
        "cancelled",
        "corrected",
        "rejected",
        "person",
        "goodbye",
        "start_over",
    }
    assert ways["collect"] >= asked, asked - ways["collect"]


def test_only_a_call_that_ends_at_a_step_leaves_it_open() -> None:
    for name, turns, _ in all_calls():
        trail = trail_of(turns)
        if not trail:
            continue  # a callee whose machine answered, or who was not reached: no step was
        last = trail[-1]
        if isinstance(turns[-1].then, HangUp | HandOverAction):
            assert last.way or last.kind in ("hangup", "handover") or turns[-1].flow == "", (name, last)


def test_every_request_ends_in_a_result_when_the_agent_ends_the_call() -> None:
    results = set()
    for name, turns, _ in all_calls():
        requests = requests_of(turns)
        results |= {told.result for told in requests}
        if isinstance(turns[-1].then, HangUp) and turns[-1].trail:
            assert all(told.result for told in requests), name
    assert results >= {"answered", "cancelled", ""}


# --- single ways, on a small pack -----------------------------------------------------------------------


STEPS = """
entries: {queue_closed: closed}
flows:
  main:
    description: anything
    steps:
      - id: what
        collect: what
      - id: once_more
        collect: what
        force: yes
  closed:
    description: nobody is there
    steps:
      - id: sorry
        say: Nobody is there.
  fruit:
    description: about fruit
    triggers: fruit please
    keeps: {name: fruit, sure: sure, never: basket.size}
    forgets: [fruit, sure]
    steps:
      - id: which
        collect: fruit
      - id: buy
        call: shop.buy
        with: {name: fruit}
        failed: {sold_out.today: other, sold_out: which_again, otherwise: person}
      - id: sure
        collect: sure
        force: yes
        next: end
      - id: other
        say: None today.
        next: end
      - id: which_again
        set: {fruit: none}
        next: which
      - id: person
        handover: fruit_trouble
"""


@pytest.fixture
def small(tmp_path: Path) -> FlowPack:
    return load_small_pack(tmp_path, STEPS)


def hold(pack: FlowPack, *events: Event | str) -> Iterator[Turn]:
    conversation = Conversation(pack, FACTS, RENDER)
    turn = conversation.start()
    yield turn
    for event in events:
        if isinstance(turn.then, Effect) and isinstance(event, EffectSucceeded | EffectFailed):
            event = type(event)(turn.then.id, *list(vars(event).values())[1:])
        turn = conversation.hear(TurnInput(event) if isinstance(event, str) else event)
        yield turn


def told(*turns: Turn) -> list[str]:
    return [f"{step.flow}.{step.step} {step.way}".strip() for step in trail_of(turns)]


def test_a_failure_is_told_by_the_key_that_took_it(small: FlowPack) -> None:
    for failure, way, after in (
        (EffectFailed("", "sold_out", reason="today"), "failed.sold_out.today", "fruit.other next"),
        (EffectFailed("", "sold_out"), "failed.sold_out", "fruit.which_again next"),
        (EffectFailed("", "unavailable"), "failed.otherwise", "fruit.person"),
    ):
        turns = list(hold(small, "fruit please", "an apple", failure))
        assert [f"fruit.buy {way}", after] == told(*turns)[2:4]


def test_what_a_request_was_about_is_kept_although_the_flow_forgets_it(small: FlowPack) -> None:
    turns = list(hold(small, "fruit please", "an apple", EffectSucceeded(""), "yes"))
    (request,) = requests_of(turns)
    assert (request.intent, request.result) == ("fruit", "answered")
    assert request.about == {"name": "apple", "sure": "yes"}


def test_a_request_that_is_left_keeps_what_was_known(small: FlowPack) -> None:
    turns = list(hold(small, "fruit please", "an apple", EffectSucceeded(""), "cancel"))
    assert requests_of(turns)[0].result == "cancelled"
    assert requests_of(turns)[0].about == {"name": "apple"}
    assert "fruit.sure cancelled" in told(*turns)


def test_the_same_request_made_twice_is_told_twice(small: FlowPack) -> None:
    twice = ["fruit please", "an apple", EffectFailed("", "sold_out", reason="today")] * 2
    assert [one.result for one in requests_of(list(hold(small, *twice)))] == ["answered", "answered"]


def test_silence_and_what_is_not_understood_end_at_a_person_with_the_reason(small: FlowPack) -> None:
    for event, way in ((NoInput(5.0), "person.no_input"), (TurnInput("blah blah"), "person.no_match")):
        turns = list(hold(small, "fruit please", event, event, event))
        assert told(*turns)[-1] == f"fruit.which {way}"
        assert [turn.reading.result for turn in turns[2:] if turn.reading] == [way.partition(".")[2]] * 3


def test_nobody_there_is_a_way_on_from_a_hand_over(small: FlowPack) -> None:
    *turns, last = hold(
        small, "fruit please", "an apple", EffectFailed("", "unavailable"), QueueReport("closed", opens="")
    )
    assert told(*turns, last)[3:] == ["fruit.person queue.closed", "closed.sorry next"]
    assert requests_of([*turns, last])[0].result == "nobody_there"


def test_progress_survives_a_snapshot(small: FlowPack) -> None:
    whole = list(hold(small, "fruit please", "an apple", EffectSucceeded(""), "yes"))
    conversation = Conversation(small, FACTS, RENDER)
    turns = [conversation.start()]
    for event in ("fruit please", "an apple", None, "yes"):
        conversation = Conversation.restore(small, conversation.snapshot(), RENDER)
        then = turns[-1].then
        heard = TurnInput(event) if event is not None else EffectSucceeded(then.id if isinstance(then, Effect) else "")
        turns.append(conversation.hear(heard))
    assert told(*turns) == told(*whole)
    assert requests_of(turns) == requests_of(whole)


def test_a_snapshot_of_the_version_before_goes_on(small: FlowPack) -> None:
    conversation = Conversation(small, FACTS, RENDER)
    conversation.start()
    conversation.hear(TurnInput("fruit please"))
    kept = conversation.snapshot()
    for name in ("asked", "open_step"):
        del kept["state"][name]
    for frame in kept["state"]["frames"]:
        del frame["number"]
    turn = Conversation.restore(small, kept, RENDER).hear(TurnInput("an apple"))
    assert isinstance(turn.then, Effect)
    assert told(turn)[-1] == "fruit.buy"
