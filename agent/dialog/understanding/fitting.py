"""Fits the acceptance score of a pack from its own sentences: cross-validation gives it evidence it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.dialog.understanding.candidates import (
    CandidateModel,
    SentenceForms,
    SentenceVectors,
    TaughtRows,
    candidate_shares,
    fit_candidates,
    one_class,
    taught_rows,
)
from agent.dialog.understanding.evidence import (
    Rows,
    RuleEvidence,
    SentenceFacts,
    candidates_of,
    evidence_row,
    is_foreign,
)
from agent.dialog.understanding.features import ngram_matrix
from agent.dialog.understanding.logistic import fit_one
from agent.dialog.understanding.teaching import TaughtSentence

FOLDS = 4
ACCEPTANCE_STRENGTH = 1.0
_SMALLEST = 1e-6


@dataclass(frozen=True)
class AcceptanceScore:
    """One logistic regression over the evidence: how likely a candidate is what was meant."""

    means: Rows
    spreads: Rows
    weights: Rows
    """The columns' weights, the offset last."""

    def scores(self, rows: Rows) -> Rows:
        """Return 0 to 1 for each row of evidence."""
        sums = ((rows - self.means) / self.spreads) @ self.weights[:-1] + self.weights[-1]
        found: Rows = 1.0 / (1.0 + np.exp(-np.clip(sums, -60, 60)))
        return found


@dataclass(frozen=True)
class FittedScore:
    """All that a fit gives."""

    model: CandidateModel
    plain: AcceptanceScore
    """For n-grams and rules alone."""
    full: AcceptanceScore | None = None
    """With vectors."""
    key: str = ""
    """The fingerprint of what it was fitted from."""
    vectors: str = ""
    """Which vectors it was fitted with."""


@dataclass(frozen=True)
class HeldOut:
    """One sentence judged by a model that had not seen it."""

    sentence: TaughtSentence
    candidates: tuple[tuple[str, tuple[float, ...]], ...]
    """Meaning and evidence."""


def fit_score(
    sentences: Sequence[TaughtSentence],
    rules: Callable[[str], RuleEvidence],
    core: Callable[[str], str],
    unnamed: frozenset[str],
    vectors: SentenceVectors | None,
    key: str = "",
) -> FittedScore:
    """Fit everything; the same input gives the same weights.

    ``rules`` tells what the phrases see in a sentence, ``core`` leaves out what may stand around a request.
    """
    meanings = tuple(dict.fromkeys(one_class(one.meaning, unnamed) for one in sentences))
    encoded = vectors.encode([one.text for one in sentences]) if vectors is not None else None
    rows = taught_rows(sentences, meanings, unnamed, encoded)
    examples = [at for at, one in enumerate(sentences) if one.example]
    seen = {sentences[at].text: rules(sentences[at].text) for at in examples}
    cores = _sentence_forms([core(sentences[at].text) for at in examples], vectors)
    held = held_out(sentences, rows, meanings, seen, dict(zip(examples, range(len(examples)), strict=True)), cores)
    columns = [(one, unnamed) for one in held]
    plain = _fit_acceptance(columns, slice(0, PLAIN_COLUMNS))
    full = _fit_acceptance(columns, slice(None)) if encoded is not None else None
    model = fit_candidates(sentences, rows, meanings, np.arange(len(sentences)))
    return FittedScore(model, plain, full, key, vectors.name if vectors is not None else "")


PLAIN_COLUMNS = 12
"""Columns of evidence that need no vectors."""


def held_out(
    sentences: Sequence[TaughtSentence],
    rows: TaughtRows,
    meanings: tuple[str, ...],
    seen: Mapping[str, RuleEvidence],
    place_of_core: Mapping[int, int],
    cores: SentenceForms,
) -> list[HeldOut]:
    """Judge every example by a model fitted without it and without the sentences most like it."""
    folds = _folds(sentences, rows)
    foreign = np.array([is_foreign(meaning) for meaning in meanings])
    found: list[HeldOut] = []
    for fold in range(FOLDS):
        model = fit_candidates(sentences, rows, meanings, np.flatnonzero(folds != fold))
        chosen = [int(at) for at in np.flatnonzero(folds == fold) if sentences[int(at)].example]
        whole = SentenceForms(rows.counts[chosen], None if rows.vectors is None else rows.vectors[chosen])
        own = [place_of_core[at] for at in chosen]
        shares = candidate_shares(
            model, [whole, SentenceForms(cores.counts[own], None if cores.vectors is None else cores.vectors[own])]
        )
        together = shares.together
        for row, at in enumerate(chosen):
            one = sentences[at]
            facts = SentenceFacts(*word_facts(one.text, model.known_words), seen[one.text])
            places = candidates_of(together[row], meanings, facts.rules)
            found.append(
                HeldOut(
                    one,
                    tuple(
                        (meanings[place], tuple(evidence_row(shares, row, place, meanings, foreign, facts)))
                        for place in places
                    ),
                )
            )
    return found


def _sentence_forms(texts: Sequence[str], vectors: SentenceVectors | None) -> SentenceForms:
    return SentenceForms(ngram_matrix(texts), vectors.encode(texts) if vectors is not None else None)


def word_facts(text: str, known: frozenset[str]) -> tuple[int, float]:
    """Return how many words a text has, and the share of them that no taught sentence has."""
    words = text.split()
    return len(words), sum(word not in known for word in words) / max(1, len(words))


def _folds(sentences: Sequence[TaughtSentence], rows: TaughtRows) -> NDArray[np.int64]:
    """Put every sentence into one fold: sentences of one template together, and those of one meaning that are alike.

    Alike are those that lie together along the direction in which a meaning's sentences differ most: what a fold is
    judged by then says it in other words, as callers will.
    """
    base = rows.counts if rows.vectors is None else rows.vectors
    folds = np.zeros(len(sentences), dtype=np.int64)
    by_meaning: dict[str, list[int]] = {}
    for at, one in enumerate(sentences):
        by_meaning.setdefault(one.meaning, []).append(at)
    for places in by_meaning.values():
        own = base[places] - base[places].mean(axis=0)
        direction = _main_direction(own)
        along = own @ direction
        of_template: dict[str, list[float]] = {}
        for at, where in zip(places, along, strict=True):
            of_template.setdefault(sentences[at].template, []).append(float(where))
        order = sorted(
            of_template, key=lambda template: (sum(of_template[template]) / len(of_template[template]), template)
        )
        fold_of = {template: rank * FOLDS // len(order) for rank, template in enumerate(order)}
        for at in places:
            folds[at] = fold_of[sentences[at].template]
    return folds


def _main_direction(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the direction of most spread, by a few power iterations from a fixed start."""
    found = np.ones(rows.shape[1], dtype=np.float32)
    for _ in range(12):
        found = rows.T @ (rows @ found)
        length = float(np.linalg.norm(found))
        if length < _SMALLEST:
            break
        found = found / np.float32(length)
    return found


def _fit_acceptance(held: Sequence[tuple[HeldOut, frozenset[str]]], columns: slice) -> AcceptanceScore:
    rows = np.array([evidence[columns] for one, _ in held for _, evidence in one.candidates])
    right = np.array(
        [
            1.0 if one_class(one.sentence.meaning, unnamed) == meaning else 0.0
            for one, unnamed in held
            for meaning, _ in one.candidates
        ]
    )
    means, spreads = rows.mean(axis=0), rows.std(axis=0)
    spreads[spreads < _SMALLEST] = 1.0
    return AcceptanceScore(means, spreads, fit_one((rows - means) / spreads, right, strength=ACCEPTANCE_STRENGTH))
