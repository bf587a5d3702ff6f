"""The score of open requests for packs that are tried out: the fitted one, or one borrowed from another edition."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from agent.dialog.pack.loader import FlowPack
from agent.dialog.understanding.evidence import is_foreign
from agent.dialog.understanding.fitting import FittedScore
from agent.dialog.understanding.source import Teaching
from agent.dialog.understanding.teaching import COMMAND, ESCALATION, PERSON
from agent.understanding.score_files import ScoreFiles, read_score
from agent.understanding.sentence_vectors import UniversalSentenceVectors

ScoredBy = Literal["this edition", "another edition", "phrases alone"]


class ReadyScores:
    """Scores that are there already: of the very sentences, else the latest one that fits the pack. Fits nothing."""

    def __init__(self, directory: Path, vectors: UniversalSentenceVectors | None) -> None:
        self._directory = directory
        self._vectors = vectors

    def scored(self, pack: FlowPack) -> tuple[FlowPack, ScoredBy]:
        """Return the pack with a score, and what the score was fitted from."""
        teaching = pack.teaching
        if teaching is None:
            return pack, "phrases alone"
        path = ScoreFiles(self._directory, self._vectors).path(teaching)
        own = read_score(path)
        if own is not None:
            return pack.with_score(_Given(own, self._vectors)), "this edition"
        kind = path.name.removeprefix(teaching.key)
        try:
            others = sorted(self._directory.glob(f"*{kind}"), key=lambda file: file.stat().st_mtime, reverse=True)
        except OSError:
            others = []
        for other in others:
            borrowed = read_score(other)
            if borrowed is not None and fits(borrowed, pack):
                return pack.with_score(_Given(borrowed, self._vectors)), "another edition"
        return pack, "phrases alone"


class _Given:
    """One score for whatever is asked."""

    def __init__(self, score: FittedScore, vectors: UniversalSentenceVectors | None) -> None:
        self._score = score
        self.vectors = vectors

    def fitted(self, _: Teaching) -> FittedScore:
        return self._score


def fits(score: FittedScore, pack: FlowPack) -> bool:
    """Return whether everything a score may take a sentence for is there in a pack."""
    return all(_has(pack, meaning) for meaning in score.model.meanings)


def _has(pack: FlowPack, meaning: str) -> bool:
    kind, _, name = meaning.partition(":")
    if is_foreign(meaning):
        return name in pack.contents.not_for_us
    return meaning == PERSON or kind in (COMMAND, ESCALATION) or pack.meanings.request(meaning) is not None
