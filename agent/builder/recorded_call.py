"""Makes a test of a real call: its record played again, with made-up numbers and made-up answers of services."""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from agent.builder.answer_choices import AnswerChoice, AnswerChoices
from agent.builder.simulation import SimulatedCall, SimulationError
from agent.builder.simulation_input import CallerTurn, CallSetup
from agent.dialog.contract import Effect
from agent.dialog.grammar.samples import spoken_samples
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import Renderer
from agent.records.digit_runs import find_digit_runs

_SHORTEST_NUMBER = 3
"""Digits; shorter ones ("two of them") are no numbers of anybody's, unless they are a part of one that was told in
several breaths."""
_SHORTEST_ALONE = 2
"""The same where nothing else was said to the question for a number; one digit may choose, or say yes."""
_PLACEHOLDER = re.compile(r"\[([a-z ]+)\]")
_DIGITS = re.compile(r"[0-9]+")
_FREE_WORDS = "it is what i told you before"
_FIRST_CHOICE = "the first one"
_MADE_UP_CALLER = "2025550143"
_USUAL_SILENCE = 5.0
_SURE = 0.9
_OK = "ok"


class NotPlayable(SimulationError):
    """A record that no test can be made of."""

    code = "not_playable"


@dataclass
class _Substitutes:
    """Made-up numbers for the real ones, the same for the same."""

    pack: FlowPack
    _spoken: dict[str, str] = field(default_factory=dict)
    _seed: str = field(default_factory=lambda: secrets.token_hex(8))

    def text(self, heard: str, slot: str, *, is_part: bool = False) -> str:
        """Return what a caller said, with no number of theirs in it. ``is_part``: a number goes on, or went on."""
        kept = _PLACEHOLDER.sub(lambda found: self._for_placeholder(found[1], slot), heard)
        pieces: list[str] = []
        at = 0
        for run in find_digit_runs(kept):
            alone = not kept[: run.start].strip() and not kept[run.end :].strip()
            if len(run.digits) >= self._shortest(slot, is_part=is_part, alone=alone):
                pieces += [kept[at : run.start], self.spoken(run.digits, slot)]
                at = run.end
        return " ".join("".join([*pieces, kept[at:]]).split())

    def keys(self, keyed: str, slot: str, *, is_part: bool = False) -> str:
        """Return the same for keys."""
        shortest = self._shortest(slot, is_part=is_part)

        def others(found: re.Match[str]) -> str:
            if len(found[0]) < shortest:
                return found[0]
            return "".join(run.digits for run in find_digit_runs(self.spoken(found[0], slot)))

        return _DIGITS.sub(others, keyed)

    def _shortest(self, slot: str, *, is_part: bool, alone: bool = False) -> int:
        if slot not in self.pack.formats:
            return _SHORTEST_NUMBER
        return 1 if is_part else _SHORTEST_ALONE if alone else _SHORTEST_NUMBER

    def spoken(self, digits: str, slot: str) -> str:
        """Return how a caller says the made-up number that stands for a real one."""
        if digits not in self._spoken:
            self._spoken[digits] = self._made_up(digits, slot)
        return self._spoken[digits]

    def _for_placeholder(self, name: str, slot: str) -> str:
        known = [one for one in (slot, name.replace(" ", "_")) if one in self.pack.formats]
        return self._sample(known[0], name) if known else self._made_up("1" * 5, "")

    def _made_up(self, digits: str, slot: str) -> str:
        formats = self.pack.formats
        too_short = slot in formats and len(digits) < formats[slot].lengths[0]
        fitting = [name for name in (slot, *formats) if name in formats and formats[name].normalise(digits)]
        if fitting and not too_short:
            return self._sample(fitting[0], digits)
        chance = random.Random(f"{self._seed}:{digits}")  # noqa: S311 - numbers for a test
        units = self.pack.language.numbers.saying.units
        # none stays as it is: of a single digit that would often happen
        return " ".join(units[(int(digit) + chance.randrange(1, 10)) % 10] for digit in digits)

    def _sample(self, slot: str, what: str) -> str:
        return spoken_samples(self.pack.formats[slot], 1, f"{self._seed}:{what}", self.pack.language.numbers)[0]


@dataclass
class RecordedCall:
    """A record, played again."""

    call: SimulatedCall
    notes: list[str]
    """What was replaced, guessed, or goes another way by now; for the one who keeps the test."""


class _Player:
    def __init__(self, record: Mapping[str, Any], call: SimulatedCall, choices: AnswerChoices) -> None:
        self._call = call
        self._choices = choices
        self._substitutes = _Substitutes(call.pack)
        self._trail = [(str(step.get("flow")), str(step.get("step"))) for step in _mappings(record, "trail")]
        self._effects = [dict(effect) for effect in _mappings(record, "effects")]
        self._turns = _mappings(record, "turns")
        self.notes: list[str] = []

    def play(self) -> None:
        partial_slot = ""
        for number, turn in enumerate(self._turns, 1):
            is_part = turn.get("result") == "partial"
            given = self._given(turn, is_part=is_part or turn.get("slot") == partial_slot)
            partial_slot = str(turn.get("slot")) if is_part else ""
            if given is None:
                continue
            if self._call.last.outcome:
                self.notes.append(f"The procedures end the call before turn {number} of it.")
                return
            self._call.take(given)
            self._answer_services()
        if not self._call.last.outcome:
            self._call.take(CallerTurn(hangup=True))

    def _given(self, turn: Mapping[str, Any], *, is_part: bool) -> CallerTurn | None:
        heard, slot = str(turn.get("heard") or ""), str(turn.get("slot") or "")
        if not heard:
            return CallerTurn(silence=_USUAL_SILENCE) if turn.get("result") == "no_input" else None
        if turn.get("via") == "keypad":
            keys = re.sub(r"[^0-9*#]", "", heard)
            return CallerTurn(keys=self._substitutes.keys(keys, slot, is_part=is_part)[:40]) if keys else None
        confidence = turn.get("confidence")
        said = self._words(heard, slot, secret=bool(turn.get("secret")), is_part=is_part)
        sure = not isinstance(confidence, int | float) or confidence >= _SURE
        told = None if sure else min(max(round(float(confidence or 0), 2), 0.0), 1.0)
        try:
            return CallerTurn(say=said[:1000], confidence=told)
        except ValidationError:
            self.notes.append(f"What was said to '{slot}' holds no words and is left out.")
            return None

    def _words(self, heard: str, slot: str, *, secret: bool, is_part: bool) -> str:
        described = self._call.pack.contents.slots.get(slot)
        kind = described.type if described is not None else ""
        if kind == "text" or (secret and kind != "number"):
            self.notes.append(f"What was said to '{slot}' stands there as other words.")
            return _FREE_WORDS
        named = described.choices_from if described is not None else None
        if named is not None and named.list not in ("answers", "promotions") and len(heard.split()) < 6:
            self.notes.append(f"What was chosen for '{slot}' stands there as '{_FIRST_CHOICE}'.")
            return _FIRST_CHOICE
        return self._substitutes.text(heard, slot, is_part=is_part) or heard

    def _answer_services(self) -> None:
        while isinstance(effect := self._call.last.turn.then, Effect):
            self._call.take(CallerTurn(answer=self._best(effect).id))

    def _best(self, effect: Effect) -> AnswerChoice:
        """Return the answer after which the call goes on as it did, as far as it does."""
        choices = [choice for choice in self._choices.of(effect.name) if choice.kind != "slow"]
        if not choices:
            raise NotPlayable(f"Nobody knows what {effect.name} answers: no test of the pack has an answer of it.")
        failure = self._failure(effect.name)
        if failure is not None:
            wanted = [one for one in choices if one.kind == "failure" and one.id.startswith(failure)]
            exact = [one for one in wanted if one.id == failure]
            if wanted:
                return (exact or wanted)[0]
        return max(choices, key=lambda choice: (choice.kind == "result" and failure is None, self._agreement(choice)))

    def _failure(self, service: str) -> str | None:
        """Return how the next call of a service failed in the record; None where it was done, or is not told."""
        for place, effect in enumerate(self._effects):
            if effect.get("name") == service:
                del self._effects[place]
                code, reason = str(effect.get("code") or _OK), str(effect.get("reason") or "")
                return None if code == _OK else f"{code}.{reason}".strip(".")
        return None

    def _agreement(self, choice: AnswerChoice) -> int:
        self._call.take(CallerTurn(answer=choice.id))
        agreed = self._agreed()
        self._call.back(1)
        return agreed

    def _agreed(self) -> int:
        count = 0
        for here, there in zip(self._reached(), self._trail, strict=False):
            if here != there:
                break
            count += 1
        return count

    def _reached(self) -> Iterator[tuple[str, str]]:
        for exchange in self._call.exchanges:
            yield from ((step.flow, step.step) for step in exchange.trail if step.reached)

    def compare(self) -> None:
        agreed = self._agreed()
        if agreed < len(self._trail):
            flow, step = self._trail[agreed]
            self.notes.append(f"The call came to {flow}.{step} then; now it goes another way from there on.")


def play_record(record: Mapping[str, Any], pack: FlowPack, choices: AnswerChoices, render: Renderer) -> RecordedCall:
    """Play a record of a call that came in, as stored (redacted). Raises :class:`NotPlayable`, SimulationError."""
    if record.get("direction", "inbound") != "inbound":
        raise NotPlayable("Tests are made of calls that came in; this one was placed.")
    entry = str(record.get("entry") or "")
    setup = CallSetup(
        caller=_MADE_UP_CALLER if (record.get("caller") or {}).get("number") else "",
        now=_moment(record.get("started_at")),
        entry=entry if entry in pack.contents.entries else "",
    )
    call = SimulatedCall(pack, setup, choices, render)
    player = _Player(record, call, choices)
    player.play()
    player.compare()
    notes = [
        "Numbers are made up, and what the services answered is what lets the call go on as it did.",
        "Names and addresses that callers tell of themselves are not found by a program: look through the lines.",
        *dict.fromkeys(player.notes),
    ]
    return RecordedCall(call, notes)


def _moment(text: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text)).replace(microsecond=0)
    except ValueError:
        moment = CallSetup().now
    return moment if moment.tzinfo is not None else CallSetup().now


def _mappings(record: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    held = record.get(name)
    return [one for one in held if isinstance(one, Mapping)] if isinstance(held, list | tuple) else []
