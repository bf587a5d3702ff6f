"""Keeps fitted scores in files, one for each state of a pack's sentences: fitted once, read from then on."""

from __future__ import annotations

import io
import json
import logging
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.common.atomic_write import write_bytes
from agent.dialog.understanding.candidates import CandidateModel, Classifier, Neighbours
from agent.dialog.understanding.fitting import AcceptanceScore, FittedScore, fit_score
from agent.dialog.understanding.source import Teaching
from agent.understanding.sentence_vectors import UniversalSentenceVectors, installed_vectors

log = logging.getLogger(__name__)

_KEPT = 6
"""Files kept; older ones are removed when a new one is written."""
_ENDING = ".npz"

Fit = Callable[[Teaching], FittedScore | None]


class ScoreFiles:
    """Gives packs their fitted scores; implements :class:`agent.dialog.understanding.source.ScoreSource`.

    A directory that cannot be written costs a fit at every start, and nothing else.
    """

    def __init__(self, directory: Path, vectors: UniversalSentenceVectors | None, fit: Fit | None = None) -> None:
        """``fit`` is done for sentences without a file; here and now when None."""
        self._directory = directory
        self._vectors = vectors
        self._fit = fit or self._fit_here

    @property
    def vectors(self) -> UniversalSentenceVectors | None:
        """The installed sentence vectors."""
        return self._vectors

    def fitted(self, teaching: Teaching) -> FittedScore | None:
        """Return the score of these sentences: from its file, or fitted now and kept."""
        path = self.path(teaching)
        known = read_score(path)
        if known is not None:
            return known
        found = self._fit(teaching)
        if found is not None and not path.exists():
            self._keep(path, found)
        return found

    def path(self, teaching: Teaching) -> Path:
        """Return where the score of these sentences stands, or would."""
        with_vectors = self._vectors.name if self._vectors is not None else "no-vectors"
        return self._directory / f"{teaching.key}-{with_vectors}{_ENDING}"

    def _fit_here(self, teaching: Teaching) -> FittedScore:
        return fit_score(
            teaching.sentences(), teaching.rules, teaching.core, teaching.unnamed, self._vectors, teaching.key
        )

    def _keep(self, path: Path, fitted: FittedScore) -> None:
        try:
            write_score(path, fitted)
            files = sorted(self._directory.glob(f"*{_ENDING}"), key=lambda file: file.stat().st_mtime)
            for old in files[:-_KEPT]:
                old.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s: the fitted score cannot be kept: %s", path, error.strerror or error)


def usual_directory() -> Path:
    """Return where commands keep fitted scores: in ``$ORDERLINE_HOME`` or ``var``, else in the user's cache."""
    home = os.environ.get("ORDERLINE_HOME", "")
    if home or Path("var").is_dir():
        return Path(home or "var") / "shared" / "understanding"  # where rehearsed agents look, too
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "orderline" / "understanding"


def usual_scores(directory: Path | None = None) -> ScoreFiles:
    """Return the fitted scores kept in a directory, the usual one when None, with the installed sentence vectors."""
    return ScoreFiles(directory or usual_directory(), installed_vectors())


def write_score(path: Path, fitted: FittedScore) -> None:
    """Write a fitted score, whole or not at all. Raises OSError."""
    model = fitted.model
    arrays: dict[str, NDArray[Any]] = {
        "weights": model.weights,
        "ngram_table": model.ngrams.table.astype(np.float16),
        "ngram_offsets": model.ngrams.offsets,
        **_acceptance("plain", fitted.plain),
    }
    if model.vectors is not None and model.neighbours is not None and fitted.full is not None:
        arrays |= {
            "vector_table": model.vectors.table,
            "vector_offsets": model.vectors.offsets,
            "near_vectors": model.neighbours.vectors,
            "near_owners": model.neighbours.owners,
            **_acceptance("full", fitted.full),
        }
    told = {"meanings": model.meanings, "words": sorted(model.known_words), "key": fitted.key, "by": fitted.vectors}
    arrays["told"] = np.frombuffer(json.dumps(told).encode(), dtype=np.uint8)
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    write_bytes(path, content.getvalue())


def read_score(path: Path) -> FittedScore | None:
    """Read a fitted score; None when there is no such file, or it is broken (it is fitted anew then)."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        told = json.loads(arrays["told"].tobytes())
        with_vectors = "vector_table" in arrays
        model = CandidateModel(
            tuple(told["meanings"]),
            arrays["weights"],
            Classifier(arrays["ngram_table"].astype(np.float32), arrays["ngram_offsets"]),
            frozenset(told["words"]),
            Classifier(arrays["vector_table"], arrays["vector_offsets"]) if with_vectors else None,
            Neighbours(arrays["near_vectors"], arrays["near_owners"]) if with_vectors else None,
        )
        full = _read_acceptance("full", arrays) if with_vectors else None
        return FittedScore(model, _read_acceptance("plain", arrays), full, str(told["key"]), str(told["by"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        log.warning("%s: this fitted score cannot be read and is fitted anew: %s", path, error)
        return None


def _acceptance(name: str, score: AcceptanceScore) -> dict[str, NDArray[Any]]:
    return {f"{name}_means": score.means, f"{name}_spreads": score.spreads, f"{name}_weights": score.weights}


def _read_acceptance(name: str, arrays: Mapping[str, NDArray[Any]]) -> AcceptanceScore:
    return AcceptanceScore(arrays[f"{name}_means"], arrays[f"{name}_spreads"], arrays[f"{name}_weights"])
