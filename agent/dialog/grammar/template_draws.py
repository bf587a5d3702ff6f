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


class TemplateWalk:
    """Goes through templates at random, one way at a time."""

    def __init__(
        self,
        rules: Mapping[str, Sequence[str]],
        lists: Mapping[str, Sequence[str]],
        *,
        number: str = "",
        any_words: Sequence[str] = (),
    ) -> None:
        """``lists``: list -> its wordings. A list that is none of them is a number.

        ``number`` stands for one; with ``""`` there is no way through a number. ``any_words`` are put where any word
        may stand; without them its mark stays.
        """
        self._rules = rules
        self._ways = {
            name: [text for text in texts if not text.lstrip().startswith(_KEYWORD_MARK)]
            for name, texts in lists.items()
        }
        self._number = number
        self._any_words = tuple(any_words)

    def text(self, template: str, chance: random.Random) -> str | None:
        """Return one way through a template, None where it came to a number. Raises :class:`TemplateError`."""
        try:
            return " ".join(self._walk(parse(without_mark(template)), chance, 0).split())
        except _NumberMet:
            return None

    def _walk(self, item: Expression, chance: random.Random, depth: int) -> str:
        if depth > _MAX_DEPTH:
            raise TemplateError("rules refer to each other in a circle")
        if isinstance(item, TextChunk):
            return self._with_any_words(item.text, chance)
        if isinstance(item, RuleReference):
            return self._one(self._rules.get(item.rule_name, ()), chance, depth)
        if isinstance(item, ListReference):
            ways = self._ways.get(item.list_name)
            if not ways and not self._number:
                raise _NumberMet
            return f" {self._one(ways, chance, depth) if ways else self._number} "
        if isinstance(item, Alternative):
            return self._walk(chance.choice(item.items), chance, depth)
        if isinstance(item, Group):
            whole = isinstance(item, Permutation)
            parts = chance.sample(item.items, len(item.items)) if whole else item.items
            return "".join(self._walk(part, chance, depth) for part in parts)
        raise TemplateError("holds something that is no phrase")

    def _with_any_words(self, text: str, chance: random.Random) -> str:
        if not self._any_words or ANY_WORD not in text:
            return text
        return " ".join(chance.choice(self._any_words) if word == ANY_WORD else word for word in text.split(" "))

    def _one(self, templates: Sequence[str], chance: random.Random, depth: int) -> str:
        if not templates:
            raise TemplateError("names nothing")
        return self._walk(parse(without_mark(chance.choice(templates))), chance, depth + 1)


class _NumberMet(Exception):
    """A way through a template has come to a number."""


class SentenceDrawer:
    """Draws sentences against one set of rules, lists and equal wordings."""

    def __init__(
        self,
        rules: Mapping[str, Sequence[str]],
        lists: Lists,
        numbers: Collection[str],
        same: Mapping[str, Sequence[str]],
    ) -> None:
        texts = {
            name: [text for ways in values.values() for text in ways]
            for name, values in lists.items()
            if name not in numbers
        }
        self._walk = TemplateWalk(rules, texts)
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
        for _ in range(count):
            text = self._walk.text(template, chance)
            if text is None:
                return
            yield from self._pieces(text.lower().split(), chance)

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


def _spoken(variants: Sequence[str]) -> list[str]:
    """Leave out what is only written otherwise: "dont" beside "don't"; no recogniser knows it."""
    without = {variant.replace("'", "") for variant in variants if "'" in variant}
    return [variant for variant in variants if variant not in without]


def is_drawable(template: str) -> bool:
    """Return whether sentences are drawn of a template: it is understood without being listed."""
    return is_wildcard(template) and not template.lstrip().startswith(_KEYWORD_MARK)


__all__ = ["SentenceDrawer", "TemplateWalk", "is_drawable"]
