"""Turns the phrase templates of a pack into entries: listed phrases, wide ones and gists; mistakes are reported."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from agent.dialog import choices, knowledge
from agent.dialog.choices import Option
from agent.dialog.entry_table import Entry
from agent.dialog.errors import TemplateError
from agent.dialog.flow import PackFile, Slot
from agent.dialog.gists import compile_gist, is_gist
from agent.dialog.meanings import Meaning
from agent.dialog.number_format import NumberFormat
from agent.dialog.same_words import SameWords
from agent.dialog.templates import MAX_EXPANSIONS, Expander, Phrase, is_wide, unmarked
from agent.dialog.wide_phrases import WideCompiler
from agent.yaml_source import Path

VALUE_PLACE = "value"
"""The name that stands for "the number just read back" in correction phrases."""
_MAX_NUMBERS = 2
_NAMED = re.compile(r"\{(\w+)\}")
_WRAPPED_LIMIT = 4000
"""Sentences with a choice from data in them: how many there are is not in the author's hand."""
Report = Callable[[Path, str], None]


def number_formats(contents: PackFile) -> dict[str, NumberFormat]:
    """Return the formats of the number slots. Raises ``NumberFormatError`` for a format that cannot be read."""
    return {
        name: NumberFormat(slot.format, slot.check) for name, slot in contents.slots.items() if slot.type == "number"
    }


class PackPhrases:
    """Expands the templates of one pack."""

    def __init__(self, contents: PackFile, report: Report) -> None:
        self.contents = contents
        self.report = report
        self.formats = number_formats(contents)
        self.same = SameWords(contents.same)
        self._lists = {
            name: knowledge.choices(slot, contents.knowledge)
            for name, slot in contents.slots.items()
            if slot.type == "choice"
        }
        self._expander = Expander(contents.rules, self._lists, tuple(self.formats))
        self._with_value = Expander(contents.rules, self._lists, (*self.formats, VALUE_PLACE))
        self._wide = WideCompiler(contents.rules, self._lists, self.same)

    def expand(
        self, texts: Iterable[str], meaning: Meaning, path: Path, expander: Expander | None = None
    ) -> list[Entry]:
        """Return the entries of some templates; those that cannot be read are reported."""
        entries: list[Entry] = []
        for index, text in enumerate(texts):
            try:
                entries += self._entries(text, meaning, expander or self._expander)
            except TemplateError as error:
                self.report((*path, index), f"'{text}': {error.message}")
        return entries

    def _entries(self, text: str, meaning: Meaning, expander: Expander) -> Iterator[Entry]:
        """Yield what one template stands for: listed phrases, or one wide phrase when it is marked or names choices.

        A phrase with a number in it is always listed; so is one that was given an expander of its own.
        """
        if is_gist(text):
            yield compile_gist(text, self._wide), meaning
            return
        wide, names = is_wide(text), set(_NAMED.findall(text))
        if wide and expander is self._expander and not names & self.formats.keys():
            yield self._wide.compile(text), meaning
            return
        for phrase in expander.expand(unmarked(text)):
            yield (
                Phrase(phrase.tokens, phrase.values, heard=not wide),
                Meaning(meaning.kind, meaning.name, phrase.values, meaning.trigger),
            )
        if not wide and expander is self._expander and names and names <= self._lists.keys():
            # choices may have wide phrases and gists of their own
            yield self._wide.compile(text), meaning
            for name in names if text == f"{{{''.join(names)}}}" else ():
                for value, ways in self._lists[name].items():
                    told = replace(meaning, values=((name, value),))
                    yield from ((compile_gist(way, self._wide), told) for way in ways if is_gist(way))

    def owned(self, entries: list[Entry], value: str, owners: dict[tuple[str, ...], str], path: Path) -> None:
        """A phrase can stand for one value only: the second would never be heard."""
        for phrase in listed(entries):
            other = owners.setdefault(phrase.tokens, value)
            if other != value:
                self.report(path, f"'{phrase.text}' already stands for '{other}'")

    def wrapped(self, name: str, slot: Slot, path: Path, options: tuple[Option, ...]) -> list[Entry]:
        """Expand the phrases of a choice slot: the choice, and what else the sentence holds."""
        lists = {
            **self._lists,
            name: {
                **self._lists[name],
                **{
                    option.value: tuple(f"[the] {' '.join(words)}" for words in ways)
                    for option, ways in choices.ways(options)
                },
            },
        }
        expander = Expander(
            self.contents.rules, lists, tuple(self.formats), _WRAPPED_LIMIT if options else MAX_EXPANSIONS
        )
        entries: list[Entry] = []
        for phrase, _ in self.expand(slot.phrases, Meaning("value", name), (*path, "phrases"), expander):
            if not isinstance(phrase, Phrase):
                continue
            own = [value for other, value in phrase.values if other == name]
            if len(own) == 1:
                others = tuple((other, value) for other, value in phrase.values if other != name)
                entries.append((Phrase(phrase.tokens, heard=phrase.heard), Meaning("value", own[0], others)))
            else:
                self.report((*path, "phrases"), f"needs {{{name}}} exactly once")
        return entries

    def corrections(self, slot: str, path: Path) -> list[Entry]:
        """Return the pack's ways of saying a number anew, for one number slot."""
        if self.contents.corrections is None:
            return []
        meaning = Meaning("correct", slot)
        entries: list[Entry] = []
        for index, text in enumerate(self.contents.corrections.new):
            for phrase, _ in self.expand((text,), meaning, ("corrections", "new", index), self._with_value):
                if not isinstance(phrase, Phrase):
                    self.report(("corrections", "new", index), f"needs {{{VALUE_PLACE}}} exactly once")
                    break
                tokens = tuple(f"{{{slot}}}" if token == f"{{{VALUE_PLACE}}}" else token for token in phrase.tokens)
                if len(Phrase(tokens).number_slots) != 1:
                    self.report(("corrections", "new", index), f"needs {{{VALUE_PLACE}}} exactly once")
                    break
                entries.append((Phrase(tokens, heard=phrase.heard), meaning))
        return entries


def listed(entries: Iterable[Entry]) -> Iterator[Phrase]:
    """Return the listed phrases among some entries."""
    return (phrase for phrase, _ in entries if isinstance(phrase, Phrase))


def too_many_numbers(phrase: Phrase) -> str:
    """Return what is wrong with the numbers in a phrase, or ``""``."""
    slots = phrase.number_slots
    if len(slots) > _MAX_NUMBERS or len(set(slots)) < len(slots):
        return f"'{phrase.text}': a phrase can hold two different number slots at most"
    places = [index for index, token in enumerate(phrase.tokens) if token.startswith("{")]
    if len(places) == _MAX_NUMBERS and places[1] == places[0] + 1:
        return f"'{phrase.text}': two numbers need a word between them"
    return ""
