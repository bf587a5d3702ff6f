"""What a pack is fitted from, and where its fitted score comes from."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Protocol

from agent.dialog.grammar.synonyms import Synonyms
from agent.dialog.grammar.turn_grammar import TurnGrammar
from agent.dialog.model.model import PackFile
from agent.dialog.understanding.candidates import SentenceVectors
from agent.dialog.understanding.evidence import RuleEvidence
from agent.dialog.understanding.examples import example_lists
from agent.dialog.understanding.fitting import FittedScore
from agent.dialog.understanding.meanings import MeaningNames, unnamed_groups
from agent.dialog.understanding.teaching import PlainText, TaughtSentence, taught_sentences
from agent.languages.language import Language

EDITION = 1
"""Changes when the same pack is to be fitted anew: other features, other strengths."""


@dataclass(frozen=True)
class Teaching:
    """Everything a fit needs of a pack; the sentences are made when they are asked for."""

    contents: PackFile
    language: Language
    opening: TurnGrammar
    """The grammar of the turn where a request is asked for."""
    names: MeaningNames

    @functools.cached_property
    def key(self) -> str:
        """The fingerprint of all that the fit depends on: edits of prompts and steps leave it as it is."""
        contents = self.contents
        told = contents.knowledge
        parts: list[Any] = [EDITION, contents.language]
        parts += [[listed.meaning, listed.templates] for listed in example_lists(contents)]
        parts += [[name, bool(group.topic)] for name, group in contents.not_for_us.items()]
        parts += [[name, [one.phrases for one in flow.triggers]] for name, flow in contents.flows.items()]
        parts += [[name, one.ask] for name, one in (told.answers.items() if told is not None else ())]
        parts += [[name, one.spoken, one.code] for name, one in (told.promotions.items() if told is not None else ())]
        parts += [contents.commands.model_dump() if contents.commands is not None else None]
        parts += [[name, one.words, one.phrases] for name, one in contents.escalate.items()]
        parts += [contents.rules, contents.same, contents.openers, contents.closers, contents.fillers, contents.answers]
        parts += [[name, slot.format, slot.choices] for name, slot in contents.slots.items()]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    @functools.cached_property
    def plain(self) -> PlainText:
        """Brings texts to the form that is taught and judged."""
        return PlainText(Synonyms(self.contents.same), self.language.numbers)

    def sentences(self) -> list[TaughtSentence]:
        """Return the sentences to fit from."""
        return taught_sentences(self.contents, self.language, self.plain)

    def rules(self, text: str) -> RuleEvidence:
        """Return what phrases and gists see in a text."""
        return self.names.evidence(*self.opening.evidence(text))

    def core(self, text: str) -> str:
        """Return a text without what may stand around a request: "i was wondering if you could", "please"."""
        return self.opening.core(text)

    @property
    def unnamed(self) -> frozenset[str]:
        """Groups of foreign sentences without a topic."""
        return unnamed_groups(self.contents)


class ScoreSource(Protocol):
    """Gives a pack its fitted score: from a file, or by a fit."""

    @property
    def vectors(self) -> SentenceVectors | None:
        """The sentence vectors to judge with; None where none are installed."""

    def fitted(self, teaching: Teaching) -> FittedScore | None:
        """Return the score of a pack; None for a pack that is to go by its rules alone."""
