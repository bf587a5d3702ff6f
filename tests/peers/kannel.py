"""A real Kannel on loopback: bearerbox, smsbox and its fake SMSC, unpacked from Debian's packages without root."""

# ruff: noqa: ASYNC240 - it runs before any call exists, and looks at a few names on the local disk
from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from agent.rehearsal.apt_fetch import PackageRequest
from agent.rehearsal.port_block import LOOPBACK, reserve_ports
from agent.rehearsal.unpacked_tree import command_in, ensure_tree
from tests.peers.servers import listens, running_server

KANNEL = PackageRequest(
    "Kannel",
    "Kannel >= 1.4.4",
    ("kannel", "kannel-extras"),
    # packages about 45 MB, package lists about 60 MB, the tree about 180 MB
    400 * 1024 * 1024,
    "or leave the tests in tests/peers and tests/live/test_live_peers.py out",
    ("oldstable", "oldoldstable"),
)
PROGRAMS = {
    "bearerbox": "usr/sbin/bearerbox",
    "smsbox": "usr/sbin/smsbox",
    "fakesmsc": "usr/lib/kannel/test/fakesmsc",
}
_GOT = re.compile(
    r"Got message \d+: <(?P<sender>\S+) (?P<receiver>\S+) (?:udh (?P<header>\S+) )?"
    r"(?P<kind>text|data|ucs-2) (?P<text>.*)>$",
    re.MULTILINE,
)
_CONFIGURATION = """\
group = core
admin-interface = 127.0.0.1
admin-port = {admin}
admin-password = {admin_password}
smsbox-interface = 127.0.0.1
smsbox-port = {boxes}
box-allow-ip = 127.0.0.1
log-level = 1

group = smsc
smsc = fake
smsc-id = fake
host = 127.0.0.1
our-host = 127.0.0.1
port = {smsc}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-interface = 127.0.0.1
sendsms-port = {sendsms}
log-level = 1

group = sendsms-user
username = {user}
password = {password}
default-sender = 12025550100
user-allow-ip = 127.0.0.1
max-messages = 7
concatenation = true

group = sms-service
keyword = default
text = ""
max-messages = 0
"""


@dataclass(frozen=True)
class Sms:
    """A message that has left Kannel: what the SMSC, the operator's side, has received."""

    sender: str
    receiver: str
    text: str


@dataclass(frozen=True)
class Kannel:
    """A running SMS gateway."""

    url: str
    user: str
    password: str
    _smsc_log: Path

    def left(self) -> list[Sms]:
        """The messages that have left, in order; the parts of a long one put together."""
        messages: list[Sms] = []
        for found in _GOT.finditer(self._smsc_log.read_text(encoding="utf-8", errors="replace")):
            # the fake SMSC shows a part of a long message percent-coded, under a header: length, kind, reference, ...
            part = (
                found["text"]
                if found["kind"] == "text"
                else _decoded(unquote_to_bytes(found["text"].replace("+", " ")))
            )
            header = unquote_to_bytes(found["header"] or "")
            if header and header[-1] > 1:
                first = messages.pop()
                messages.append(Sms(first.sender, first.receiver, first.text + part))
            else:
                messages.append(Sms(found["sender"], found["receiver"], part))
        return messages


def _decoded(octets: bytes) -> str:
    """The fake SMSC does not say which of the two it was: UCS-2 has octets that no text has."""
    return octets.decode("utf-16-be" if any(octet < 10 for octet in octets) else "utf-8")


@contextlib.asynccontextmanager
async def running_kannel(home: Path, run_dir: Path, report: Callable[[str], None]) -> AsyncIterator[Kannel]:
    """Hold a gateway for the length of a ``with`` block; ``home`` keeps the tree, ``run_dir`` this run's files."""
    wanted = home.resolve() / "peers" / "kannel"
    tree = await ensure_tree(wanted, KANNEL, tuple(PROGRAMS.values()), lambda version: version >= (1, 4, 4), report)
    commands = {name: command_in(tree, program) or () for name, program in PROGRAMS.items()}
    run_dir.mkdir(parents=True)
    config = run_dir / "kannel.conf"
    ports = reserve_ports()
    admin, boxes, smsc, sendsms = range(ports.first + 1, ports.first + 5)
    user, password = "orderline", secrets.token_hex(8)
    config.touch(mode=0o600)
    config.write_text(
        _CONFIGURATION.format(
            admin=admin,
            admin_password=secrets.token_hex(8),
            boxes=boxes,
            smsc=smsc,
            sendsms=sendsms,
            user=user,
            password=password,
        ),
        encoding="utf-8",
    )
    smsc_log = run_dir / "fakesmsc.log"

    async def connected() -> bool:
        return "Connecting to" in smsc_log.read_text(encoding="utf-8", errors="replace")

    try:
        async with contextlib.AsyncExitStack() as stack:
            bearer = [*commands["bearerbox"], config]
            await stack.enter_async_context(
                running_server(bearer, run_dir / "bearerbox.log", lambda: listens(boxes), cwd=run_dir)
            )
            fake = [*commands["fakesmsc"], "-H", LOOPBACK, "-r", str(smsc), "-m", "0", "1 1 text unused"]
            await stack.enter_async_context(running_server(fake, smsc_log, connected, cwd=run_dir))
            box = [*commands["smsbox"], config]
            await stack.enter_async_context(
                running_server(box, run_dir / "smsbox.log", lambda: listens(sendsms), cwd=run_dir)
            )
            yield Kannel(f"http://{LOOPBACK}:{sendsms}", user, password, smsc_log)
    finally:
        ports.release()
