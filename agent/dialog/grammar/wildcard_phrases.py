"""Wildcard phrases: templates matched without being expanded: ``~ [i think] i (left | lost) it``.

A template that begins with ``~`` is understood but not listened for: it may stand for any number of sentences, use
words the recogniser does not know, and hold ``*`` for any one word. What it explains, it explains word by word.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from hassil.expression import Alternative, Expression, Group, ListReference, Permutation, RuleReference, TextChunk

from agent.dialog.errors import TemplateError
from agent.dialog.grammar.synonyms import Synonyms
from agent.dialog.grammar.templates import Lists, did_you_mean, parse, without_mark

ANY_WORD = "*"
T = TypeVar("T")
_MAX_DEPTH = 12

Tokens = tuple[str, ...]
Values = tuple[tuple[str, str], ...]


class PhraseEnd(NamedTuple):
    """How far a phrase goes."""

    end: int
    values: Values = ()
    """Slot values it names."""
    guessed: int = 0
    """Words that only a ``*`` explains."""


class _Words:
    def __init__(self, words: Tokens) -> None:
        self._words = words
        self._guessed = words.count(ANY_WORD)

    def ends(self, tokens: Tokens, at: int) -> Sequence[PhraseEnd]:
        end = at + len(self._words)
        here = tokens[at:end]
        if not self._guessed:
            return (PhraseEnd(end),) if here == self._words else ()
        if len(here) < len(self._words):
            return ()
        if all(word in (ANY_WORD, token) for word, token in zip(self._words, here, strict=True)):
            return (PhraseEnd(end, (), self._guessed),)
        return ()

    def firsts(self) -> frozenset[str]:
        return frozenset(self._words[:1])


class _OneOf:
    """One of several ways; found by the word they begin with, because there can be hundreds."""

    def __init__(self, ways: Iterable[_Node]) -> None:
        self._by_first: dict[str, list[_Node]] = {}
        self._always: list[_Node] = []
        firsts: set[str] = set()
        for way in ways:
            own = way.firsts() or frozenset({""})
            firsts |= own
            if own & {"", ANY_WORD}:
                self._always.append(way)
                continue
            for first in own:
                self._by_first.setdefault(first, []).append(way)
        self._firsts = frozenset(firsts)

    def ends(self, tokens: Tokens, at: int) -> Sequence[PhraseEnd]:
        fitting = self._by_first.get(tokens[at], ()) if at < len(tokens) else ()
        found: list[PhraseEnd] = []
        for way in fitting:
            found += way.ends(tokens, at)
        for way in self._always:
            found += way.ends(tokens, at)
        return found

    def firsts(self) -> frozenset[str]:
        return self._firsts


@dataclass(frozen=True)
class _InOrder:
    parts: tuple[_Node, ...]

    def ends(self, tokens: Tokens, at: int) -> Sequence[PhraseEnd]:
        reached: Sequence[PhraseEnd] = self.parts[0].ends(tokens, at)
        for part in self.parts[1:]:
            if not reached:
                return ()
            reached = [
                PhraseEnd(then.end, so_far.values + then.values, so_far.guessed + then.guessed)
                for so_far in (reached if len(reached) == 1 else dict.fromkeys(reached))
                for then in part.ends(tokens, so_far.end)
            ]
        return reached if len(reached) < 2 else tuple(dict.fromkeys(reached))

    def firsts(self) -> frozenset[str]:
        found: frozenset[str] = frozenset()
        for part in self.parts:
            own = part.firsts()
            found |= own - {""}
            if own and "" not in own:
                return found
        return found | {""}


@dataclass(frozen=True)
class _Named:
    """Words that give a slot a value."""

    words: _Node
    values: Values

    def ends(self, tokens: Tokens, at: int) -> Sequence[PhraseEnd]:
        return [reach._replace(values=reach.values + self.values) for reach in self.words.ends(tokens, at)]

    def firsts(self) -> frozenset[str]:
        return self.words.firsts()


_Node = _Words | _OneOf | _InOrder | _Named


@dataclass(frozen=True)
class WildcardPhrase:
    """One template, ready to be matched."""

    text: str
    root: _Node
    begins: frozenset[str] | None
    """The words it can begin with; None when any word may."""

    def ends(self, tokens: Tokens, at: int) -> Sequence[PhraseEnd]:
        """Return where a sentence that begins at ``at`` may end."""
        if at < len(tokens) and (self.begins is None or tokens[at] in self.begins):
            return self.root.ends(tokens, at)
        return ()


def fixed(tokens: Tokens) -> WildcardPhrase:
    """Return a phrase that is exactly these words."""
    return WildcardPhrase(" ".join(tokens), _Words(tokens), frozenset(tokens[:1]))


class WildcardCompiler:
    """Compiles templates against one set of rules and lists."""

    def __init__(self, rules: Mapping[str, Sequence[str]], lists: Lists, same: Synonyms) -> None:
        self._rules = rules
        self._lists = lists
        self._same = same
        self._made: dict[str, _Node] = {}
        self._listed: dict[tuple[str, str, int], _Node] = {}

    def compile(self, template: str) -> WildcardPhrase:
        """Return a template (with or without its mark) ready to be matched.

        Raises :class:`TemplateError` for broken syntax, unknown rules or slots, words glued to a group, and a template
        that an empty text would satisfy.
        """
        root = self._node(parse(without_mark(template)), 0)
        begins = root.firsts()
        if not begins or "" in begins:
            raise TemplateError("stands for no words at all when its optional parts are left out")
        return WildcardPhrase(template, root, None if ANY_WORD in begins else begins)

    def _node(self, item: Expression, depth: int) -> _Node:
        if depth > _MAX_DEPTH:
            raise TemplateError("rules refer to each other in a circle")
        if isinstance(item, TextChunk):
            return _Words(self._same.rewrite(tuple(item.text.lower().split())))
        if isinstance(item, RuleReference):
            return self._rule(item.rule_name, depth)
        if isinstance(item, ListReference):
            return self._list(item, depth)
        if isinstance(item, Permutation):
            orders = itertools.permutations([self._node(child, depth) for child in item.items])
            return _OneOf([_InOrder(order) for order in orders])
        if isinstance(item, Alternative):
            return _OneOf([self._node(child, depth) for child in item.items])
        if isinstance(item, Group):
            return self._sequence(item.items, depth)
        raise TemplateError("holds something that is no phrase")

    def _sequence(self, items: Sequence[Expression], depth: int) -> _Node:
        parts: list[_Node] = []
        words: list[str] = []
        for before, item in itertools.pairwise((None, *items)):
            if item is None:
                continue
            if before is not None and _glued(before, item):
                raise TemplateError("has words glued to a group: put a space between them")
            if isinstance(item, TextChunk):
                words += item.text.lower().split()
                continue
            if words:
                parts.append(_Words(self._same.rewrite(tuple(words))))
                words = []
            parts.append(self._node(item, depth))
        if words or not parts:
            parts.append(_Words(self._same.rewrite(tuple(words))))
        return parts[0] if len(parts) == 1 else _InOrder(tuple(parts))

    def _rule(self, name: str, depth: int) -> _Node:
        if name not in self._rules:
            raise TemplateError(f"there is no rule <{name}>{did_you_mean(name, self._rules)}")
        if name not in self._made:
            self._made[name] = _OneOf([self._node(parse(text), depth + 1) for text in self._rules[name]])
        return self._made[name]

    def _list(self, item: ListReference, depth: int) -> _Node:
        if item.list_name not in self._lists:
            raise TemplateError(f"there is no slot {{{item.list_name}}}{did_you_mean(item.list_name, self._lists)}")
        key = (item.list_name, item.slot_name, depth)
        if key not in self._listed:
            self._listed[key] = _OneOf(
                [
                    _Named(self._node(parse(without_mark(text)), depth + 1), ((item.slot_name, value),))
                    for value, texts in self._lists[item.list_name].items()
                    for text in texts
                    if not text.lstrip().startswith("~~")
                ]
            )
        return self._listed[key]


class PhraseIndex(Generic[T]):
    """Phrases with what they stand for, found by the word they begin with."""

    def __init__(self, phrases: Iterable[tuple[WildcardPhrase, T]]) -> None:
        self._by_first: dict[str, list[tuple[WildcardPhrase, T]]] = {}
        self.always: list[tuple[WildcardPhrase, T]] = []
        """Those that may begin with any word."""
        for phrase, what in phrases:
            if phrase.begins is None:
                self.always.append((phrase, what))
            else:
                for first in phrase.begins:
                    self._by_first.setdefault(first, []).append((phrase, what))

    def beginning(self, token: str) -> Sequence[tuple[WildcardPhrase, T]]:
        """Return the phrases that can begin with this word, but for those that may begin with any."""
        return self._by_first.get(token, ())

    def at(self, token: str) -> Iterator[tuple[WildcardPhrase, T]]:
        """Yield the phrases that may begin with this word."""
        yield from self.beginning(token)
        yield from self.always


class EdgeMatcher:
    """What may stand before and behind a phrase without changing what it means, in any number and order."""

    def __init__(self, before: Iterable[WildcardPhrase] = (), behind: Iterable[WildcardPhrase] = ()) -> None:
        self._before = PhraseIndex((phrase, None) for phrase in before)
        self._behind = PhraseIndex((phrase, None) for phrase in behind)

    def starts(self, tokens: Tokens) -> dict[int, int]:
        """Return where the phrase itself may begin, 0 first, with the words before it that only a ``*`` explains."""
        found = {0: 0}
        for at in range(len(tokens)):
            if at in found:
                for edge, _ in self._before.at(tokens[at]):
                    for reach in edge.ends(tokens, at):
                        guessed = found[at] + reach.guessed
                        found[reach.end] = min(found.get(reach.end, guessed), guessed)
        return {at: found[at] for at in sorted(found) if at < len(tokens)}

    def steps(self, tokens: Tokens, at: int) -> set[int]:
        """Return how far anything that may stand at an edge reaches from here."""
        edges = (*self._before.at(tokens[at]), *self._behind.at(tokens[at]))
        return {reach.end for edge, _ in edges for reach in edge.ends(tokens, at)}

    def ends(self, tokens: Tokens) -> list[int]:
        """Return where the phrase itself may end, the end of the text first."""
        found = {len(tokens)}
        for at in range(len(tokens) - 1, 0, -1):
            if any(reach.end in found for edge, _ in self._behind.at(tokens[at]) for reach in edge.ends(tokens, at)):
                found.add(at)
        return sorted(found, reverse=True)


def _glued(before: Expression, item: Expression) -> bool:
    """Return whether two parts of a template stand without a space between them, as in ``sale[s]``."""
    if isinstance(before, TextChunk):
        return not isinstance(item, TextChunk) and before.text != "" and not before.text.endswith(" ")
    return not isinstance(item, TextChunk) or (item.text != "" and not item.text.startswith(" "))
