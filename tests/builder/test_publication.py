from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.builder.editions import EditionStore, NewEdition, NoSuchEdition, editions_file
from agent.builder.pack_directory import PackDirectory
from agent.builder.publication import PublicationOrder, PublicationResult, Publisher, Told
from agent.dialog.pack.pack_files import edition_of, read_pack_files
from agent.errors import OrderlineError
from tests.builder.fruit_pack import edited, fruit_files

OLD = fruit_files()
NEW = edited(OLD, "We have none left.", "All sold.")


class Judge:
    """Finds what a test tells it to find."""

    def __init__(self) -> None:
        self.usable = True
        self.failed: list[dict[str, Any]] = []

    async def check(self, files: Mapping[str, str]) -> Mapping[str, Any]:
        return {"usable": self.usable, "mistakes": int(not self.usable), "findings": []}

    async def tests(self, files: Mapping[str, str], told: Told) -> Mapping[str, Any]:
        told("testing", 1, 1)
        return {"failed": self.failed, "calls": 2}


class Agent:
    """Reads the directory each time it is asked, as the real one does by itself."""

    def __init__(self, directory: Path, name: str = "here") -> None:
        self.name = name
        self.directory = directory
        self.reads = directory
        self.refuses: Callable[[Mapping[str, str]], bool] = lambda files: False
        self.silent = False
        self.edition = ""
        self.refused: list[str] = []
        self.refused_at = ""
        self.seen: list[str] = []

    async def status(self) -> Mapping[str, Any]:
        if self.silent:
            raise OrderlineError("it does not answer")
        files, _ = read_pack_files(self.reads)
        if edition_of(files) != self.edition:
            if self.refuses(files):
                self.refused, self.refused_at = ["flows.yaml:3: no"], f"at {len(self.seen)}"
            else:
                self.edition, self.refused = edition_of(files), []
                self.seen.append(self.edition)
        procedures = {"directory": str(self.directory), "edition": self.edition, "refused": self.refused,
                      "refused_at": self.refused_at}  # fmt: skip
        return {"procedures": procedures}


class Shop:
    """A directory, an agent that reads it, and everything that publishes into it."""

    def __init__(self, root: Path, editions: EditionStore) -> None:
        self.path = root / "flows"
        self.path.mkdir()
        for name, text in OLD.items():
            (self.path / name).write_text(text, encoding="utf-8")
        self.judge, self.editions = Judge(), editions
        self.agents = [Agent(self.path)]
        self.directory = PackDirectory(self.path)

    async def publish(self, files: Mapping[str, str] = NEW, *, seconds: float = 5.0, **more: Any) -> PublicationResult:
        publisher = Publisher(self.directory, self.editions, self.judge, self.agents, confirm_seconds=seconds)
        order = PublicationOrder(**{"base": OLD, "files": files, "who": "mary", "reason": "sold out", **more})
        return await publisher.publish(order, lambda *_: None)

    def holds(self) -> dict[str, str]:
        return self.directory.read()

    async def states(self) -> list[tuple[str, str]]:
        return [(line.kind, line.state) for line in reversed(await self.editions.lines())]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    database = editions_file(tmp_path / "editions.sqlite")
    yield Shop(tmp_path, EditionStore(database))
    await database.close()


async def test_an_edition_is_in_force_when_the_agent_says_so_and_the_one_before_is_kept(shop: Shop) -> None:
    result = await shop.publish()
    assert result.state == "in_force"
    assert shop.holds() == NEW
    assert result.nodes[0].in_force
    assert await shop.states() == [("found", "unconfirmed"), ("published", "confirmed")]
    assert await shop.editions.files(1) == OLD
    assert await shop.editions.files(2) == NEW
    assert (await shop.editions.line(2)).reason == "sold out"


async def test_a_refused_edition_is_taken_back_and_the_reason_told(shop: Shop) -> None:
    shop.agents[0].refuses = lambda files: files == NEW
    result = await shop.publish()
    assert result.state == "taken_back"
    assert "flows.yaml:3: no" in result.words
    assert shop.holds() == OLD
    assert shop.agents[0].edition == edition_of(OLD)
    assert (await shop.states())[-1] == ("published", "taken_back")


async def test_a_refusal_from_before_is_not_taken_for_one_of_this_edition(shop: Shop) -> None:
    agent = shop.agents[0]
    agent.edition, agent.refused, agent.refused_at = edition_of(OLD), ["old mistake"], "yesterday"
    assert (await shop.publish()).state == "in_force"


async def test_an_edition_that_is_not_taken_in_time_is_taken_back(shop: Shop) -> None:
    agent = shop.agents[0]
    await agent.status()
    agent.reads = shop.path.parent / "elsewhere"
    agent.reads.mkdir()
    for name, text in OLD.items():
        (agent.reads / name).write_text(text, encoding="utf-8")
    result = await shop.publish(seconds=0.3)
    assert result.state == "taken_back"
    assert "still has edition" in result.words
    assert shop.holds() == OLD


async def test_all_nodes_that_read_the_files_are_waited_for_and_others_are_named(shop: Shop, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "pack.yaml").write_text("start: main\n", encoding="utf-8")
    shop.agents += [Agent(shop.path, "two"), Agent(other, "three")]
    for agent in shop.agents:
        await agent.status()
    result = await shop.publish()
    assert result.state == "in_force"
    assert {(node.name, node.in_force) for node in result.nodes} == {("here", True), ("two", True), ("three", False)}


async def test_one_node_that_refuses_takes_the_edition_back_for_all(shop: Shop) -> None:
    shop.agents.append(Agent(shop.path, "two"))
    for agent in shop.agents:
        await agent.status()
    shop.agents[1].refuses = lambda files: files == NEW
    result = await shop.publish()
    assert result.state == "taken_back"
    assert [agent.edition for agent in shop.agents] == [edition_of(OLD)] * 2


@pytest.mark.parametrize("what", ["mistakes", "tests"])
async def test_mistakes_and_failing_tests_publish_nothing(shop: Shop, what: str) -> None:
    shop.judge.usable = what != "mistakes"
    shop.judge.failed = [{"name": "a call"}] if what == "tests" else []
    result = await shop.publish()
    assert result.state == ("refused" if what == "mistakes" else "tests_failed")
    assert shop.holds() == OLD
    assert await shop.states() == []


async def test_tests_may_fail_where_that_is_meant(shop: Shop) -> None:
    shop.judge.failed = [{"name": "a call"}]
    assert (await shop.publish(despite_tests=True)).state == "in_force"


async def test_a_hand_edit_stops_the_publication(shop: Shop) -> None:
    (shop.path / "flows.yaml").write_text(OLD["flows.yaml"] + "# by hand\n", encoding="utf-8")
    result = await shop.publish()
    assert result.state == "hand_edited"
    assert result.files == ("flows.yaml",)
    assert shop.holds()["flows.yaml"].endswith("# by hand\n")


async def test_an_edition_edited_by_hand_before_it_could_be_taken_back_is_not_said_to_be_taken_back(shop: Shop) -> None:
    def refuses(files: Mapping[str, str]) -> bool:
        (shop.path / "flows.yaml").write_text(NEW["flows.yaml"] + "# by hand\n", encoding="utf-8")
        return True

    await shop.agents[0].status()
    shop.agents[0].refuses = refuses
    result = await shop.publish()
    assert result.state == "unconfirmed"
    assert "could not be put back" in result.words
    assert (await shop.states())[-1] == ("published", "unconfirmed")
    assert shop.holds()["flows.yaml"].endswith("# by hand\n")


async def test_without_an_agent_nothing_is_published_unless_that_is_meant(shop: Shop) -> None:
    shop.agents[0].silent = True
    assert (await shop.publish()).state == "no_agent"
    assert shop.holds() == OLD
    result = await shop.publish(unconfirmed=True)
    assert result.state == "unconfirmed"
    assert shop.holds() == NEW


async def test_a_publication_whose_asker_has_left_is_brought_to_its_end(shop: Shop) -> None:
    agent = shop.agents[0]
    await agent.status()
    task = asyncio.create_task(shop.publish())
    while shop.holds() == OLD:  # noqa: ASYNC110 - the directory has no event
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        while ("published", "confirmed") not in await shop.states():  # noqa: ASYNC110 - the store has no event
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("in_files", "state"), [(NEW, "unconfirmed"), (OLD, "taken_back")])
async def test_a_publication_in_which_the_console_was_killed_is_what_the_files_say(
    shop: Shop, in_files: Mapping[str, str], state: str
) -> None:
    await shop.editions.add(NewEdition(edition_of(NEW), NEW, "mary", "sold out"), "writing")
    await shop.editions.settle_writing(edition_of(in_files))
    assert await shop.states() == [("published", state)]
    assert await shop.editions.files_of(edition_of(NEW)) == NEW
    assert await shop.editions.files_of("0" * 16) is None
    assert await shop.editions.published() == ({edition_of(NEW)} if in_files is NEW else set())


async def test_texts_that_editions_share_are_kept_once(shop: Shop) -> None:
    for number in range(3):
        files = {**OLD, "flows.yaml": f"# {number}\n"}
        await shop.editions.add(NewEdition(edition_of(files), files, "mary", "why", "published"), "confirmed")
    texts = await shop.editions._database.transaction(lambda db: db.execute("SELECT count(*) FROM texts").fetchone()[0])
    assert texts == 4
    with pytest.raises(NoSuchEdition):
        await shop.editions.files(9)
