"""The sizing model: pure functions from calls at once to cores, memory, machines and what the stores get."""

from __future__ import annotations

import math
from dataclasses import dataclass

from agent.recovery.redis_snapshots import MOST_CALLS
from benchmarks.sizing.assumptions import CALCULATED, MEASURED, Assumptions, MeasuredStep

UDP_PORTS = 65536 - 1024
"""All ports that a program without privileges may bind."""
USUAL_OPEN_FILES = 1024
"""The soft limit of a program that nobody has given another one."""
NODES_ASKED = 8
"""``ds_select_dst`` of contrib/kamailio/kamailio.cfg: nodes asked for one call before it goes to the staff."""


@dataclass(frozen=True)
class Size:
    """What so many calls at once need."""

    calls: int
    kind: str
    """``measured`` where a measured step has so many calls, else ``calculated``."""
    agent_cores: float
    asterisk_cores: float
    cores: int
    """To plan with: the two together at the share of a core that may be busy."""
    instances: int
    machines: int
    """One more carries the loss of any."""
    memory_gb: float
    """Of agents and Asterisks, all machines together."""
    calls_a_second: float
    redis_commands: float
    """A second, for snapshots of conversations."""
    redis_mb: float
    records_a_second: float
    """Rows that PostgreSQL gets."""
    postgres_gb_a_day: float
    """Eight busy hours."""


@dataclass(frozen=True)
class HardLimit:
    """Something that ends, and where."""

    what: str
    calls: int
    source: str


def size(calls: int, given: Assumptions) -> Size:
    """Return what so many calls at once need. A measured step is taken as it is."""
    step = next((step for step in given.steps if step.at_once == calls and step.holds), None)
    per_second = calls / given["call_seconds"]
    instances = math.ceil(calls / given["calls_an_instance"])
    machines = math.ceil(calls / given["calls_an_asterisk"])
    agent = step.agent_cores if step else calls * given["agent_cores"]
    asterisk = step.asterisk_cores if step else calls * given["asterisk_cores"]
    return Size(
        calls=calls,
        kind=MEASURED if step else CALCULATED,
        agent_cores=agent,
        asterisk_cores=asterisk,
        cores=max(machines, math.ceil((agent + asterisk) / given["busy"])),
        instances=instances,
        machines=machines,
        memory_gb=(_memory_of(step) if step else _memory(calls, instances, machines, given)) / 1024,
        calls_a_second=per_second,
        redis_commands=per_second * given["snapshot_writes"],
        redis_mb=calls * given["snapshot_kb"] / 1024,
        records_a_second=per_second * given["records_a_call"],
        postgres_gb_a_day=per_second * 8 * 3600 * (given["record_kb"] + given["index_kb"]) / 1e6,
    )


def _memory(calls: int, instances: int, machines: int, given: Assumptions) -> float:
    agents = instances * given["instance_mb"] + calls * given["agent_mb"]
    return agents + machines * given["asterisk_idle_mb"] + calls * given["asterisk_mb"]


def _memory_of(step: MeasuredStep) -> float:
    return step.agent_mb + step.asterisk_mb


def hard_limits(given: Assumptions) -> list[HardLimit]:
    """Return what one Asterisk, one instance and one Redis cannot exceed, the smallest first."""
    files = math.floor((USUAL_OPEN_FILES - given["asterisk_idle_files"]) / given["asterisk_files"])
    found = [
        HardLimit(
            "one instance of the agent: its main thread",
            int(given["calls_an_instance"]),
            given.figures["calls_an_instance"].source,
        ),
        HardLimit(
            f"one Asterisk with the usual {USUAL_OPEN_FILES} open files: set LimitNOFILE of its service, "
            "or maxfiles in asterisk.conf",
            files,
            f"{given['asterisk_idle_files']:.0f} files without a call, {given['asterisk_files']:.0f} a call: "
            f"{given.figures['asterisk_files'].source}",
        ),
        HardLimit("one Asterisk", int(given["calls_an_asterisk"]), given.figures["calls_an_asterisk"].source),
        HardLimit(
            "one Asterisk with the usual 10,000 ports of rtp.conf (10000 to 20000)",
            math.floor(10000 / given["ports_a_call"]),
            given.figures["ports_a_call"].source,
        ),
        HardLimit(
            "one address: all UDP ports above 1023",
            math.floor(UDP_PORTS / given["ports_a_call"]),
            given.figures["ports_a_call"].source,
        ),
        HardLimit(
            "one Redis: conversations of others that an instance reads there when it starts. Taking one over later "
            "looks for its channel alone and has no such limit. Groups of machines may have a Redis each; failed "
            "attempts and the pause are counted per group then",
            MOST_CALLS,
            "agent/recovery/redis_snapshots.py, MOST_CALLS",
        ),
        HardLimit(
            f"machines that all refuse: Kamailio asks {NODES_ASKED} for one call, then the staff get it, though a "
            "further machine may be free",
            math.floor(NODES_ASKED * given["calls_an_asterisk"]),
            "contrib/kamailio/kamailio.cfg, ds_select_dst; Kamailio tries 12 for one call",
        ),
    ]
    return sorted(found, key=lambda limit: limit.calls)
