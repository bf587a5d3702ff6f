"""The knowledge file as flows see it: topics and promotions as choices, as prompts, and as plain data. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from agent.common.yaml_reader import KeyPath
from agent.dialog.model.knowledge_file import Knowledge
from agent.dialog.model.model import ConditionalPrompt, PromptSource, Slot
from agent.languages.language import Language

_CODE = re.compile(r"([a-z]{2,})(\d*)")
ANSWER_PROMPT = "knowledge.answer"
"""Says what is known about the slot ``topic``."""
PROMOTION_PROMPT = "knowledge.promotion"
"""Says what a caller is told about the slot ``promotion``."""
ANSWERS, PROMOTIONS = "answers", "promotions"
"""What ``choices_from`` calls them."""


def choices(slot: Slot, knowledge: Knowledge | None) -> dict[str, tuple[str, ...]]:
    """Return a slot's fixed choices: its own, and the topics or promotions it takes from the knowledge file."""
    found = dict(slot.choices)
    source = _source(slot)
    if knowledge is not None and source == ANSWERS:
        found.update({topic: answer.ask for topic, answer in knowledge.answers.items()})
    if knowledge is not None and source == PROMOTIONS:
        found.update({name: promotion.spoken for name, promotion in knowledge.promotions.items()})
    return found


def spoken_choices(slot: Slot, knowledge: Knowledge | None, language: Language) -> dict[str, tuple[str, ...]]:
    """Return the same with everything callers say for them: promotions go by their codes as well."""
    found = choices(slot, knowledge)
    for name, promotion in knowledge.promotions.items() if knowledge and _source(slot) == PROMOTIONS else ():
        found[name] = (*promotion.spoken, *_written(promotion.code, language))
    return found


def _source(slot: Slot) -> str:
    return slot.choices_from.list if slot.choices_from is not None else ""


def _written(code: str, language: Language) -> tuple[str, ...]:
    """Return how a code reads as words: "summer 25", "summer two five" for SUMMER25; understood, not listened for."""
    found = _CODE.fullmatch(code.lower())
    if found is None:
        return ()
    word, number = found.groups()
    units, template = language.numbers.saying.units, language.choices.code
    ways = (number, " ".join(number), " ".join(units[int(digit)] for digit in number)) if number else ("",)
    return tuple(template.format(word=word, number=way).replace("  ", " ") for way in dict.fromkeys(ways))


def place(slot: str, value: str, knowledge: Knowledge | None, own: Slot) -> KeyPath:
    """Return where the phrases of a fixed choice are written."""
    source = _source(own)
    if value in own.choices or knowledge is None or source not in (ANSWERS, PROMOTIONS):
        return ("slots", slot, "choices", value)
    return ("knowledge", source, value, "ask" if source == ANSWERS else "spoken")


def is_fixed(slot: Slot) -> bool:
    """Return whether all choices of a slot are known when the pack is loaded."""
    return slot.type != "date" and (slot.choices_from is None or slot.choices_from.list in (ANSWERS, PROMOTIONS))


def prompts(knowledge: Knowledge | None) -> dict[str, PromptSource]:
    """Return the prompts that say what the file knows."""
    if knowledge is None:
        return {}
    return {
        ANSWER_PROMPT: ConditionalPrompt(
            choose="topic", cases={name: one.says for name, one in knowledge.answers.items()}
        ),
        PROMOTION_PROMPT: ConditionalPrompt(
            choose="promotion", cases={name: one.says for name, one in knowledge.promotions.items()}
        ),
    }


def data(knowledge: Knowledge | None, today: date) -> dict[str, Any]:
    """Return what expressions and prompts see: ``answers`` (topic -> words) and ``promotions`` (id -> its rules).

    A promotion's ``running`` says whether it is valid on this day.
    """
    if knowledge is None:
        return {ANSWERS: {}, PROMOTIONS: {}}
    rules = {
        name: {
            "id": name,
            **promotion.model_dump(mode="json", exclude={"spoken", "examples"}),
            "running": (promotion.starts or today) <= today <= (promotion.ends or today),
        }
        for name, promotion in knowledge.promotions.items()
    }
    return {ANSWERS: {name: answer.says for name, answer in knowledge.answers.items()}, PROMOTIONS: rules}


def problems(knowledge: Knowledge | None) -> Iterator[tuple[KeyPath, str]]:
    """Yield (place, what is wrong) for what the file's shape does not show."""
    for name, offer in (knowledge.promotions if knowledge is not None else {}).items():
        if offer.starts is not None and offer.ends is not None and offer.ends < offer.starts:
            yield ("knowledge", PROMOTIONS, name, "ends"), f"ends on {offer.ends}, before it starts on {offer.starts}"
