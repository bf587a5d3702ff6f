"""``orderline check``: everything that must be true before calls are sent here, each with the exact fix."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

from agent.app.outbox_factory import calls_path
from agent.app.shop_factory import describe_shop
from agent.app.sound_factory import sound_directory
from agent.asterisk.ari.client import AriClient
from agent.call.errors import VoiceError
from agent.common.redis import redis_version
from agent.config.base import SettingsError
from agent.config.instances import all_instances
from agent.config.settings import Settings
from agent.dialog.contract import Prompt
from agent.dialog.errors import FlowError
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from agent.errors import OrderlineError
from agent.flows import english_pack
from agent.history.shared import SharedHistory
from agent.preflight.ami import ami_findings
from agent.preflight.asterisk import AsteriskRequirements, asterisk_findings
from agent.preflight.asterisk_files import AsteriskFiles, file_findings
from agent.preflight.finding import Finding
from agent.preflight.instances import shared_store_findings, unit_findings
from agent.preflight.machine import (
    address_findings,
    clock_finding,
    console_finding,
    demo_shop_finding,
    directory_finding,
    holiday_findings,
    host_name_finding,
    port_findings,
    rescuer_finding,
    secret_findings,
    settings_finding,
    timezone_finding,
    unit_active,
    whisper_finding,
)
from agent.preflight.prompts import prompts_finding
from agent.preflight.queues import queue_findings
from agent.preflight.second_opinion import second_opinion_finding
from agent.preflight.sound import sound_directory_finding
from agent.records.outbox_commands import outstanding
from agent.speech.model import ModelError, resolve_model
from agent.speech.recognizer import VoskRecognizer
from agent.speech.voice import PromptSynthesizer, build_engines
from agent.speech.wording import filters
from agent.understanding.score_files import ScoreFiles
from agent.understanding.sentence_vectors import PACKAGE, installed_vectors


async def all_findings(
    settings: Settings, files: AsteriskFiles | None = None, directory: Path | None = None
) -> AsyncIterator[Finding]:
    """Look at everything, in the order in which it is needed; each finding comes as it is made.

    ``files`` are Asterisk's own files, as far as they could be read on this machine; ``directory`` is where the
    settings came from.
    """
    if directory is not None:
        yield settings_finding(directory)
    for finding in secret_findings(settings):
        yield finding
    yield shop_finding(settings)
    if (demo := demo_shop_finding(settings, directory)) is not None:
        yield demo
    for finding in (*address_findings(settings), *holiday_findings(settings)):
        yield finding
    yield directory_finding(settings.state_directory)
    yield outbox_finding(calls_path(settings))
    if address := settings.redis.address():
        yield await redis_finding(address)
    if address := settings.records.address():
        yield await asyncio.to_thread(postgresql_finding, address)
    yield host_name_finding()
    yield clock_finding()
    yield timezone_finding(settings.shop.timezone)
    for one in all_instances(settings):
        for finding in port_findings(one):
            yield finding
    for finding in (*shared_store_findings(settings), *unit_findings(settings, unit_active)):
        yield finding
    yield rescuer_finding(settings.control, unit_active)
    yield console_finding(settings, unit_active)
    for finding in file_findings(files or AsteriskFiles(), tuple(settings.queues), settings.ami.user):
        yield finding
    async for finding in _flow_and_speech_findings(settings):
        yield finding
    if settings.speech.second_opinion.model_directory is not None:
        yield await second_opinion_finding(settings.speech.second_opinion)
    yield await voice_finding(settings)
    yield await prompts_finding(settings)
    if any(queue.whisper for queue in settings.queues.values()):
        yield whisper_finding(settings.state_directory)
    if settings.sound.keep:
        try:
            yield sound_directory_finding(sound_directory(settings))
        except SettingsError as error:
            yield Finding("sound", "failed", error.message, "set sound.directory in orderline.yaml")
            return
    async for finding in _ami(settings):
        yield finding
    try:
        ari = AriClient.of(settings.ari)
    except SettingsError:
        return  # already among the findings
    ari.open()
    try:
        wanted = AsteriskRequirements(
            settings.media.transport,
            settings.call.handover_context,
            tuple(settings.queues),
            bool(settings.fastagi.host),
            sound_directory(settings) if settings.sound.keep else None,
            (settings.outbound.endpoint, settings.outbound.context) if settings.outbound.enabled else None,
            tuple(one.ari.app for one in all_instances(settings)),
        )
        async for finding in asterisk_findings(ari, wanted):
            yield finding
    finally:
        await ari.close()


async def _ami(settings: Settings) -> AsyncIterator[Finding]:
    """The manager interface and, where it can be asked, how the queues stand."""
    ami = settings.ami
    if not ami.host:
        return
    try:
        secret = ami.secret()
    except SettingsError:
        return  # already among the findings
    failed = False
    async for finding in ami_findings(ami.host, ami.port, ami.user, secret):
        failed |= finding.verdict == "failed"
        yield finding
    if not failed:
        async for finding in queue_findings(settings):
            yield finding


def shop_finding(settings: Settings) -> Finding:
    """Whether there is a shop to answer for; its systems are not asked here."""
    try:
        return Finding("shop", "ok", describe_shop(settings.shop))
    except OrderlineError as error:
        return Finding("shop", "failed", error.message, _SHOP_FIX)


def outbox_finding(path: Path) -> Finding:
    """Whether everything that had to reach other systems has, or is still on its way."""
    what = "outbox"
    if not path.is_file():
        return Finding(what, "ok", "nothing yet")
    try:
        dead, waiting = outstanding(path)
    except OrderlineError as error:
        return Finding(what, "failed", error.message, f"move {path} away; a new one is made")
    if dead:
        return Finding(what, "warning", f"{dead} given up", _DEAD_FIX)
    return Finding(what, "ok", f"{waiting} on their way")


async def redis_finding(address: str) -> Finding:
    """Whether the Redis that nodes share answers."""
    what = "Redis"
    try:
        version = await redis_version(address)
    except OrderlineError as error:
        return Finding(
            what,
            "warning",
            f"{error.message}; this node works alone",
            "start that Redis, or put redis.url in orderline.yaml right (redis://HOST:6379/0)",
        )
    return Finding(what, "ok", version)


def postgresql_finding(address: str) -> Finding:
    """Whether the PostgreSQL that records are sent to answers, and takes them. Blocks."""
    what = "PostgreSQL"
    shared = SharedHistory(address)
    try:
        return Finding(what, "ok", shared.look())
    except OrderlineError as error:
        return Finding(
            what,
            "warning",
            f"{error.message}; records wait on this node",
            "start that PostgreSQL, or put records.url in orderline.yaml right (docs/postgresql.md)",
        )
    finally:
        shared.close()


def _open_requests_finding(settings: Settings, pack: FlowPack) -> Finding:
    """Tell how requests in callers' own words are told, and what is missing for it."""
    what = "open requests"
    if pack.teaching is None:
        return Finding(what, "ok", "by phrases alone: the procedures have no examples")
    vectors = installed_vectors()
    if vectors is None:
        detail = "without sentence vectors: fewer requests in callers' own words are understood"
        return Finding(what, "warning", detail, f"pip install {PACKAGE}")
    if not ScoreFiles(settings.state_directory / "understanding", vectors).path(pack.teaching).exists():
        detail = "the score is not fitted yet: the first start takes longer"
        return Finding(what, "warning", detail, "orderline render (as root or the agent's user)")
    return Finding(what, "ok", f"by a score over phrases, n-grams and sentence vectors, {pack.teaching.key}")


async def _flow_and_speech_findings(settings: Settings) -> AsyncIterator[Finding]:
    directory = settings.flows_directory or english_pack()
    try:
        pack = FlowPack.load(directory, SandboxRenderer(filters).filters, settings.shop.number_formats)
    except FlowError as error:
        yield Finding("procedures", "failed", error.message, f"orderline flows check --flows {directory}")
        return
    yield Finding("procedures", "ok", f"{len(pack.contents.flows)} flows in {directory}")
    yield _open_requests_finding(settings, pack)
    models = settings.speech.models_directory or settings.state_directory / "models"
    try:
        model = resolve_model(settings.speech.model, models)
        recognizer = await asyncio.to_thread(VoskRecognizer, model, workers=1)
    except ModelError as error:
        yield Finding("speech model", "failed", error.message, _MODEL_FIX)
        return
    yield Finding("speech model", "ok", model.name)
    unknown = {word: phrase for word, phrase in pack.vocabulary().items() if not recognizer.knows(word)}
    recognizer.close()
    if unknown:
        examples = ", ".join(f"{word!r} in {phrase!r}" for word, phrase in list(unknown.items())[:10])
        yield Finding(
            "vocabulary",
            "warning",
            f"the model cannot hear {len(unknown)} words: {examples}",
            "add those words to the model: orderline model add-words FILE; or write the phrases in others",
        )
    else:
        yield Finding("vocabulary", "ok", "the model knows every word of the procedures")


async def voice_finding(settings: Settings) -> Finding:
    """Whether a prompt can be spoken."""
    try:
        engines = await asyncio.to_thread(build_engines, settings.speech.voices)
        speaker = PromptSynthesizer(engines, recordings_dir=settings.speech.recordings_directory)
        try:
            done = await speaker.prerender([Prompt("check", "One moment, please.")])
        finally:
            await speaker.close()
    except VoiceError as error:
        return Finding("voice", "failed", error.message, _voice_fix(settings))
    if done.failed:
        return Finding("voice", "failed", "no engine could speak a test prompt", _voice_fix(settings))
    return Finding("voice", "ok", engines[0].name)


def _voice_fix(settings: Settings) -> str:
    if tuple(settings.speech.voices) == ("hibari",):
        return "make install again: the voice hibari comes with it"  # naming the setting would change nothing
    return "speech.voices: [hibari] in orderline.yaml"


_SHOP_FIX = "put what is named right (docs/shop-http.md); then: orderline shop check"
_MODEL_FIX = "speech.model: bundled in orderline.yaml, or install the one you want: orderline model FILE"
_DEAD_FIX = "orderline outbox dead shows them; then: orderline outbox retry --all, or orderline outbox drop --all"
SEVERITY_RANKS = {"ok": 0, "warning": 1, "failed": 2}
"""Verdict -> exit code of ``orderline check`` when it is the worst one."""
_MARKS = {"ok": "ok      ", "warning": "WARNING ", "failed": "FAILED  "}
_WORDS = ("Calls can be sent to this agent.", "It works; look at the warnings.", "Not yet: mend what failed.")


async def run_check(
    settings: Settings, files: AsteriskFiles | None = None, *, as_json: bool = False, directory: Path | None = None
) -> int:
    """Print every finding; 0 when calls can be sent here, 1 with warnings only, 2 when something must be mended."""
    worst = 0
    told: list[dict[str, str]] = []
    async for finding in all_findings(settings, files, directory):
        worst = max(worst, SEVERITY_RANKS[finding.verdict])
        if as_json:
            told.append(asdict(finding))
            continue
        print(f"{_MARKS[finding.verdict]}{finding.what}{': ' if finding.detail else ''}{finding.detail}", flush=True)
        if finding.verdict != "ok":
            print(f"          fix: {finding.fix}")
    if as_json:
        print(json.dumps({"exit_code": worst, "findings": told}, indent=1, ensure_ascii=False))
    else:
        print(_WORDS[worst])
    return worst
