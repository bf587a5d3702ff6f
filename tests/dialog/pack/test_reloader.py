from __future__ import annotations

import asyncio
import gc
import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.dialog.errors import FlowError
from agent.dialog.pack.loader import FlowPack
from agent.dialog.pack.reloader import FlowPackReloader
from agent.dialog.templating.rendering import SandboxRenderer
from agent.errors import OrderlineError
from agent.speech.wording import filters
from tests.dialog.pack.small_pack import write_small_pack

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
GREETING = "How can I help?"
FLOWS = """
flows:
  main:
    description: the opening
    steps: [{say: greeting}, {collect: what}]
  buy:
    description: to buy a fruit
    triggers: [buy fruit]
    steps: [{link: choose}, {say: You have it.}]
  choose:
    description: which fruit it is
    steps: [{collect: fruit}]
  maybe:
    description: to be sure
    triggers: [ask me]
    steps: [{collect: sure}, {say: Thanks.}]
"""
PROMPTS = 'prompts:\n  greeting: "Fruit.{% if automated %} I\'m the automated assistant.{% endif %} How can I help?"\n'


class FakePreparer:
    """Takes note of the editions it was given before calls get them; fails when told to."""

    def __init__(self) -> None:
        self.prepared: list[str] = []
        self.problem: OrderlineError | None = None

    async def __call__(self, pack: FlowPack) -> None:
        if self.problem is not None:
            raise self.problem
        self.prepared.append(pack.fingerprint)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "flows"
    made.mkdir()
    write_small_pack(made, FLOWS)
    (made / "prompts.yaml").write_text(PROMPTS, encoding="utf-8")
    return made


@pytest.fixture
def preparer() -> FakePreparer:
    return FakePreparer()


@pytest.fixture
async def procedures(directory: Path, preparer: FakePreparer) -> FlowPackReloader:
    made = FlowPackReloader(directory, SandboxRenderer(filters).filters, preparer, lambda: NOW)
    await made.load()
    return made


def edit(directory: Path, old: str, new: str, name: str = "prompts.yaml") -> None:
    path = directory / name
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new), encoding="utf-8")


async def test_an_edit_is_in_force_once_two_looks_saw_the_same(procedures: FlowPackReloader, directory: Path) -> None:
    before = procedures.current
    assert not await procedures.look()
    edit(directory, GREETING, "What can I do for you?")
    assert not await procedures.look()
    assert procedures.current is before
    assert await procedures.look()
    assert procedures.current.fingerprint != before.fingerprint
    assert "What can I do for you" in str(procedures.current.contents.prompts["greeting"])
    assert GREETING in str(before.contents.prompts["greeting"])
    assert not await procedures.look()


async def test_an_edition_is_loaded_beside_the_calls_and_without_the_garbage_collector(
    procedures: FlowPackReloader, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, loaded = FlowPack.load, []

    def loading(*arguments: Any) -> FlowPack:
        loaded.append((threading.current_thread() is threading.main_thread(), gc.isenabled()))
        return load(*arguments)

    monkeypatch.setattr(FlowPack, "load", loading)
    edit(directory, GREETING, "What can I do for you?")
    assert not await procedures.look()
    assert await procedures.look()
    assert loaded == [(False, False)]
    assert gc.isenabled()


async def test_a_file_still_being_written_is_left_alone(procedures: FlowPackReloader, directory: Path) -> None:
    for words in ("What can I", "What can I do", "What can I do for you?"):
        edit(directory, procedures_greeting(directory), words)
        assert not await procedures.look()
    assert await procedures.look()


def procedures_greeting(directory: Path) -> str:
    content = (directory / "prompts.yaml").read_text(encoding="utf-8")
    return content.split("{% endif %} ", 1)[1].split('"', 1)[0]


async def test_a_broken_edit_is_refused_with_file_and_line_and_the_running_edition_stays(
    procedures: FlowPackReloader, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = procedures.current
    edit(directory, "link: choose", "link: chose", "flows.yaml")
    for _ in range(3):
        assert not await procedures.look()
    assert procedures.current is before
    refused = procedures.status()["refused"]
    assert any("flows.yaml:" in reason and "did you mean 'choose'" in reason for reason in refused)
    assert procedures.status()["refused_at"]
    assert sum("is refused" in message or "are refused" in message for message in caplog.messages) == 1


async def test_putting_it_right_again_takes_the_refusal_back(procedures: FlowPackReloader, directory: Path) -> None:
    edition = procedures.status()["edition"]
    edit(directory, GREETING, "How can {{ I help?")
    await procedures.look()
    await procedures.look()
    assert procedures.status()["refused"]
    edit(directory, "How can {{ I help?", GREETING)
    await procedures.look()
    await procedures.look()
    assert procedures.status()["refused"] == []
    assert procedures.status()["edition"] == edition


async def test_an_edition_that_cannot_be_prepared_is_refused(
    procedures: FlowPackReloader, directory: Path, preparer: FakePreparer
) -> None:
    before = procedures.current
    preparer.problem = OrderlineError("This step listens for 5000 phrases; the limit is 4000.")
    edit(directory, GREETING, "What is it?")
    await procedures.look()
    assert not await procedures.look()
    assert procedures.current is before
    assert procedures.status()["refused"] == ["This step listens for 5000 phrases; the limit is 4000."]


async def test_every_edition_is_prepared_before_a_call_gets_it(
    procedures: FlowPackReloader, directory: Path, preparer: FakePreparer
) -> None:
    edit(directory, GREETING, "What is it?")
    await procedures.look()
    await procedures.look()
    assert preparer.prepared[-1] == procedures.current.fingerprint
    assert len(preparer.prepared) == 2


async def test_files_that_vanish_change_nothing(procedures: FlowPackReloader, directory: Path) -> None:
    before = procedures.current
    shutil.rmtree(directory)
    await procedures.look()
    await procedures.look()
    assert procedures.current is before
    assert procedures.status()["refused"] == ["flows: holds no .yaml files"]


async def test_watching_takes_up_an_edit_by_itself(procedures: FlowPackReloader, directory: Path) -> None:
    before = procedures.current
    watching = asyncio.create_task(procedures.watch())
    try:
        edit(directory, GREETING, "What is it?")
        async with asyncio.timeout(30):
            while procedures.current is before:  # noqa: ASYNC110 - what is waited for is the watcher's own polling
                await asyncio.sleep(0.02)
    finally:
        watching.cancel()


async def test_a_first_edition_with_mistakes_is_an_error(directory: Path, preparer: FakePreparer) -> None:
    edit(directory, GREETING, "How can {{ I help?")
    with pytest.raises(FlowError):
        await FlowPackReloader(directory, SandboxRenderer(filters).filters, preparer, lambda: NOW).load()
