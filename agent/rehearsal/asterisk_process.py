"""Runs one private Asterisk as a child process: configuration, ports, start, command line, log, stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from agent.errors import OrderlineError
from agent.rehearsal.helper_programs import run
from agent.rehearsal.pbx_config import render
from agent.rehearsal.port_block import LOOPBACK, PortBlock
from agent.rehearsal.private_asterisk import Asterisk

BOOT_SECONDS = 30.0
_STOP_SECONDS = 2.0
_NOTICE_SECONDS = 0.5
"""A process that has just died is noticed within this time."""
_CLI_SECONDS = 10.0
_POLL_SECONDS = 0.02
_SUN_PATH_MAX = 107
"""Bytes of a unix socket's path, from unix(7)."""
_SOCKET_NAME = "asterisk.ctl"
_PROBLEM = re.compile(r"\b(WARNING|ERROR)\[")
"""The log opens with a line that is neither."""
_PORT_TAKEN = re.compile(r"Address already in use|[Uu]nable to bind|[Ff]ailed to bind")

EXPLAINED: Mapping[str, str] = {
    r"ari_websockets\.c: WebSocket read error: (Software caused|Connection reset|Broken pipe)": (
        "a controller closed its event stream just when Asterisk wrote to it; one cut off unwillingly says so itself"
    ),
    r"chan_pjsip\.c: Session already DISCONNECTED \[reason=487": (
        "the caller gave up (CANCEL) in the very moment in which the call was being answered"
    ),
    r"res_stasis_answer\.c: .*: Failed to answer channel": (
        "the same, a moment earlier; when there was another reason, the agent logs an error of its own"
    ),
}
"""Pattern of a harmless line of the log -> why it is harmless."""


class PbxError(OrderlineError):
    """A private Asterisk did not do what was asked of it."""

    code = "pbx"


class PbxDied(PbxError):
    """A private Asterisk ended by itself, or never came up."""

    code = "pbx_died"


class PortTaken(PbxError):
    """Somebody took one of the ports between choosing and binding."""

    code = "pbx_port_taken"
    retryable = True


@dataclass(frozen=True)
class SipAccount:
    """What to enter into a softphone."""

    user: str
    password: str
    host: str
    port: int


class Pbx:
    """One Asterisk as a child process, with a directory and ports of its own.

    It dies with us, however we die. Use it as ``async with Pbx(...) as pbx``.
    """

    def __init__(
        self,
        name: str,
        asterisk: Asterisk,
        run_dir: Path,
        templates: Mapping[str, str],
        ports: PortBlock,
        *,
        user: str,
        values: Mapping[str, str],
    ) -> None:
        """Nothing happens yet. ``user`` is the name of the ARI and of the manager user, as in the templates."""
        self.name = name
        self.run_dir = run_dir.resolve() / name
        self.ports = ports
        self.ari_url = f"http://{LOOPBACK}:{ports.http}"
        self.ari_user = self.ami_user = user
        self.ari_password = secrets.token_hex(24)
        self.ami_secret = secrets.token_hex(24)
        self.ami_port = ports.ami
        self.sip_port = ports.sip
        self.softphone: SipAccount | None = None
        """An account for a softphone, where this one has it."""
        self.pid: int | None = None
        self._asterisk = asterisk
        self._templates = templates
        self._values = dict(values)
        self._process: asyncio.subprocess.Process | None = None
        self._exit: asyncio.Task[int] | None = None
        self._socket_dir = self.run_dir / "run"
        self._borrowed_dir: Path | None = None

    @property
    def log_dir(self) -> Path:
        """``full.log``, ``problems.log``, ``queue_log`` and ``console.log``."""
        return self.run_dir / "log"

    @property
    def config_dir(self) -> Path:
        """The rendered configuration."""
        return self.run_dir / "etc"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # --- life -------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Render, start and wait until fully booted. Raises :class:`PbxDied` or :class:`PortTaken`."""
        try:
            self._prepare()
            await self._spawn()
            await self._booted()
            taken = [line for line in self.log_problems() if _PORT_TAKEN.search(line)]
            if taken:
                raise PortTaken(f"Asterisk {self.name} could not bind: {taken[0]}")
        except BaseException:
            await self.stop()
            raise

    async def _spawn(self) -> None:
        # setpriv makes the kernel kill Asterisk when we die, even by SIGKILL, and then becomes Asterisk. A session of
        # its own keeps a Ctrl-C on the terminal away from it: we stop it in order. RES_OPTIONS bounds the wait where
        # this machine's own name does not resolve; no other name is ever looked up here.
        guard = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        with (self.log_dir / "console.log").open("wb") as console:
            self._process = await asyncio.create_subprocess_exec(
                *guard,
                *self._asterisk.command,
                "-f",
                "-C",
                str(self.config_dir / "asterisk.conf"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
                env={**os.environ, "RES_OPTIONS": "timeout:1 attempts:1"},
            )
        self.pid = self._process.pid
        self._exit = asyncio.create_task(self._process.wait())

    async def stop(self) -> None:
        """End it in order, then with force, and wait for it. Idempotent."""
        if self._process is not None and self._exit is not None:
            ends: tuple[Callable[[], Awaitable[None] | None], ...]
            ends = (self._ask_to_stop, self._process.terminate, self._process.kill)
            for end in ends:
                if self._exit.done():
                    break
                with contextlib.suppress(ProcessLookupError, PbxError, TimeoutError):
                    asked = end()
                    if asked is not None:
                        await asked
                    await asyncio.wait({self._exit}, timeout=_STOP_SECONDS)
            await self._exit
            self._process = None
            self.pid = None
        self.ports.release()
        if self._borrowed_dir is not None:
            shutil.rmtree(self._borrowed_dir, ignore_errors=True)
            self._borrowed_dir = None

    async def restart(self) -> None:
        """Kill it as a crash would, and start it again with the same configuration, ports and passwords."""
        if self._process is not None and self._exit is not None:
            self._process.kill()
            await self._exit
        (self._socket_dir / _SOCKET_NAME).unlink(missing_ok=True)
        await self._spawn()
        await self._booted()

    async def _ask_to_stop(self) -> None:
        if (self._socket_dir / _SOCKET_NAME).exists():
            await self._command("core stop now", _STOP_SECONDS)

    def _prepare(self) -> None:
        """Lay the directory: nobody else may read it, for it holds passwords."""
        if (self.config_dir / "asterisk.conf").is_file():
            shutil.rmtree(self.run_dir)
        state, spool = self.run_dir / "state", self.run_dir / "spool"
        for directory in (self.run_dir, self.config_dir, self.log_dir, state, spool, self._socket_dir):
            directory.mkdir(parents=True, exist_ok=True)
            directory.chmod(0o700)
        if len(os.fsencode(self._socket_dir / _SOCKET_NAME)) > _SUN_PATH_MAX:
            self._borrowed_dir = self._socket_dir = Path(tempfile.mkdtemp(prefix="orderline-"))
        if len(os.fsencode(self._socket_dir / _SOCKET_NAME)) > _SUN_PATH_MAX:
            raise PbxError(f"{self._socket_dir} is too long a path for a socket; set TMPDIR to a shorter one.")
        values = {
            "NAME": f"orderline-{self.name}",
            "ETC_DIR": str(self.config_dir),
            "LOG_DIR": str(self.log_dir),
            "STATE_DIR": str(state),
            "SPOOL_DIR": str(spool),
            "SOCKET_DIR": str(self._socket_dir),
            "DATA_DIR": str(self._asterisk.data_dir),
            "MODULES_DIR": str(self._asterisk.modules_dir),
            "SIP_PORT": str(self.ports.sip),
            "HTTP_PORT": str(self.ports.http),
            "AMI_PORT": str(self.ports.ami),
            "RTP_FIRST": str(self.ports.rtp_first),
            "RTP_LAST": str(self.ports.rtp_last),
            "ARI_PASSWORD": self.ari_password,
            "AMI_SECRET": self.ami_secret,
            **self._values,
        }
        for name, text in render(self._templates, values).items():
            path = self.config_dir / name
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")

    async def _booted(self) -> None:
        deadline = time.monotonic() + BOOT_SECONDS
        assert self._exit is not None  # noqa: S101 - set by start(), for the type checker
        while time.monotonic() < deadline:
            # The command socket appears without any notice; until then waiting for an early death is all there is.
            done, _ = await asyncio.wait({self._exit}, timeout=_POLL_SECONDS)
            if done:
                raise PbxDied(
                    f"Asterisk {self.name} ended with code {self._exit.result()} at once. {self._last_words()}"
                )
            if (self._socket_dir / _SOCKET_NAME).exists():
                with contextlib.suppress(PbxError, TimeoutError):
                    # An Asterisk that gives up while it loads its modules closes the connection without these words.
                    if "fully booted" in await self._command("core waitfullybooted", deadline - time.monotonic()):
                        return
        raise PbxDied(f"Asterisk {self.name} was not up after {BOOT_SECONDS:.0f} s. {self._last_words()}")

    def _last_words(self) -> str:
        lines = self.log_problems() or self._lines("console.log")
        return " / ".join(lines[-6:]) or f"Its logs in {self.log_dir} are empty."

    # --- use --------------------------------------------------------------------------------------

    async def cli(self, command: str) -> str:
        """Run one command of Asterisk's command line; return what it prints. Raises :class:`PbxError`."""
        try:
            answer = await self._command(command, _CLI_SECONDS)
        except TimeoutError as problem:
            raise PbxError(f"Asterisk {self.name} did not answer {command!r} in {_CLI_SECONDS:.0f} s.") from problem
        except PbxError as problem:
            if self._exit is None or (await asyncio.wait({self._exit}, timeout=_NOTICE_SECONDS))[0]:
                raise PbxDied(f"Asterisk {self.name} is not running. {self._last_words()}") from problem
            raise
        if not answer.strip() and self._has_ended():  # the command line of a dying Asterisk ends well, without a word
            raise PbxDied(f"Asterisk {self.name} is not running. {self._last_words()}")
        return answer

    def _has_ended(self) -> bool:
        """Whether the process has ended, noticed by us or not yet."""
        if self._exit is None or self._exit.done() or self.pid is None:
            return True
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    async def _command(self, command: str, timeout_seconds: float) -> str:
        config = str(self.config_dir / "asterisk.conf")
        answer = await run([*self._asterisk.command, "-C", config, "-rx", command], timeout_seconds=timeout_seconds)
        if answer.code != 0 or "Unable to connect to remote asterisk" in answer.out + answer.err:
            raise PbxError(f"Asterisk {self.name} refused {command!r}: {answer.tail()}")
        return answer.out

    def log_problems(self, expected: Sequence[str] = ()) -> list[str]:
        """Return the warnings and errors logged so far, without the harmless ones.

        ``expected`` are patterns of lines the caller provoked, besides those explained in :data:`EXPLAINED`.
        """
        harmless = [re.compile(pattern) for pattern in (*EXPLAINED, *expected)]
        said = [line for line in self._lines("problems.log") if _PROBLEM.search(line)]
        return [line for line in said if not any(pattern.search(line) for pattern in harmless)]

    def _lines(self, name: str) -> list[str]:
        path = self.log_dir / name
        return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
