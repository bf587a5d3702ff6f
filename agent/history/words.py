"""What was said, as it is searched: in lower case, without accents and signs, the same in two databases."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.errors import OrderlineError

TURN_END = "|"
"""Stands between the words of two turns, so that no phrase reaches over it; never part of a word."""
MOST_WORDS = 16_000
"""Of one side of a call; PostgreSQL knows no position after 16,383."""
MOST_PLACES = 255
"""How often one word of one side is noted; PostgreSQL keeps no more."""
MOST_WORD_CHARS = 60
_MOST_QUERY_CHARS = 500

_WORD = re.compile(r"[^\W_]+")
_INNER_APOSTROPHE = re.compile(r"(?<=\w)['’](?=\w)")
_TERM = re.compile(r'"([^"]*)"?|(\S+)')


class InvalidWords(OrderlineError):
    """What was asked for holds no word that could be searched."""

    code = "search"


@functools.lru_cache(maxsize=20_000)
def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text as they are stored and searched: ``Don't, René!`` gives ``dont``, ``rene``."""
    text = _INNER_APOSTROPHE.sub("", text)
    if text.isascii():
        text = text.lower()
    else:
        parted = unicodedata.normalize("NFKD", text.casefold())
        text = "".join(one for one in parted if not unicodedata.combining(one)).casefold()
    return tuple(word[:MOST_WORD_CHARS] for word in _WORD.findall(text))


def side_of_call(texts: Iterable[str]) -> tuple[str, ...]:
    """Return what one side said, turn by turn, with :data:`TURN_END` between turns.

    Bounded by :data:`MOST_WORDS`. A word said for more than :data:`MOST_PLACES` times is left out where it comes again.
    """
    result: list[str] = []
    for text in texts:
        words = words_of(text)
        if words:
            if result:
                result.append(TURN_END)
            result += words
        if len(result) > MOST_WORDS:
            del result[MOST_WORDS:]
            break
    return _without_the_most_frequent(result) if len(result) > MOST_PLACES else tuple(result)


def _without_the_most_frequent(words: list[str]) -> tuple[str, ...]:
    seen: Counter[str] = Counter()
    result = []
    for word in words:
        seen[word] += 1
        result.append(word if word == TURN_END or seen[word] <= MOST_PLACES else TURN_END)
    return tuple(result)


@dataclass(frozen=True)
class Term:
    """What must have been said: one word, or several that follow one another within one turn."""

    words: tuple[str, ...]
    prefix: bool = False
    """True where the last word may go on (``refund*``)."""


def search_terms(query: str) -> tuple[Term, ...]:
    """Read ``late "no refund" pay*``: all of it must have been said; quoted words in this order; ``*`` goes on.

    Raises :class:`InvalidWords`.
    """
    if len(query) > _MOST_QUERY_CHARS:
        raise InvalidWords(f"The words to search for are longer than {_MOST_QUERY_CHARS} characters.")
    terms = tuple(_terms(query))
    if not terms:
        raise InvalidWords(f"There is no word to search for in {query!r}.")
    return terms


def _terms(query: str) -> Iterator[Term]:
    for found in _TERM.finditer(query):
        quoted, plain = found.groups()
        text = quoted if plain is None else plain
        if words := words_of(text):
            yield Term(words, prefix=text.rstrip().endswith("*"))
