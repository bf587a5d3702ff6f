"""The words of one language that stand around a spoken number: "my order number is", "let me see", "i think"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Words = tuple[str, ...]
PhraseIndex = Mapping[str, tuple[Words, ...]]
"""Phrases by their first word, the longest first."""


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class CarrierWords:
    """What is said around a number. Phrases are indexed with :func:`phrase_index`."""

    anywhere: PhraseIndex
    """Phrases that mean nothing wherever they stand."""
    leading: PhraseIndex
    """Phrases that lead up to a number."""
    following: PhraseIndex
    """Phrases before the rest of a number that was begun earlier: "the last one is"."""
    lettered: PhraseIndex
    """Words about letters: "capital"."""
    hedges: PhraseIndex
    """Phrases of somebody who is not sure."""
    lead_words: frozenset[str]
    """Words that may lead up to a number in any order; none of them asks for anything."""
    letter_leads: frozenset[str] = frozenset()
    """Those of them that may be a letter: "i"."""
    example_leads: frozenset[str] = frozenset()
    """Those of them that may lead to an example of a letter, or are one: "for"."""
    possessive: str = ""
    """An ending that a lead word may have: "'s"."""
    ordinals: frozenset[str] = frozenset()
    """Words before "letter" that say which one is meant."""
    unknown_rest: frozenset[str] = frozenset()
    """A last word for what the caller does not know yet: "something"."""
    exclamations: frozenset[str] = frozenset()
    """Digits that may begin a sentence as well: "oh"."""
    inside: frozenset[str] = frozenset()
    """Fillers that stand inside a number as well: an "oh" before them is likely a digit."""
    negation: str = ""
    """Before what is denied: "not"."""
    denials: tuple[Words, ...] = ()
    """The same in several words, tried first: "instead of"."""
    meant: frozenset[str] = frozenset()
    """Between what is denied and what is meant: "but"."""
    no_denials: frozenset[str] = frozenset()
    """After "not": the caller speaks about the number, and denies no part of it ("not sure")."""


def phrases(*texts: str) -> Iterable[Words]:
    """Yield the phrases of texts in which they stand a line or a ``|`` apart."""
    for text in texts:
        for phrase in text.replace("\n", "|").split("|"):
            if phrase.strip():
                yield tuple(phrase.split())


def phrase_index(*texts: str) -> PhraseIndex:
    """Index phrases (see :func:`phrases`) by their first word."""
    index: dict[str, list[Words]] = {}
    for phrase in sorted(set(phrases(*texts)), key=len, reverse=True):
        index.setdefault(phrase[0], []).append(phrase)
    return {word: tuple(found) for word, found in index.items()}
