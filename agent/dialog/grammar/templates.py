"""Phrase templates (hassil's syntax) turned into the finite list of phrases they stand for.

``(where is | where's) my (order | parcel)``, ``[please] cancel``, ``<rule>``, ``(red; blue)`` in any order,
``{order_number}``: a number slot stays a placeholder token, a list slot is replaced by its phrases and
remembers which value was meant.
"""

from __future__ import annotations

import difflib
import functools
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hassil.expression import Alternative, Expression, Group, ListReference, Permutation, RuleReference, TextChunk
from hassil.parse_expression import parse_sentence
from hassil.parser import ParseError

from agent.dialog.errors import TemplateError

MAX_EXPANSIONS = 400
"""Phrases one template may stand for. More is nearly always a slip, and every phrase costs grammar."""
WILDCARD_MARK = "~"
"""A template that begins with it is understood, but the recogniser does not listen for it."""
_MAX_DEPTH = 12
_REMEMBERED = 8192


@dataclass(frozen=True)
class Phrase:
    """One way of saying something."""

    tokens: tuple[str, ...]
    """Lower-case words; ``{slot}`` stands where a number is spoken."""
    values: tuple[tuple[str, str], ...] = ()
    """Slot values that this phrase names itself: ``(("reason", "wrong_size"),)``."""
    heard: bool = True
    """False: understood when it comes, but not something the recogniser listens for."""

    @property
    def text(self) -> str:
        """The words with single spaces between them."""
        return " ".join(self.tokens)

    @property
    def number_slots(self) -> tuple[str, ...]:
        """Names of the number slots inside, in order."""
        return tuple(token[1:-1] for token in self.tokens if token.startswith("{"))


Lists = Mapping[str, Mapping[str, Sequence[str]]]
"""List slot -> value -> templates that mean this value."""

_Piece = tuple[str, tuple[tuple[str, str], ...]]


class Expander:
    """Expands templates against one set of rules and lists. Cheap to make; remembers what rules and lists stand for."""

    def __init__(
        self,
        rules: Mapping[str, Sequence[str]] | None = None,
        lists: Lists | None = None,
        numbers: Sequence[str] = (),
        limit: int = MAX_EXPANSIONS,
    ) -> None:
        self._rules = rules or {}
        self._lists = lists or {}
        self._numbers = frozenset(numbers)
        self._limit = limit
        self._pieces: dict[str | tuple[str, str], list[_Piece]] = {}
        self._counts: dict[tuple[str, str, int], int] = {}

    def expand(self, template: str) -> tuple[Phrase, ...]:
        """Return every phrase of ``template``, each once, in the template's order.

        Raises :class:`TemplateError` for broken syntax, unknown rules or slots, and more than ``limit`` phrases.
        """
        expression = parse(template)
        count = 0 if _only_a_list(expression) else self._count(expression, 0)
        if count > self._limit:
            raise TemplateError(f"stands for {count} phrases, more than {self._limit}; split it into smaller templates")
        found: dict[tuple[tuple[str, ...], tuple[tuple[str, str], ...]], None] = {}
        for text, values in self._walk(expression, 0):
            tokens = tuple(text.lower().split())
            if tokens:
                found[tokens, values] = None
        if not found:
            raise TemplateError("stands for no words at all")
        return tuple(Phrase(tokens, values) for tokens, values in found)

    def _count(self, item: Expression, depth: int) -> int:
        if depth > _MAX_DEPTH:
            raise TemplateError("rules refer to each other in a circle")
        if isinstance(item, RuleReference):
            return self._count_all(("rule", item.rule_name, depth), lambda: self._rule(item.rule_name))
        if isinstance(item, ListReference):
            return self._count_all(("list", item.list_name, depth), lambda: [text for _, text in self._list(item)]) or 1
        if isinstance(item, Alternative):
            return sum(self._count(child, depth) for child in item.items)
        if isinstance(item, Group):
            count = len(list(itertools.permutations(item.items))) if _small_permutation(item) else 1
            for child in item.items:
                count *= self._count(child, depth)
            return count
        return 1

    def _count_all(self, key: tuple[str, str, int], texts: Callable[[], Sequence[str]]) -> int:
        if key not in self._counts:
            self._counts[key] = sum(self._count(parse(text), key[2] + 1) for text in texts())
        return self._counts[key]

    def _walk(self, item: Expression, depth: int) -> Iterator[_Piece]:
        if isinstance(item, TextChunk):
            yield item.text, ()
        elif isinstance(item, RuleReference):
            key: str | tuple[str, str] = item.rule_name
            if key not in self._pieces:
                texts = self._rule(item.rule_name)
                self._pieces[key] = [piece for text in texts for piece in self._walk(parse(text), depth + 1)]
            yield from self._pieces[key]
        elif isinstance(item, ListReference):
            key = (item.list_name, item.slot_name)
            if key not in self._pieces:
                self._pieces[key] = list(self._walk_list(item, depth))
            yield from self._pieces[key]
        elif isinstance(item, Alternative):
            for child in item.items:
                yield from self._walk(child, depth)
        elif isinstance(item, Permutation):
            for order in itertools.permutations(item.items):
                yield from self._walk_sequence(order, depth)
        elif isinstance(item, Group):
            yield from self._walk_sequence(item.items, depth)

    def _walk_sequence(self, items: Sequence[Expression], depth: int) -> Iterator[_Piece]:
        pools = [list(self._walk(child, depth)) for child in items]
        for pieces in itertools.product(*pools):
            yield "".join(text for text, _ in pieces), tuple(value for _, values in pieces for value in values)

    def _walk_list(self, item: ListReference, depth: int) -> Iterator[_Piece]:
        if item.list_name in self._numbers:
            yield f" {{{item.list_name}}} ", ()
            return
        for value, text in self._list(item):
            for piece, inner in self._walk(parse(text), depth + 1):
                yield f" {piece} ", (*inner, (item.slot_name, value))

    def _rule(self, name: str) -> Sequence[str]:
        if name not in self._rules:
            raise TemplateError(f"there is no rule <{name}>{did_you_mean(name, self._rules)}")
        return self._rules[name]

    def _list(self, item: ListReference) -> list[tuple[str, str]]:
        name = item.list_name
        if name in self._numbers:
            return []
        if name not in self._lists:
            raise TemplateError(f"there is no slot {{{name}}}{did_you_mean(name, [*self._lists, *self._numbers])}")
        listed = [(value, text) for value, texts in self._lists[name].items() for text in texts]
        return [(value, text) for value, text in listed if not is_wildcard(text)]


def did_you_mean(name: str, valid: Mapping[str, object] | Sequence[str]) -> str:
    """Return ``; did you mean 'x'?`` for the closest valid name, or ``""``."""
    close = difflib.get_close_matches(name, list(valid), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


_MEANT = re.compile(r"; did you mean '([^']+)'\?$")


def suggestion_of(message: str) -> str:
    """Return the name that a message ends with, as :func:`did_you_mean` has written it; ``""`` where it has none."""
    found = _MEANT.search(message)
    return found.group(1) if found is not None else ""


def is_wildcard(template: str) -> bool:
    """Return whether a template is understood without being listened for (see ``wide_phrases``)."""
    return template.lstrip().startswith(WILDCARD_MARK)


def without_mark(template: str) -> str:
    """Return a template without its mark."""
    return template.strip().removeprefix(WILDCARD_MARK).strip()


def _only_a_list(item: Expression) -> bool:
    """Return whether a template is nothing but a slot: its choices were counted where they are written."""
    while isinstance(item, Group) and len(item.items) == 1:
        item = item.items[0]
    return isinstance(item, ListReference)


def _small_permutation(item: Group) -> bool:
    if not isinstance(item, Permutation):
        return False
    if len(item.items) > 5:
        raise TemplateError("a permutation of more than five parts stands for too many phrases")
    return True


@functools.lru_cache(maxsize=_REMEMBERED)  # most templates of an edited pack are those of the edition before it
def parse(template: str) -> Expression:
    """Read a template; what comes back is shared and not to be changed. Raises :class:`TemplateError`."""
    try:
        return parse_sentence(template).expression
    except (ParseError, AssertionError, IndexError, ValueError, RecursionError) as error:
        detail = str(error) or "brackets do not match"
        raise TemplateError(f"cannot be read as a phrase template: {detail}") from error
