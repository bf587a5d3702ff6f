"""What an open request may mean, by n-grams and by sentence vectors: two classifiers and the sentences most like it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agent.dialog.understanding.examples import UNSERVED
from agent.dialog.understanding.features import ngram_matrix, rarity, weigh
from agent.dialog.understanding.logistic import Matrix, fit_classes, main_directions, softmax
from agent.dialog.understanding.teaching import TaughtSentence

NGRAM_STRENGTH, VECTOR_STRENGTH = 20.0, 20.0
"""``C`` of the two classifiers, chosen by cross-validation inside the shipped pack's examples."""
NGRAM_DIMENSIONS = 300
"""The n-grams' classifier is fitted along the directions in which sentences differ most: as good as along all of them,
in a fifth of the time (cross-validated: 0.51 of unseen examples against 0.49)."""
DRAWN_WEIGHT = 0.5
"""What a sentence drawn from a phrase counts beside one that a person wrote."""
_QUANTA = 127.0


class SentenceVectors(Protocol):
    """Makes vectors of sentences: what means the same lies close together."""

    @property
    def name(self) -> str:
        """Which vectors they are: package and version."""

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Return one vector of length 1 for each text (sentences x dimensions)."""


@dataclass(frozen=True)
class Classifier:
    """One multinomial logistic regression."""

    table: Matrix
    """(columns x meanings)"""
    offsets: Matrix
    """(meanings)"""

    def shares(self, rows: Matrix) -> Matrix:
        """Return how likely each meaning is for each row (rows x meanings)."""
        return softmax(rows @ self.table + self.offsets)


@dataclass(frozen=True)
class Neighbours:
    """The taught sentences' vectors, in steps of 1/127."""

    vectors: NDArray[np.int8]
    """(sentences x dimensions)"""
    owners: NDArray[np.int64]
    """(sentences): the place of each one's meaning."""

    @classmethod
    def of(cls, vectors: Matrix, owners: NDArray[np.int64]) -> Neighbours:
        """Keep vectors in a quarter of their size."""
        return cls(np.round(vectors * _QUANTA).astype(np.int8), owners)

    @functools.cached_property
    def _columns(self) -> Matrix:
        """The vectors in full precision (dimensions x sentences), made once."""
        found: Matrix = np.ascontiguousarray(self.vectors.T.astype(np.float32) / np.float32(_QUANTA))
        return found

    def likeness(self, rows: Matrix, count: int) -> Matrix:
        """Return the cosine of the nearest sentence of each meaning (rows x meanings); 0 where none is near."""
        every = rows @ self._columns
        found = np.zeros((len(rows), count), dtype=np.float32)
        for row in range(len(rows)):
            np.maximum.at(found[row], self.owners, every[row])
        return found


@dataclass(frozen=True)
class CandidateModel:
    """Both classifiers. Without vectors the n-grams go alone."""

    meanings: tuple[str, ...]
    weights: Matrix
    """(buckets): how much an n-gram says."""
    ngrams: Classifier
    known_words: frozenset[str]
    vectors: Classifier | None = None
    neighbours: Neighbours | None = None


@dataclass(frozen=True)
class CandidateShares:
    """What both classifiers make of some sentences; each (sentences x meanings)."""

    ngrams: Matrix
    vectors: Matrix | None = None
    likeness: Matrix | None = None

    @property
    def together(self) -> Matrix:
        """The mean of both."""
        return self.ngrams if self.vectors is None else _mean([self.ngrams, self.vectors])


@dataclass(frozen=True)
class TaughtRows:
    """The taught sentences as numbers, so that they are counted once for all fits."""

    counts: Matrix
    """(sentences x buckets)"""
    vectors: Matrix | None
    owners: NDArray[np.int64]
    importance: Matrix
    """(sentences): 1 for an example, less for a draw."""
    weights: Matrix
    """(buckets): how much an n-gram says."""
    directions: Matrix
    """(buckets x dimensions): along which the n-grams' classifier is fitted."""


def one_class(meaning: str, unnamed: frozenset[str]) -> str:
    """Return the class of a meaning: groups of foreign sentences without a topic are one."""
    return UNSERVED if meaning in unnamed else meaning


def taught_rows(
    sentences: Sequence[TaughtSentence], meanings: Sequence[str], unnamed: frozenset[str], vectors: Matrix | None
) -> TaughtRows:
    """Count the taught sentences. ``unnamed``: groups of foreign sentences without a topic."""
    place = {meaning: at for at, meaning in enumerate(meanings)}
    counts = ngram_matrix([one.text for one in sentences])
    weights = rarity(counts)
    return TaughtRows(
        counts,
        vectors,
        np.array([place[one_class(one.meaning, unnamed)] for one in sentences], dtype=np.int64),
        np.array([1.0 if one.example else DRAWN_WEIGHT for one in sentences], dtype=np.float32),
        weights,
        main_directions(weigh(counts, weights), NGRAM_DIMENSIONS),
    )


def fit_candidates(
    sentences: Sequence[TaughtSentence], rows: TaughtRows, meanings: tuple[str, ...], chosen: NDArray[np.int64]
) -> CandidateModel:
    """Fit both classifiers to the ``chosen`` sentences."""
    owners, importance = rows.owners[chosen], rows.importance[chosen]
    along = weigh(rows.counts[chosen], rows.weights) @ rows.directions
    table, offsets = fit_classes(along, owners, len(meanings), importance, strength=NGRAM_STRENGTH)
    # kept in half precision: what was just fitted and what is read from its file are the same
    whole = (rows.directions @ table).astype(np.float16).astype(np.float32)
    known = frozenset(word for at in chosen for word in sentences[at].text.split())
    ngrams = Classifier(whole, offsets)
    if rows.vectors is None:
        return CandidateModel(meanings, rows.weights, ngrams, known)
    vectors = rows.vectors[chosen]
    by_vectors = Classifier(*fit_classes(vectors, owners, len(meanings), importance, strength=VECTOR_STRENGTH))
    return CandidateModel(meanings, rows.weights, ngrams, known, by_vectors, Neighbours.of(vectors, owners))


@dataclass(frozen=True)
class SentenceForms:
    """Some sentences in one form (as they were said, or without what may stand around a request), as numbers."""

    counts: Matrix
    """(sentences x buckets)"""
    vectors: Matrix | None


def candidate_shares(model: CandidateModel, forms: Sequence[SentenceForms]) -> CandidateShares:
    """Judge sentences by the mean of their forms."""
    each = [_shares(model, form) for form in forms]
    if any(one.vectors is None for one in each):
        return CandidateShares(_mean([one.ngrams for one in each]))
    return CandidateShares(
        _mean([one.ngrams for one in each]),
        _mean([one.vectors for one in each if one.vectors is not None]),
        _mean([one.likeness for one in each if one.likeness is not None]),
    )


def _mean(each: Sequence[Matrix]) -> Matrix:
    found: Matrix = np.mean(np.stack(each), axis=0, dtype=np.float32)
    return found


def _shares(model: CandidateModel, form: SentenceForms) -> CandidateShares:
    ngrams = model.ngrams.shares(weigh(form.counts, model.weights))
    if model.vectors is None or model.neighbours is None or form.vectors is None:
        return CandidateShares(ngrams)
    vectors = form.vectors
    return CandidateShares(
        ngrams, model.vectors.shares(vectors), model.neighbours.likeness(vectors, len(model.meanings))
    )
