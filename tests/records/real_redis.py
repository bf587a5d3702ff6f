"""A real redis-server for tests: the machine's own, or Debian's package unpacked below the home, without root."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import signal
import socket
import tempfile
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisGone

from agent.rehearse.apt_fetch import AptFetch

_STAMP = "orderline-tree.txt"


def redis_command(home: Path) -> tuple[str, ...]:
    """Return what to execute, fetching it on the first run."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return (found,)
    tree = home.resolve() / "redis"
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".redis.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (tree / _STAMP).is_file():
            asyncio.run(_fetch(tree))
    loader = next(iter(sorted([*tree.glob("usr/lib/*/ld-linux*.so*"), *tree.glob("lib/*/ld-linux*.so*")])))
    libraries = [tree / "usr/lib" / loader.parent.name, tree / "lib" / loader.parent.name]
    binary = next(path for path in (tree / "usr/bin").iterdir() if path.name in ("redis-server", "redis-check-rdb"))
    return (str(loader), "--argv0", "redis-server", "--library-path", ":".join(map(str, libraries)), str(binary))


async def _fetch(tree: Path) -> None:
    work = Path(tempfile.mkdtemp(prefix=".redis-partial-", dir=tree.parent))
    try:
        came_from = await AptFetch(work, print, ("redis-server",), "Redis").into(
            work / "tree", lambda at: at >= (6, 2, 0)
        )
        (work / "tree" / _STAMP).write_text(came_from)
        shutil.rmtree(tree, ignore_errors=True)
        (work / "tree").rename(tree)
    finally:
        shutil.rmtree(work, ignore_errors=True)


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
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> None:
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
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
