"""Starts the contenders at one Asterisk, and reads what their programs use."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from agent.errors import OrderlineError
from agent.rehearsal.call_centre import PrivateCallCentre
from agent.speech.model import bundled_model
from benchmarks.side_by_side.rival import RivalSettings

START_SECONDS = 60.0
ORDERLINE, SAMPLE, TUNED = "orderline", "sample", "tuned"
TUNED_ENDPOINT = {"rule2": "0.3", "rule3": "0.4", "rule4": "0.8"}
"""Trailing silence of Vosk's endpoint rules in the tuned variant; in the model's own conf they are 0.5, 0.8 and 1.5."""
TUNED_PIECE_BYTES = 640
"""40 ms of audio."""


class ContenderDied(OrderlineError):
    """A contender's program ended by itself, or never got ready."""

    code = "contender_died"


@dataclass(frozen=True)
class Contender:
    """Somebody to ring: how, how to follow the calls, and which programs to count."""

    name: str
    dial: str
    feed_url: str
    feed_token: str
    pids: tuple[int, ...]
    """Its own programs, without Asterisk."""

    def cpu_seconds(self) -> float:
        """CPU time its programs and their children have used so far."""
        return sum(cpu_seconds(pid) for pid in self.pids)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time a program and its children have used so far, the finished ones included."""
    total = 0.0
    process = psutil.Process(pid)
    for one in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def orderline_contender(stack: PrivateCallCentre) -> Contender:
    """Orderline itself, as the private call centre has started it."""
    if stack.agent.pid is None:
        raise ContenderDied("Orderline's agent is not running.")
    return Contender(ORDERLINE, "7000", stack.agent.control_url, stack.agent.token, (stack.agent.pid,))


@contextlib.asynccontextmanager
async def rival(stack: PrivateCallCentre, name: str, dial: str, folder: Path) -> AsyncIterator[Contender]:
    """Run the other bot at the stack's Asterisk, with the stack's demo shop, for the length of a ``with`` block.

    ``name`` is :data:`SAMPLE` or :data:`TUNED`. Raises ContenderDied.
    """
    await asyncio.to_thread(folder.mkdir, parents=True)
    tuned = name == TUNED
    model = tuned_model(folder / "model") if tuned else bundled_model()
    token = secrets.token_hex(16)
    await stack.pbx.cli(f"dialplan add extension {dial},1,Stasis,{name}\\,inbound into from-carrier")
    await stack.pbx.cli(f"dialplan add extension {dial},2,Hangup, into from-carrier")
    async with contextlib.AsyncExitStack() as programs:
        server = await programs.enter_async_context(_program(folder, "vosk_server", "--model", str(model)))
        settings = RivalSettings(
            name=name,
            ari_url=stack.pbx.ari_url,
            ari_user=stack.pbx.ari_user,
            ari_password=stack.pbx.ari_password,
            token=token,
            recognition_url=f"ws://127.0.0.1:{server.port}",
            shop_directory=str(stack.run_dir / "shop"),
            piece_bytes=TUNED_PIECE_BYTES if tuned else RivalSettings.piece_bytes,
            grammar=tuned,
            keep_prompts=tuned,
        )
        settings.write(folder / "rival.json")
        bot = await programs.enter_async_context(_program(folder, "rival", str(folder / "rival.json")))
        yield Contender(name, dial, f"http://127.0.0.1:{bot.port}", token, (server.pid, bot.pid))


def tuned_model(folder: Path) -> Path:
    """Copy the bundled model to ``folder`` with shorter endpoint rules in its configuration."""
    shutil.copytree(bundled_model(), folder)
    path = folder / "conf" / "model.conf"
    path.write_text(with_endpoint(path.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


def with_endpoint(configuration: str) -> str:
    """Return a model's configuration with the tuned endpoint rules."""
    for rule, seconds in TUNED_ENDPOINT.items():
        key = f"--endpoint.{rule}.min-trailing-silence="
        configuration, found = re.subn(rf"(?m)^{re.escape(key)}.*$", f"{key}{seconds}", configuration)
        if not found:
            configuration += f"{key}{seconds}\n"
    return configuration


@dataclass(frozen=True)
class _Program:
    pid: int
    port: int


@contextlib.asynccontextmanager
async def _program(folder: Path, module: str, *arguments: str) -> AsyncIterator[_Program]:
    log_path = folder / f"{module}.log"
    with log_path.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"benchmarks.side_by_side.{module}",
            *arguments,
            stdin=asyncio.subprocess.PIPE,  # closed when we end, however that is: then it ends too
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
    try:
        yield _Program(process.pid, await _port(process, module, log_path))
    finally:
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _port(process: asyncio.subprocess.Process, module: str, log_path: Path) -> int:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            while process.stdout is not None and (line := await process.stdout.readline()):
                with contextlib.suppress(ValueError):
                    message = json.loads(line)
                    if isinstance(message, dict) and message.get("ready"):
                        return int(message["port"])
    last_words = (await asyncio.to_thread(log_path.read_text, encoding="utf-8", errors="replace"))[-800:]
    raise ContenderDied(f"{module} did not get ready: {last_words}")
