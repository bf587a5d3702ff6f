"""Keyword patterns for sentences no phrase explains: ``~~ (where | when) + (order | package) - never``.

A gist holds parts that must all occur somewhere in the text, in any order, and parts that must not. It is the last
resort of a turn, and a guess: whoever acts on it tells first what was guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from agent.dialog.errors import TemplateError
from agent.dialog.grammar.wildcard_phrases import Tokens, Values, WildcardCompiler, WildcardPhrase

KEYWORD_MARK = "~~"
_NAMED_WEIGHT = 2
"""A thing named ("the student discount") says more than so many other words."""
_JOINT = re.compile(r"\s([+-])\s")


@dataclass(frozen=True)
class KeywordPattern:
    """Parts that must occur, and parts that must not."""

    text: str
    needed: tuple[WildcardPhrase, ...]
    barred: tuple[WildcardPhrase, ...]

    def explains(self, tokens: Tokens) -> tuple[int, Values] | None:
        """Return how much is explained, and the slot values named; None unless every part fits."""
        said = frozenset(tokens)
        if not all(part.begins is None or part.begins & said for part in self.needed):
            return None
        taken: set[int] = set()
        values: Values = ()
        for part in self.needed:
            places = [
                (reach.end - start - reach.guessed, start, reach)
                for start in range(len(tokens))
                for reach in part.ends(tokens, start)
                if not taken.intersection(range(start, reach.end))
            ]
            if not places:
                return None
            _, start, reach = max(places, key=lambda place: (place[0], -place[1]))
            taken.update(range(start, reach.end))
            values += reach.values
        if any(_occurs(part, tokens) for part in self.barred):
            return None
        return len(taken) + _NAMED_WEIGHT * len(values), values


def is_keyword_pattern(template: str) -> bool:
    """Return whether a template only names what must occur."""
    return template.lstrip().startswith(KEYWORD_MARK)


def compile_keyword_pattern(template: str, compiler: WildcardCompiler) -> KeywordPattern:
    """Read a gist. Raises :class:`TemplateError` for a part that is no phrase, or when nothing must occur."""
    pieces = _JOINT.split(" + " + template.strip().removeprefix(KEYWORD_MARK).strip())[1:]
    parts = [(sign, compiler.compile(text)) for sign, text in zip(pieces[::2], pieces[1::2], strict=True)]
    needed = tuple(part for sign, part in parts if sign == "+")
    if not needed:
        raise TemplateError("names nothing that must occur")
    return KeywordPattern(template, needed, tuple(part for sign, part in parts if sign == "-"))


def _occurs(part: WildcardPhrase, tokens: Tokens) -> bool:
    starts: Iterable[int] = range(len(tokens))
    return any(True for start in starts for _ in part.ends(tokens, start))
