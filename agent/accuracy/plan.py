"""Plans the trials of a measurement: items, speakers and line conditions, full or quick. Deterministic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, cast

import yaml

from agent.accuracy import numbers
from agent.accuracy.dialog_setup import LETTERS, READ_BACK_VALUE
from agent.accuracy.noise import KINDS
from agent.accuracy.open_requests import open_trials
from agent.accuracy.trial_runner import seed_of, trials_under_condition
from agent.accuracy.trial_types import Kind, LineCondition, SpokenAnswer, Trial, TrialItem
from agent.shop.demo.fixed_data import FIXED_ORDERS

DIGITS, WAYS = "order number, digit by digit", "order number, other ways"
POSTCODE, PHONE = "postcode", "phone number"
LETTERS_PLAIN, LETTERS_ALPHABET = "order number with letters, spelt", "order number with letters, alphabet"
REQUEST, YES_NO, CHOICE = "request", "yes or no", "choice"
FOREIGN, ERRAND = "not for the agent", "errand: where is my order"
SWEEP_VOICES = ("flite:rms", "flite:slt", "joe")
"""Speakers of the comparisons; the shipped weights were not trained on them in their final stage."""


_ERRANDS = frozenset({"10473", "15862", "26408", "33944", "64350", "85512"})


@dataclass(frozen=True)
class PlanSize:
    """How much is tried."""

    numbers: int
    """Of each kind, for each speaker."""
    sweep_numbers: int
    sweep_requests: int
    foreign: int
    errands: int
    snrs_db: tuple[float, ...]
    losses: tuple[float, ...]
    speeds: tuple[float, ...]
    codecs: tuple[str, ...]
    levels_dbfs: tuple[float, ...]
    open_every: int
    """One in so many of the open requests."""


FULL = PlanSize(
    numbers=6,
    sweep_numbers=4,
    sweep_requests=3,
    foreign=25,
    errands=3,
    snrs_db=(20, 10, 5),
    losses=(0.01, 0.02, 0.05, 0.10),
    speeds=(0.8, 1.2, 1.4),
    codecs=("alaw", "g722", "gsm", "amr"),
    levels_dbfs=(-40, -50),
    open_every=1,
)
QUICK = PlanSize(
    numbers=2,
    sweep_numbers=2,
    sweep_requests=1,
    foreign=5,
    errands=1,
    snrs_db=(10,),
    losses=(0.05,),
    speeds=(1.4,),
    codecs=("gsm", "g722"),
    levels_dbfs=(-40,),
    open_every=7,
)


def conditions(size: PlanSize) -> Iterator[LineCondition]:
    """Yield what is compared with the clean line, each sweep in order."""
    for speed in size.speeds:
        yield LineCondition(f"speed {speed:g}", "speed", speed=speed)
    for kind in KINDS:
        for snr in size.snrs_db:
            yield LineCondition(f"{kind} {snr:g} dB", f"noise: {kind}", noise=kind, snr_db=snr)
    for codec in size.codecs:
        yield LineCondition(codec, "codec", codec=codec)
    for loss in size.losses:
        yield LineCondition(f"loss {loss:.0%}", "loss", loss=loss)
    for loss in size.losses[-1:]:
        yield LineCondition(f"loss {loss:.0%} in rows of 3", "loss in rows", loss=loss, burst=3.0)
    for level in size.levels_dbfs:
        yield LineCondition(f"{level:g} dBFS", "level", level_dbfs=level)


def trials(
    size: PlanSize, voices: Sequence[str], digit_speakers: Sequence[str], open_voices: Sequence[str] = ()
) -> list[Trial]:
    """Return everything to try. ``digit_speakers`` are recorded: they say numbers and nothing else.

    ``open_voices`` say the open requests, and nothing else unless they are among ``voices``.
    """
    said = sentences()
    clean = LineCondition()
    found: list[Trial] = []
    for voice in voices:
        found += trials_under_condition([*number_items(voice, size.numbers), *sentence_items(voice, said, size)], clean)
    for voice in digit_speakers:
        found += trials_under_condition(digit_items(voice, size.numbers), clean)
    there = [voice for voice in SWEEP_VOICES if voice in voices]
    swept = [item for voice in there for item in sweep_items(voice, said, size)]
    people = [item for voice in digit_speakers for item in digit_items(voice, size.numbers)[: size.sweep_numbers // 2]]
    for condition in conditions(size):
        found += trials_under_condition(swept if condition.sweep == "speed" else [*swept, *people], condition)
    found += trials_under_condition(foreign_items([*there[:1], "hibari"], said, size), clean)
    errands = [item for voice in voices for item in errand_items(voice, size.errands)]
    found += trials_under_condition(errands, clean)
    for condition in (
        LineCondition("street 15 dB", "errand", noise="street", snr_db=15),
        LineCondition("babble 15 dB", "errand", noise="babble", snr_db=15),
        LineCondition("gsm, loss 5%", "errand", codec="gsm", loss=0.05),
    ):
        found += trials_under_condition([item for item in errands if item.speaker in there], condition)
    return found + open_trials(open_voices, size.open_every)


def number_items(voice: str, count: int) -> list[TrialItem]:
    """Return the numbers that one speaker says."""
    items = digit_items(voice, count)
    for value in numbers.order_numbers(count, f"ways:{voice}"):
        items.append(_number(voice, WAYS, "order_number", "order_number", numbers.in_other_ways(value, voice)))
    for value in numbers.postcodes(count // 2 or 1, voice):
        answer = numbers.digit_by_digit(value, voice)
        # a made-up postcode belongs to no order: there is nothing to repair, errands have that
        items.append(replace(_number(voice, POSTCODE, "postcode", "postcode", answer), once=True))
    for value in numbers.phones(count // 2 or 1, voice):
        items.append(_number(voice, PHONE, "phone", "phone", numbers.digit_by_digit(value, voice)))
    for index, value in enumerate(numbers.codes(count // 2 or 2, voice)):
        lot = LETTERS_ALPHABET if index % 2 else LETTERS_PLAIN
        answer = numbers.spelt(value, by_alphabet=bool(index % 2))
        items.append(_number(voice, lot, LETTERS, "order_number", answer))
    return items


def digit_items(voice: str, count: int) -> list[TrialItem]:
    """Return order numbers read digit by digit."""
    return [
        _number(voice, DIGITS, "order_number", "order_number", numbers.digit_by_digit(value, voice))
        for value in numbers.order_numbers(count, voice)
    ]


def sentence_items(voice: str, said: Mapping[str, Any], size: PlanSize) -> list[TrialItem]:
    """Return requests, yes and no, and choices that one speaker says; a part of them in a quick run."""
    every = 2 if size.numbers >= FULL.numbers else 8
    items = _requests(voice, said)
    for word in ("yes", "no"):
        for text in said[f"answers_{word}"]:
            items.append(_item(voice, YES_NO, "yes_no", "read_back", "order_number", SpokenAnswer(word, text, text)))
    for slot in ("return_reason", "return_condition"):
        for value, texts in said[slot].items():
            items += [_item(voice, CHOICE, "choice", slot, slot, SpokenAnswer(value, text, text)) for text in texts]
    # another part of them for another voice: together they say everything
    return items[seed_of(voice) % every :: every]


def sweep_items(voice: str, said: Mapping[str, Any], size: PlanSize) -> list[TrialItem]:
    """Return what one speaker says under every condition: part of what is said on the clean line."""
    ways = number_items(voice, size.numbers)
    digits = [item for item in ways if item.lot == DIGITS][: size.sweep_numbers]
    others = [item for item in ways if item.lot == WAYS][: size.sweep_numbers // 2]
    requests = _requests(voice, said)
    return [*digits, *others, *requests[:: max(1, len(requests) // size.sweep_requests)][: size.sweep_requests]]


def foreign_items(voices: Sequence[str], said: Mapping[str, Any], size: PlanSize) -> list[TrialItem]:
    """Return speech that is not meant for the agent, at three questions."""
    return [
        _item(voice, f"{FOREIGN}: {question}", "foreign", question, slot, SpokenAnswer("", text, text))
        for question, slot in (("request", "request"), ("order_number", "order_number"), ("read_back", "order_number"))
        for voice in dict.fromkeys(voices)
        for text in said["foreign"][: size.foreign]
    ]


def errand_items(voice: str, count: int) -> list[TrialItem]:
    """Return whole calls: where is my order, its number, its postcode."""
    requests = ("where is my order", "I'd like to know where my package is", "what's the status of my order")
    return [
        TrialItem(
            f"errand:{voice}:{number}",
            ERRAND,
            "request",
            voice,
            "request",
            (
                ("request", SpokenAnswer("order_status", requests[index % 3], "where is my order")),
                ("order_number", numbers.digit_by_digit(number, voice)),
                ("postcode", numbers.digit_by_digit(postcode, voice)),
            ),
            errand=True,
        )
        for index, (number, postcode) in enumerate(errand_orders()[:count])
    ]


def errand_orders() -> list[tuple[str, str]]:
    """Return orders of the demo shop, with their postcodes, that are simply under way."""
    return [(plan.number, plan.person.postcode) for plan in FIXED_ORDERS if plan.number in _ERRANDS]


def sentences() -> Mapping[str, Any]:
    """Return the sentences that come with the package."""
    text = resources.files("agent.accuracy").joinpath("sentences.yaml").read_text(encoding="utf-8")
    return cast("Mapping[str, Any]", yaml.safe_load(text))


def _requests(voice: str, said: Mapping[str, Any]) -> list[TrialItem]:
    return [
        _item(voice, REQUEST, "request", "request", "request", SpokenAnswer(value, text, text))
        for value, texts in said["requests"].items()
        for text in texts
    ]


def _number(voice: str, lot: str, question: str, slot: str, answer: SpokenAnswer) -> TrialItem:
    return _item(voice, lot, "number", question, slot, answer)


def _item(voice: str, lot: str, kind: Kind, question: str, slot: str, answer: SpokenAnswer) -> TrialItem:
    return TrialItem(f"{question}:{lot}:{answer.value}:{answer.first}", lot, kind, voice, question, ((slot, answer),))


__all__ = ["FULL", "QUICK", "READ_BACK_VALUE", "PlanSize", "conditions", "errand_items", "sentences", "trials"]
