"""Reads the example sentences of a pack: what they stand for, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agent.common.yaml_reader import KeyPath
from agent.dialog.errors import TemplateError
from agent.dialog.grammar.templates import Expander, is_wildcard
from agent.dialog.model import knowledge
from agent.dialog.model.model import PackFile
from agent.dialog.model.understanding import Thresholds, UnderstandingSettings
from agent.languages.language import Language

TOPIC, PROMOTION, UNSERVED = "topic", "promotion", "not_for_us"


@dataclass(frozen=True)
class ExampleList:
    """The examples of one meaning, and where they are written."""

    meaning: str
    """A flow's id, ``topic:ID``, ``promotion:ID`` or ``not_for_us:NAME``."""
    place: KeyPath
    templates: tuple[str, ...]


def example_lists(contents: PackFile) -> Iterator[ExampleList]:
    """Yield every list of examples of a pack, in the order of its files."""
    for flow_id, flow in contents.flows.items():
        if flow.examples:
            yield ExampleList(flow_id, ("flows", flow_id, "examples"), flow.examples)
    told = contents.knowledge
    if told is not None:
        for name, answer in told.answers.items():
            if answer.examples:
                place: KeyPath = ("knowledge", knowledge.ANSWERS, name, "examples")
                yield ExampleList(f"{TOPIC}:{name}", place, answer.examples)
        for name, promotion in told.promotions.items():
            if promotion.examples:
                place = ("knowledge", knowledge.PROMOTIONS, name, "examples")
                yield ExampleList(f"{PROMOTION}:{name}", place, promotion.examples)
    for name, group in contents.not_for_us.items():
        place = ("not_for_us", name, "examples") if group.topic else ("not_for_us", name)
        yield ExampleList(f"{UNSERVED}:{name}", place, group.examples)


def example_expander(contents: PackFile, language: Language) -> Expander:
    """Return what makes sentences of an example: it may use the pack's rules, choices and number slots."""
    lists = {
        name: knowledge.spoken_choices(slot, contents.knowledge, language)
        for name, slot in contents.slots.items()
        if slot.type == "choice"
    }
    return Expander(contents.rules, lists, [name for name, slot in contents.slots.items() if slot.type == "number"])


def example_problems(contents: PackFile, language: Language) -> Iterator[tuple[KeyPath, str]]:
    """Yield (place, what is wrong) for examples that cannot be read or that two meanings claim, and for thresholds."""
    expander = example_expander(contents, language)
    owners: dict[tuple[str, ...], str] = {}
    for listed in example_lists(contents):
        for index, template in enumerate(listed.templates):
            place = (*listed.place, index)
            if is_wildcard(template):
                yield place, f"'{template}': an example is a sentence as callers say it; '~' is for phrases"
                continue
            try:
                sentences = [phrase.tokens for phrase in expander.expand(template)]
            except TemplateError as error:
                yield place, f"'{template}': {error.message}"
                continue
            for tokens in sentences:
                owner = owners.setdefault(tokens, listed.meaning)
                if owner != listed.meaning:
                    yield place, f"'{' '.join(tokens)}' is already an example of '{owner}'"
                    break
    yield from _threshold_problems(contents.understanding or UnderstandingSettings())


def _threshold_problems(settings: UnderstandingSettings) -> Iterator[tuple[KeyPath, str]]:
    every: list[tuple[KeyPath, Thresholds]] = [(("understanding",), settings)]
    every += [(("understanding", "recognizers", name), own) for name, own in settings.recognizers.items()]
    for place, own in every:
        if not own.act >= own.confirm >= own.choose:
            yield place, "'act' must not be below 'confirm', nor 'confirm' below 'choose'"
