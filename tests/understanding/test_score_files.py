"""Fitted scores: deterministic, kept in files, fitted anew when sentences change, and never in the way."""

import os
from pathlib import Path

import numpy as np
import pytest

from agent.dialog.understanding.fitting import FittedScore, fit_score
from agent.dialog.understanding.source import Teaching
from agent.understanding.own_process import ScoresFittedApart
from agent.understanding.score_files import ScoreFiles, read_score, usual_directory, write_score
from tests.understanding.small_pack import PACK, WordVectors, small_pack, teaching_of


def fitted(teaching: Teaching, vectors: WordVectors | None = None) -> FittedScore:
    return fit_score(teaching.sentences(), teaching.rules, teaching.core, teaching.unnamed, vectors, teaching.key)


def arrays(score: FittedScore) -> list[np.ndarray]:
    found = [score.model.weights, score.model.ngrams.table, score.model.ngrams.offsets, score.plain.weights]
    if score.model.vectors is not None and score.model.neighbours is not None and score.full is not None:
        found += [score.model.vectors.table, score.model.neighbours.vectors, score.full.weights]
    return found


@pytest.mark.parametrize("vectors", [None, WordVectors()])
def test_two_fits_of_the_same_pack_have_identical_weights(tmp_path: Path, vectors: WordVectors | None) -> None:
    one, other = (fitted(teaching_of(small_pack(tmp_path)), vectors) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(arrays(one), arrays(other), strict=True))


@pytest.mark.parametrize("vectors", [None, WordVectors()])
def test_a_fitted_score_tells_requests_apart_and_keeps_foreign_sentences_low(
    tmp_path: Path, vectors: WordVectors | None
) -> None:
    pack = small_pack(tmp_path / "pack").with_score(ScoreFiles(tmp_path / "kept", vectors))  # type: ignore[arg-type]
    assert pack.score is not None

    def best(text: str) -> tuple[str, float]:
        return pack.score.candidates(text, pack.opening_evidence(text))[0]  # type: ignore[union-attr]

    assert best("my parcel is still not here")[0] == "track"
    assert best("these shoes are too small")[0] == "returns"
    assert best("i'm looking for a job")[0] == "not_for_us:jobs"
    foreign = max(score for meaning, score in pack.score.candidates("play the light music", pack.opening_evidence("x")))
    assert foreign < best("my parcel is still not here")[1]
    assert pack.score.uses_vectors is (vectors is not None)


def test_what_is_read_from_its_file_judges_as_what_was_fitted(tmp_path: Path) -> None:
    teaching = teaching_of(small_pack(tmp_path))
    score = fitted(teaching, WordVectors())
    write_score(tmp_path / "one.npz", score)
    again = read_score(tmp_path / "one.npz")
    assert again is not None
    assert all(np.array_equal(a, b) for a, b in zip(arrays(score), arrays(again), strict=True))
    assert (again.key, again.vectors, again.model.known_words) == (score.key, score.vectors, score.model.known_words)


def test_a_score_is_fitted_once_and_again_only_when_a_sentence_changes(tmp_path: Path) -> None:
    fits: list[str] = []

    def fit(teaching: Teaching) -> FittedScore:
        fits.append(teaching.key)
        return fitted(teaching)

    files = ScoreFiles(tmp_path / "kept", None, fit)
    pack = small_pack(tmp_path / "pack")
    assert pack.with_score(files).score is not None
    assert small_pack(tmp_path / "pack").with_score(files).score is not None
    assert len(fits) == 1
    edited = small_pack(tmp_path / "pack", PACK.replace("my package is late", "the package ought to have come by now"))
    assert edited.with_score(files).score is not None
    assert len(fits) == 2


def test_a_broken_file_is_fitted_anew(tmp_path: Path) -> None:
    files = ScoreFiles(tmp_path / "kept", None)
    pack = small_pack(tmp_path / "pack")
    pack.with_score(files)
    path = files.path(teaching_of(pack))
    path.write_bytes(path.read_bytes()[:1000])
    assert read_score(path) is None
    path.write_bytes(b"")
    assert pack.with_score(files).score is not None


def test_a_directory_that_cannot_be_made_costs_a_fit_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    pack = small_pack(tmp_path / "pack").with_score(ScoreFiles(tmp_path / "file" / "kept", None))
    assert pack.score is not None


def test_old_files_are_removed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    for number in range(9):
        (kept / f"old{number}.npz").write_bytes(b"")
        os.utime(kept / f"old{number}.npz", (number, number))
    small_pack(tmp_path / "pack").with_score(ScoreFiles(kept, None))
    assert len(list(kept.iterdir())) == 6
    assert not (kept / "old0.npz").exists()


def test_a_score_fitted_with_other_vectors_goes_without_them(tmp_path: Path) -> None:
    pack = small_pack(tmp_path / "pack")
    score = fitted(teaching_of(pack), WordVectors())
    without = pack.with_score(ScoreFiles(tmp_path / "kept", None, lambda teaching: score))
    assert without.score is not None
    assert not without.score.uses_vectors
    assert without.score.candidates("where has my parcel got to", without.opening_evidence("x"))


@pytest.mark.slow
def test_a_fit_in_a_process_of_its_own_gives_what_a_fit_here_gives(tmp_path: Path) -> None:
    pack = small_pack(tmp_path / "pack")
    from agent.understanding.sentence_vectors import installed_vectors

    apart = ScoresFittedApart(tmp_path / "kept", installed_vectors(), tmp_path / "pack", {})
    with_score = pack.with_score(apart)
    assert with_score.score is not None
    assert apart.path(teaching_of(pack)).exists()


def test_a_fit_that_fails_leaves_the_rules_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pack = small_pack(tmp_path / "pack")
    (tmp_path / "pack" / "pack.yaml").write_text("flows: [", encoding="utf-8")
    assert pack.with_score(ScoresFittedApart(tmp_path / "kept", None, tmp_path / "pack", {})).score is None
    assert "could not be fitted, phrases alone decide" in caplog.text


def test_commands_keep_scores_where_other_things_of_the_user_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORDERLINE_HOME", "home")
    assert usual_directory() == Path("home/shared/understanding")
    monkeypatch.delenv("ORDERLINE_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert usual_directory() == tmp_path / "cache" / "orderline" / "understanding"
