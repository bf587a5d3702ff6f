"""Builds the grammar of every turn of a pack: slot answers, corrections, commands and requests."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from agent.common.yaml_reader import KeyPath
from agent.dialog.errors import TemplateError
from agent.dialog.grammar import choices
from agent.dialog.grammar.choices import Option
from agent.dialog.grammar.entry_compiler import (
    Entries,
    EntryCompiler,
    begins_with_number,
    listed_phrases,
    too_many_numbers,
    with_intent,
)
from agent.dialog.grammar.entry_table import Entry, EntryTable
from agent.dialog.grammar.keyword_match import KeywordPattern
from agent.dialog.grammar.open_sentences import open_sentences
from agent.dialog.grammar.synonyms import Synonyms
from agent.dialog.grammar.template_draws import SentenceDrawer
from agent.dialog.grammar.templates import MAX_EXPANSIONS, Expander, Phrase, is_wildcard, without_mark
from agent.dialog.grammar.turn_grammar import EdgePhrases, Intent, TurnGrammar
from agent.dialog.grammar.wildcard_phrases import WildcardPhrase, fixed
from agent.dialog.model import knowledge
from agent.dialog.model.model import PackFile, Slot
from agent.dialog.numbers.format import NumberFormat
from agent.languages.language import Language

VALUE_PLACE = "value"
"""The name that stands for "the number just read back" in correction phrases."""
_SHORT_COMMANDS = ("agent", "repeat", "wait")
"""What may be said besides yes and no: few phrases, because a short grammar mishears less."""
_SHORT_WORDS = 3
"""Longer ways of saying these commands are left out next to yes and no, for the same reason."""
_REMEMBERED = 200
_WRAPPED_LIMIT = 4000
"""Sentences with a choice from data in them: how many there are is not in the author's hand."""
Report = Callable[[KeyPath, str], None]


def collect_key(slot: str) -> str:
    """Return the key of the grammar that listens for a slot."""
    return f"collect:{slot}"


def confirm_key(slot: str) -> str:
    """Return the key of the grammar that listens for a number's confirmation."""
    return f"confirm:{slot}"


CONFIRM_REQUEST = "confirm_request"
"""Key of the grammar that listens to whether a request was understood."""
CHOOSE_REQUEST = "choose_request"
"""Key of the grammar that listens to which of two requests was meant."""
CHOICES_OFFERED = 2


@dataclass(frozen=True)
class _Common:
    """What several grammars share, expanded and compiled once."""

    yes: Entries
    no: Entries
    right: Entries
    wrong: Entries
    short_commands: Entries
    anytime: EntryTable
    """What may be said at any moment: escalations, commands, and requests that do not begin with a number."""
    opening: EntryTable
    """The same with all requests: for where a request is asked for."""
    strong_words: Mapping[str, Intent]
    silent_words: Mapping[str, Intent]
    """Strong words that are understood but not listened for."""
    around: EdgePhrases
    agreed: EdgePhrases
    """The same with "yes" and "that's right" before it: the answer to a read-back and to the question in one breath."""
    sentences: tuple[str, ...]
    """What callers open with, for the recogniser where a request is asked for."""


class PackGrammars:
    """The grammar of every turn: those known beforehand, and those whose choices come from a call's data.

    Mistakes in phrases go to ``report`` with their key path; the rest is still built.
    """

    def __init__(self, contents: PackFile, report: Report, language: Language) -> None:
        self._builder = _Builder(contents, report, language)
        self.fixed: Mapping[str, TurnGrammar] = self._builder.build()
        self._made: dict[tuple[str, tuple[Option, ...]], TurnGrammar] = {}
        self._lock = threading.Lock()

    def with_options(self, slot: str, options: tuple[Option, ...]) -> TurnGrammar:
        """Return the grammar that listens for ``slot`` when there are these choices. The last ones are remembered."""
        key = (slot, options)
        found = self._made.get(key)
        if found is None:
            found = self._builder.collect(slot, options)
            with self._lock:
                if len(self._made) >= _REMEMBERED:
                    self._made.pop(next(iter(self._made)))
                self._made[key] = found
        return found


def number_formats(contents: PackFile) -> dict[str, NumberFormat]:
    """Return the formats of the number slots. Raises ``NumberFormatError`` for a format that cannot be read."""
    return {
        name: NumberFormat(slot.format, slot.check) for name, slot in contents.slots.items() if slot.type == "number"
    }


class _Builder:
    def __init__(self, contents: PackFile, report: Report, language: Language) -> None:
        self._language, self._vocabulary = language, language.numbers
        self._contents = contents
        self._report = report
        self._formats = number_formats(contents)
        self._lists = {name: self._choices(slot) for name, slot in contents.slots.items() if slot.type == "choice"}
        self._with_value = Expander(contents.rules, self._lists, (*self._formats, VALUE_PLACE))
        self._same = Synonyms(contents.same)
        self._maker = EntryCompiler(contents.rules, self._lists, tuple(self._formats), self._same)
        self._drawer = SentenceDrawer(contents.rules, self._lists, self._formats, contents.same)
        self._shared = self._common()

    def collect(self, name: str, options: tuple[Option, ...]) -> TurnGrammar:
        return self._collect(name, self._contents.slots[name], self._shared, options)

    def build(self) -> dict[str, TurnGrammar]:
        common = self._shared
        grammars = {CONFIRM_REQUEST: self._yes_or_no, CHOOSE_REQUEST: self._which_of_two(common)}
        for name, slot in self._contents.slots.items():
            grammars[collect_key(name)] = self._collect(name, slot, common)
            if slot.type == "number":
                entries = [*common.yes, *common.no]
                entries += with_intent(Intent("value", "yes"), common.right)
                entries += with_intent(Intent("value", "no"), common.wrong)
                entries += self._corrections(name, ("slots", name))
                entries += [(Phrase((f"{{{name}}}",)), Intent("correct", name))]
                grammars[confirm_key(name)] = self._short(entries, common)
        return grammars

    def _common(self) -> _Common:
        contents = self._contents
        yes_no = {
            answer: self._expand(contents.answers.get(answer, ()), Intent("value", answer), ("answers", answer))
            for answer in ("yes", "no")
        }
        owners: dict[tuple[str, ...], str] = {}
        for answer, entries in yes_no.items():
            self._owned(entries, answer, owners, ("answers", answer))
        reactions: dict[str, Entries] = {"right": [], "wrong": []}
        if contents.corrections is not None:
            for kind in reactions:
                texts = getattr(contents.corrections, kind)
                reactions[kind] = self._expand(texts, Intent(kind, kind), ("corrections", kind))
        commands: dict[str, Entries] = {}
        if contents.commands is not None:
            for name in type(contents.commands).model_fields:
                texts = getattr(contents.commands, name)
                commands[name] = self._expand(texts, Intent("command", name), ("commands", name))
        escalations: Entries = []
        strong: dict[str, Intent] = {}
        silent: dict[str, Intent] = {}
        for name, escalation in contents.escalate.items():
            meaning = Intent("escalate", name)
            escalations += self._expand(escalation.phrases, meaning, ("escalate", name, "phrases"))
            for word in escalation.words:
                (silent if is_wildcard(word) else strong)[without_mark(word).lower()] = meaning
        fillers = self._expand(contents.fillers, Intent("filler", ""), ("fillers",))
        spoken_fillers = tuple(phrase.tokens for phrase in listed_phrases(fillers))
        openers = self._expand(contents.openers, Intent("opener", ""), ("openers",))
        closers = self._expand(contents.closers, Intent("closer", ""), ("closers",))
        before, behind = self._edges([*openers, *fillers]), self._edges([*closers, *fillers])
        heard = [phrase.text for phrase in listed_phrases([*openers, *closers])]
        agreed = [*yes_no["yes"], *reactions["right"]]
        always = [
            *escalations,
            *(entry for entries in commands.values() for entry in entries),
            *self._requests(commands, escalations),
        ]
        return _Common(
            yes=yes_no["yes"],
            no=yes_no["no"],
            right=reactions["right"],
            wrong=reactions["wrong"],
            short_commands=[
                entry
                for name in _SHORT_COMMANDS
                for entry in commands.get(name, [])
                if isinstance(entry[0], Phrase) and len(entry[0].tokens) <= _SHORT_WORDS
            ],
            anytime=self._table(entry for entry in always if not begins_with_number(entry[0])),
            opening=self._table(always),
            strong_words=strong,
            silent_words=silent,
            around=EdgePhrases.of(spoken_fillers, self._same, before, behind, heard),
            agreed=EdgePhrases.of(
                (*spoken_fillers, *(phrase.tokens for phrase in listed_phrases(agreed))),
                self._same, [*before, *self._edges(agreed)], behind, heard,
            ),
            sentences=open_sentences(contents, self._drawer),
        )  # fmt: skip

    def _table(self, entries: Iterable[Entry]) -> EntryTable:
        return EntryTable(entries, self._formats, self._vocabulary, self._same)

    def _edges(self, entries: Entries) -> tuple[WildcardPhrase, ...]:
        """Return phrases as what may stand at an edge."""
        return tuple(
            fixed(self._same.rewrite(phrase.tokens)) if isinstance(phrase, Phrase) else phrase
            for phrase, _ in entries
            if not isinstance(phrase, KeywordPattern)
        )

    def _requests(self, commands: Mapping[str, Entries], escalations: Entries) -> Entries:
        entries: Entries = []
        taken: dict[tuple[str, ...], str] = {}
        for name in commands:
            for one in listed_phrases(commands[name]):
                other = taken.setdefault(one.tokens, f"the command '{name}'")
                if other != f"the command '{name}'":
                    self._report(("commands", name), f"'{one.text}' already belongs to {other}")
        for item, meaning in escalations:
            if isinstance(item, Phrase):
                other = taken.setdefault(item.tokens, f"the escalation '{meaning.name}'")
                if other != f"the escalation '{meaning.name}'":
                    self._report(("escalate", meaning.name, "phrases"), f"'{item.text}' already belongs to {other}")
        for flow_id, flow in self._contents.flows.items():
            for index, trigger in enumerate(flow.triggers):
                path: KeyPath = ("flows", flow_id, "triggers", index)
                for phrase, meaning in self._expand(trigger.phrases, Intent("request", flow_id, (), index), path):
                    if not isinstance(phrase, Phrase):
                        entries.append((phrase, meaning))
                        continue
                    problem = too_many_numbers(phrase)
                    if problem:
                        self._report(path, problem)
                        continue
                    own = f"the flow '{flow_id}'"
                    other = taken.setdefault(phrase.tokens, own)
                    if other != own:
                        self._report(path, f"'{phrase.text}' already belongs to {other}")
                        continue
                    entries.append((phrase, meaning))
        return entries

    def _collect(self, name: str, slot: Slot, common: _Common, options: tuple[Option, ...] = ()) -> TurnGrammar:
        path: KeyPath = ("slots", name)
        if slot.type == "yes_no":
            return self._yes_or_no
        entries: Entries = []
        around = common.around
        whole = slot.type == "request"
        if slot.type == "number":
            texts = slot.phrases or (f"{{{name}}}",)
            entries += self._expand(texts, Intent("number", name), (*path, "phrases"))
            for phrase, _ in list(entries):
                problem = too_many_numbers(phrase) if isinstance(phrase, Phrase) else ""
                if problem:
                    self._report((*path, "phrases"), problem)
        told = self._contents.knowledge
        owners: dict[tuple[str, ...], str] = {}
        for value, texts in self._choices(slot).items():
            where = knowledge.place(name, value, told, slot)
            own = self._expand(texts, Intent("value", value), where)
            self._owned(own, value, owners, where)
            entries += own
        spoken = choices.spoken_choices(options, self._language.choices)
        entries += [(Phrase(words), Intent("value", value)) for value, words in spoken]
        if not options:
            entries += [
                (Phrase(words, heard=False), Intent("value", value))
                for value, words in choices.keypad_choices(slot.dtmf, self._language.choices)
            ]
        if slot.type == "choice" and slot.phrases and (options or knowledge.is_fixed(slot)):
            entries += self._wrapped(name, slot, path, options)
        if slot.corrects in self._formats:
            entries += self._corrections(slot.corrects, path)
            entries += [*common.wrong, *common.right]
            entries += with_intent(Intent("wrong", "wrong"), common.no)
            entries += with_intent(Intent("right", "right"), common.yes)
            around = common.agreed
        if not whole:
            # only where a request is asked for: there callers begin with it, elsewhere it is one more thing to mishear
            around = replace(around, heard=())
        return TurnGrammar(
            entries, self._formats, self._vocabulary, (), common.strong_words,
            silent_words=common.silent_words, around=around, same=self._same,
            shared=common.opening if whole else common.anytime, sentences=common.sentences if whole else (),
        )  # fmt: skip

    def _choices(self, slot: Slot) -> dict[str, tuple[str, ...]]:
        return knowledge.spoken_choices(slot, self._contents.knowledge, self._language)

    def _owned(self, entries: Entries, value: str, owners: dict[tuple[str, ...], str], path: KeyPath) -> None:
        """A phrase can stand for one value only: the second would never be heard."""
        for phrase in listed_phrases(entries):
            other = owners.setdefault(phrase.tokens, value)
            if other != value:
                self._report(path, f"'{phrase.text}' already stands for '{other}'")

    def _wrapped(self, name: str, slot: Slot, path: KeyPath, options: tuple[Option, ...]) -> Entries:
        """Expand the phrases of a choice slot: the choice, and what else the sentence holds."""
        words = self._language.choices
        lists = {
            **self._lists,
            name: {
                **self._lists[name],
                **{
                    option.value: tuple(words.in_sentence.format(name=" ".join(way)) for way in ways)
                    for option, ways in choices.unique_namings(options, words)
                },
            },
        }
        expander = Expander(
            self._contents.rules, lists, tuple(self._formats), _WRAPPED_LIMIT if options else MAX_EXPANSIONS
        )
        entries: Entries = []
        meanings: dict[tuple[tuple[str, str], ...], Intent] = {}
        for phrase, _ in self._expand(slot.phrases, Intent("value", name), (*path, "phrases"), expander):
            if not isinstance(phrase, Phrase):
                continue
            own = [value for other, value in phrase.values if other == name]
            if len(own) == 1:
                if phrase.values not in meanings:
                    others = tuple((other, value) for other, value in phrase.values if other != name)
                    meanings[phrase.values] = Intent("value", own[0], others)
                entries.append((Phrase(phrase.tokens, heard=phrase.heard), meanings[phrase.values]))
            else:
                self._report((*path, "phrases"), f"needs {{{name}}} exactly once")
        return entries

    def _short(self, entries: Entries, common: _Common) -> TurnGrammar:
        """Make a grammar that hears few phrases; what else callers say at any moment is understood all the same."""
        return TurnGrammar(
            [*entries, *common.short_commands], self._formats, self._vocabulary,
            silent_words={**common.strong_words, **common.silent_words}, speak_fillers=False,
            around=replace(common.around, heard=()), same=self._same, besides=self._anything,
        )  # fmt: skip

    def _which_of_two(self, common: _Common) -> TurnGrammar:
        """Make a grammar for "A or B?": by place, or by saying it again."""
        entries: Entries = [
            (Phrase(words), Intent("value", str(index + 1)))
            for index in range(CHOICES_OFFERED)
            for words in self._language.choices.by_place(index, CHOICES_OFFERED)
        ]
        return TurnGrammar(
            [*entries, *common.no, *common.yes], self._formats, self._vocabulary, (), common.strong_words,
            silent_words=common.silent_words, around=common.around, same=self._same, shared=common.opening,
        )  # fmt: skip

    @functools.cached_property
    def _yes_or_no(self) -> TurnGrammar:
        common = self._shared
        return self._short([*common.yes, *common.no], common)

    @functools.cached_property
    def _anything(self) -> TurnGrammar:
        """What may be said at any moment, for the turns that do not listen for it."""
        common = self._shared
        return TurnGrammar(
            (), self._formats, self._vocabulary, speak_fillers=False,
            around=replace(common.around, heard=()), same=self._same, shared=common.anytime, hears_shared=False,
        )  # fmt: skip

    def _corrections(self, slot: str, path: KeyPath) -> Entries:
        if self._contents.corrections is None:
            return []
        meaning = Intent("correct", slot)
        entries: Entries = []
        for index, text in enumerate(self._contents.corrections.new):
            for phrase, _ in self._expand((text,), meaning, ("corrections", "new", index), self._with_value):
                if not isinstance(phrase, Phrase):
                    self._report(("corrections", "new", index), f"needs {{{VALUE_PLACE}}} exactly once")
                    break
                tokens = tuple(f"{{{slot}}}" if token == f"{{{VALUE_PLACE}}}" else token for token in phrase.tokens)
                if len(Phrase(tokens).number_slots) != 1:
                    self._report(("corrections", "new", index), f"needs {{{VALUE_PLACE}}} exactly once")
                    break
                entries.append((Phrase(tokens, heard=phrase.heard), meaning))
        return entries

    def _expand(
        self, texts: Iterable[str], meaning: Intent, path: KeyPath, expander: Expander | None = None
    ) -> Entries:
        entries: Entries = []
        for index, text in enumerate(texts):
            try:
                entries += self._maker.make(text, meaning, expander)
            except TemplateError as error:
                self._report((*path, index), f"'{text}': {error.message}")
        return entries
