"""``orderline check``: everything that must be true before calls are sent here, each with the exact fix."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

from agent.asterisk.ari import Ari
from agent.asterisk.preflight import Finding, examine
from agent.call.errors import VoiceError
from agent.delivering import calls_path, hook_of
from agent.dialog.errors import FlowError
from agent.dialog.loader import FlowPack
from agent.dialog.rendering import SandboxRenderer
from agent.dialog.turns import Prompt
from agent.errors import OrderlineError
from agent.flows import english_pack
from agent.human_queues import queue_findings
from agent.records.outbox_commands import outstanding
from agent.records.sharing import redis_version
from agent.settings import Settings, SettingsError
from agent.shop_systems import describe_shop
from agent.speech.model import ModelError, resolve_model
from agent.speech.recognizer import VoskRecognizer
from agent.speech.voice import Speaker, build_engines
from agent.speech.wording import filters

LEAST_FREE_BYTES = 500_000_000
"""Room for records, voice cache and logs of some months."""


async def findings(settings: Settings) -> AsyncIterator[Finding]:
    """Look at everything, in the order in which it is needed; each finding comes as it is made."""
    for finding in secret_findings(settings):
        yield finding
    yield shop_finding(settings)
    yield directory_finding(settings.state_directory)
    yield outbox_finding(calls_path(settings))
    if address := settings.redis.address():
        yield await redis_finding(address)
    yield host_name_finding()
    yield port_finding(settings.control.host, settings.control.port)
    async for finding in _rules_and_ears(settings):
        yield finding
    yield await voice_finding(settings)
    async for finding in queue_findings(settings):
        yield finding
    try:
        password = settings.ari.password()
    except SettingsError:
        return  # already among the findings
    ari = Ari(settings.ari.url, settings.ari.user, password, settings.ari.app)
    ari.open()
    try:
        async for finding in examine(ari, settings.media.transport):
            yield finding
    finally:
        await ari.close()


def secret_findings(settings: Settings) -> Iterator[Finding]:
    """Whether the secrets are there, and for nobody else's eyes."""
    secrets: list[tuple[str, Callable[[], object], Path | None]] = [
        ("ARI password", settings.ari.password, settings.ari.password_file),
        ("control token", settings.control.token, settings.control.token_file),
        *((f"webhook {hook.name}", partial(hook_of, hook), hook.secret_file) for hook in settings.webhooks),
    ]
    for what, read, file in secrets:
        try:
            read()
        except SettingsError as error:
            yield Finding(what, "failed", error.message, "openssl rand -hex 24 > FILE; chmod 600 FILE; name it there")
            continue
        mode = stat.S_IMODE(file.stat().st_mode) if file is not None and file.exists() else 0
        if mode & 0o077:
            yield Finding(what, "failed", f"{file} can be read by others (mode {mode:o})", f"chmod 600 {file}")
        else:
            yield Finding(what, "ok")


def shop_finding(settings: Settings) -> Finding:
    """Whether there is a shop to answer for; its systems are not asked here."""
    try:
        return Finding("shop", "ok", describe_shop(settings.shop))
    except OrderlineError as error:
        return Finding("shop", "failed", error.message, "put it right (docs/shop-http.md), then: orderline shop check")


def directory_finding(directory: Path) -> Finding:
    """Whether records can be kept, and for how long."""
    what = "state directory"
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return Finding(
            what, "failed", f"{directory}: {error.strerror}", f"mkdir -p {directory} and chown it to this user"
        )
    if not os.access(directory, os.W_OK):
        return Finding(what, "failed", f"{directory} cannot be written", f"chown it to the agent's user: {directory}")
    free = shutil.disk_usage(directory).free
    if free < LEAST_FREE_BYTES:
        return Finding(what, "warning", f"only {free // 10**6} MB are free in {directory}", "make room, or move it")
    return Finding(what, "ok", f"{directory}, {free // 10**9} GB free")


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
        return Finding(what, "warning", f"{dead} given up", "orderline outbox dead, then retry --all or drop ID")
    return Finding(what, "ok", f"{waiting} on their way")


async def redis_finding(address: str) -> Finding:
    """Whether the Redis that nodes share answers."""
    what = "Redis"
    try:
        version = await redis_version(address)
    except OrderlineError as error:
        return Finding(what, "warning", f"{error.message}; this node works alone", "look at redis.url, or start it")
    return Finding(what, "ok", version)


def host_name_finding() -> Finding:
    """Whether this machine's own name resolves; where it does not, calls can stall for seconds in Asterisk."""
    name = socket.gethostname()
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        fix = f"echo '127.0.0.1 {name}' >> /etc/hosts"
        return Finding("host name", "failed", f"{name} does not resolve: calls can stall for 5 s", fix)
    return Finding("host name", "ok", f"{name} resolves")


def port_finding(host: str, port: int) -> Finding:
    """Whether the port of the live feed is free."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            detail = f"{host}:{port}: {error.strerror} (fine if it is this agent, running)"
            return Finding("control port", "warning", detail, "set control.port to a free one")
    loopback = host in ("127.0.0.1", "::1", "localhost")
    if loopback:
        return Finding("control port", "ok", f"{host}:{port} is free")
    return Finding(
        "control port", "warning", f"{host} is not loopback: the feed is not encrypted", "control.host: 127.0.0.1"
    )


async def _rules_and_ears(settings: Settings) -> AsyncIterator[Finding]:
    directory = settings.flows_directory or english_pack()
    try:
        pack = FlowPack.load(directory, SandboxRenderer(filters).filters)
    except FlowError as error:
        yield Finding("procedures", "failed", error.message, f"orderline flows check --flows {directory}")
        return
    yield Finding("procedures", "ok", f"{len(pack.contents.flows)} flows in {directory}")
    models = settings.speech.models_directory or settings.state_directory / "models"
    try:
        model = resolve_model(settings.speech.model, models)
        recognizer = await asyncio.to_thread(VoskRecognizer, model, workers=1)
    except ModelError as error:
        yield Finding(
            "speech model", "failed", error.message, "orderline model DIRECTORY-OR-ARCHIVE, or model: bundled"
        )
        return
    yield Finding("speech model", "ok", model.name)
    unknown = {word: phrase for word, phrase in pack.vocabulary().items() if not recognizer.knows(word)}
    recognizer.close()
    if unknown:
        examples = ", ".join(f"{word!r} in {phrase!r}" for word, phrase in list(unknown.items())[:10])
        yield Finding(
            "vocabulary", "warning", f"the model cannot hear {len(unknown)} words: {examples}", "say it in others"
        )
    else:
        yield Finding("vocabulary", "ok", "the model knows every word of the procedures")


async def voice_finding(settings: Settings) -> Finding:
    """Whether a prompt can be spoken."""
    try:
        engines = await asyncio.to_thread(build_engines, settings.speech.voices)
        speaker = Speaker(engines, recordings_dir=settings.speech.recordings_directory)
        try:
            done = await speaker.prerender([Prompt("check", "One moment, please.")])
        finally:
            await speaker.close()
    except VoiceError as error:
        return Finding("voice", "failed", error.message, "set speech.voices: [hibari]")
    if done.failed:
        return Finding("voice", "failed", "no engine could speak a test prompt", "set speech.voices: [hibari]")
    return Finding("voice", "ok", engines[0].name)


async def check(settings: Settings) -> int:
    """Print every finding; 0 when calls can be sent here, 1 with warnings only, 2 when something must be mended."""
    worst = 0
    marks = {"ok": "ok      ", "warning": "WARNING ", "failed": "FAILED  "}
    async for finding in findings(settings):
        print(f"{marks[finding.verdict]}{finding.what}{': ' if finding.detail else ''}{finding.detail}")
        if finding.verdict != "ok":
            print(f"          fix: {finding.fix}")
        worst = max(worst, {"ok": 0, "warning": 1, "failed": 2}[finding.verdict])
    print(("Calls can be sent to this agent.", "It works; look at the warnings.", "Not yet: mend what failed.")[worst])
    return worst
