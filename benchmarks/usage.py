"""Measures CPU time, memory, threads and files of a call centre's programs, as the kernel counts them."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from agent.rehearsal.call_centre import PrivateCallCentre

ASTERISK, AGENT, CARRIER, CALLERS = "asterisk", "agent", "carrier", "callers"
"""The product is the first two; the carrier's Asterisk and the callers' own program are the load generator."""
PRODUCT = (ASTERISK, AGENT)
LOAD = (CARRIER, CALLERS)


@dataclass(frozen=True)
class ResourceUse:
    """One program over a stretch of time, its children included."""

    cores: float
    """CPU time per second of the stretch: 0.5 is half a core."""
    main_thread: float
    """That of the program's own first thread alone, without its other threads and its children."""
    rss_mb: float
    """Resident memory at its end."""
    threads: int
    files: int
    """Open file descriptors."""

    def to_dict(self) -> dict[str, float | int]:
        """Return it as JSON-like data."""
        return {
            "cores": round(self.cores, 3),
            "main_thread": round(self.main_thread, 3),
            "rss_mb": round(self.rss_mb, 1),
            "threads": self.threads,
            "files": self.files,
        }


class UsageMeter:
    """Begin with :meth:`start`, read with :meth:`read`; reading does not end it."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._began_at = 0.0
        self._began: dict[str, float] = {}
        self._main_began: dict[str, float] = {}

    @classmethod
    def of(cls, stack: PrivateCallCentre) -> UsageMeter:
        """Watch the four programs of a private call centre with its callers in this process."""
        pids = {
            ASTERISK: stack.pbx.pid,
            AGENT: stack.agent.pid,
            CARRIER: stack.phones.pid,
            CALLERS: os.getpid(),
        }
        return cls({name: pid for name, pid in pids.items() if pid is not None})

    def start(self) -> None:
        """Count from now on."""
        self._began_at = time.monotonic()
        self._began = {name: _cpu_seconds(process, name) for name, process in self._processes.items()}
        self._main_began = {name: _main_thread_seconds(process) for name, process in self._processes.items()}

    def cpu_seconds(self) -> dict[str, float]:
        """Return the seconds of one core used since :meth:`start`. Raises psutil.NoSuchProcess like :meth:`read`."""
        return {
            name: _cpu_seconds(process, name) - self._began.get(name, 0.0) for name, process in self._processes.items()
        }

    def read(self) -> dict[str, ResourceUse]:
        """Return what was used since :meth:`start`. Raises psutil.NoSuchProcess when a program has died."""
        seconds = max(1e-9, time.monotonic() - self._began_at)
        used = self.cpu_seconds()
        return {
            name: ResourceUse(
                cores=used[name] / seconds,
                main_thread=(_main_thread_seconds(process) - self._main_began.get(name, 0.0)) / seconds,
                rss_mb=sum(one.memory_info().rss for one in _family(process, name)) / 2**20,
                threads=sum(one.num_threads() for one in _family(process, name)),
                files=sum(one.num_fds() for one in _family(process, name)),
            )
            for name, process in self._processes.items()
        }


def _family(process: psutil.Process, name: str) -> list[psutil.Process]:
    """The process and its children; the callers' children are the other programs."""
    return [process] if name == CALLERS else [process, *process.children(recursive=True)]


def _cpu_seconds(process: psutil.Process, name: str) -> float:
    times = [one.cpu_times() for one in _family(process, name)]
    return sum(one.user + one.system for one in times)


def _main_thread_seconds(process: psutil.Process) -> float:
    return sum(one.user_time + one.system_time for one in process.threads() if one.id == process.pid)
