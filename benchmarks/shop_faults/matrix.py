"""``orderline shop faults``: one real call for every system and fault, some side by side, and the table of them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.common.tasks import cancel_and_wait
from agent.rehearsal.call_centre import PrivateCallCentre, RehearsalHome, running_call_centre
from agent.rehearsal.demo import get_asterisk
from agent.rehearsal.private_asterisk import Asterisk
from agent.rehearsal.runner import run_scripts
from agent.rehearsal.script import CallScript
from agent.rehearsal.script_reader import load_script
from benchmarks.shop_faults.cell_evaluation import AgentFileFindings, CellResult, evaluate_cell, read_from, scan_log
from benchmarks.shop_faults.cells import LISTENER, FaultCell, cells_chosen
from benchmarks.shop_faults.effect_log import PRIVATE
from benchmarks.shop_faults.faulty_shop import FaultyShop
from benchmarks.shop_faults.table import heading, row, summary

SCRIPTS = Path(__file__).resolve().parent / "callers.yaml"
MAPPINGS = Path(__file__).resolve().parent / "mappings"
AT_ONCE = 3
"""Calls on two processor cores with everything else that a private call centre needs."""
DELIVERED_SECONDS = 90.0
"""After the fault the outbox has this long to empty: its pauses, and what a system is left alone for."""
_LOOK_SECONDS = 0.2
WEBHOOK_SECONDS = 5.0
Tell = Callable[[str], None]


async def shop_faults(
    home: RehearsalHome, only: str, *, at_once: int, keep: Path | None, as_json: bool, say: Tell = print
) -> int:
    """Play the cells (all, or those of ``only``), print the table; 0 when every one passed.

    Raises NoSuchCell, and what fetching and starting a private call centre raises.
    """
    cells = cells_chosen(only)
    keep = keep or home.run("shop-faults")
    await asyncio.to_thread(keep.mkdir, parents=True, exist_ok=True)
    tell: Tell = _nothing if as_json else say
    asterisk = await get_asterisk(home.directory, tell)
    tell(f"{len(cells)} calls, {min(at_once, len(cells))} at once; Asterisk {asterisk.version}. Recordings: {keep}")
    tell(heading())
    started = time.monotonic()
    results = await run_cells(asterisk, home, cells, keep=keep, at_once=at_once, done=lambda one: tell(row(one)))
    found = {
        "passed": sum(result.ok for result in results),
        "failed": sum(not result.ok for result in results),
        "seconds": round(time.monotonic() - started, 1),
        "cells": [result.to_dict() for result in results],
    }
    text = json.dumps(found, indent=2, ensure_ascii=False)
    await asyncio.to_thread((keep / "shop-faults.json").write_text, text + "\n", encoding="utf-8")
    say(text if as_json else "\n".join(summary(results, time.monotonic() - started)))
    return 0 if results and all(result.ok for result in results) else 1


async def run_cells(
    asterisk: Asterisk,
    home: RehearsalHome,
    cells: Sequence[FaultCell],
    *,
    keep: Path,
    at_once: int = AT_ONCE,
    done: Callable[[CellResult], object] = lambda result: None,
) -> list[CellResult]:
    """Play cells on ``at_once`` call centres; return the results in the order of the cells."""
    waiting = list(reversed(cells))
    results: dict[FaultCell, CellResult] = {}
    scripts = {script.name: script for script in load_script(SCRIPTS)}

    async def work(number: int) -> None:
        async with faulty_call_centre(asterisk, home, keep / f"centre-{number}") as (stack, shop):
            while waiting:
                cell = waiting.pop()
                results[cell] = await play_cell(cell, scripts, stack, shop, home, keep)
                done(results[cell])

    tasks = [asyncio.create_task(work(number)) for number in range(max(1, min(at_once, len(cells))))]
    try:
        await asyncio.gather(*tasks)
    finally:
        await cancel_and_wait(*tasks)
    return [results[cell] for cell in cells]


@contextlib.asynccontextmanager
async def faulty_call_centre(
    asterisk: Asterisk, home: RehearsalHome, directory: Path
) -> AsyncIterator[tuple[PrivateCallCentre, FaultyShop]]:
    """Hold a call centre whose business systems are made up."""
    systems = directory / "systems"
    await asyncio.to_thread(systems.mkdir, parents=True, exist_ok=True)
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    async with FaultyShop(systems, secret) as shop:
        settings = await asyncio.to_thread(write_settings, systems, shop, secret)
        async with running_call_centre(asterisk, home, directory, _nothing, settings) as stack:
            yield stack, shop


def write_settings(systems: Path, shop: FaultyShop, secret: str) -> dict[str, Any]:
    """Write the mapping files and the webhook's secret; return the settings that name them."""
    for mapping in MAPPINGS.glob("*.yaml"):
        text = mapping.read_text(encoding="utf-8").replace("BASE", shop.url(mapping.stem))
        (systems / mapping.name).write_text(text, encoding="utf-8")
    secret_file = systems / "webhook-secret"
    secret_file.touch(mode=0o600)
    secret_file.write_text(secret, encoding="utf-8")
    hook = {
        "name": "books",
        "url": shop.url("webhooks") + "/hook",
        "secret_file": str(secret_file),
        "ca_file": str(shop.certificates.ca_file),
        "timeout_seconds": WEBHOOK_SECONDS,
    }
    policy: dict[str, Any] = {
        "no_delivery_weekdays": []
    }  # "the day after tomorrow" is a day of delivery, whatever today is
    return {
        "shop": {"systems_directory": str(systems), "demo_directory": None, "policy": policy},
        "webhooks": [hook],
    }


async def play_cell(
    cell: FaultCell,
    scripts: Mapping[str, CallScript],
    stack: PrivateCallCentre,
    shop: FaultyShop,
    home: RehearsalHome,
    keep: Path,
) -> CellResult:
    """Place the call of a cell, lift the fault, wait for what follows from it, and judge."""
    shop.books.clear()
    log_size = stack.agent.log_path.stat().st_size
    script = replace(scripts[f"{cell.system} {cell.ending}"], name=f"{cell.system} {cell.fault}", cooperates=True)
    later = cell.system == "returns" and cell.fault in LISTENER
    begin = asyncio.create_task(
        _wait_until_change_requested(shop, cell) if later else shop.begin(cell.system, cell.fault)
    )
    try:
        if not later:
            await begin
        played = await run_scripts(
            [script],
            b=stack.phones,
            feed_url=stack.agent.control_url,
            feed_token=stack.agent.token,
            keep=keep,
            sounds_dir=stack.asterisk.data_dir / "sounds" / "en",
            cache_dir=home.shared / "callers",
        )
    finally:
        await cancel_and_wait(begin)
        await shop.clear_fault()
    undelivered, dead = await wait_for_empty_outbox(stack.run_dir / "state" / "calls.sqlite")
    errors, private = scan_log(await asyncio.to_thread(read_from, stack.agent.log_path, log_size), PRIVATE)
    return evaluate_cell(cell, played.calls[0], shop.books, AgentFileFindings(undelivered, dead, errors, private))


async def _wait_until_change_requested(shop: FaultyShop, cell: FaultCell) -> None:
    """Let the call get as far as the change."""
    await shop.looked_at(cell.system)
    await shop.begin(cell.system, cell.fault)


async def wait_for_empty_outbox(database: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Wait until the outbox is empty; return what is still in it after all, and what was given up."""
    until = time.monotonic() + DELIVERED_SECONDS
    while True:
        rows = await asyncio.to_thread(_open_entries, database)
        waiting = tuple(f"{key}: {state}, {error}" for key, state, error in rows if state != "dead")
        if not waiting or time.monotonic() > until:
            return waiting, tuple(f"{key}: {error}" for key, state, error in rows if state == "dead")
        await asyncio.sleep(_LOOK_SECONDS)  # another process's file: there is no event to wait for


def _open_entries(database: Path) -> list[tuple[str, str, str]]:
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5.0)) as connection:
        return connection.execute("SELECT key, state, last_error FROM outbox WHERE state <> 'delivered'").fetchall()


def _nothing(_: str) -> None:
    """Tell nobody."""
