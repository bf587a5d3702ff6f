"""The health of everything the agent depends on, for the page ``/status`` and the metrics."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agent.common.addresses import host_port

DependencyState = Literal["ok", "down", "off"]
OverallState = Literal["ok", "degraded", "down"]

_TRIAL_BYTES = 64 * 1024
"""About what the records of some calls take."""
CHECK_SECONDS = 1.0
"""A look at the manager interface takes no longer."""
VITAL = frozenset({"asterisk", "recogniser", "voice", "procedures"})
"""Without one of these the agent cannot hold a call; without another it does less."""


@dataclass(frozen=True)
class Dependency:
    """One thing the agent needs, or may use."""

    name: str
    state: DependencyState
    detail: str = ""


@dataclass(frozen=True)
class DependencyAddresses:
    """Where the things are that are reached over the network; an empty one is not used."""

    ari_url: str
    redis: str
    manager_host: str
    manager_port: int


async def check_dependencies(
    addresses: DependencyAddresses,
    about: Mapping[str, Any],
    voices: Mapping[str, bool],
    outbox: tuple[int, int] | None,
    records: Dependency,
) -> dict[str, Any]:
    """Look at everything; no look takes longer than ``CHECK_SECONDS``.

    ``about`` is the agent's own status, ``voices`` says of each engine whether it speaks, ``outbox`` how many
    deliveries were given up and how many are on their way (None: nobody knows), ``records`` whether they can be kept.
    """
    procedures = about.get("procedures", {})
    refusal = str(about.get("asterisk_refuses") or "")
    dependencies = [
        Dependency("asterisk", "ok" if about.get("asterisk") else "down", refusal or addresses.ari_url),
        Dependency("recogniser", "ok" if about.get("model") else "down", str(about.get("model", ""))),
        voice_dependency(voices),
        Dependency(
            "procedures", "ok" if procedures else "down", "an edit is refused" if procedures.get("refused") else ""
        ),
        *shop_dependencies(about.get("systems", {})),
        redis_dependency(addresses.redis, sharing=bool(about.get("sharing"))),
        postgresql_dependency(about.get("records_not_sent")),
        await manager_dependency(
            addresses.manager_host, addresses.manager_port, str(about.get("queues_unknown") or "")
        ),
        outbound_dependency(about.get("outbound_problem")),
        records,
        sound_dependency(about.get("sound")),
    ]
    if outbox is None:
        dependencies.append(Dependency("outbox", "down", "its file cannot be read"))
        return overall_status(about, dependencies, {})
    dead, waiting = outbox
    dependencies.append(Dependency("outbox", "ok" if dead == 0 else "down", f"{dead} given up" if dead else ""))
    return overall_status(about, dependencies, {"waiting": waiting, "dead": dead})


def overall_status(
    about: Mapping[str, Any], dependencies: list[Dependency], outbox: Mapping[str, int]
) -> dict[str, Any]:
    """Join the agent's own status with what it depends on."""
    down = {dependency.name for dependency in dependencies if dependency.state == "down"}
    state: OverallState = "down" if down & VITAL else "degraded" if down else "ok"
    return {
        **about,
        "state": state,
        "dependencies": {one.name: {"state": one.state, "detail": one.detail} for one in dependencies},
        "outbox": dict(outbox),
    }


def shop_dependencies(systems: Mapping[str, Any]) -> list[Dependency]:
    """The shop's systems: a breaker that is open is a system that is down."""
    found = []
    for name, about in sorted(systems.items()):
        told = about if isinstance(about, Mapping) else {}
        closed = str(told.get("breaker", told.get("state", "closed"))) in ("closed", "ok", "half_open")
        detail = str(told.get("last_failure") or told.get("last_error") or "")
        found.append(Dependency(f"shop:{name}", "ok" if closed else "down", detail))
    return found


def voice_dependency(voices: Mapping[str, bool]) -> Dependency:
    """The voice works while one engine does."""
    speaking = [name for name, healthy in voices.items() if healthy]
    silent = [name for name, healthy in voices.items() if not healthy]
    detail = f"{', '.join(speaking) or 'no engine'} speaks" + (f"; {', '.join(silent)} has failed" if silent else "")
    return Dependency("voice", "ok" if speaking else "down", detail)


def outbound_dependency(problem: str | None) -> Dependency:
    """Whether customers can be called; ``problem`` is None for a node that calls nobody."""
    if problem is None:
        return Dependency("outbound", "off", "this node calls nobody")
    return Dependency("outbound", "down" if problem else "ok", problem)


def redis_dependency(address: str, *, sharing: bool) -> Dependency:
    """The Redis that nodes share: a node without it goes on alone."""
    if not address:
        return Dependency("redis", "off", "one node alone")
    return Dependency("redis", "ok" if sharing else "down", "" if sharing else "this node works alone")


def records_dependency(directory: Path, problem: str) -> Dependency:
    """Whether what is kept of calls reaches the disk: ``problem`` of the last write, or a write that is tried now.

    Blocks on the disk: call it off the event loop.
    """
    name = "records"
    if problem:
        return Dependency(name, "down", problem)
    try:
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(os.urandom(_TRIAL_BYTES))
            file.flush()
            os.fsync(file.fileno())
        free = shutil.disk_usage(directory).free
    except OSError as error:
        return Dependency(name, "down", f"{directory} cannot be written: {error.strerror or error}")
    return Dependency(name, "ok", f"{free // 10**6} MB free")


def postgresql_dependency(problem: str | None) -> Dependency:
    """The PostgreSQL that records are sent to: a node without it keeps them; None where none is set."""
    if problem is None:
        return Dependency("postgresql", "off", "records stay on this node")
    return Dependency("postgresql", "down" if problem else "ok", problem)


def sound_dependency(problem: object) -> Dependency:
    """Whether calls can be recorded; ``problem`` is None where none is kept."""
    if problem is None:
        return Dependency("sound", "off", "not kept")
    return Dependency("sound", "down" if problem else "ok", str(problem))


async def manager_dependency(host: str, port: int, problem: str = "") -> Dependency:
    """Whether the manager interface greets us; ``problem`` is what stopped those who are logged in there."""
    if not host:
        return Dependency("ami", "off", "not configured")
    if problem:
        return Dependency("ami", "down", problem)
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                greeting = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError) as error:
        return Dependency("ami", "down", str(error) or "no answer")
    return Dependency("ami", "ok" if greeting.startswith(b"Asterisk Call Manager") else "down", host_port(host, port))
