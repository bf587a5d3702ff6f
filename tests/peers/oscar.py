"""A real django-oscar shop on loopback: installed and migrated once, a fresh database for each run."""

# ruff: noqa: ASYNC240 - it runs before any call exists, and looks at a few names on the local disk
from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agent.rehearsal.port_block import LOOPBACK, reserve_ports
from agent.rehearsal.process_lock import process_lock
from tests.peers.environments import HERE, NotInstalled, digest, ensure_environment
from tests.peers.servers import listens, running_server

SITE = HERE / "oscar_site"
VIEW = HERE.parents[1] / "agent" / "shop" / "http" / "mappings"
"""Holds ``orderline_oscar.py``, the file that a shop copies."""
_DATABASE = "oscar.sqlite3"


@dataclass(frozen=True)
class BoughtItem:
    """One line of an order to be placed."""

    sku: str
    title: str
    price: str
    quantity: int = 1


@dataclass(frozen=True)
class ShippingEvent:
    """What the warehouse enters in Oscar's dashboard."""

    event: str
    """``Shipped``, ``Delivered``, ``Returned``."""
    at: str
    """ISO, with an offset."""
    reference: str = ""
    skus: tuple[str, ...] = ()
    """Which lines; empty for all."""


@dataclass(frozen=True)
class NewOrder:
    """An order to be placed."""

    number: str
    phone: str
    postcode: str
    items: tuple[BoughtItem, ...]
    placed_at: str = "2026-01-05T10:00:00+00:00"
    statuses: tuple[str, ...] = ()
    """The steps it has taken since it was ``Pending``."""
    events: tuple[ShippingEvent, ...] = ()
    email: str = "alex@example.com"
    city: str = "Chicago"
    carrier: str = "UPS Ground"


@dataclass(frozen=True)
class Oscar:
    """A running shop."""

    url: str
    user: str
    token: str
    database: Path
    _python: Path
    _environment: dict[str, str]

    async def place(self, orders: Sequence[NewOrder]) -> None:
        """Place orders through Oscar's own checkout and order processing."""
        await _place(self._python, self._environment, {"orders": [asdict(order) for order in orders]})

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Read Oscar's database, past Oscar and past us."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]

    def change(self, statement: str, *values: object) -> None:
        """Change Oscar's database, past Oscar and past us."""
        with contextlib.closing(sqlite3.connect(self.database)) as connection, connection:
            connection.execute(statement, values)


@contextlib.asynccontextmanager
async def running_oscar(home: Path, run_dir: Path, report: Callable[[str], None]) -> AsyncIterator[Oscar]:
    """Hold a shop for the length of a ``with`` block; ``home`` keeps what is installed, ``run_dir`` this run's."""
    place = home.resolve() / "peers" / "oscar"
    bin_dir = await ensure_environment(place, "oscar", report)
    run_dir.mkdir(parents=True)
    environment = _environment(run_dir)
    shutil.copy(await _template(place, bin_dir, report), run_dir / _DATABASE)
    user = {"name": "orderline", "token": secrets.token_hex(20)}
    await _place(bin_dir / "python", environment, {"user": user, "orders": []})
    ports = reserve_ports()
    try:
        port = ports.http
        async with running_server(
            [bin_dir / "python", SITE / "serve.py", str(port)],
            run_dir / "oscar.log",
            lambda: listens(port),
            cwd=run_dir,
            env=environment,
        ):
            yield Oscar(
                f"http://{LOOPBACK}:{port}",
                user["name"],
                user["token"],
                run_dir / _DATABASE,
                bin_dir / "python",
                environment,
            )
    finally:
        ports.release()


async def _template(place: Path, bin_dir: Path, report: Callable[[str], None]) -> Path:
    """Return a migrated, empty database, made once."""
    made_of = digest(HERE / "oscar-requirements.txt", SITE / "settings.py")
    template = place / f"migrated-{made_of}.sqlite3"
    async with process_lock(place / ".lock", "oscar: another process is migrating, waiting for that one", report):
        if not template.is_file():
            report("oscar: making its empty database (once)")
            work = place / "migrating"
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            command = [bin_dir / "python", "-m", "django", "migrate", "--verbosity", "0"]
            await _run(command, _environment(work), b"")
            (work / _DATABASE).rename(template)
            shutil.rmtree(work)
    return template


async def _place(python: Path, environment: dict[str, str], wanted: dict[str, Any]) -> None:
    await _run([python, SITE / "place_orders.py"], environment, json.dumps(wanted).encode())


async def _run(command: Sequence[str | Path], environment: dict[str, str], given: bytes) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate(given)
    if process.returncode:
        raise NotInstalled(f"{command[-1]}: {said.decode(errors='replace')[-2000:]}")


def _environment(run_dir: Path) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONPATH": f"{SITE}{os.pathsep}{VIEW}",
        "PYTHONWARNINGS": "ignore",
        "OSCAR_RUN_DIRECTORY": str(run_dir),
        "OSCAR_SECRET_KEY": secrets.token_hex(32),
    }
