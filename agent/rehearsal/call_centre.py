"""Runs a whole private call centre on loopback: PBX, carrier with phones, demo shop and agent."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from agent.common.file_lock import try_lock
from agent.config.loader import merge
from agent.errors import OrderlineError
from agent.rehearsal.pbx_pair import Pbx, running_pair
from agent.rehearsal.private_asterisk import Asterisk

AGENT_START_SECONDS = 300.0
"""A first start synthesises every fixed prompt and fits the score of open requests: on a busy machine that takes
minutes. Later ones read both from files."""
_AGENT_STOP_SECONDS = 10.0


class AgentDied(OrderlineError):
    """The agent's process ended by itself, or never got ready."""

    code = "agent_died"


class RunDirectoryTaken(OrderlineError):
    """Another run keeps its files where this one would put its own."""

    code = "place_taken"
    retryable = True


_held: dict[Path, int] = {}
"""Directories of this process's runs -> their open descriptors. The kernel lets go of them when the process ends."""


@dataclass(frozen=True)
class RehearsalHome:
    """Where a private call centre keeps its things."""

    directory: Path

    @property
    def shared(self) -> Path:
        """What later runs use again: the voice cache, installed models, fitted scores of open requests."""
        return self.directory / "shared"

    def run(self, name: str) -> Path:
        """A directory for the files of one run, emptied, and this process's own until it ends.

        Raises RunDirectoryTaken when another process's run has it.
        """
        path = (self.directory / name).resolve()
        if path in _held:
            os.close(_held.pop(path))
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        if not try_lock(descriptor):
            os.close(descriptor)
            raise RunDirectoryTaken(
                f"Another run has {path} for its files. Wait until it is over, or choose another directory with "
                "--home (make: HOME_DIR=...)."
            )
        _held[path] = descriptor
        for entry in path.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink()
        return path


class AgentProcess:
    """``orderline serve`` as a child process with settings of its own."""

    def __init__(
        self,
        pbx: Pbx,
        run_dir: Path,
        shared_dir: Path,
        extra_settings: Mapping[str, Any] | None = None,
        *,
        module: str = "agent",
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        beside: AgentProcess | None = None,
        instance: int = 1,
        ari_url: str = "",
    ) -> None:
        """``module`` is what Python runs, ``arguments`` follow ``serve``.

        A further ``instance`` of the agent runs ``beside`` the first one, with that one's settings; it reaches Asterisk
        at ``ari_url`` where that is given.
        """
        self.token: str = secrets.token_hex(24) if beside is None else beside.token
        self.instance = instance
        self.control_port = 0
        self.about: dict[str, str] = {}
        """The model it hears with and the voice it speaks with."""
        self.log_path = run_dir / ("agent.log" if instance == 1 else f"agent-{instance}.log")
        self.pid: int | None = None
        self.started_in_seconds = 0.0
        """How long the last start took."""
        self._pbx = pbx
        self._config_dir = run_dir / ("config" if not ari_url else f"config-{instance}")
        self._ari_url = ari_url
        self._beside = beside
        self._run_dir = run_dir
        self._shared = shared_dir
        self.extra = extra_settings or {}
        self._module = module
        self._arguments = tuple(arguments)
        self._environment = dict(environment or {})
        self._process: asyncio.subprocess.Process | None = None

    @property
    def control_url(self) -> str:
        """Base address of the agent's HTTP server."""
        return f"http://127.0.0.1:{self.control_port}"

    async def start(self) -> None:
        """Start it and wait until it is ready. Raises AgentDied with its last words."""
        began = time.monotonic()
        if self._beside is None or self._ari_url:
            self._write_settings()
        if self._beside is None:
            self._share_scores()
        guard = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        with self.log_path.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *guard,
                sys.executable,
                "-m",
                self._module,
                "serve",
                "--config",
                str(self._config_dir),
                *(("--instance", str(self.instance)) if self.instance > 1 else ()),
                *self._arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                env={
                    **os.environ,
                    **self._environment,
                    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                },
            )
        self.pid = self._process.pid
        try:
            async with asyncio.timeout(AGENT_START_SECONDS):
                self.control_port = await self._ready(self._process)
            self.started_in_seconds = time.monotonic() - began
        except TimeoutError as error:
            await self.stop()
            raise AgentDied(
                f"The agent was not ready after {AGENT_START_SECONDS:.0f} s. {self.last_words()}"
            ) from error
        except BaseException:
            await self.stop()
            raise

    async def _ready(self, process: asyncio.subprocess.Process) -> int:
        if process.stdout is None:
            raise AgentDied("The agent was started without standard output.")
        while line := await process.stdout.readline():
            with contextlib.suppress(ValueError):
                message = json.loads(line)
                if isinstance(message, dict) and message.get("ready"):
                    self.about = {"model": str(message["model"]), "voice": str(message["voice"])}
                    return int(message["control_port"])
        raise AgentDied(f"The agent ended with code {await process.wait()} before it was ready. {self.last_words()}")

    def _write_settings(self) -> None:
        self._config_dir.mkdir(parents=True, exist_ok=True)
        for name, secret in (
            ("ari-password", self._pbx.ari_password),
            ("ami-secret", self._pbx.ami_secret),
            ("control-token", self.token),
        ):
            path = self._config_dir / name
            path.touch(mode=0o600)
            path.write_text(secret, encoding="utf-8")
        settings: dict[str, Any] = {
            "shop": {"name": "Maple and Finch", "demo_directory": str(self._run_dir / "shop")},
            "ari": {"url": self._pbx.ari_url, "user": self._pbx.ari_user, "password_file": "ari-password"},
            "ami": {
                "host": "127.0.0.1",
                "port": str(self._pbx.ami_port),
                "user": self._pbx.ami_user,
                "secret_file": "ami-secret",
            },
            "queues": {"orderline-humans": {}},
            "control": {"port": "0", "token_file": "control-token", "show_private": "yes"},
            "speech": {
                "models_directory": str(self._shared / "models"),
                "cache_directory": str(self._shared / "voice"),
            },
            "state_directory": str(self._run_dir / "state"),
        }
        merge(settings, self.extra if self._beside is None else self._beside.extra)
        if self._ari_url:
            merge(settings, {"ari": {"url": self._ari_url}})
        text = "# Written anew for each run of the private call centre.\n" + yaml.safe_dump(settings, sort_keys=False)
        (self._config_dir / "orderline.yaml").write_text(text, encoding="utf-8")

    def _share_scores(self) -> None:
        """Keep the fitted scores of open requests for later runs: fitting one takes as long as several calls."""
        kept, own = self._shared / "understanding", self._run_dir / "state" / "understanding"
        kept.mkdir(parents=True, exist_ok=True)
        own.parent.mkdir(parents=True, exist_ok=True)
        if not own.exists():
            own.symlink_to(kept.resolve(), target_is_directory=True)

    def last_words(self) -> str:
        """The end of its log."""
        lines = self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        return " / ".join(lines[-5:]) or f"Its log {self.log_path} is empty."

    def problems(self) -> list[str]:
        """The warnings and errors it logged."""
        lines = self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if " WARNING " in line or " ERROR " in line or line.startswith("Traceback")]

    @property
    def config_dir(self) -> Path:
        """Its settings, for commands of the same agent."""
        return self._config_dir

    def signal(self, number: signal.Signals) -> float:
        """Send it a signal; returns when (monotonic seconds)."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)
        return time.monotonic()

    async def reap(self, seconds: float = _AGENT_STOP_SECONDS) -> int | None:
        """Wait for its end; returns its exit code, None when it goes on."""
        if self._process is None:
            return None
        try:
            async with asyncio.timeout(seconds):
                return await self._process.wait()
        except TimeoutError:
            return None

    async def stop(self) -> None:
        """End it in order, then with force; idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        for end in (process.terminate, process.kill):
            with contextlib.suppress(ProcessLookupError):
                end()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_AGENT_STOP_SECONDS):
                    await process.wait()
                    break
        self.pid = None


@dataclass(frozen=True)
class PrivateCallCentre:
    """A private call centre that is running."""

    asterisk: Asterisk
    pbx: Pbx
    phones: Pbx
    agent: AgentProcess
    run_dir: Path
    further: tuple[AgentProcess, ...] = ()
    """The instances of the agent besides the first one."""

    @property
    def agents(self) -> tuple[AgentProcess, ...]:
        """All instances of the agent."""
        return (self.agent, *self.further)


@contextlib.asynccontextmanager
async def running_call_centre(
    asterisk: Asterisk,
    home: RehearsalHome,
    run_dir: Path,
    report: Callable[[str], None],
    extra_settings: Mapping[str, Any] | None = None,
    instances: int = 1,
) -> AsyncIterator[PrivateCallCentre]:
    """Hold a private call centre for the length of a ``with`` block. Raises PbxError, AgentDied.

    ``instances`` of the agent share the calls.
    """
    async with running_pair(asterisk, run_dir / "pbx", report) as (pbx, phones):
        own: dict[str, Any] = {"instances": instances} if instances > 1 else {}
        agent = AgentProcess(pbx, run_dir, home.shared, {**(extra_settings or {}), **own})
        further = [
            AgentProcess(pbx, run_dir, home.shared, beside=agent, instance=number) for number in range(2, instances + 1)
        ]
        report("Starting the agent (the first time it synthesises its prompts)")
        try:
            await agent.start()
            if further:
                apps = "&".join(("orderline", *(f"orderline-{one.instance}" for one in further)))
                await pbx.cli(f"dialplan set global ORDERLINE_APPS {apps}")
                await asyncio.gather(*(one.start() for one in further))
            yield PrivateCallCentre(asterisk, pbx, phones, agent, run_dir, tuple(further))
        finally:
            await asyncio.gather(agent.stop(), *(one.stop() for one in further))
