"""Loads the recogniser's model, the voices, and the procedures with all that they say and listen for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from agent.common.tasks import cancel_and_wait, report_failure
from agent.config.settings import Settings
from agent.dialog.pack.loader import FlowPack
from agent.dialog.pack.reloader import FlowPackReloader
from agent.dialog.templating.rendering import SandboxRenderer
from agent.flows import english_pack
from agent.speech.model import resolve_model
from agent.speech.recognizer import VoskRecognizer
from agent.speech.voice import PromptSynthesizer, build_engines
from agent.understanding.own_process import scores_fitted_apart
from agent.understanding.sentence_vectors import installed_vectors

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SpeechEngines:
    """What hears and speaks for all calls."""

    model_name: str
    """The recogniser's model, as shown in the status."""
    recognizer: VoskRecognizer
    speaker: PromptSynthesizer


async def open_speech(settings: Settings, stack: contextlib.AsyncExitStack) -> SpeechEngines:
    """Load the model and the voices; ``stack`` closes them."""
    speech, state = settings.speech, settings.state_directory
    model = resolve_model(speech.model, speech.models_directory or state / "models")
    recognizer = VoskRecognizer(model, workers=speech.workers or None)
    stack.callback(recognizer.close)
    speaker = PromptSynthesizer(
        await asyncio.to_thread(build_engines, speech.voices),
        cache_dir=speech.cache_directory or state / "voice",
        recordings_dir=speech.recordings_directory,
    )
    stack.push_async_callback(speaker.close)
    return SpeechEngines(model.name, recognizer, speaker)


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
        if pack.score is not None:
            await asyncio.to_thread(pack.score.warm_up)
        prompts = pack.fixed_prompts(
            {"shop": settings.shop.name, "automated": settings.shop.automated_greeting}, render
        )
        await speech.speaker.prerender(prompts)
        log.info("%d fixed prompts are ready after %.1f s", len(prompts), time.monotonic() - started)

    directory, formats = settings.flows_directory or english_pack(), settings.shop.number_formats
    kept = settings.state_directory / "understanding"
    scores = scores_fitted_apart(kept, await asyncio.to_thread(installed_vectors), directory, formats)
    procedures = FlowPackReloader(directory, render.filters, prepare, wall, formats, scores)
    await procedures.load()
    watching = asyncio.create_task(procedures.watch(), name="watch-procedures")
    watching.add_done_callback(report_failure)
    stack.push_async_callback(cancel_and_wait, watching)
    return procedures


def preload_grammars(recognizer: VoskRecognizer, pack: FlowPack) -> None:
    """Have the recogniser build, and remember, what every turn of these procedures listens for."""
    for grammar in pack.grammars.values():
        recognizer.listen(grammar.phrases, grammar.words, grammar.samples)
