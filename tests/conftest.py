"""What all tests share: a real Asterisk, fetched once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.private_asterisk import Asterisk, ensure_asterisk
from agent.rehearsal.real_postgres import RealPostgres, postgres_programs_in
from agent.rehearsal.real_redis import RealRedis, redis_command
from tests.shipped_pack import load_once

MARKED_FOLDERS = {"live": ("live", "asterisk"), "peers": ("peers",), "fuzz": ("fuzz",), "browser": ("browser",)}
LONGEST_FIRST = ("live", "browser", "peers", "fuzz", "asterisk", "postgres", "redis", "slow")
# real audio, real time and a machine that others use too: what fails here is run once more, and the report tells it
ONCE_MORE = ("live", "browser")
MARKED_FIXTURES = {"asterisk": "asterisk", "redis_program": "redis", "postgres_programs": "postgres"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test with what it needs beyond Python: by its folder, and by the fixtures it asks for.

    The files that take longest come first, so that two workers end at about the same time. A live call or a page in
    the browser that fails is tried a second time: "rerun" in the report names them, and none should be there on a
    quiet machine.
    """
    here = Path(__file__).parent
    for item in items:
        marks = {*MARKED_FOLDERS.get(item.path.relative_to(here).parts[0], ())}
        marks |= {mark for name, mark in MARKED_FIXTURES.items() if name in getattr(item, "fixturenames", ())}
        for mark in sorted(marks):
            item.add_marker(mark)
        if marks.intersection(ONCE_MORE):
            item.add_marker(pytest.mark.flaky(reruns=1))
    places: dict[Path, int] = {}
    for item in items:
        marks = {mark.name for mark in item.iter_markers()}
        place = next((place for place, name in enumerate(LONGEST_FIRST) if name in marks), len(LONGEST_FIRST))
        places[item.path] = min(place, places.get(item.path, place))
    items.sort(key=lambda item: places[item.path])


class LiveCallsOnOneWorker(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each worker whole files of tests, and all live calls to one worker: they share one call centre."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        if file.startswith("tests/browser/"):
            return "browser"  # one browser and one console for all of them
        return "live calls" if file.startswith("tests/live/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """Spread the tests over the workers so; ``--dist`` with another way keeps its own."""
    return LiveCallsOnOneWorker(config, log) if config.getoption("dist") == "load" else None


@pytest.fixture(scope="session")
def home() -> RehearsalHome:
    """Where the private Asterisk and the caches are: $ORDERLINE_HOME, or ``var`` in the repository."""
    return RehearsalHome(Path(os.environ.get("ORDERLINE_HOME") or Path(__file__).resolve().parents[1] / "var"))


@pytest.fixture(scope="session")
def asterisk(home: RehearsalHome) -> Asterisk:
    """The Asterisk in there, fetched on the first run, or the one that $ASTERISK names."""
    return asyncio.run(ensure_asterisk(home.directory, force=os.environ.get("ASTERISK") or None, report=print))


@pytest.fixture
def shipped_pack_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that load the shipped pack get the one of this process: what is tested is not the loading."""
    load_once(monkeypatch)


@pytest.fixture(scope="session")
def redis_program(home: RehearsalHome) -> tuple[str, ...]:
    """The command of a real redis-server, fetched once where the machine has none."""
    return redis_command(home.directory)


@pytest.fixture
async def redis(redis_program: tuple[str, ...], tmp_path: Path) -> AsyncIterator[RealRedis]:
    """A running server of the test's own."""
    server = RealRedis(redis_program, tmp_path)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(scope="session")
def postgres_programs(home: RehearsalHome) -> Path:
    """The directory of a real PostgreSQL's programs, fetched once where the machine has none."""
    return postgres_programs_in(home.directory)


@pytest.fixture
def postgres(postgres_programs: Path) -> Iterator[RealPostgres]:
    """A running PostgreSQL of the test's own."""
    server = RealPostgres(postgres_programs)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.remove()


# The suite plays the same examples every time; HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))
