"""Runs trials in several processes; the results come in the order of the trials."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from agent.accuracy.call_listener import CallListenerFactory
from agent.accuracy.dialog_setup import open_dialog_setup
from agent.accuracy.recorded_digits import digit_speakers_in
from agent.accuracy.speakers import Speakers
from agent.accuracy.trial_runner import TrialRunner
from agent.accuracy.trial_types import Trial, TrialResult
from agent.speech.whisper.model import WhisperModel
from agent.understanding.score_files import usual_scores

CHUNK = 16
"""Trials that a process takes at a time."""


@dataclass(frozen=True)
class WorkerSetup:
    """What a process needs to try items; plain data, because it goes to other processes."""

    model: Path
    model_name: str
    cache_dir: Path
    sounds_dir: Path | None = None
    flite: tuple[str, ...] = ()
    digit_folders: tuple[Path, ...] = ()
    kokoro: Path | None = None
    scores: Path | None = None
    """Where fitted scores of open requests are kept; None when rules alone decide."""
    own_numbers: int | None = None
    """See :class:`~agent.accuracy.trial_runner.TrialRunner`."""
    second: Path | None = None
    """The directory of a larger recogniser that is asked in doubt; None for none."""
    existing: frozenset[str] = frozenset()
    """Codes that the shop has, as symbols without separators."""


def run(
    setup: WorkerSetup, trials: Sequence[Trial], jobs: int, progress: Callable[[int], object] = lambda _: None
) -> list[TrialResult]:
    """Try everything; ``progress`` is told how many are done. Raises what a trial raises (``OrderlineError``)."""
    chunks = [trials[start : start + CHUNK] for start in range(0, len(trials), CHUNK)]
    results: list[TrialResult] = []
    if jobs <= 1:
        with open_trial_runner(setup) as ready:
            for trial in trials:
                results.append(ready.run(trial))
                progress(len(results))
        return results
    # fresh processes: neither onnxruntime nor Vosk survives a fork with threads
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_Worker.begin, initargs=(setup,)) as pool:
        try:
            for done in pool.map(_Worker.run, chunks):
                results += done
                progress(len(results))
        finally:
            pool.shutdown(cancel_futures=True)
    return results


@contextlib.contextmanager
def open_trial_runner(setup: WorkerSetup) -> Iterator[TrialRunner]:
    """Yield something that tries items, in this process."""
    speakers = Speakers(
        setup.cache_dir, setup.sounds_dir, setup.flite, digit_speakers_in(setup.digit_folders), setup.kokoro
    )
    scores = usual_scores(setup.scores) if setup.scores is not None else None
    with asyncio.Runner() as runner, open_dialog_setup(runner, scores, setup.existing) as stage:
        second = WhisperModel(setup.second) if setup.second is not None else None
        listeners = CallListenerFactory(setup.model, second)
        try:
            yield TrialRunner(runner, stage, listeners, speakers, setup.model_name, setup.own_numbers)
        finally:
            listeners.recognizer.close()


class _Worker:
    """What a worker process holds on to between chunks; one for the process, which belongs to one run."""

    _stack: contextlib.ExitStack
    _trying: TrialRunner
    _parent: int

    @classmethod
    def begin(cls, setup: WorkerSetup) -> None:
        cls._parent = os.getppid()
        cls._stack = contextlib.ExitStack()
        cls._trying = cls._stack.enter_context(open_trial_runner(setup))

    @classmethod
    def run(cls, trials: Sequence[Trial]) -> list[TrialResult]:
        results = []
        for trial in trials:
            if os.getppid() != cls._parent:  # killed: nobody waits for results any more
                os._exit(1)
            results.append(cls._trying.run(trial))
        return results


__all__ = ["WorkerSetup", "open_trial_runner", "run"]
