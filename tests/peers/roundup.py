"""A real Roundup tracker on loopback: the classic template, with what the ticket mapping asks to be added."""

# ruff: noqa: ASYNC240 - it runs before any call exists, and looks at a few names on the local disk
from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from agent.rehearsal.helper_programs import run
from agent.rehearsal.port_block import LOOPBACK, reserve_ports
from tests.peers.environments import HERE, NotInstalled, ensure_environment
from tests.peers.servers import listens, running_server

SCHEMA = HERE.parents[1] / "agent" / "shop" / "http" / "mappings" / "roundup_schema.py"
"""What the documentation has an administrator append to the tracker's own ``schema.py``."""


@dataclass(frozen=True)
class StoredTicket:
    """An issue as it stands in Roundup's database."""

    id: str
    title: str
    priority: str
    status: str
    creator: str
    phone_key: str
    messages: tuple[str, ...]


@dataclass(frozen=True)
class Roundup:
    """A running tracker."""

    url: str
    """Of the tracker; its REST API is below ``rest``."""
    origin: str
    user: str
    password: str
    home: Path

    def tickets(self) -> list[StoredTicket]:
        """Read the issues from Roundup's database and files, past Roundup and past us."""
        with contextlib.closing(sqlite3.connect(f"file:{self.home / 'db' / 'db'}?mode=ro", uri=True)) as connection:
            rows = connection.execute(
                "SELECT issue.id, issue._title, priority._name, status._name, user._username, issue._phone_key"
                " FROM _issue AS issue"
                " LEFT JOIN _priority AS priority ON priority.id = issue._priority"
                " LEFT JOIN _status AS status ON status.id = issue._status"
                " JOIN _user AS user ON user.id = issue._creator ORDER BY issue.id"
            ).fetchall()
            linked = connection.execute("SELECT nodeid, linkid FROM issue_messages ORDER BY linkid").fetchall()
        texts: dict[int, list[str]] = {}
        for issue, message in linked:
            texts.setdefault(issue, []).append(self._text(message))
        return [
            StoredTicket(str(row[0]), row[1], *(value or "" for value in row[2:]), tuple(texts.get(row[0], ())))
            for row in rows
        ]

    def _text(self, message: int) -> str:
        return (self.home / "db/files/msg" / str(message // 1000) / f"msg{message}").read_text(encoding="utf-8")


@contextlib.asynccontextmanager
async def running_roundup(home: Path, run_dir: Path, report: Callable[[str], None]) -> AsyncIterator[Roundup]:
    """Hold a tracker for the length of a ``with`` block; ``home`` keeps what is installed, ``run_dir`` this run's."""
    bin_dir = await ensure_environment(home.resolve() / "peers" / "roundup", "roundup", report)
    run_dir.mkdir(parents=True)
    tracker = run_dir / "tracker"
    ports = reserve_ports()
    try:
        port = ports.http
        origin = f"http://{LOOPBACK}:{port}"
        user, password = "orderline", secrets.token_hex(16)
        settings = {
            "tracker_web": f"{origin}/support/",
            "mail_domain": "example.com",
            "mail_host": "localhost",
            "mail_debug": str(run_dir / "mail.txt"),
            # its passwords are random and guard nothing; checking them must not cost what live calls need
            "password_pbkdf2_default_rounds": "10000",
        }
        listed = ",".join(f"{key}={value}" for key, value in settings.items())
        admin = [str(bin_dir / "roundup-admin"), "-i", str(tracker)]
        await _done([*admin, "install", "classic", "sqlite", listed])
        with (tracker / "schema.py").open("a", encoding="utf-8") as schema:
            schema.write("\n" + SCHEMA.read_text(encoding="utf-8"))
        await _done([*admin, "initialise", secrets.token_hex(16)])
        facts = [f"username={user}", f"password={password}", "address=orderline@example.com", "roles=Phone agent"]
        await _done([*admin, "-u", "admin", "create", "user", *facts])
        async with running_server(
            [bin_dir / "python", HERE / "roundup_site" / "serve.py", str(port), tracker],
            run_dir / "roundup.log",
            lambda: listens(port),
            cwd=run_dir,
            env={"PYTHONPATH": ""},
        ):
            yield Roundup(f"{origin}/support", origin, user, password, tracker)
    finally:
        ports.release()


async def _done(command: list[str]) -> None:
    finished = await run(command, timeout_seconds=60)
    if finished.code != 0:
        raise NotInstalled(f"{' '.join(command[:4])}: {finished.tail()}")
