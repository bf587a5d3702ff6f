"""What a phrase or an example added to a pack would change: its own examples, its tests, what was not understood."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.builder.answer_choices import possible_answer
from agent.builder.checking import CheckRules
from agent.builder.pack_tests import play_all
from agent.dialog.engine.engine import CallFacts
from agent.dialog.errors import FlowError
from agent.dialog.grammar.templates import is_wildcard
from agent.dialog.model import knowledge
from agent.dialog.model.model import PackFile, Trigger
from agent.dialog.model.understanding import UnservedRequests
from agent.dialog.pack.loader import FlowPack
from agent.dialog.pack.reader import PackReading, read_files
from agent.dialog.templating.rendering import SandboxRenderer
from agent.dialog.tools.hearing import HeardSentence, hear_sentence
from agent.dialog.tools.text_call_model import DEFAULT_NOW, LocatedTextCall
from agent.dialog.tools.text_call_runner import SHOP_NAME, TextCallReport
from agent.dialog.understanding.examples import PROMOTION, TOPIC, UNSERVED, example_expander, example_lists
from agent.dialog.understanding.source import ScoreSource
from agent.errors import OrderlineError

Told = Callable[[str, int, int], None]
MOST_EXAMPLES = 400
"""Of the meanings that nothing is added to, so many are looked at, drawn once for all times."""
_MOST_LISTED = 50


class UnknownMeaning(OrderlineError):
    """Something that cannot be taught to a pack."""

    code = "teaching"


@dataclass(frozen=True)
class TaughtAdditions:
    """What is to be added to a pack."""

    meaning: str
    """A procedure, ``topic:ID``, ``promotion:ID`` or ``not_for_us:NAME``."""
    examples: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TaughtAdditions:
        """Rebuild from JSON-like data."""
        return cls(str(data["meaning"]), tuple(data["examples"]), tuple(data["phrases"]))

    def added_to(self, contents: PackFile) -> PackFile:
        """Return a pack's contents with them. Raises :class:`UnknownMeaning`."""
        kind, _, name = self.meaning.partition(":")
        if not name:
            return self._to_flow(contents)
        if kind == UNSERVED and name in contents.not_for_us and not self.phrases:
            group = contents.not_for_us[name]
            told = UnservedRequests.model_validate(
                {"examples": (*group.examples, *self.examples), "topic": group.topic}
            )
            return contents.model_copy(update={"not_for_us": {**contents.not_for_us, name: told}})
        held = contents.knowledge
        sections = {TOPIC: (knowledge.ANSWERS, "ask"), PROMOTION: (knowledge.PROMOTIONS, "spoken")}
        if held is None or kind not in sections or name not in getattr(held, sections[kind][0]):
            raise UnknownMeaning(f"The pack has no '{self.meaning}' that could be taught this.")
        section, asked = sections[kind]
        entry = getattr(held, section)[name]
        grown = {"examples": (*entry.examples, *self.examples), asked: (*getattr(entry, asked), *self.phrases)}
        entries = {**getattr(held, section), name: entry.model_copy(update=grown)}
        return contents.model_copy(update={"knowledge": held.model_copy(update={section: entries})})

    def _to_flow(self, contents: PackFile) -> PackFile:
        flow = contents.flows.get(self.meaning)
        if flow is None:
            raise UnknownMeaning(f"The pack has no procedure '{self.meaning}'.")
        triggers = flow.triggers
        if self.phrases:
            triggers = (*triggers, Trigger.model_validate({"phrases": self.phrases}))
        grown = {"examples": (*flow.examples, *self.examples), "triggers": triggers}
        return contents.model_copy(update={"flows": {**contents.flows, self.meaning: flow.model_copy(update=grown)}})


@dataclass(frozen=True)
class _Heard:
    """One sentence, before and after."""

    text: str
    wanted: str
    before: HeardSentence
    after: HeardSentence

    def right(self, heard: HeardSentence) -> bool:
        if self.wanted.startswith(UNSERVED):
            return heard.decision in ("again", "person")
        return heard.meaning == self.wanted and heard.decision != "again"

    def to_json(self) -> dict[str, Any]:
        return {"text": self.text, "wanted": self.wanted, "before": _told(self.before), "after": _told(self.after)}


class TeachingStudy:
    """Compares a pack with the same pack and something added to it."""

    def __init__(
        self,
        files: Mapping[str, str],
        rules: CheckRules,
        scores: ScoreSource,
        render: SandboxRenderer,
        calls: Sequence[LocatedTextCall],
    ) -> None:
        self._files = files
        self._rules = rules
        self._scores = scores
        self._render = render
        self._calls = calls

    def effect(self, additions: TaughtAdditions, sentences: Mapping[str, int], told: Told) -> dict[str, Any]:
        """Return the effect as JSON-like data; ``sentences``: what was not understood -> how often it was said.

        Raises :class:`UnknownMeaning`, and FlowError for a pack that cannot be used as it is.
        """
        began = time.monotonic()
        before_reading, after_reading = read_files(self._files), read_files(self._files)
        after_reading.contents = additions.added_to(after_reading.contents)
        told("fitting", 0, 2)
        before = self._pack(before_reading)
        told("fitting", 1, 2)
        try:
            after = self._pack(after_reading)
        except FlowError as error:
            return {"problems": [finding.message for finding in error.findings]}
        own = self._hear(before, after, _own_examples(before, additions.meaning), "hearing examples", told)
        strange = self._hear(before, after, [(text, "") for text in sentences], "hearing sentences", told)
        played = [self._play(pack, place, told) for place, pack in enumerate((before, after))]
        return {
            "problems": [],
            "own_examples": _examples_told(own),
            "tests": {
                "of": len(self._calls),
                "failed_before": [call.name for call in played[0].failed],
                "failed_after": [call.name for call in played[1].failed],
            },
            "not_understood": _sentences_told(strange, sentences),
            "seconds": round(time.monotonic() - began, 1),
        }

    def _pack(self, reading: PackReading) -> FlowPack:
        pack = FlowPack.of_reading(reading, self._rules.filters, self._rules.number_formats)
        return pack.with_score(self._scores)

    def _play(self, pack: FlowPack, place: int, told: Told) -> TextCallReport:
        count = len(self._calls)
        return play_all(
            pack,
            self._calls,
            self._render,
            possible_answer,
            lambda done, of: told("testing", place * count + done, 2 * of),
        )

    def _hear(
        self, before: FlowPack, after: FlowPack, sentences: Sequence[tuple[str, str]], stage: str, told: Told
    ) -> list[_Heard]:
        facts = CallFacts(DEFAULT_NOW, SHOP_NAME)
        found: list[_Heard] = []
        for done, (text, wanted) in enumerate(sentences):
            told(stage, done, len(sentences))
            heard = [hear_sentence(pack, facts, self._render, text) for pack in (before, after)]
            found.append(_Heard(text, wanted, heard[0], heard[1]))
        return found


def _own_examples(pack: FlowPack, meaning: str) -> list[tuple[str, str]]:
    """Return (sentence, meaning) of a pack's examples: all of the taught meaning, a fixed draw of the others."""
    expander = example_expander(pack.contents, pack.language)
    taught: list[tuple[str, str]] = []
    others: list[tuple[str, str]] = []
    for listed in example_lists(pack.contents):
        for template in listed.templates:
            sentence = "" if is_wildcard(template) else " ".join(next(iter(expander.expand(template))).tokens)
            if sentence and "{" not in sentence:
                (taught if listed.meaning == meaning else others).append((sentence, listed.meaning))
    if len(others) > MOST_EXAMPLES:
        others = random.Random(MOST_EXAMPLES).sample(others, MOST_EXAMPLES)  # noqa: S311 - a repeatable draw
    return taught + others


def _examples_told(heard: Sequence[_Heard]) -> dict[str, Any]:
    before = [one for one in heard if one.right(one.before)]
    after = [one for one in heard if one.right(one.after)]
    return {
        "of": len(heard),
        "before": len(before),
        "after": len(after),
        "gained": [one.to_json() for one in after if not one.right(one.before)][:_MOST_LISTED],
        "lost": [one.to_json() for one in before if not one.right(one.after)][:_MOST_LISTED],
    }


def _sentences_told(heard: Sequence[_Heard], times: Mapping[str, int]) -> dict[str, Any]:
    def listed(found: Sequence[_Heard]) -> list[dict[str, Any]]:
        return [{**one.to_json(), "times": times[one.text]} for one in found][:_MOST_LISTED]

    before = [one for one in heard if one.before.decision != "again"]
    after = [one for one in heard if one.after.decision != "again"]
    return {
        "of": len(heard),
        "before": len(before),
        "after": len(after),
        "gained": listed([one for one in after if one.before.decision == "again"]),
        "changed": listed([one for one in after if one in before and one.before.meaning != one.after.meaning]),
        "lost": listed([one for one in before if one.after.decision == "again"]),
        "still": listed([one for one in heard if one.before.decision == one.after.decision == "again"]),
    }


def _told(heard: HeardSentence) -> dict[str, Any]:
    return {"decision": heard.decision, "meaning": heard.meaning, "score": round(heard.score, 4)}
