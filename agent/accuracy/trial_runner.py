"""Runs one trial: the caller speaks, the agent hears and answers, the caller repairs; returns the outcome."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from agent.accuracy.call_listener import CallListener, CallListenerFactory
from agent.accuracy.dialog_setup import READ_BACK_VALUE, CallInProgress, DialogProgress, DialogSetup, prompt_ids
from agent.accuracy.numbers import of_same_shape
from agent.accuracy.open_judgement import judge_open
from agent.accuracy.phone_line import frames, over_phone_line
from agent.accuracy.sound_files import read_span
from agent.accuracy.speakers import Speakers
from agent.accuracy.trial_types import (
    Ending,
    HeardUtterance,
    LineCondition,
    OpenDecision,
    Outcome,
    SpokenAnswer,
    Trial,
    TrialItem,
    TrialResult,
)
from agent.call.second_opinion import SecondOutcome
from agent.dialog.contract import NoInput, TurnInput
from agent.dialog.numbers.format import symbols_of
from agent.rehearsal.audio import Pcm, read_wav
from agent.rehearsal.cooperative_caller import reaction

MOST_SAYINGS = 6
"""A caller who was asked so often for one thing has had enough."""
MOST_ERRAND_SAYINGS = 14
KEYPAD_OFFERED = (".nomatch.2", ".nomatch.3")
"""Ids of the prompts that offer the keypad end like this: a slot's second failure."""


@dataclass
class _Caller:
    """One caller: what is known, what was said last, how often each thing was said."""

    item: TrialItem
    said: dict[str, int] = field(default_factory=dict)

    def words(self, standing: DialogProgress, prompts: Sequence[str], text: str) -> str:
        """Return what to say now; ``""`` when the agent asks for something this caller has no answer to."""
        answers = dict(self.item.answers)
        if standing.kind == "confirm" and standing.slot in answers:
            return "yes" if same_number(standing.values.get(standing.slot, ""), answers[standing.slot].value) else "no"
        if standing.kind == "confirm_request":
            return "yes" if "request" in answers and standing.asked_request == answers["request"].value else "no"
        wrong = self._read_back_wrong(standing)
        if wrong:
            return f"no, it's {answers[wrong].again}"
        if standing.slot in answers:
            return self._once_more(standing.slot, answers[standing.slot])
        return "" if reaction(prompts, text, "") != "again" else self._once_more(self.item.slot, self.item.answer)

    def _read_back_wrong(self, standing: DialogProgress) -> str:
        """The slot that was just repeated wrongly on the way to the next question, which a caller would put right."""
        if standing.kind != "collect" or standing.slot != "postcode" or "order_number" not in dict(self.item.answers):
            return ""
        value = standing.values.get("order_number", "")
        return "order_number" if value and not same_number(value, dict(self.item.answers)["order_number"].value) else ""

    def _once_more(self, slot: str, answer: SpokenAnswer) -> str:
        count = self.said.get(slot, 0)
        self.said[slot] = count + 1
        return answer.first if count == 0 else answer.again


class TrialRunner:
    """Tries items with one model. One at a time."""

    def __init__(
        self,
        runner: asyncio.Runner,
        stage: DialogSetup,
        listeners: CallListenerFactory,
        speakers: Speakers,
        model: str,
        own_numbers: int | None = None,
    ) -> None:
        """``own_numbers``: each caller's own numbers are the one spoken and so many made-up ones of the same shape."""
        self._runner = runner
        self.stage = stage
        self._listeners = listeners
        self._speakers = speakers
        self._model = model
        self._own_numbers = own_numbers
        self._talk: list[Pcm] = []

    def run(self, trial: Trial) -> TrialResult:
        """Try one item. Raises ``OrderlineError`` when it cannot be spoken or put on the line."""
        item = trial.item
        if item.kind in ("open", "open_foreign"):
            return self._open(trial)
        if item.once or item.kind in ("foreign", "yes_no", "meaning"):
            return self._once(trial)
        held = self._begin(item)
        caller, listener = _Caller(item), self._listeners.new()
        sayings: list[HeardUtterance] = []
        first: tuple[str, Outcome] = ("", "missed")
        keyed = False
        most = MOST_ERRAND_SAYINGS if item.errand else MOST_SAYINGS
        while not held.exchange.over and len(sayings) < most:
            standing = held.standing()
            if sayings and not item.errand and _settled(held, item):
                break
            words = caller.words(standing, prompt_ids(held.exchange), held.exchange.text)
            if not words:
                break
            offered = bool(sayings) and _offers_keys(held) and item.kind == "number" and standing.slot == item.slot
            if offered and not item.errand:
                keyed = True
                event: TurnInput | NoInput
                if item.answer.value.isdigit():
                    event = TurnInput(keys=symbols_of(item.answer.value))
                else:
                    event = self._hear(held, listener, trial, words, len(sayings))
            else:
                event = self._hear(held, listener, trial, words, len(sayings))
            held.give(event)
            sayings.append(_saying(words, event, held, standing.slot, listener.second))
            if len(sayings) == 1:
                first = judge_utterance(item, held, event)
        return _result(trial, self._model, first, _ending(item, held, sayings, first[1], keyed=keyed), sayings)

    def _once(self, trial: Trial) -> TrialResult:
        """Say one thing and look what it was taken for: what follows is no repair."""
        item = trial.item
        held = self._begin(item)
        asked, listener = held.standing().slot, self._listeners.new()
        event = self._hear(held, listener, trial, item.answer.first, 0)
        held.give(event)
        got, outcome = judge_utterance(item, held, event)
        ending: Ending = "first_try" if outcome in ("taken", "asked") else "wrong" if outcome == "wrong" else "lost"
        return _result(
            trial,
            self._model,
            (got, outcome),
            ending,
            [_saying(item.answer.first, event, held, asked, listener.second)],
        )

    def _begin(self, item: TrialItem) -> CallInProgress:
        held = self.stage.at(item.question)
        if self._own_numbers is not None and item.kind == "number":
            value = symbols_of(item.answer.value)
            held.conversation.learn({item.slot: [value, *of_same_shape(value, self._own_numbers)]})
        return held

    def _open(self, trial: Trial) -> TrialResult:
        """Say one open request and ask what it was taken for."""
        item = trial.item
        held = self.stage.at(item.question, self._model)
        listener = self._listeners.new()
        event = self._hear(held, listener, trial, item.answer.first, 0)
        nothing = OpenDecision("again", "", 0.0)
        told = nothing if isinstance(event, NoInput) else self.stage.decide(event, self._model)
        outcome = judge_open(item.answer.value, told)
        ending: Ending = "first_try" if outcome in ("taken", "asked") else "wrong" if outcome == "wrong" else "lost"
        said = _saying(item.answer.first, event, held, "request", listener.second)
        result = _result(trial, self._model, (told.meaning, outcome), ending, [said])
        return replace(result, open_decision=told)

    def _hear(
        self, held: CallInProgress, listener: CallListener, trial: Trial, words: str, count: int
    ) -> TurnInput | NoInput:
        line = self.line(trial, words, count)
        listen = held.listen
        conversation = held.conversation
        return self._runner.run(listener.hear(listen, conversation.completeness, frames(line), conversation))

    def line(self, trial: Trial, words: str, count: int = 0) -> Pcm:
        """Return the ``count``-th saying as it arrives at the agent's end of the line."""
        item, condition = trial.item, trial.condition
        seed = trial.seed + 101 * count
        if item.file is not None and (count == 0 or words == item.answer.first):
            speech = read_wav(item.file) if item.span is None else read_span(item.file, *item.span)
        else:
            speech = self._speakers.say(self._voice(item, words), words, speed=condition.speed, seed=seed)
        return over_phone_line(speech, condition, seed, self._talking(condition))

    def _voice(self, item: TrialItem, words: str) -> str:
        """What of a recorded speaker there is no recording of is said by another voice of the same line."""
        if item.file is not None:
            return STAND_IN
        return item.speaker if self._speakers.can_say(item.speaker, words) else STAND_IN

    def _talking(self, condition: LineCondition) -> list[Pcm]:
        if condition.noise != "babble":
            return []
        if not self._talk:
            self._talk = [self._speakers.say(voice, text) for voice, text in _TALK]
        return self._talk


NOTHING = ("", "nothing", "silence")
"""What the dialog writes where nothing was understood."""
STAND_IN = "hibari"
"""Says "yes", "no" and the like for speakers of whom only digits are recorded."""

_TALK = (
    ("hibari", "we went down to the harbor on Sunday and the weather was much better than they had said it would be"),
    ("joe", "so I told her that the meeting has been moved to Thursday and nobody had heard a word about it"),
    ("espeak:en-us+f3", "the children are at their grandmother's place until the end of the month as far as I know"),
    ("espeak:en-gb", "and then the man at the counter asked me whether I wanted the large one or the small one"),
    ("hibari", "can you pass me the salt please and could somebody finally open a window in here"),
    ("joe", "they won three to two last night although they had been behind until the very last minute"),
)


def seed_of(*parts: str) -> int:
    """Return the same number for the same parts on every machine."""
    return int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:4], "big") % 2**31


def same_number(one: str, other: str) -> bool:
    """True for the same number, however it is written."""
    return symbols_of(one).upper() == symbols_of(other).upper()


def judge_utterance(item: TrialItem, held: CallInProgress, event: TurnInput | NoInput) -> tuple[str, Outcome]:
    """Return what the saying just handed in was taken for, and what that is worth."""
    understood = held.exchange.understood
    if isinstance(event, NoInput) or understood in NOTHING:
        return "", "missed"
    standing = held.standing()
    if item.kind == "meaning":
        asked = standing.kind.startswith("confirm")
        right = understood == item.answer.value
        return understood, ("asked" if asked else "taken") if right else ("wrong_asked" if asked else "wrong")
    if item.kind == "foreign":
        return understood, "wrong_asked" if standing.kind.startswith("confirm") else "wrong"
    return _JUDGES[item.kind](item, understood, standing)


def _judge_number(item: TrialItem, understood: str, standing: DialogProgress) -> tuple[str, Outcome]:
    value = _value(item, understood, standing)
    if value is None:
        return understood, "wrong"
    if value.endswith("..."):
        return value, "part"
    if same_number(value, item.answer.value):
        return value, "asked" if item.slot in standing.doubts else "taken"
    return value, "wrong_asked" if item.slot in standing.doubts else "wrong"


def _judge_request(item: TrialItem, understood: str, standing: DialogProgress) -> tuple[str, Outcome]:
    got = understood.removeprefix("request=").split(" ", 1)[0]
    asked = standing.kind == "confirm_request"
    right = item.answer.value in (got, *understood.split())
    return got, ("asked" if asked else "taken") if right else ("wrong_asked" if asked else "wrong")


def _judge_choice(item: TrialItem, understood: str, standing: DialogProgress) -> tuple[str, Outcome]:
    value = _value(item, understood, standing)
    if value is None:
        return understood, "wrong"
    return value, "taken" if value == item.answer.value else "wrong"


def _value(item: TrialItem, understood: str, standing: DialogProgress) -> str | None:
    """Return what the slot was filled with, None for nothing.

    What has been dealt with, or does not belong together (a postcode of another order), is forgotten again at once:
    what was understood still tells.
    """
    said = dict(pair.split("=", 1) for pair in understood.split(" ") if "=" in pair)
    return standing.values.get(item.slot, said.get(item.slot))


def _judge_yes_no(item: TrialItem, understood: str, standing: DialogProgress) -> tuple[str, Outcome]:
    if understood == f"order_number={READ_BACK_VALUE}":
        got = "yes"
    elif understood == "order_number is wrong":
        got = "no"
    else:
        got = understood
    if got == item.answer.value:
        return got, "taken"
    return got, "wrong_asked" if standing.kind == "confirm" else "wrong"


_JUDGES: dict[str, Callable[[TrialItem, str, DialogProgress], tuple[str, Outcome]]] = {
    "number": _judge_number,
    "request": _judge_request,
    "choice": _judge_choice,
    "yes_no": _judge_yes_no,
}


def _settled(held: CallInProgress, item: TrialItem) -> bool:
    """True when the judged slot stands and nothing about it is open any more."""
    standing = held.standing()
    if item.kind == "request":
        return bool(standing.requests) and standing.kind != "confirm_request"
    if item.slot not in standing.values or item.slot in standing.doubts:
        return False
    right = same_number(standing.values[item.slot], item.answer.value)
    # a number repeated on the way to the next question can still be put right there
    return right or not (item.slot == "order_number" and standing.slot == "postcode")


def _ending(
    item: TrialItem, held: CallInProgress, sayings: Sequence[HeardUtterance], first: Outcome, *, keyed: bool
) -> Ending:
    standing, outcome = held.standing(), held.exchange.outcome
    if item.kind in ("request", "choice") and not item.errand and first == "taken":
        return "first_try"  # what ends a flow ("it's been used") stands nowhere any more
    if outcome == "handed_over":
        return "person"
    if item.errand:
        done = all(same_number(standing.values.get(slot, ""), answer.value) for slot, answer in item.answers[1:])
        done = done and standing.slot == "another" and item.answer.value in standing.requests
        plain = len(sayings) == len(item.answers)
        return "lost" if not done else "first_try" if plain else "repaired"
    if item.kind == "request":
        right = item.answer.value in standing.requests or any(
            item.answer.value == saying.understood.removeprefix("request=").split(" ", 1)[0] for saying in sayings[-1:]
        )
    else:
        right = same_number(standing.values.get(item.slot, ""), item.answer.value)
    if not right:
        return "wrong" if _settled(held, item) else "lost"
    if first in ("taken", "asked"):
        return "first_try"
    return "keypad" if keyed else "repaired"


def _offers_keys(held: CallInProgress) -> bool:
    return any(prompt.endswith(KEYPAD_OFFERED) for prompt in prompt_ids(held.exchange))


def _saying(
    words: str, event: TurnInput | NoInput, held: CallInProgress, slot: str, second: SecondOutcome = ""
) -> HeardUtterance:
    if isinstance(event, NoInput):
        return HeardUtterance(words, "", 0.0, 0.0, held.exchange.understood, slot)
    weakest = min((word.confidence for word in event.words), default=1.0)
    heard = event.keys or event.text
    confidence = round(event.confidence, 3)
    return HeardUtterance(words, heard, confidence, round(weakest, 3), held.exchange.understood, slot, second)


def _result(
    trial: Trial, model: str, first: tuple[str, Outcome], ending: Ending, sayings: Sequence[HeardUtterance]
) -> TrialResult:
    item, condition = trial.item, trial.condition
    return TrialResult(
        item.id, item.lot, item.kind, item.speaker, item.question, condition.name, condition.sweep, model,
        item.answer.value, first[0], first[1], ending, tuple(sayings),
    )  # fmt: skip


def trials_under_condition(items: Sequence[TrialItem], condition: LineCondition) -> Iterator[Trial]:
    """Yield the trials of some items under one condition; the same item has the same seed under every condition."""
    for item in items:
        yield Trial(item, condition, seed_of(item.id, item.speaker))


__all__ = ["NOTHING", "TrialRunner", "judge_utterance", "same_number", "seed_of", "trials_under_condition"]
