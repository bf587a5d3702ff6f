"""Loads the recogniser's model, the voices, and the procedures with all that they say and listen for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.common.tasks import cancel_and_wait, report_failure
from agent.config.settings import Settings
from agent.config.speech import SecondOpinionSettings
from agent.dialog.pack.archive import DIRECTORY as EDITIONS
from agent.dialog.pack.archive import EditionArchive
from agent.dialog.pack.loader import FlowPack
from agent.dialog.pack.reloader import FlowPackReloader
from agent.dialog.templating.rendering import SandboxRenderer
from agent.dialog.understanding.score import RequestScore
from agent.flows import english_pack
from agent.speech.model import resolve_model
from agent.speech.recognizer import VoskRecognizer
from agent.speech.voice import PromptSynthesizer, build_engines
from agent.speech.whisper.model import WhisperError
from agent.speech.whisper.process import WhisperProcess, whisper_process
from agent.understanding.own_process import ScoresFittedApart
from agent.understanding.sentence_vectors import installed_vectors

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SpeechEngines:
    """What hears and speaks for all calls."""

    model_name: str
    """The recogniser's model, as shown in the status."""
    recognizer: VoskRecognizer
    speaker: PromptSynthesizer
    second: WhisperProcess | None = None
    """The larger recogniser, where one is set and can be used."""


async def open_speech(settings: Settings, stack: contextlib.AsyncExitStack) -> SpeechEngines:
    """Load the model, and the voices but for what only new texts need; ``stack`` closes them."""
    speech, shared = settings.speech, settings.shared_directory
    model = resolve_model(speech.model, speech.models_directory or shared / "models")
    recognizer = VoskRecognizer(model, workers=speech.workers or None)
    stack.callback(recognizer.close)
    speaker = PromptSynthesizer(
        await asyncio.to_thread(build_engines, speech.voices, load=False),
        cache_dir=speech.cache_directory or shared / "voice",
        recordings_dir=speech.recordings_directory,
    )
    stack.push_async_callback(speaker.close)
    return SpeechEngines(model.name, recognizer, speaker, _second_recognizer(speech.second_opinion, stack))


def _second_recognizer(settings: SecondOpinionSettings, stack: contextlib.AsyncExitStack) -> WhisperProcess | None:
    """Start the larger recogniser; where it cannot be used, the log says why and calls do without."""
    if settings.model_directory is None:
        return None
    try:
        second = whisper_process(settings.model_directory, settings.language)
    except WhisperError as error:
        log.error("There is no second opinion, calls go on with the first recogniser: %s", error)
        return None
    second.start()
    stack.push_async_callback(second.close)
    return second


class ScoreWarmUp:
    """Loads what the scores of open requests are made with, once, beside the calls.

    It takes about two seconds of processor time. A greeting and a repeated question need none of it; what a caller
    says waits for it, so that every call is understood alike.
    """

    def __init__(self) -> None:
        self._loading: asyncio.Task[None] | None = None

    def start(self, score: RequestScore | None) -> None:
        """Begin to load; nothing to do for a pack that goes by its rules alone, or a second time."""
        if self._loading is None and score is not None and score.uses_vectors:
            self._loading = asyncio.create_task(asyncio.to_thread(score.warm_up), name="load-sentence-vectors")
            self._loading.add_done_callback(report_failure)

    def is_loaded(self, score: RequestScore | None) -> bool:
        """Return whether a caller's words can be judged at once."""
        needs = score is not None and score.uses_vectors
        return not needs or (self._loading is not None and self._loading.done())

    async def loaded(self, score: RequestScore | None) -> None:
        """Return when a caller's words can be judged; begins to load where nothing has yet."""
        self.start(score)
        if self._loading is not None:
            await asyncio.wait({self._loading})

    async def close(self) -> None:
        """Wait no longer."""
        if self._loading is not None:
            await cancel_and_wait(self._loading)


async def open_procedures(
    settings: Settings,
    speech: SpeechEngines,
    render: SandboxRenderer,
    wall: Callable[[], datetime],
    stack: contextlib.AsyncExitStack,
) -> FlowPackReloader:
    """Load the procedures, and take up every edit of them until ``stack`` is closed."""

    async def prepare(pack: FlowPack) -> None:
        """Build every grammar and speak every fixed prompt before the first call needs them."""
        started = time.monotonic()
        await asyncio.to_thread(preload_grammars, speech.recognizer, pack)
        prompts = pack.fixed_prompts(
            {"shop": settings.shop.name, "automated": settings.shop.automated_greeting}, render
        )
        await speech.speaker.prerender(prompts)
        log.info("%d fixed prompts are ready after %.1f s", len(prompts), time.monotonic() - started)
        await asyncio.to_thread(_keep_edition, archive, directory, pack.fingerprint)

    archive = EditionArchive(settings.shared_directory / EDITIONS)
    directory, formats = settings.flows_directory or english_pack(), settings.shop.number_formats
    kept = settings.shared_directory / "understanding"
    scores = ScoresFittedApart(kept, await asyncio.to_thread(installed_vectors), directory, formats)
    procedures = FlowPackReloader(directory, render.filters, prepare, wall, formats, scores)
    await procedures.load()
    watching = asyncio.create_task(procedures.watch(), name="watch-procedures")
    watching.add_done_callback(report_failure)
    stack.push_async_callback(cancel_and_wait, watching)
    return procedures


def _keep_edition(archive: EditionArchive, directory: Path, fingerprint: str) -> None:
    """Keep the files of an edition that calls are about to run on; without them only their maps are missing."""
    try:
        archive.keep(directory, fingerprint)
    except OSError as error:
        log.warning("Edition %s of the procedures is not kept for the maps of its calls: %s", fingerprint, error)


def preload_grammars(recognizer: VoskRecognizer, pack: FlowPack) -> None:
    """Have the recogniser build, and remember, what every turn of these procedures listens for."""
    for grammar in pack.grammars.values():
        recognizer.listen(grammar.phrases, grammar.words, grammar.samples)
