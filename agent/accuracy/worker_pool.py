"""Tries many items in several processes; the results come in the order of the trials, whatever the machine does."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from agent.accuracy.call_listener import Ears
from agent.accuracy.dialog_setup import open_stage
from agent.accuracy.recorded_digits import people_in
from agent.accuracy.speakers import Speakers
from agent.accuracy.trial_runner import Trying
from agent.accuracy.trial_types import Result, Trial

CHUNK = 16
"""Trials that a process takes at a time."""


@dataclass(frozen=True)
class Setup:
    """What a process needs to try items; plain data, because it goes to other processes."""

    model: Path
    model_name: str
    cache_dir: Path
    sounds_dir: Path | None = None
    flite: tuple[str, ...] = ()
    digit_folders: tuple[Path, ...] = ()


def run(
    setup: Setup, trials: Sequence[Trial], jobs: int, progress: Callable[[int], object] = lambda _: None
) -> list[Result]:
    """Try everything; ``progress`` is told how many are done. Raises what a trial raises (``OrderlineError``)."""
    chunks = [trials[start : start + CHUNK] for start in range(0, len(trials), CHUNK)]
    results: list[Result] = []
    if jobs <= 1:
        with trying(setup) as ready:
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
def trying(setup: Setup) -> Iterator[Trying]:
    """Yield something that tries items, in this process."""
    speakers = Speakers(setup.cache_dir, setup.sounds_dir, setup.flite, people_in(setup.digit_folders))
    with asyncio.Runner() as runner, open_stage(runner) as stage:
        ears = Ears(setup.model)
        try:
            yield Trying(runner, stage, ears, speakers, setup.model_name)
        finally:
            ears.recognizer.close()


class _Worker:
    """What a worker process holds on to between chunks; one for the process, which belongs to one run."""

    _stack: contextlib.ExitStack
    _trying: Trying
    _parent: int

    @classmethod
    def begin(cls, setup: Setup) -> None:
        cls._parent = os.getppid()
        cls._stack = contextlib.ExitStack()
        cls._trying = cls._stack.enter_context(trying(setup))

    @classmethod
    def run(cls, trials: Sequence[Trial]) -> list[Result]:
        results = []
        for trial in trials:
            if os.getppid() != cls._parent:  # killed: nobody waits for results any more
                os._exit(1)
            results.append(cls._trying.run(trial))
        return results


__all__ = ["Setup", "run", "trying"]
