"""Compiles a pack's phrase templates into grammar entries, each with its intent."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from agent.dialog.grammar.entry_table import Entry
from agent.dialog.grammar.intent import Intent
from agent.dialog.grammar.keyword_match import KeywordPattern, compile_keyword_pattern, is_keyword_pattern
from agent.dialog.grammar.synonyms import Synonyms
from agent.dialog.grammar.templates import Expander, Lists, Phrase, is_wildcard, without_mark
from agent.dialog.grammar.wildcard_phrases import WildcardCompiler, WildcardPhrase

Entries = list[Entry]
_MAX_NUMBERS = 2
_NAMED = re.compile(r"\{(\w+)\}")


class EntryCompiler:
    """Makes entries against one set of rules and lists."""

    def __init__(
        self, rules: Mapping[str, Sequence[str]], lists: Lists, numbers: Collection[str], same: Synonyms
    ) -> None:
        self._lists = lists
        self._numbers = frozenset(numbers)
        self._expander = Expander(rules, lists, tuple(numbers))
        self._wide = WildcardCompiler(rules, lists, same)

    def make(self, text: str, meaning: Intent, expander: Expander | None = None) -> Iterator[Entry]:
        """Yield what one template stands for: listed phrases, or one wide phrase when it is marked or names choices.

        A phrase with a number in it is always listed; so is one that is given an expander of its own. Raises
        :class:`TemplateError`.
        """
        if is_keyword_pattern(text):
            yield compile_keyword_pattern(text, self._wide), meaning
            return
        wide, names = is_wildcard(text), set(_NAMED.findall(text))
        if wide and expander is None and not names & self._numbers:
            yield self._wide.compile(text), meaning
            return
        for phrase in (expander or self._expander).expand(without_mark(text)):
            yield (
                Phrase(phrase.tokens, phrase.values, heard=not wide),
                Intent(meaning.kind, meaning.name, phrase.values, meaning.trigger),
            )
        if not wide and expander is None and names and names <= self._lists.keys():
            # choices may have wide phrases and gists of their own
            yield self._wide.compile(text), meaning
            for name in names if text == f"{{{''.join(names)}}}" else ():
                yield from self._gists(name, meaning)

    def _gists(self, name: str, meaning: Intent) -> Iterator[Entry]:
        for value, ways in self._lists[name].items():
            told = replace(meaning, values=((name, value),))
            yield from ((compile_keyword_pattern(way, self._wide), told) for way in ways if is_keyword_pattern(way))


def listed_phrases(entries: Entries) -> Iterator[Phrase]:
    """Yield the phrases that are written out, not the wide ones."""
    return (phrase for phrase, _ in entries if isinstance(phrase, Phrase))


def with_intent(meaning: Intent, entries: Entries) -> Entries:
    """Return the same phrases with another meaning."""
    return [(phrase, meaning) for phrase, _ in entries]


def begins_with_number(phrase: Phrase | WildcardPhrase | KeywordPattern) -> bool:
    """Return whether the first thing said is a number."""
    return isinstance(phrase, Phrase) and phrase.tokens[0].startswith("{")


def too_many_numbers(phrase: Phrase) -> str:
    """Return what is wrong with the numbers in a phrase; ``""`` when nothing is."""
    slots = phrase.number_slots
    if len(slots) > _MAX_NUMBERS or len(set(slots)) < len(slots):
        return f"'{phrase.text}': a phrase can hold two different number slots at most"
    places = [index for index, token in enumerate(phrase.tokens) if token.startswith("{")]
    if len(places) == _MAX_NUMBERS and places[1] == places[0] + 1:
        return f"'{phrase.text}': two numbers need a word between them"
    return ""
