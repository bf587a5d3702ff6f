"""Everything the console needs to check, try out, publish and take back procedures, made once at its start."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.builder.editions import FILE, EditionStore, editions_file
from agent.builder.jobs import Jobs, Told
from agent.builder.pack_directory import PackDirectory
from agent.builder.pack_tests import PackTestFiles
from agent.builder.publication import NodeAgent, Publisher
from agent.builder.simulations import Simulations
from agent.builder.workbench_settings import WorkbenchSettings
from agent.builder.worker_process import WorkerProcess
from agent.config.settings import Settings
from agent.dialog.pack.pack_files import edition_of
from agent.errors import OrderlineError
from agent.flows import english_pack

log = logging.getLogger(__name__)

TESTS = "flow-tests"
"""The usual directory of the pack's tests, in the state directory."""
_OWN_PROCEDURES = english_pack().resolve().parent
CHECK_SECONDS = 60.0
LONG_SECONDS = 1800.0


class WorkerJudge:
    """Checks and tests packs in warm processes; implements :class:`agent.builder.publication.PackJudge`."""

    def __init__(self, quick: WorkerProcess, slow: WorkerProcess) -> None:
        """``quick`` is asked between a supervisor's keystrokes, ``slow`` works for minutes."""
        self._quick = quick
        self._slow = slow

    async def check(self, files: Mapping[str, str]) -> Mapping[str, Any]:
        """Return the findings of a pack."""
        found: Mapping[str, Any] = await self._quick.ask("check", CHECK_SECONDS, files=dict(files))
        return found

    async def tests(self, files: Mapping[str, str], told: Told) -> Mapping[str, Any]:
        """Return how the tests of a pack go; also fits its score, which the agents find then."""
        found: Mapping[str, Any] = await self._slow.ask("tests", LONG_SECONDS, told, files=dict(files))
        return found

    async def record_test(self, files: Mapping[str, str], record: Mapping[str, Any], name: str) -> dict[str, Any]:
        """Return a test made of a real call: ``yaml`` and ``notes``."""
        found: dict[str, Any] = await self._quick.ask(
            "record_test", CHECK_SECONDS, files=dict(files), record=dict(record), name=name
        )
        return found

    async def teach(
        self, files: Mapping[str, str], additions: Mapping[str, Any], sentences: Mapping[str, int], told: Told
    ) -> dict[str, Any]:
        """Return what phrases and examples added to a pack would change."""
        found: dict[str, Any] = await self._slow.ask(
            "teach", LONG_SECONDS, told, files=dict(files), additions=dict(additions), sentences=dict(sentences)
        )
        return found


@dataclass
class BuilderDesk:
    """The parts."""

    directory: PackDirectory
    writable: bool
    """False for the procedures inside of the package, which no publication changes."""
    tests: PackTestFiles
    judge: WorkerJudge
    simulations: Simulations
    editions: EditionStore
    publisher: Publisher
    jobs: Jobs


@contextlib.asynccontextmanager
async def builder_desk(settings: Settings, agents: Sequence[NodeAgent]) -> AsyncIterator[BuilderDesk]:
    """Hold the parts; a publication that was broken off is brought to its end first."""
    directory = PackDirectory(settings.flows_directory or english_pack())
    tests: Path = settings.console.tests_directory or settings.state_directory / TESTS
    bench = WorkbenchSettings(settings.shop.number_formats, tests, settings.state_directory / "understanding")
    quick, slow = WorkerProcess(bench, "check of procedures"), WorkerProcess(bench, "test of procedures")
    database = editions_file(settings.state_directory / FILE)
    editions, judge, jobs = EditionStore(database), WorkerJudge(quick, slow), Jobs()
    writable = not directory.path.resolve().is_relative_to(_OWN_PROCEDURES)
    if writable:
        await _finish(directory, editions)
    publisher = Publisher(directory, editions, judge, agents)
    try:
        yield BuilderDesk(
            directory, writable, PackTestFiles(tests), judge, Simulations(quick), editions, publisher, jobs
        )
    finally:
        await jobs.close()
        await asyncio.gather(quick.close(), slow.close())
        await database.close()


async def _finish(directory: PackDirectory, editions: EditionStore) -> None:
    try:
        if await asyncio.to_thread(directory.finish):
            log.warning("A publication of the procedures had been broken off; it has been brought to its end")
        await editions.settle_writing(edition_of(await asyncio.to_thread(directory.read)))
    except (OSError, OrderlineError, sqlite3.Error) as error:
        log.error("%s: a publication that was broken off cannot be brought to its end: %s", directory.path, error)
