"""A real PostgreSQL for tests: the machine's own, or Debian's package unpacked below the home, without root."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from agent.rehearsal.apt_fetch import PackageRequest
from agent.rehearsal.unpacked_tree import command_in, ensure_tree

POSTGRES = PackageRequest(
    "PostgreSQL",
    "PostgreSQL >= 13",
    ("libpq5", "postgresql"),  # the version of the second counts packages as well: 15+248
    600 * 1024 * 1024,
    "or install postgresql",
)
_START_SECONDS = 60.0
_UNPRIVILEGED = "nobody"
"""PostgreSQL refuses to run as root: where root runs the tests, the server runs as this user."""


def postgres_programs_in(home: Path) -> Path:
    """Return the directory of ``initdb`` and ``postgres``, fetching them on the first run."""
    if installed := _newest(Path("/usr/lib/postgresql")):
        return installed
    if found := shutil.which("postgres"):
        return Path(found).resolve().parent
    return fetched_programs(home)


def fetched_programs(home: Path) -> Path:
    """Return the directory of the programs that are unpacked below the home."""
    tree = home.resolve() / "postgresql"
    asyncio.run(ensure_tree(tree, POSTGRES, (), lambda version: version >= (13, 0, 0), print))
    programs = _newest(tree / "usr/lib/postgresql")
    if programs is None:
        raise FileNotFoundError(f"{tree}: there is no initdb in it; delete it and try again")
    for name in ("initdb", "postgres"):
        _run_by_own_loader(tree, programs / name)
    return programs


def _newest(versions: Path) -> Path | None:
    found = [one.parent for one in versions.glob("*/bin/initdb")]
    return max(found, key=lambda one: float(one.parent.name), default=None)


def _run_by_own_loader(tree: Path, program: Path) -> None:
    """Put a script in a program's place that runs it with the libraries it came with: initdb starts postgres itself."""
    real = program.with_name(f"{program.name}.real")
    try:
        os.link(program, real)
    except FileExistsError:
        return
    loader, *rest = command_in(tree, str(program.relative_to(tree))) or ()
    rest[-1] = str(real)
    words = (loader, "--argv0", str(program), *rest)
    script = program.with_name(f"{program.name}.script")
    script.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    script.replace(program)


class RealPostgres:
    """One server with a cluster of its own on loopback. Make it, start and kill it as often as needed, remove it."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._process: subprocess.Popen[bytes] | None = None
        # not below a directory that root alone may pass through
        self.directory = Path(tempfile.mkdtemp(prefix="orderline-postgres-", dir="/tmp"))
        self._data = self.directory / "data"
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam(_UNPRIVILEGED)
            os.chown(self.directory, account.pw_uid, account.pw_gid)
            self._user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": ()}
        with socket.socket() as trial:
            trial.bind(("127.0.0.1", 0))
            self.port = trial.getsockname()[1]

    @property
    def url(self) -> str:
        """Its address."""
        return f"postgresql://orderline@127.0.0.1:{self.port}/postgres"

    def make(self) -> None:
        """Make the cluster. Raises ``subprocess.CalledProcessError``."""
        command = ("-D", self._data, "-U", "orderline", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        self._run(self._programs / "initdb", *command)

    def start(self, *settings: str) -> None:
        """Start it and wait until it answers. ``settings``: ``name=value``. Raises ``TimeoutError``."""
        given = [part for setting in settings for part in ("-c", setting)]
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-k", "", "-c", "max_connections=40")
        (self._data / "postmaster.pid").unlink(
            missing_ok=True
        )  # of one that was killed: its number may be anybody's now
        self._process = subprocess.Popen(
            [self._programs / "postgres", "-D", self._data, *where, *given],
            stdout=subprocess.DEVNULL,
            stderr=(self.directory / "log").open("ab"),
            cwd=self.directory,
            **self._user,
        )
        deadline = time.monotonic() + _START_SECONDS
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.url, connect_timeout=2).close()
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise TimeoutError(f"PostgreSQL did not start: {(self.directory / 'log').read_text()[-2000:]}")
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill all its processes at once, as a power cut would; idempotent."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGSTOP)  # it starts no more of them now
        family = self._family()
        for pid in family:
            _signal(pid, signal.SIGKILL)
        self._process.wait()
        while any(_runs(pid) for pid in family):  # a new server must not meet an old one's: nobody tells of the end
            time.sleep(0.005)

    def freeze(self) -> None:
        """Stop its processes where they are."""
        for pid in self._family():
            _signal(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        for pid in self._family():
            _signal(pid, signal.SIGCONT)

    def remove(self) -> None:
        """Kill it and delete its files."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _family(self) -> list[int]:
        """Return the numbers of the server's processes, the first one's first. Each child leads a group of its own."""
        if self._process is None:
            raise RuntimeError("start() comes first")
        first = self._process.pid
        return [first, *(pid for pid, parent in _parents() if parent == first)]

    def _run(self, *command: object) -> None:
        subprocess.run(
            [str(part) for part in command], check=True, capture_output=True, cwd=self.directory, **self._user
        )


def _parents() -> Iterator[tuple[int, int]]:
    """Yield every process of the machine with its parent."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                _, _, rest = (entry / "stat").read_text().rpartition(")")  # the name before may hold anything
                yield int(entry.name), int(rest.split()[1])


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _runs(pid: int) -> bool:
    try:
        _, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    except OSError:
        return False
    return rest.split()[0] != "Z"
