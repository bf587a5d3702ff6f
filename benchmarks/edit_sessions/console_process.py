"""The real ``orderline console`` as a process that is killed and started again, on the same port and the same files."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from agent.config.loader import load_settings
from agent.console.assembly import accounts_of
from agent.console.passwords import new_password
from agent.console.people import MACHINE, Doer
from agent.flows import english_pack
from agent.rehearsal.console_process import ConsoleDied

_ANNOUNCED = b"orderline console: "
READY_SECONDS = 180.0


@dataclass
class KillableConsole:
    """A console over a copy of the shipped procedures."""

    directory: Path
    people: dict[str, str] = field(default_factory=dict)
    """Name -> password."""
    port: int = 0
    kills: int = 0
    _process: asyncio.subprocess.Process | None = None

    @property
    def procedures(self) -> Path:
        """The directory of the procedures, which people may edit by hand."""
        return self.directory / "procedures"

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it and wait until it listens. Raises :class:`ConsoleDied`."""
        with (self.directory / "console.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "agent", "console", "--config", str(self.directory)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            )
        if self._process.stdout is None:
            raise ConsoleDied("the console has no output")
        async with asyncio.timeout(READY_SECONDS):
            while line := await self._process.stdout.readline():
                if line.startswith(_ANNOUNCED):
                    return
        raise ConsoleDied(f"the console has ended: see {self.directory / 'console.log'}")

    async def kill(self) -> None:
        """End it at once, as a power cut does."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None
            self.kills += 1


@contextlib.asynccontextmanager
async def killable_console(directory: Path, names: Sequence[str]) -> AsyncIterator[KillableConsole]:
    """Hold a console whose people are supervisors with every right to edit."""
    console = KillableConsole(directory, {name: new_password() for name in names}, _free_port())
    await asyncio.to_thread(shutil.copytree, english_pack(), console.procedures)
    settings = {
        "state_directory": str(directory / "state"),
        "flows_directory": str(console.procedures),
        "shop": {"timezone": "America/Chicago"},
        "console": {"port": console.port},
    }
    (directory / "state").mkdir()
    path = directory / "orderline.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    async with accounts_of(await asyncio.to_thread(load_settings, directory)) as (accounts, _):
        for name, password in console.people.items():
            await accounts.add(
                name, "supervisor", password, granted=("formulas",), scopes=(), by=Doer(MACHINE, "edit sessions")
            )
    await console.start()
    try:
        yield console
    finally:
        await console.kill()


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])
