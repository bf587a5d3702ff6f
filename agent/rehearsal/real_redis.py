"""A real redis-server for tests: the machine's own, or Debian's package unpacked below the home, without root."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisGone

from agent.rehearsal.apt_fetch import PackageRequest
from agent.rehearsal.unpacked_tree import command_in, ensure_tree

REDIS = PackageRequest("Redis", "Redis >= 6.2", ("redis-server",), 250 * 1024 * 1024, "or install redis-server")


def redis_command(home: Path) -> tuple[str, ...]:
    """Return what to execute, fetching it on the first run."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return (found,)
    program = "usr/bin/redis-check-rdb"  # Debian's server is a link to this one; the name it is called by decides
    tree = home.resolve() / "redis"
    asyncio.run(ensure_tree(tree, REDIS, (program,), lambda version: version >= (6, 2, 0), print))
    loader, *rest = command_in(tree, program) or ()
    return (loader, "--argv0", "redis-server", *rest)


class RealRedis:
    """One server on a port of its own, without files; a started one is empty."""

    def __init__(self, command: tuple[str, ...], directory: Path) -> None:
        self._command = command
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None
        with socket.socket() as trial:
            trial.bind(("127.0.0.1", 0))
            self.port = trial.getsockname()[1]

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            *("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._directory)),
            stdout=asyncio.subprocess.DEVNULL,
        )
        async with Redis(port=self.port) as client, asyncio.timeout(10):
            while True:
                try:
                    await client.ping()
                except RedisGone:
                    await asyncio.sleep(0.02)
                else:
                    return

    def freeze(self) -> None:
        """Stop its process where it is."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    async def stop(self) -> None:
        """Kill it; idempotent."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise RuntimeError("start() comes first")
        self._process.send_signal(number)
