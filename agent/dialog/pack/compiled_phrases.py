"""All that callers can say, compiled. It depends on phrases alone: an edit of other texts need not do it again."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent.common.yaml_reader import KeyPath
from agent.dialog.grammar.grammar_builder import PackGrammars
from agent.dialog.model.knowledge_file import Knowledge
from agent.dialog.model.model import Flow, PackFile, Slot
from agent.dialog.understanding.examples import example_problems
from agent.languages.language import Language

_REMEMBERED = 4


@dataclass(frozen=True)
class CompiledPhrases:
    """The grammars of a pack, and what is wrong with its phrases and examples."""

    grammars: PackGrammars
    problems: tuple[tuple[KeyPath, str], ...]

    @functools.cached_property
    def vocabulary(self) -> Mapping[str, str]:
        """Every word a recogniser must know for the fixed grammars, with one phrase it occurs in."""
        words: dict[str, str] = {}
        # most phrases stand in most grammars
        fixed = self.grammars.fixed.values()
        for phrase in dict.fromkeys(one for grammar in fixed for one in (*grammar.phrases, *grammar.words)):
            for word in phrase.split():
                words.setdefault(word, phrase)
        return words


PhraseCompiler = Callable[[PackFile, Language], CompiledPhrases]


def compile_phrases(contents: PackFile, language: Language) -> CompiledPhrases:
    """Compile what a pack understands. Raises ``NumberFormatError``."""
    problems: list[tuple[KeyPath, str]] = []
    grammars = PackGrammars(contents, lambda place, problem: problems.append((place, problem)), language)
    return CompiledPhrases(grammars, (*problems, *example_problems(contents, language)))


class RememberedPhrases:
    """Compiles phrases, and takes those compiled before where nothing that callers say has changed.

    What is compiled is given the phrases alone, so that it cannot depend on anything that is not compared. One thread.
    """

    def __init__(self) -> None:
        self._compiled: OrderedDict[tuple[str, str], CompiledPhrases] = OrderedDict()

    def __call__(self, contents: PackFile, language: Language) -> CompiledPhrases:
        """Return the compiled phrases of a pack. Raises ``NumberFormatError``."""
        phrases = without_words_said(contents)
        # as text, for the order counts: of two equal phrases the first is understood
        key = (language.code, phrases.model_dump_json())
        found = self._compiled.pop(key, None) or compile_phrases(phrases, language)
        self._compiled[key] = found
        while len(self._compiled) > _REMEMBERED:
            self._compiled.popitem(last=False)
        return found


def without_words_said(contents: PackFile) -> PackFile:
    """Return a pack's contents without what is only said or done: prompts, questions, steps, services."""
    told = contents.knowledge
    return contents.model_copy(
        update={
            "prompts": {},
            "services": {},
            "variables": {},
            "story": None,
            "defaults": None,
            "slots": {name: _phrases_of_slot(slot) for name, slot in contents.slots.items()},
            "flows": {name: _phrases_of_flow(flow) for name, flow in contents.flows.items()},
            "knowledge": None if told is None else _phrases_of_knowledge(told),
        }
    )


def _phrases_of_slot(slot: Slot) -> Slot:
    words = ("description", "prompt", "reprompt", "help", "noinput", "nomatch", "confirm_prompt")
    return slot.model_copy(update={name: Slot.model_fields[name].default for name in words})


def _phrases_of_flow(flow: Flow) -> Flow:
    return flow.model_copy(update={"description": "", "steps": (), "forgets": (), "keeps": {}})


def _phrases_of_knowledge(told: Knowledge) -> Knowledge:
    return told.model_copy(
        update={
            "answers": {name: one.model_copy(update={"says": "", "about": ""}) for name, one in told.answers.items()},
            "promotions": {
                name: one.model_copy(update={"says": "", "starts": None, "ends": None, "minimum": None})
                for name, one in told.promotions.items()
            },
        }
    )
