"""A loaded flow pack: checked contents and the compiled grammar of every turn. Immutable and shared."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from agent.dialog.contract import Prompt
from agent.dialog.errors import DialogError, FlowError, YamlFinding
from agent.dialog.grammar.choices import Option
from agent.dialog.grammar.grammar_builder import collect_key, number_formats
from agent.dialog.grammar.turn_grammar import TurnGrammar
from agent.dialog.model import knowledge
from agent.dialog.model.model import END, Flow, PackFile, QuestionSettings, SayStep, Slot, Story
from agent.dialog.model.understanding import Thresholds, UnderstandingSettings
from agent.dialog.numbers.format import NumberFormat, NumberFormatError
from agent.dialog.pack import lint, reader, step_paths, story
from agent.dialog.pack.callee_phrases import CalleePhrases, callee_phrases
from agent.dialog.pack.compiled_phrases import CompiledPhrases, PhraseCompiler, compile_phrases
from agent.dialog.pack.reader import PackReading
from agent.dialog.templating.expressions import Expressions
from agent.dialog.templating.rendering import Renderer, TemplateChecker
from agent.dialog.understanding.evidence import RuleEvidence
from agent.dialog.understanding.examples import example_lists
from agent.dialog.understanding.meanings import MeaningNames
from agent.dialog.understanding.score import RequestScore
from agent.dialog.understanding.source import ScoreSource, Teaching
from agent.languages.language import Language
from agent.languages.registry import USUAL, UnknownLanguage, find_language


@dataclass(frozen=True)
class FlowPack:
    """Everything a conversation runs on."""

    contents: PackFile
    grammars: Mapping[str, TurnGrammar]
    formats: Mapping[str, NumberFormat]
    expressions: Expressions
    language: Language
    """The language the pack is written in."""
    fingerprint: str
    """Changes whenever a file of the pack changes."""
    warnings: tuple[YamlFinding, ...] = ()
    phrases: CompiledPhrases | None = None
    score: RequestScore | None = None
    """Judges open requests; None where rules alone decide."""
    _asked: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)
    _known: dict[date, Mapping[str, Any]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def load(
        cls,
        directory: Path | str,
        filters: Collection[str] | None = None,
        number_formats_given: Mapping[str, str] | None = None,
        languages: Mapping[str, Language] | None = None,
    ) -> FlowPack:
        """Load and check every ``*.yaml`` below ``directory``.

        ``filters`` are the names the renderer knows; None leaves prompts' filters unchecked. ``number_formats_given``
        (number slot -> format) stand in place of the files' own: the shop's numbers, not the procedures' business.
        ``languages`` (code -> language) may be named besides those of ``agent/languages``.
        Raises :class:`FlowError` with every mistake found; warnings are kept in ``warnings``.
        """
        return cls.of_reading(reader.read_pack(Path(directory)), filters, number_formats_given, languages)

    @classmethod
    def of_reading(
        cls,
        reading: PackReading,
        filters: Collection[str] | None = None,
        number_formats_given: Mapping[str, str] | None = None,
        languages: Mapping[str, Language] | None = None,
        phrases: PhraseCompiler = compile_phrases,
    ) -> FlowPack:
        """Check what was read and compile it; all as :meth:`load`."""
        reader.use_formats(reading, number_formats_given or {})
        story.use_default(reading)
        expressions = Expressions()
        if reading.unreadable:
            raise _refused(reading.findings)
        lint.check(reading, expressions, filters)
        language = _language(reading, languages)
        unfit = [name for name in reading.contents.slots if not _SLOT_NAME.fullmatch(name)]
        for name in unfit:
            reading.report(("slots", name), "a slot's name is made of small letters, digits and _")
        if unfit:
            raise _refused(reading.findings)  # phrases name slots: with such names they cannot be read
        try:
            formats = number_formats(reading.contents)
            compiled = phrases(reading.contents, language)
        except NumberFormatError as error:
            raise _refused(reading.findings) from error
        for place, problem in compiled.problems:
            reading.report(place, problem)
        if any(finding.severity == "error" for finding in reading.findings):
            raise _refused(reading.findings)
        warnings = tuple(sorted(reading.findings))
        return cls(
            reading.contents,
            compiled.grammars.fixed,
            formats,
            expressions,
            language,
            reading.fingerprint,
            warnings,
            compiled,
        )

    def grammar_with(self, slot: str, options: tuple[Option, ...]) -> TurnGrammar:
        """Return the grammar that listens for a slot whose choices come from a call's data."""
        return self._phrases().grammars.with_options(slot, options)

    def knowledge_on(self, today: date) -> Mapping[str, Any]:
        """Return what prompts and expressions see of the knowledge file on this day."""
        found = self._known.get(today)
        if found is None:
            self._known.clear()  # only ever one day at a time
            found = self._known[today] = knowledge.data(self.contents.knowledge, today)
        return found

    @property
    def format_patterns(self) -> Mapping[str, str]:
        """What prompts see as ``formats``: number slot -> its format as written."""
        return {name: number_format.pattern for name, number_format in self.formats.items()}

    def flow(self, flow_id: str) -> Flow:
        """Return a flow by id."""
        return self.contents.flows[flow_id]

    def asks(self, flow_id: str) -> bool:
        """Return whether a flow does more than answer: asks something, acts, or leads on."""
        return not all(isinstance(step, SayStep) for step in self.flow(flow_id).steps)

    def asks_for(self, flow_id: str, slot: str) -> bool:
        """Return whether a slot is asked for in a flow, or in one it links to."""
        if flow_id not in self._asked:
            self._asked[flow_id] = step_paths.slots_asked_for(flow_id, self.contents.flows)
        return slot in self._asked[flow_id]

    def slot(self, name: str) -> Slot:
        """Return a slot by name."""
        return self.contents.slots[name]

    @functools.cached_property
    def meanings(self) -> MeaningNames:
        """Translates between what phrases stand for and the names of meanings."""
        return MeaningNames(self.contents)

    @functools.cached_property
    def teaching(self) -> Teaching | None:
        """What the score of open requests is fitted from; None for a pack without examples: there rules decide."""
        opening = next((name for name, slot in self.contents.slots.items() if slot.type == "request"), "")
        if not opening or not any(True for _ in example_lists(self.contents)):
            return None
        return Teaching(self.contents, self.language, self.grammars[collect_key(opening)], self.meanings)

    def with_score(self, scores: ScoreSource) -> FlowPack:
        """Return the same pack with a fitted score of open requests; itself where it has no examples to fit from."""
        teaching = self.teaching
        fitted = scores.fitted(teaching) if teaching is not None else None
        if teaching is None or fitted is None:
            return self
        return replace(self, score=RequestScore(fitted, teaching.plain, teaching.core, scores.vectors))

    @functools.cached_property
    def callee_phrases(self) -> CalleePhrases:
        """What callees and machines say at the beginning of a call that we placed."""
        return callee_phrases(self.contents)

    def opening_evidence(self, text: str) -> RuleEvidence:
        """Return what phrases and gists see in a text where a request is asked for."""
        return self.teaching.rules(text) if self.teaching is not None else RuleEvidence()

    def thresholds(self, recognizer: str) -> Thresholds:
        """Return from which score on a request is acted on, as this recogniser hears."""
        settings = self.contents.understanding or UnderstandingSettings()
        return settings.recognizers.get(recognizer, settings)

    @property
    def story(self) -> Story:
        """Which slots and which variable tell staff what a call was about."""
        return self.contents.story or Story()

    def tells(self, slot: str) -> bool:
        """Return whether tickets and hand-overs show what is known of a slot: nothing secret, and no request."""
        told = self.slot(slot)
        return not told.redact and told.type != "request" and slot in (self.story.slots or self.contents.slots)

    @property
    def defaults(self) -> QuestionSettings:
        """How questions are asked unless a slot says otherwise."""
        return self.contents.defaults or QuestionSettings()

    def step_index(self, flow_id: str, target: str) -> int:
        """Return the place of a step id in a flow; the number of steps for ``end``."""
        steps = self.flow(flow_id).steps
        if target == END:
            return len(steps)
        return next(index for index, step in enumerate(steps) if step.id == target)

    def step_name(self, flow_id: str, index: int) -> str:
        """Return the name of a step for logs and coverage: its id, or its place counted from 1."""
        return lint.step_name(self.flow(flow_id).steps, index)

    def steps(self) -> list[str]:
        """Return every step of the pack as ``flow.step``, for coverage."""
        return [
            f"{flow_id}.{self.step_name(flow_id, index)}"
            for flow_id, flow in self.contents.flows.items()
            for index in range(len(flow.steps))
        ]

    def fixed_prompts(self, context: Mapping[str, Any], render: Renderer) -> list[Prompt]:
        """Return every prompt whose words are known now, to be spoken before they are needed.

        ``context`` holds what does not change from call to call (``{"shop": "..."}``). Prompts with other variables
        are left out; those of slots and steps written in place are included.
        """
        context = {
            "customer": {},
            "job": {},
            "formats": self.format_patterns,
            **context,
        }  # a stranger: the usual caller
        checker = TemplateChecker()
        fixed: list[Prompt] = []
        for place, text in self._prompt_sources():
            if text and checker.names(text) <= context.keys():
                fixed.append(Prompt(place, render(text, context, self.language)))
        return fixed

    def _prompt_sources(self) -> Iterator[tuple[str, str]]:
        for name, prompt in self.contents.prompts.items():
            if isinstance(prompt, str):
                yield name, prompt
            else:
                yield from ((f"{name}.{case}", text) for case, text in prompt.cases.items())
                yield f"{name}.{lint.OTHERWISE}", prompt.otherwise
        if (recording := self.contents.recording) is not None:
            for key in ("announcement", "question", "question_again", "accepted", "refused"):
                yield f"recording.{key}", getattr(recording, key)
        if (outbound := self.contents.outbound) is not None:
            yield from _inline("outbound.says.screener", outbound.says.screener)
            yield from _inline("outbound.says.message", outbound.says.message)
        for name, slot in self.contents.slots.items():
            for key in ("prompt", "reprompt", "help", "confirm_prompt"):
                yield from _inline(f"{name}.{key}", getattr(slot, key))
            for key in ("noinput", "nomatch"):
                for level, text in enumerate(getattr(slot, key), 1):
                    yield from _inline(f"{name}.{key}.{level}", (text,))
        for flow_id, flow in self.contents.flows.items():
            for index, step in enumerate(flow.steps):
                place = f"{flow_id}.{self.step_name(flow_id, index)}"
                yield from _inline(place, getattr(step, "say", ()) or getattr(step, "prompt", ()))

    def vocabulary(self) -> dict[str, str]:
        """Return every word a recogniser must know, with one phrase it occurs in."""
        words: dict[str, str] = {}
        if (recording := self.contents.recording) is not None:
            for phrase in (*recording.accept, *recording.refuse):
                for word in phrase.split():
                    words.setdefault(word, phrase)
        for phrase in self.callee_phrases.all():
            for word in phrase.split():
                words.setdefault(word, phrase)
        return {**self._phrases().vocabulary, **words}

    def _phrases(self) -> CompiledPhrases:
        if self.phrases is None:
            raise DialogError("this pack was put together without its phrases")
        return self.phrases


_SLOT_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def _language(reading: PackReading, others: Mapping[str, Language] | None) -> Language:
    """Return the language the pack names; one that is not there is a finding, and the rest is read as the usual one."""
    try:
        return find_language(reading.contents.language, others)
    except UnknownLanguage as error:
        reading.report(("language",), error.message)
        return find_language(USUAL, others)


def _refused(findings: Sequence[YamlFinding]) -> FlowError:
    return FlowError(
        sorted(finding for finding in findings if finding.severity == "error"),
        sorted(finding for finding in findings if finding.severity == "warning"),
    )


def _inline(place: str, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the texts that are words themselves, under the ids the engine gives them."""
    for index, text in enumerate(texts):
        if not lint.is_prompt_id(text):
            yield (f"{place}.{index + 1}" if len(texts) > 1 else place), text
