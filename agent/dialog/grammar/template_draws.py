"""Draws single sentences from phrase templates, for the recogniser: a template may stand for more than can be listed.

Wildcard templates (``~ [i] (want | need) to return * [*]``) are never expanded. What callers say with them is drawn at
random from a seed: the same sentences for the same pack on every machine.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Collection, Iterator, Mapping, Sequence

from hassil.expression import Alternative, Expression, Group, ListReference, Permutation, RuleReference, TextChunk

from agent.dialog.errors import TemplateError
from agent.dialog.grammar.templates import Lists, is_wildcard, parse, without_mark
from agent.dialog.grammar.wildcard_phrases import ANY_WORD

_KEYWORD_MARK = "~~"
_VARIANT_SHARE = 0.5
"""So often a wording is replaced by another that counts as equal: "do not" by "don't"."""
_MAX_DEPTH = 12
_MIN_WORDS = 2
"""A ``*`` cuts a sentence in two: shorter pieces say nothing about the order of words."""


class SentenceDrawer:
    """Draws sentences against one set of rules, lists and equal wordings."""

    def __init__(
        self,
        rules: Mapping[str, Sequence[str]],
        lists: Lists,
        numbers: Collection[str],
        same: Mapping[str, Sequence[str]],
    ) -> None:
        self._rules = rules
        self._lists = lists
        self._numbers = frozenset(numbers)
        self._variants = {
            tuple(words.lower().split()): tuple(tuple(variant.lower().split()) for variant in _spoken(variants))
            for words, variants in same.items()
        }
        self._longest = max(map(len, self._variants), default=0)
        self._key = hashlib.sha256(repr((rules, lists, sorted(numbers), same)).encode()).digest()

    def __eq__(self, other: object) -> bool:
        """Return whether the same sentences come of both."""
        return isinstance(other, SentenceDrawer) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def draw(self, template: str, count: int, chance: random.Random) -> Iterator[str]:
        """Yield up to ``count`` sentences, or pieces of them between two ``*``; they may repeat.

        Nothing comes of keyword patterns (``~~``), which say nothing about the order of words, and of templates with a
        number, which have samples of their own. Raises :class:`TemplateError`.
        """
        if template.lstrip().startswith(_KEYWORD_MARK):
            return
        expression = parse(without_mark(template))
        for _ in range(count):
            words: list[str] = []
            if not self._walk(expression, chance, words, 0):
                return
            yield from self._pieces(words, chance)

    def _pieces(self, words: list[str], chance: random.Random) -> Iterator[str]:
        pieces: list[list[str]] = [[]]
        for word in words:
            if word == ANY_WORD:
                pieces.append([])
            else:
                pieces[-1].append(word)
        whole = len(pieces) == 1
        for piece in pieces:
            if len(piece) >= _MIN_WORDS or (whole and piece):
                yield " ".join(self._reworded(piece, chance))

    def _reworded(self, words: Sequence[str], chance: random.Random) -> Iterator[str]:
        at = 0
        while at < len(words):
            for length in range(min(self._longest, len(words) - at), 0, -1):
                variants = self._variants.get(tuple(words[at : at + length]))
                if variants is not None and chance.random() < _VARIANT_SHARE:
                    yield from chance.choice(variants)
                    at += length
                    break
            else:
                yield words[at]
                at += 1

    def _walk(self, item: Expression, chance: random.Random, words: list[str], depth: int) -> bool:
        """Add the words of one way through ``item``; False when there is a number in it."""
        if depth > _MAX_DEPTH:
            raise TemplateError("rules refer to each other in a circle")
        if isinstance(item, TextChunk):
            words += item.text.lower().split()
            return True
        if isinstance(item, RuleReference):
            known = self._rules.get(item.rule_name, ())  # what names no rule is told by the grammar itself
            return bool(known) and self._walk(parse(chance.choice(known)), chance, words, depth + 1)
        if isinstance(item, ListReference):
            return self._walk_list(item, chance, words, depth)
        if isinstance(item, Alternative):
            return self._walk(chance.choice(item.items), chance, words, depth)
        if isinstance(item, Group):
            parts = list(item.items)
            if isinstance(item, Permutation):
                chance.shuffle(parts)
            return all(self._walk(part, chance, words, depth) for part in parts)
        return True

    def _walk_list(self, item: ListReference, chance: random.Random, words: list[str], depth: int) -> bool:
        if item.list_name in self._numbers:
            return False
        ways = [
            text
            for texts in self._lists.get(item.list_name, {}).values()
            for text in texts
            if not text.lstrip().startswith(_KEYWORD_MARK)
        ]
        if not ways:
            return False
        return self._walk(parse(without_mark(chance.choice(ways))), chance, words, depth + 1)


def _spoken(variants: Sequence[str]) -> list[str]:
    """Leave out what is only written otherwise: "dont" beside "don't"; no recogniser knows it."""
    without = {variant.replace("'", "") for variant in variants if "'" in variant}
    return [variant for variant in variants if variant not in without]


def is_drawable(template: str) -> bool:
    """Return whether sentences are drawn of a template: it is understood without being listed."""
    return is_wildcard(template) and not template.lstrip().startswith(_KEYWORD_MARK)


__all__ = ["SentenceDrawer", "is_drawable"]
