"""The console beside a private call centre: a process of its own, with a sign-in made on the spot."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from agent.config.loader import load_settings
from agent.console.assembly import accounts_of
from agent.console.passwords import new_password
from agent.console.people import MACHINE, Doer
from agent.errors import OrderlineError
from agent.rehearsal.call_centre import PrivateCallCentre

USUAL_PORT = 8189
READY_SECONDS = 60.0
_STOP_SECONDS = 5.0
_ANNOUNCED = "orderline console: "


class ConsoleDied(OrderlineError):
    """The console's process ended by itself, or never got ready."""

    code = "console_died"


@dataclass(frozen=True)
class ConsoleSignIn:
    """Where the console is, and how to sign in."""

    url: str
    name: str
    password: str
    pid: int


def usual_port() -> int:
    """Return the console's usual port, 0 (any) where somebody has it."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", USUAL_PORT))
        except OSError:
            return 0
    return USUAL_PORT


@contextlib.asynccontextmanager
async def running_console_of(
    stack: PrivateCallCentre,
    run_dir: Path,
    *,
    port: int = 0,
    role: str = "admin",
    state_directory: Path | None = None,
) -> AsyncIterator[ConsoleSignIn]:
    """Hold a console for the agent of a private call centre. Raises :class:`ConsoleDied`.

    ``state_directory``: where finished calls and accounts are, instead of the agent's own.
    """
    config = await asyncio.to_thread(_write_settings, stack, run_dir, port, state_directory)
    name, password = "demo", new_password()
    settings = await asyncio.to_thread(load_settings, config)
    async with accounts_of(settings) as (accounts, _):
        await accounts.add(name, role, password, granted=("publish",), scopes=(), by=Doer(MACHINE, "make run"))
    guard = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    log_path = run_dir / "console.log"
    with log_path.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(*guard, sys.executable, "-m", "agent", "console", "--config", str(config)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
    try:
        yield ConsoleSignIn(await _ready(process, log_path), name, password, process.pid)
    finally:
        await _end(process)


def _write_settings(stack: PrivateCallCentre, run_dir: Path, port: int, state_directory: Path | None) -> Path:
    """Write the agent's settings again, with what only the console needs: the port that the agent has got."""
    config = run_dir / "console"
    config.mkdir()
    settings = yaml.safe_load((stack.agent.config_dir / "orderline.yaml").read_text(encoding="utf-8"))
    token = stack.agent.config_dir / "control-token"
    settings["control"] |= {"port": stack.agent.control_port, "token_file": str(token)}
    settings["console"] = {**settings.get("console", {}), "port": port}
    if state_directory is not None:
        settings["state_directory"] = str(state_directory)
    (config / "orderline.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return config


async def _ready(process: asyncio.subprocess.Process, log_path: Path) -> str:
    """Return the address that the console announces."""
    if process.stdout is None:
        raise ConsoleDied("the console has no output")
    try:
        async with asyncio.timeout(READY_SECONDS):
            while line := (await process.stdout.readline()).decode():
                if line.startswith(_ANNOUNCED):
                    return line.removeprefix(_ANNOUNCED).strip()
    except TimeoutError as error:
        raise ConsoleDied(f"the console was not ready within {READY_SECONDS:g} s: see {log_path}") from error
    raise ConsoleDied(f"the console has ended: see {log_path}")


async def _end(process: asyncio.subprocess.Process) -> None:
    for end in (process.terminate, process.kill):
        with contextlib.suppress(ProcessLookupError):
            end()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
                return
