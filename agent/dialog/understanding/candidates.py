"""What an open request may mean, by n-grams and by sentence vectors: two classifiers and the sentences most like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agent.dialog.understanding.examples import UNSERVED
from agent.dialog.understanding.features import ngram_matrix, rarity, weigh
from agent.dialog.understanding.logistic import Matrix, fit_classes, softmax
from agent.dialog.understanding.teaching import TaughtSentence

NGRAM_STRENGTH, VECTOR_STRENGTH = 8.0, 12.0
"""``C`` of the two classifiers, chosen by cross-validation inside the shipped pack's examples."""
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

    def likeness(self, rows: Matrix, count: int) -> Matrix:
        """Return the cosine of the nearest sentence of each meaning (rows x meanings); 0 where none is near."""
        every = rows @ (self.vectors.astype(np.float32).T / np.float32(_QUANTA))
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
        return self.ngrams if self.vectors is None else (self.ngrams + self.vectors) / 2


@dataclass(frozen=True)
class TaughtRows:
    """The taught sentences as numbers, so that they are counted once for all fits."""

    counts: Matrix
    """(sentences x buckets)"""
    vectors: Matrix | None
    owners: NDArray[np.int64]
    importance: Matrix
    """(sentences): 1 for an example, less for a draw."""


def one_class(meaning: str, unnamed: frozenset[str]) -> str:
    """Return the class of a meaning: groups of foreign sentences without a topic are one."""
    return UNSERVED if meaning in unnamed else meaning


def taught_rows(
    sentences: Sequence[TaughtSentence], meanings: Sequence[str], unnamed: frozenset[str], vectors: Matrix | None
) -> TaughtRows:
    """Count the taught sentences. ``unnamed``: groups of foreign sentences without a topic."""
    place = {meaning: at for at, meaning in enumerate(meanings)}
    return TaughtRows(
        ngram_matrix([one.text for one in sentences]),
        vectors,
        np.array([place[one_class(one.meaning, unnamed)] for one in sentences], dtype=np.int64),
        np.array([1.0 if one.example else DRAWN_WEIGHT for one in sentences], dtype=np.float32),
    )


def fit_candidates(
    sentences: Sequence[TaughtSentence], rows: TaughtRows, meanings: tuple[str, ...], chosen: NDArray[np.int64]
) -> CandidateModel:
    """Fit both classifiers to the ``chosen`` sentences."""
    counts, owners, importance = rows.counts[chosen], rows.owners[chosen], rows.importance[chosen]
    weights = rarity(counts)
    table, offsets = fit_classes(
        weigh(counts, weights), owners, len(meanings), importance, strength=NGRAM_STRENGTH, steps=40
    )
    known = frozenset(word for at in chosen for word in sentences[at].text.split())
    if rows.vectors is None:
        return CandidateModel(meanings, weights, Classifier(table, offsets), known)
    vectors = rows.vectors[chosen]
    own_table, own_offsets = fit_classes(vectors, owners, len(meanings), importance, strength=VECTOR_STRENGTH, steps=60)
    return CandidateModel(
        meanings, weights, Classifier(table, offsets), known,
        Classifier(own_table, own_offsets), Neighbours.of(vectors, owners),
    )  # fmt: skip


def candidate_shares(model: CandidateModel, counts: Matrix, vectors: Matrix | None) -> CandidateShares:
    """Judge sentences given as n-gram counts and, where the model has them, vectors."""
    ngrams = model.ngrams.shares(weigh(counts, model.weights))
    if model.vectors is None or model.neighbours is None or vectors is None:
        return CandidateShares(ngrams)
    return CandidateShares(
        ngrams, model.vectors.shares(vectors), model.neighbours.likeness(vectors, len(model.meanings))
    )
