"""Starting and ending servers: they answer, or say why not, and never outlive us."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import pytest

from agent.rehearsal.port_block import reserve_ports
from tests.peers.servers import ServerDied, listens, running_server

SERVE = ["-m", "http.server", "--bind", "127.0.0.1"]


async def silent(port: int) -> None:
    """Return when nobody listens there any more."""
    async with asyncio.timeout(10):
        while await listens(port):  # noqa: ASYNC110 - the end of somebody else's process has no event for us
            await asyncio.sleep(0.01)


async def test_a_server_runs_until_the_block_ends_with_all_it_has_started(tmp_path: Path) -> None:
    ports = reserve_ports()
    command = ["sh", "-c", f"{sys.executable} {' '.join(SERVE)} {ports.http}; true"]
    try:
        async with running_server(command, tmp_path / "log", lambda: listens(ports.http), cwd=tmp_path):
            assert await listens(ports.http)
        await silent(ports.http)
    finally:
        ports.release()


async def test_a_server_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    with pytest.raises(ServerDied, match=r"code 3.*no such configuration"):
        async with running_server(
            ["sh", "-c", "echo no such configuration >&2; exit 3"], tmp_path / "log", never, cwd=tmp_path
        ):
            pass


async def test_a_test_run_that_is_killed_leaves_no_server_behind(tmp_path: Path) -> None:
    ports = reserve_ports()
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tests.peers.servers import listens, running_server\n"
        "async def main(port):\n"
        f"    command = [sys.executable, *{SERVE!r}, str(port)]\n"
        "    here = Path(sys.argv[2])\n"
        "    async with running_server(command, here / 'log', lambda: listens(port), cwd=here):\n"
        "        print('up', flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main(int(sys.argv[1])))\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        str(ports.http),
        str(tmp_path),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    try:
        assert process.stdout is not None
        assert (await process.stdout.readline()).strip() == b"up"
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()

        await silent(ports.http)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        ports.release()
