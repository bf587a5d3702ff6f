"""Checks whether the fixed prompts are in the voice cache, and renders them ahead of the first start."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from agent.call.errors import VoiceError
from agent.config.settings import Settings
from agent.dialog.contract import Prompt
from agent.dialog.errors import FlowError
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from agent.flows import english_pack
from agent.preflight.finding import Finding
from agent.speech.engines.base import Engine
from agent.speech.voice import PrerenderReport, PromptSynthesizer, build_engines
from agent.speech.wording import filters
from agent.understanding.score_files import usual_scores


def fixed_prompts(settings: Settings) -> list[Prompt]:
    """Every prompt whose words are known before a call. Raises FlowError."""
    render = SandboxRenderer(filters)
    formats = settings.shop.number_formats
    pack = FlowPack.load(settings.flows_directory or english_pack(), render.filters, formats)
    return pack.fixed_prompts({"shop": settings.shop.name, "automated": settings.shop.automated_greeting}, render)


async def prompts_finding(settings: Settings) -> Finding:
    """Whether the first call after a start would wait for prompts to be spoken."""
    what = "prompts"
    try:
        prompts = fixed_prompts(settings)
        engines = await asyncio.to_thread(build_engines, settings.speech.voices)
    except (FlowError, VoiceError):
        return Finding(what, "ok", "not looked at: see procedures and voice")
    speaker = _speaker(settings, engines)
    try:
        ready, missing = await asyncio.to_thread(speaker.rendered, prompts)
    finally:
        await speaker.close()
    if missing:
        detail = f"{missing} of {ready + missing} pieces are not spoken yet: the first start takes longer"
        return Finding(what, "warning", detail, "orderline render (as root or the agent's user)")
    return Finding(what, "ok", f"all {ready} pieces are spoken")


async def render_fixed_prompts(settings: Settings) -> PrerenderReport:
    """Speak every fixed prompt into the cache, and fit the score of open requests. Raises FlowError, VoiceError."""
    await asyncio.to_thread(_fit_score, settings)
    speaker = _speaker(settings, await asyncio.to_thread(build_engines, settings.speech.voices))
    try:
        return await speaker.prerender(fixed_prompts(settings))
    finally:
        await speaker.close()


def _fit_score(settings: Settings) -> None:
    directory = settings.flows_directory or english_pack()
    pack = FlowPack.load(directory, SandboxRenderer(filters).filters, settings.shop.number_formats)
    pack.with_score(usual_scores(settings.state_directory / "understanding"))


def _speaker(settings: Settings, engines: Sequence[Engine]) -> PromptSynthesizer:
    return PromptSynthesizer(
        engines,
        cache_dir=settings.speech.cache_directory or settings.state_directory / "voice",
        recordings_dir=settings.speech.recordings_directory,
    )
