"""Judges one open request: which meanings it may have, each with its acceptance score, and what is done about it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from agent.dialog.model.understanding import Thresholds
from agent.dialog.understanding.candidates import SentenceForms, SentenceVectors, candidate_shares
from agent.dialog.understanding.evidence import (
    RuleEvidence,
    SentenceFacts,
    candidates_of,
    evidence_row,
    is_foreign,
)
from agent.dialog.understanding.features import ngram_matrix
from agent.dialog.understanding.fitting import PLAIN_COLUMNS, FittedScore, word_facts
from agent.dialog.understanding.teaching import NUMBER, PERSON, Plain

Decision = Literal["act", "confirm", "choose", "again", "person"]
_MOST = 5
_CLEARLY = 3.0
"""A candidate so many times likelier than the next one is asked about alone."""


@dataclass(frozen=True)
class Judgement:
    """What an open request was taken for."""

    decision: Decision
    candidates: tuple[tuple[str, float], ...] = ()
    """Meaning and score, the likeliest first."""

    @property
    def meaning(self) -> str:
        """The likeliest meaning; ``""`` for none."""
        return self.candidates[0][0] if self.candidates else ""

    @property
    def score(self) -> float:
        """Its score."""
        return self.candidates[0][1] if self.candidates else 0.0


class RequestScore:
    """A fitted score, ready for calls. Immutable; judging takes about as long as making one sentence's vector."""

    def __init__(self, fitted: FittedScore, plain: Plain, core: Plain, vectors: SentenceVectors | None) -> None:
        """``vectors`` must be those it was fitted with; any other, or none, and the n-grams go alone."""
        usable = vectors is not None and fitted.full is not None and vectors.name == fitted.vectors
        self._fitted = fitted
        self._plain, self._core = plain, core
        self._vectors = vectors if usable else None
        self._foreign = np.array([is_foreign(meaning) for meaning in fitted.model.meanings])

    @property
    def fingerprint(self) -> str:
        """Which weights these are, and whether vectors are used with them."""
        return f"{self._fitted.key}{'+' if self._vectors is not None else '-'}"

    @property
    def uses_vectors(self) -> bool:
        """Whether sentence vectors are part of the evidence."""
        return self._vectors is not None

    def warm_up(self) -> None:
        """Load what the first sentence would otherwise wait for."""
        if self._vectors is not None:
            self._vectors.encode([""])

    def has_words(self, text: str) -> bool:
        """Return whether there is anything but numbers in a text."""
        return any(word != NUMBER for word in self._plain(text).split())

    def candidates(self, text: str, rules: RuleEvidence) -> tuple[tuple[str, float], ...]:
        """Return the meanings a text may have, each with its score, the likeliest first."""
        plain = self._plain(text)
        if not plain:
            return ()
        model = self._fitted.model
        shares = candidate_shares(model, [self._form(plain), self._form(self._core(plain))])
        facts = SentenceFacts(*word_facts(plain, model.known_words), rules)
        if facts.unknown >= 1.0:
            return ()  # no word of it is taught: whatever it is like, it is like by chance
        places = candidates_of(shares.together[0], model.meanings, rules)
        if not places:
            return ()
        rows = np.array([evidence_row(shares, 0, at, model.meanings, self._foreign, facts) for at in places])
        full = self._fitted.full
        score = full if shares.vectors is not None and full is not None else self._fitted.plain
        scored = score.scores(rows if score is full else rows[:, :PLAIN_COLUMNS])
        found = [(model.meanings[at], float(one)) for at, one in zip(places, scored, strict=True)]
        return tuple(sorted(found, key=lambda pair: (-pair[1], pair[0]))[:_MOST])

    def _form(self, text: str) -> SentenceForms:
        return SentenceForms(ngram_matrix([text]), self._vectors.encode([text]) if self._vectors is not None else None)


def decide(candidates: Sequence[tuple[str, float]], thresholds: Thresholds, denied: Collection[str] = ()) -> Judgement:
    """Return what is done about candidates; those in ``denied`` the caller has said no to."""
    left = tuple((meaning, score) for meaning, score in candidates if meaning not in denied)
    if not left:
        return Judgement("again")
    judged = Judgement("again", left)
    if judged.score >= thresholds.act:
        return replace(judged, decision="person" if is_foreign(judged.meaning) else "act")
    if judged.meaning == PERSON and judged.score >= thresholds.confirm:
        return replace(judged, decision="act")  # a person is never the wrong thing for long
    if is_foreign(judged.meaning) and judged.score >= thresholds.confirm:
        return judged
    served = tuple(one for one in left if not is_foreign(one[0]))
    if not served or served[0][1] < thresholds.choose:
        return judged
    second = served[1][1] if len(served) > 1 else 0.0
    if second >= thresholds.choose and served[0][1] < _CLEARLY * second:
        return Judgement("choose", served)
    return Judgement("confirm", served)
