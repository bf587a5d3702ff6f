"""Removes the carrier phrases around a number: "my order number is", "let me see", "that's it"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.languages.carrier_words import PhraseIndex
from agent.languages.number_words import NumberWords


@dataclass(frozen=True)
class UnwrappedNumber:
    """The words of a number without what stood around them."""

    words: list[str]
    unsure: bool
    """The caller said "I think", "maybe" and the like."""
    led: bool
    """Loose words led up to it: a digit or two after them may belong to any sentence."""


def unwrap(
    tokens: Sequence[str], vocabulary: NumberWords, *, letters: bool, continued: bool = False
) -> UnwrappedNumber:
    """Return the words without what only stands around a number.

    ``continued``: the first words come from an earlier breath, so "the last one is three" goes on with the number.
    """
    carriers, fillers = vocabulary.carriers, vocabulary.fillers
    kept: list[str] = []
    hedged = led = False
    at = 0
    while at < len(tokens):
        bare = all(word in fillers for word in kept)
        hedge = _phrase(carriers.hedges, tokens, at)
        used = (
            hedge
            or _phrase(carriers.anywhere, tokens, at)
            or (_phrase(carriers.leading, tokens, at) if bare else 0)
            or (_phrase(carriers.following, tokens, at) if continued else 0)
            or (_trailing(tokens, at, vocabulary) if not bare else 0)
            or (
                _phrase(carriers.lettered, tokens, at)
                if letters and not (kept and kept[-1] in carriers.ordinals)
                else 0
            )
        )
        if not used and bare:
            used = _lead_word(tokens, at, vocabulary, letters=letters)
            led = led or bool(used)
        hedged = hedged or bool(hedge)
        if not used and bare and tokens[at] in carriers.exclamations and _is_exclamation(tokens, at, vocabulary):
            used = 1
        if not used:
            kept.append(tokens[at])
        at += used or 1
    return UnwrappedNumber(kept, hedged, led)


def _lead_word(tokens: Sequence[str], at: int, vocabulary: NumberWords, *, letters: bool) -> int:
    """Return 1 for a word that leads up to a number; where it may be a letter, only before another such word."""
    fillers = vocabulary.fillers
    if tokens[at] in fillers:
        return 0
    word = tokens[at].removesuffix(vocabulary.carriers.possessive)
    if word not in vocabulary.carriers.lead_words and (word == tokens[at] or word not in fillers):
        return 0
    if letters and word in vocabulary.letter_leads:
        return int(at + 1 < len(tokens) and tokens[at + 1] in vocabulary.plain_leads)
    return 1


def _trailing(tokens: Sequence[str], at: int, vocabulary: NumberWords) -> int:
    """Return 1 for a last word that stands for what the caller does not know yet ("one oh four something")."""
    return int(at == len(tokens) - 1 and tokens[at] in vocabulary.carriers.unknown_rest)


def _is_exclamation(tokens: Sequence[str], at: int, vocabulary: NumberWords) -> bool:
    """Return whether an "oh" begins a sentence ("oh it's ...") and not a number."""
    after = at + 1
    if after >= len(tokens):
        return False
    carriers = vocabulary.carriers
    follows = any(_phrase(index, tokens, after) for index in (carriers.hedges, carriers.anywhere, carriers.leading))
    return follows or tokens[after] in vocabulary.edge_fillers or _marker(tokens, after, vocabulary) is not None


def segments(tokens: Sequence[str], vocabulary: NumberWords) -> tuple[list[list[str]], bool]:
    """Cut the words at what announces a correction; tell whether the last one takes back all before it."""
    parts: list[list[str]] = [[]]
    at = 0
    while at < len(tokens):
        marker = _marker(tokens, at, vocabulary)
        if marker is None:
            parts[-1].append(tokens[at])
            at += 1
        else:
            parts.append([])
            at += len(marker)
    return parts, len(parts) > 1 and all(word in vocabulary.fillers for word in parts[-1])


def split_denied(tokens: Sequence[str], vocabulary: NumberWords) -> tuple[list[str], list[str]]:
    """Split "fifteen not fifty", "fifteen instead of fifty", "not fifty but fifteen" into what is meant and denied."""
    words = list(tokens)
    carriers, fillers, markers = vocabulary.carriers, vocabulary.fillers, vocabulary.markers
    for denial in (*carriers.denials, (carriers.negation,)):
        at = _find(words, denial, carriers.no_denials)
        if at is None:
            continue
        before, after = words[:at], words[at + len(denial) :]
        if any(word not in fillers and (word,) not in markers for word in before):
            return before, after
        meant = next((index for index, word in enumerate(after) if word in carriers.meant and index), None)
        if meant is not None:
            return after[meant + 1 :], after[:meant]
    return words, []


def _find(words: Sequence[str], phrase: tuple[str, ...], no_denials: frozenset[str]) -> int | None:
    return next(
        (
            at
            for at in range(len(words))
            if tuple(words[at : at + len(phrase)]) == phrase and not no_denials.intersection(words[at + 1 : at + 2])
        ),
        None,
    )


def _phrase(index: PhraseIndex, tokens: Sequence[str], at: int) -> int:
    """Return how many words from ``at`` on are a phrase of the index."""
    for phrase in index.get(tokens[at], ()):
        if tuple(tokens[at : at + len(phrase)]) == phrase:
            return len(phrase)
    return 0


def _marker(tokens: Sequence[str], at: int, vocabulary: NumberWords) -> tuple[str, ...] | None:
    for marker in vocabulary.markers_by_first.get(tokens[at], ()):
        if tuple(tokens[at : at + len(marker)]) == marker:
            return marker
    return None
