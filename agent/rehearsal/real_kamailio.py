"""A real Kamailio with the shipped configuration: Debian's package unpacked below the home, run without root."""

# ruff: noqa: ASYNC240 - it looks at a few names on the local disk
from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.common.resources import resource_directory
from agent.errors import OrderlineError
from agent.rehearsal.apt_fetch import PackageRequest, ReportProgress
from agent.rehearsal.helper_programs import run
from agent.rehearsal.unpacked_tree import command_in, ensure_tree

KAMAILIO = PackageRequest(
    "Kamailio", "Kamailio >= 5.6", ("kamailio",), 400 * 1024 * 1024, "or install kamailio", ("bookworm",)
)
_SERVER, _CONTROL = "usr/sbin/kamailio", "usr/sbin/kamcmd"
_LIBRARIES = "usr/lib/*/kamailio"
_START_SECONDS = 20.0
_STOP_SECONDS = 5.0
_ANSWER_SECONDS = 0.2


class KamailioDied(OrderlineError):
    """Kamailio did not start."""

    code = "kamailio_died"


@dataclass(frozen=True)
class Kamailio:
    """A Kamailio that can be run."""

    server: tuple[str, ...]
    """What to execute before its own arguments, the place of its modules included."""
    control: tuple[str, ...]
    """The same of ``kamcmd``."""


async def ensure_kamailio(home: Path, report: ReportProgress) -> Kamailio:
    """Return the machine's Kamailio, or a private one that is fetched on first use. Raises a ``FetchError``."""
    places = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
    found = [shutil.which(name, path=places) for name in ("kamailio", "kamcmd")]
    if found[0] and found[1]:
        return Kamailio((found[0],), (found[1],))
    tree = home.resolve() / "kamailio"
    await ensure_tree(tree, KAMAILIO, (_SERVER, _CONTROL), lambda version: version >= (5, 6, 0), report)
    libraries = next(tree.glob(_LIBRARIES))  # its own ones and the modules lie beside each other
    commands = []
    for program in (_SERVER, _CONTROL):
        loader, option, path, binary = command_in(tree, program) or ()
        commands.append((loader, option, f"{path}:{libraries}", binary))
    return Kamailio((*commands[0], "-L", str(libraries / "modules")), commands[1])


class RealKamailio:
    """One Kamailio on loopback with the configuration of ``contrib/kamailio`` and lists of its own."""

    def __init__(self, kamailio: Kamailio, directory: Path) -> None:
        self.directory = directory
        self._kamailio = kamailio
        self._process: asyncio.subprocess.Process | None = None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
            trial.bind(("127.0.0.1", 0))
            self.port = int(trial.getsockname()[1])

    @property
    def pid(self) -> int:
        """Its first process. Raises RuntimeError before :meth:`start`."""
        if self._process is None:
            raise RuntimeError("start() comes first")
        return self._process.pid

    @property
    def log_path(self) -> Path:
        """What it says."""
        return self.directory / "kamailio.log"

    @property
    def nodes_list(self) -> Path:
        """Its list of Asterisks."""
        return self.directory / "nodes.list"

    def write(
        self,
        nodes: Sequence[int],
        staff: Sequence[int],
        carriers: Sequence[str] = ("127.0.0.1",),
        advertised: tuple[str, str] | None = None,
    ) -> None:
        """Lay its configuration: SIP ports of the nodes and of the Asterisks for the staff, addresses of carriers.

        ``advertised``: a second socket for the carrier, and the address it tells in place of its own (HOST:PORT both).
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        shutil.copy(resource_directory("contrib") / "kamailio" / "kamailio.cfg", self.directory)
        local = (
            f"listen=udp:127.0.0.1:{self.port}\n"
            f'#!define NODES_FILE "{self.directory}/nodes.list"\n'
            f'#!define CARRIERS_FILE "{self.directory}/carriers.list"\n'
            f'#!define PING_FROM "sip:kamailio@127.0.0.1"\n'
            f'#!define CONTROL_SOCKET "unix:{self.directory}/ctl"\n'
            "#!define FINAL_ANSWER_MS 20000\n"
        )
        if advertised:
            outer, told = advertised
            local = f"listen=udp:{outer} advertise {told}\n{local}"
            local += f'#!define NODES_SOCKET "udp:127.0.0.1:{self.port}"\n'
        (self.directory / "orderline-local.cfg").write_text(local, encoding="utf-8")
        places = [(1, port) for port in nodes] + [(2, port) for port in staff]
        lines = [f"{number} sip:127.0.0.1:{port} 0\n" for number, port in places]
        self.nodes_list.write_text("".join(lines), encoding="utf-8")
        (self.directory / "carriers.list").write_text(
            "".join(f"1 {address} 32 0 carrier\n" for address in carriers), encoding="utf-8"
        )

    async def start(self) -> None:
        """Start it and wait until it answers. Raises KamailioDied."""
        guard = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        (self.directory / "ctl").unlink(missing_ok=True)
        with self.log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *guard,
                *self._kamailio.server,
                *("-f", str(self.directory / "kamailio.cfg"), "-DD", "-E", "-m", "64"),
                stdout=log,
                stderr=log,
                cwd=self.directory,
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not await self.answers():
                    if self._process.returncode is not None:
                        raise KamailioDied(f"Kamailio ended with code {self._process.returncode}: {self.last_words()}")
        except TimeoutError as error:
            await self.stop()
            raise KamailioDied(f"Kamailio does not answer: {self.last_words()}") from error

    async def answers(self) -> bool:
        """Return whether it answers OPTIONS now."""
        return (await asyncio.to_thread(options_status, self.port)) is not None

    async def active_nodes(self) -> set[int]:
        """Return the SIP ports of the nodes (set 1) that get calls now."""
        told = await self._ask("dispatcher.list")
        nodes = told.split("SET: {")
        first = next((part for part in nodes if "ID: 1\n" in part), "")
        entries = [entry for entry in first.split("DEST: {")[1:] if "FLAGS: A" in entry]
        return {int(entry.split("URI: sip:")[1].split()[0].partition(":")[2]) for entry in entries}

    async def reload(self, command: str) -> None:
        """Have it read a list anew (``dispatcher.reload``, ``permissions.addressReload``). Raises TimeoutError."""
        async with asyncio.timeout(_START_SECONDS):
            while "error" in await self._ask(command):  # noqa: ASYNC110 - it refuses a second one within a second
                await asyncio.sleep(0.2)

    async def _ask(self, command: str) -> str:
        answer = await run([*self._kamailio.control, "-s", f"unix:{self.directory}/ctl", command], timeout_seconds=20)
        return answer.out + answer.err

    def last_words(self) -> str:
        """Return the end of its log."""
        return " / ".join(self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])

    async def kill(self) -> None:
        """Kill all its processes at once; idempotent."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """End it in order, then with force; idempotent."""
        await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for end in (number, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, end)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await process.wait()
                    break


def options_status(port: int) -> int | None:
    """Ask a SIP server on loopback with OPTIONS; return the status of its answer, None for none. Blocks."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind(("127.0.0.1", 0))
        asking.connect(("127.0.0.1", port))
        asking.settimeout(_ANSWER_SECONDS)
        own = asking.getsockname()[1]
        request = (
            f"OPTIONS sip:127.0.0.1:{port} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK{os.urandom(6).hex()}\r\n"
            f"From: <sip:watch@127.0.0.1>;tag={os.urandom(4).hex()}\r\nTo: <sip:127.0.0.1:{port}>\r\n"
            f"Call-ID: {os.urandom(8).hex()}@127.0.0.1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 10\r\n"
            "Content-Length: 0\r\n\r\n"
        )
        try:
            asking.send(request.encode())
            return int(asking.recv(4096).split(b" ", 2)[1])
        except (OSError, ValueError, IndexError):
            return None
