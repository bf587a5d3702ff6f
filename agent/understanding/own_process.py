"""Fits a pack's score in a process of its own, so that live calls keep their processor."""

from __future__ import annotations

import json
import logging
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from agent.common.own_processes import module_command
from agent.dialog.understanding.fitting import FittedScore
from agent.dialog.understanding.source import Teaching
from agent.understanding.score_files import ScoreFiles, read_score
from agent.understanding.sentence_vectors import UniversalSentenceVectors

log = logging.getLogger(__name__)

_LONGEST_SECONDS = 600.0
_NICE = 15


class ScoresFittedApart(ScoreFiles):
    """Fitted scores kept in a directory; one that is missing is fitted by ``orderline flows fit``.

    The first one has the processor as the rest of the start has; later ones stand back for the calls. Where a fit
    fails, rules alone decide, and the log says why.
    """

    def __init__(
        self, directory: Path, vectors: UniversalSentenceVectors | None, flows: Path, formats: Mapping[str, str]
    ) -> None:
        """``flows`` is the pack's directory, ``formats`` the settings' number formats."""
        super().__init__(directory, vectors, self._fit_apart)
        self._command = module_command("agent", "flows", "fit", "--flows", str(flows))
        self._command += ["--into", str(directory), "--formats", json.dumps(dict(formats))]
        self._started = False

    def fitted(self, teaching: Teaching) -> FittedScore | None:
        """Return the score of these sentences, as :meth:`ScoreFiles.fitted`."""
        try:
            return super().fitted(teaching)
        finally:
            self._started = True

    def _fit_apart(self, teaching: Teaching) -> FittedScore | None:
        log.info("The examples have changed: the score of open requests is fitted anew")
        try:
            done = subprocess.run(
                self._command, capture_output=True, text=True, timeout=_LONGEST_SECONDS, check=False,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                preexec_fn=_stand_back if self._started else None,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            log.error("The score of open requests could not be fitted, phrases alone decide: %s", error)
            return None
        found = read_score(self.path(teaching)) if done.returncode == 0 else None
        if found is None:
            why = (done.stderr.strip().splitlines() or ["no file was written"])[-1]
            log.error("The score of open requests could not be fitted, phrases alone decide: %s", why)
        return found


def _stand_back() -> None:
    os.nice(_NICE)
