"""Names inside expressions and prompts: where they stand, and the text with another one. Pure."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import jinja2

_SKIPPED = ("whitespace", "comment")


@dataclass(frozen=True)
class NameToken:
    """One token of an expression."""

    start: int
    kind: str
    """As jinja's lexer calls it: ``name``, ``string``, ``operator``, ..."""
    text: str


@functools.lru_cache(maxsize=4096)
def tokens(source: str) -> tuple[NameToken, ...]:
    """Return the tokens of a prompt; none for one that cannot be read."""
    found, at = [], 0
    try:
        for _, kind, text in jinja2.Environment(autoescape=True).lexer.tokeniter(source, None):
            at = source.find(text, at)
            if at < 0:
                return ()
            if kind not in _SKIPPED:
                found.append(NameToken(at, kind, text))
            at += len(text)
    except jinja2.TemplateError:
        return ()
    return tuple(found)


def _is_variable(all_tokens: tuple[NameToken, ...], place: int) -> bool:
    before = all_tokens[place - 1] if place else None
    after = all_tokens[place + 1] if place + 1 < len(all_tokens) else None
    if before is not None and before.kind == "operator" and before.text in (".", "|"):
        return False
    if before is not None and before.kind == "name" and before.text in ("is", "not") and _tests(all_tokens, place):
        return False
    in_call = after is not None and after.text == "=" and before is not None and before.text in ("(", ",")
    return not in_call


def _tests(all_tokens: tuple[NameToken, ...], place: int) -> bool:
    before = all_tokens[place - 1].text
    return before == "is" or (before == "not" and place > 1 and all_tokens[place - 2].text == "is")


def variable_places(source: str, name: str) -> Iterator[int]:
    """Yield where a prompt uses a slot or variable."""
    found = tokens(source)
    for place, token in enumerate(found):
        if token.kind == "name" and token.text == name and _is_variable(found, place):
            yield token.start


def filter_places(source: str, name: str) -> Iterator[int]:
    """Yield where a prompt uses a filter."""
    found = tokens(source)
    for pipe, token in itertools.pairwise(found):
        if (pipe.kind, pipe.text, token.kind, token.text) == ("operator", "|", "name", name):
            yield token.start


def attribute_places(source: str, owner: str, name: str) -> Iterator[int]:
    """Yield where a prompt uses ``owner.name``: the place of the name."""
    found = tokens(source)
    for first, dot, last in zip(found, found[1:], found[2:], strict=False):
        if (first.text, dot.text, last.text) == (owner, ".", name) and last.kind == "name":
            yield last.start


def constant_places(source: str, name: str) -> Iterator[int]:
    """Yield where a prompt has a quoted text: the place behind its opening quotes."""
    for token in tokens(source):
        if token.kind == "string" and token.text[1:-1] == name:
            yield token.start + 1


def replaced(source: str, places: Iterator[int], old: str, new: str) -> str:
    """Return the text with a name replaced at some places."""
    for place in sorted(places, reverse=True):
        source = source[:place] + new + source[place + len(old) :]
    return source


def in_expression(expression: str, change: Callable[[str], str]) -> str:
    """Return an expression after a change that is made for prompts."""
    changed = change("{{ " + expression + " }}")
    return changed[3:-3]
