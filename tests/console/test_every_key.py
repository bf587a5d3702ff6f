"""Every step kind and every key that the schema of packs knows, made, changed and removed through the API of drafts."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.builder.draft_store import DraftStore
from agent.builder.trees import MISSING, Tree, value_at
from agent.builder.yaml_document import document
from agent.common.yaml_reader import KeyPath
from agent.dialog.pack.reader import read_files
from agent.flows import english_pack
from tests.builder.schema_walk import ANY, STEPS, SchemaModel, models, places, sample, samples
from tests.console.console_client import Browser, running_console

MODELS = models()


def pack_tree(files: dict[str, str]) -> dict[str, Tree]:
    """Return what all files of a pack hold together."""
    tree: dict[str, Tree] = {}
    for file, text in sorted(files.items()):
        for name, value in document(file, text).data.items():
            tree[name] = {**tree[name], **value} if isinstance(value, dict) and name in tree else value
    return tree


@dataclass
class DraftWalk:
    """A draft that is changed over HTTP; what it holds is read by the agent's reader after every change."""

    browser: Browser
    drafts: DraftStore
    draft: str = ""
    edits: int = 0

    async def do(self, *operations: dict[str, Any]) -> dict[str, str]:
        """Have operations done together and return the files, which the reader must take."""
        self.edits += 1
        asked = [{"id": f"edit-{self.edits}", "operations": list(operations)}]
        seen = (await self.drafts.get(self.draft)).seq
        path = f"/api/v1/drafts/{self.draft}/operations"
        response = await self.browser.ask("POST", path, json={"seen": seen, "operations": asked})
        assert response.status == 200, await response.text()
        (result,) = (await response.json())["results"]
        assert result["state"] == "applied", (operations, result)
        files = await self.files()
        assert not [str(one) for one in read_files(files).findings], operations
        return files

    async def undo(self) -> dict[str, str]:
        """Take the latest edit back and return the files."""
        self.edits += 1
        body = {"id": f"edit-{self.edits}"}
        response = await self.browser.ask("POST", f"/api/v1/drafts/{self.draft}/undo", json=body)
        assert (await response.json())["state"] == "applied"
        return await self.files()

    async def files(self) -> dict[str, str]:
        return (await self.drafts.get(self.draft)).files()


@pytest.fixture
async def walk(tmp_path: Path) -> AsyncIterator[DraftWalk]:
    pack = tmp_path / "pack"
    shutil.copytree(english_pack(), pack)
    async with running_console(tmp_path, flows_directory=str(pack)) as console:
        walked = DraftWalk(await console.signed_in("admin"), console.context.drafts)
        response = await walked.browser.ask("POST", "/api/v1/drafts", json={"name": "Every key", "client": "walk"})
        walked.draft = (await response.json())["id"]
        yield walked


def test_the_walk_meets_every_model_and_every_kind_of_step() -> None:
    steps = [model for model in MODELS if model.pattern == STEPS]
    assert {model.name for model in steps} == {
        *("CollectStep", "SayStep", "ServiceCallStep", "SetStep", "IfStep", "LinkStep", "HandOverStep", "HangUpStep"),
        "NextStep",
    }
    assert {"Service", "Story", "OutboundCalls", "Thresholds"} <= {model.name for model in MODELS}


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS[1:], ids=lambda model: f"{model.name}-{'.'.join(model.pattern)}")
async def test_every_key_is_made_changed_and_removed(walk: DraftWalk, model: SchemaModel) -> None:
    for key in model.keys:
        path = await _instance(walk, model, key)
        if key in model.required:
            await _check_required(walk, model, path, key)
        else:
            await _check_optional(walk, model, path, key, "")


@pytest.mark.slow
async def test_every_section_of_a_pack_is_made_changed_and_removed(walk: DraftWalk) -> None:
    for section in MODELS[0].keys:
        files = await walk.files()
        holders = [file for file, text in files.items() if section in document(file, text).data]
        file = holders[0] if len(holders) == 1 else next(one for one in files if one not in holders)
        await _check_optional(walk, MODELS[0], (), section, file)


@pytest.mark.slow
@pytest.mark.parametrize("model", [one for one in MODELS if one.pattern[-1:] == (ANY,)], ids=lambda model: model.name)
async def test_every_kind_of_entry_is_made_and_removed_again_byte_for_byte(walk: DraftWalk, model: SchemaModel) -> None:
    before = await walk.files()
    tree = pack_tree(before)
    parent = _holder(tree, model, before)
    made = value_at(tree, parent)
    path = [*parent, len(made)] if isinstance(made, list) else [*parent, "made_by_the_walk"]
    await walk.do({"op": "insert", "path": path, "value": sample(model)})
    assert value_at(pack_tree(await walk.files()), tuple(path)) == sample(model)
    assert await walk.do({"op": "remove", "path": path, "old": sample(model)}) == before


@pytest.mark.slow
async def test_what_is_set_to_what_it_is_leaves_every_byte_as_it_was(walk: DraftWalk) -> None:
    before = await walk.files()
    tree = pack_tree(before)
    shared = _shared(before)
    asked = [
        {"op": "set", "path": list(path), "value": value, "old": value}
        for path, value in _entries(tree)
        if not any(path[: len(one)] == one for one in shared)
    ]
    assert len(asked) > 500
    for start in range(0, len(asked), 100):
        assert await walk.do(*asked[start : start + 100]) == before
    assert (await walk.drafts.get(walk.draft)).changes() == []


def _entries(tree: Tree) -> Iterator[tuple[KeyPath, Tree]]:
    """Yield every entry of every section, and every step."""
    for section, value in tree.items():
        for name, entry in value.items() if isinstance(value, dict) else ():
            if section != "flows":
                yield (section, name), entry
            else:
                yield from ((("flows", name, key), one) for key, one in entry.items() if key != "steps")
                yield from ((("flows", name, "steps", place), one) for place, one in enumerate(entry["steps"]))


# --- one key ------------------------------------------------------------------------------------------------------


async def _check_optional(walk: DraftWalk, model: SchemaModel, path: KeyPath, key: str, file: str) -> None:
    """``file``: the one that is meant where several may hold a section; ``""`` below sections."""

    def value_of(files: dict[str, str]) -> Tree:
        return value_at(document(file, files[file]).data if file else pack_tree(files), (*path, key))

    place: dict[str, Any] = {"path": [*path, key], "file": file}
    before = await walk.files()
    old = value_of(before)
    new = [one for one in samples(model.keys[key]) if one != old]
    if old is MISSING:
        await walk.do({"op": "insert", **place, "value": new[0]})
        assert value_of(await walk.do({"op": "set", **place, "value": new[1], "old": new[0]})) == new[1]
        assert await walk.do({"op": "remove", **place, "old": new[1]}) == before
    else:
        assert value_of(await walk.do({"op": "set", **place, "value": new[0], "old": old})) == new[0]
        assert value_of(await walk.do({"op": "remove", **place, "old": new[0]})) is MISSING
        assert value_of(await walk.do({"op": "insert", **place, "value": old})) == old


async def _check_required(walk: DraftWalk, model: SchemaModel, path: KeyPath, key: str) -> None:
    """What an entry cannot be without is changed by itself, and made and removed with the entry."""
    text = await walk.files()
    place = [*path, key]
    old = value_at(pack_tree(text), tuple(place))
    new = next(one for one in samples(model.keys[key]) if one != old)
    await walk.do({"op": "set", "path": place, "value": new, "old": old})
    assert value_at(pack_tree(await walk.files()), tuple(place)) == new
    assert await walk.undo() == text
    entry = list(path[: _removable(model.pattern)])
    value = value_at(pack_tree(text), tuple(entry))
    await walk.do({"op": "remove", "path": entry, "old": value})
    await walk.do({"op": "insert", "path": entry, "value": value})
    assert value_at(pack_tree(await walk.files()), tuple(entry)) == value


def _removable(pattern: tuple[str, ...]) -> int:
    """Return how many parts of a pattern lead to the smallest entry that may be missing."""
    for length in range(len(pattern), 0, -1):
        holders = [one for one in MODELS if one.pattern == pattern[: length - 1]]
        if not any(pattern[length - 1] in one.required for one in holders):
            return length
    raise AssertionError(pattern)


async def _instance(walk: DraftWalk, model: SchemaModel, key: str) -> KeyPath:
    """Return where an entry of this model stands whose text no other place shares; one is made where there is none."""
    files = await walk.files()
    tree = pack_tree(files)
    shared = _shared(files)
    found = [path for path in places(tree, model.pattern) if model.is_at(value_at(tree, path))]
    if not found:
        parent = next(
            path for path in places(tree, model.pattern[:-1]) if model.pattern[-1] not in value_at(tree, path)
        )
        await walk.do({"op": "insert", "path": [*parent, model.pattern[-1]], "value": sample(model)})
        return await _instance(walk, model, key)
    free = [path for path in found if not any(one[: len(path)] == path for one in shared)]
    alone = [path for path in free if not _last_step(tree, path)]
    return next((path for path in alone if key in value_at(tree, path)), alone[0])


def _last_step(tree: Tree, path: KeyPath) -> bool:
    """Return whether an item is all that its list has: a procedure needs one step."""
    return isinstance(path[-1], int) and len(value_at(tree, path[:-1])) == 1


def _shared(files: dict[str, str]) -> set[KeyPath]:
    """Return the places whose text stands for another place as well: YAML anchors and their aliases."""
    return {place for file, text in files.items() for pair in document(file, text).aliases.items() for place in pair}


def _holder(tree: Tree, model: SchemaModel, files: dict[str, str]) -> KeyPath:
    """Return a list or mapping that holds entries of a model."""
    shared = _shared(files)
    holders = [path for path in places(tree, model.pattern[:-1]) if isinstance(value_at(tree, path), dict | list)]
    return next(path for path in holders if not any(path[: len(one)] == one for one in shared))
