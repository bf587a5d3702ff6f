"""Collects the sentences a pack teaches with: its examples, and draws from its phrases."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from agent.dialog.errors import TemplateError
from agent.dialog.grammar.keyword_match import is_keyword_pattern
from agent.dialog.grammar.synonyms import Synonyms
from agent.dialog.grammar.template_draws import TemplateWalk
from agent.dialog.model import knowledge
from agent.dialog.model.model import PackFile
from agent.dialog.understanding.examples import PROMOTION, TOPIC, example_expander, example_lists
from agent.languages.language import Language
from agent.languages.number_words import NumberWords

COMMAND, ESCALATION = "command", "escalate"
PERSON = f"{COMMAND}:agent"
NUMBER = "#"
"""Stands for a number in what is learnt and judged."""
_DRAWS = 40
"""Sentences drawn from the phrases of one meaning, at most so many from one template."""
_DRAWS_EACH = 6
_EXPANSIONS = 6
"""Sentences made of one example."""
_LONGEST_NUMBER = 3
"""A run of so many number words is a number; fewer are words like others ("two", "one of them")."""
_ANY_WORDS = ("thing", "one", "order", "it", "that", "today", "please", "there")
"""Stand where a template takes any word."""
_ONLY_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class TaughtSentence:
    """One sentence with what it means."""

    text: str
    meaning: str
    template: str
    """What it was made of."""
    example: bool
    """Whether a person wrote it as an example; otherwise drawn from a phrase."""


class PlainText:
    """Brings what was said and what is taught to one form: synonyms rewritten, numbers as one sign, noise dropped."""

    def __init__(self, same: Synonyms, vocabulary: NumberWords) -> None:
        self._same = same
        self._digits = frozenset(vocabulary.digits) - {"a", "o"}

    def __call__(self, text: str) -> str:
        """Return the text as features are taken from it."""
        tokens = self._same.rewrite(tuple(word for word in text.lower().split() if word[0] != "["))
        found: list[str] = []
        run: list[str] = []
        for token in (*tokens, ""):
            if token.isdigit() or token in self._digits:
                run.append(token)
                continue
            found += [NUMBER] if len(run) >= _LONGEST_NUMBER or (sum(map(len, run)) > 4 and run[0].isdigit()) else run
            run = []
            if token:
                found.append(NUMBER if token.startswith("{") else token)
        return " ".join(found)


def taught_sentences(contents: PackFile, language: Language, plain: PlainText) -> list[TaughtSentence]:
    """Return what a pack teaches, each sentence once for a meaning, in an order that depends on the pack alone."""
    found: dict[tuple[str, str], TaughtSentence] = {}
    expander = example_expander(contents, language)
    for listed in example_lists(contents):
        for template in listed.templates:
            texts = [" ".join(phrase.tokens) for phrase in expander.expand(template)]
            for text in _some(texts, _EXPANSIONS, template):
                one = TaughtSentence(plain(text), listed.meaning, template, example=True)
                found.setdefault((one.text, one.meaning), one)
    owned = {one.text for one in found.values()}
    walk = _walk_of(contents, language)
    for meaning, templates in _phrases(contents, language).items():
        drawn = 0
        each = max(1, min(_DRAWS_EACH, _DRAWS // max(1, len(templates))))
        for template in _some(templates, _DRAWS, meaning):
            for text in _drawn(walk, template, each):
                one = TaughtSentence(plain(text), meaning, template, example=False)
                if one.text and one.text not in owned and drawn < _DRAWS:
                    drawn += (one.text, one.meaning) not in found
                    found.setdefault((one.text, one.meaning), one)
    return list(found.values())


def _phrases(contents: PackFile, language: Language) -> dict[str, list[str]]:
    """Return meaning -> the phrases for it, but for gists: they are no sentences."""
    found: dict[str, list[str]] = {}
    for flow_id, flow in contents.flows.items():
        for trigger in flow.triggers:
            for template in trigger.phrases:
                if _ONLY_SLOT.fullmatch(template.strip()) is None and not is_keyword_pattern(template):
                    found.setdefault(flow_id, []).append(template)
    told = contents.knowledge
    for topic, answer in told.answers.items() if told is not None else ():
        found[f"{TOPIC}:{topic}"] = [text for text in answer.ask if not is_keyword_pattern(text)]
    for name, promotion in told.promotions.items() if told is not None else ():
        found[f"{PROMOTION}:{name}"] = [text for text in promotion.spoken if not is_keyword_pattern(text)]
    for name in type(contents.commands).model_fields if contents.commands is not None else ():
        texts = getattr(contents.commands, name)
        found[f"{COMMAND}:{name}"] = [text for text in texts if not is_keyword_pattern(text)]
    for name, escalation in contents.escalate.items():
        found[f"{ESCALATION}:{name}"] = [text for text in escalation.phrases if not is_keyword_pattern(text)]
    return {meaning: templates for meaning, templates in found.items() if templates}


def _walk_of(contents: PackFile, language: Language) -> TemplateWalk:
    lists = {
        name: [
            text for texts in knowledge.spoken_choices(slot, contents.knowledge, language).values() for text in texts
        ]
        for name, slot in contents.slots.items()
        if slot.type == "choice"
    }
    return TemplateWalk(contents.rules, lists, number=NUMBER, any_words=_ANY_WORDS)


def _drawn(walk: TemplateWalk, template: str, count: int) -> Iterator[str]:
    """Yield draws from a template; the same ones for the same pack."""
    chance = random.Random(template)  # noqa: S311 - repeatable samples, not secrets
    for _ in range(count):
        try:
            text = walk.text(template, chance)
        except TemplateError:
            return  # the grammar has told what is wrong with it
        if text is not None:
            yield text


def _some(texts: Sequence[str], count: int, seed: str) -> list[str]:
    if len(texts) <= count:
        return list(texts)
    return random.Random(seed).sample(list(texts), count)  # noqa: S311 - repeatable samples, not secrets


Plain = Callable[[str], str]
