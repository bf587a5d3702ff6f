"""One random session: two people type, undo, reload; files are edited by hand; the console is killed.

Afterwards everything that was typed is looked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.builder import yaml_edit
from agent.builder.errors import EditRefused
from agent.builder.trees import MISSING, Tree
from agent.builder.yaml_document import document
from agent.common.atomic_write import write_text
from agent.dialog.pack.pack_files import edition_of, read_pack_files
from benchmarks.edit_sessions.console_process import KillableConsole
from benchmarks.edit_sessions.editor import EditingBrowser, Unreachable
from benchmarks.edit_sessions.typed_words import Words, check_session

ACTIONS = {
    "type": 10, "add_answer": 2, "add_prompt": 2, "add_phrase": 3, "add_step": 3, "move_step": 2, "remove": 2,
    "two_at_once": 2, "send": 5, "undo": 4, "redo": 2, "reload": 2, "hand_edit": 1, "kill": 1, "settle": 1,
}  # fmt: skip
"""What somebody does next, and how likely it is."""
_LEAST, _MOST = 12, 30
_READ_SECONDS, _LOOK_SECONDS = 300.0, 0.1
_MOST_TRIES = 3
Place = list[str | int]


@dataclass
class RandomSession:
    """A session by its number: the same number does the same, as far as two people and a kill can be repeated."""

    number: int
    console: KillableConsole
    people: tuple[EditingBrowser, EditingBrowser]
    done: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.number)  # noqa: S311 - to repeat, not to guard
        self._words = Words(self.number)
        self._fields: list[Place] = []
        self._flow = ""
        self._settled: list[dict[str, Any]] = []

    async def play(self) -> list[str]:
        """Play it and return what was lost, nothing where all is well."""
        await self._open()
        for _ in range(self._random.randint(_LEAST, _MOST)):
            person = self._random.choice(self.people)
            action = self._random.choices(list(ACTIONS), list(ACTIONS.values()))[0]
            self.done[action] += 1
            with contextlib.suppress(Unreachable):
                await getattr(self, f"_{action}")(person)
        for person in self.people:
            await _flushed(person)
        await self._files_read()
        lost = await check_session(self.people, self._words, self._settled)
        await self.people[0].ask("DELETE", f"/drafts/{self.people[0].draft}")
        return lost

    @property
    def words(self) -> int:
        """How many words were typed so far, by people and into files."""
        return len(self._words.typed)

    async def _open(self) -> None:
        one = self.people[0]
        draft = await one.ask("POST", "/drafts", {"name": f"Session {self.number}", "client": f"session-{self.number}"})
        for person in self.people:
            person.draft, person.edits = draft["id"], []
            await person.reload()
        flows = one.tree["flows"]
        self._flow = self._random.choice(sorted(flows))
        answers = self._random.sample(sorted(one.tree["knowledge"]["answers"]), 3)
        prompts = [name for name, value in sorted(one.tree["prompts"].items()) if isinstance(value, str)]
        self._fields = [
            *(["knowledge", "answers", name, "says"] for name in answers),
            *(["prompts", name] for name in self._random.sample(prompts, 3)),
            ["flows", self._flow, "description"],
        ]

    # --- what people do -------------------------------------------------------------------------------------

    async def _type(self, person: EditingBrowser) -> None:
        """Type a word at the end of a field, letter by letter; the console may be sent a part of it."""
        path = self._random.choice(self._fields)
        now = person.value(path)
        if not isinstance(now, str):
            return
        word = self._words.new(person.name)
        for end in (3, len(word)):
            person.put(path, f"{now} {word[:end]}")
            if end < len(word) and self._random.random() < 0.2:
                await person.flush()

    async def _add_answer(self, person: EditingBrowser) -> None:
        word = self._words.new(person.name)
        value = {"ask": [f"about {word}"], "says": f"We have {word}."}
        person.act({"op": "insert", "path": ["knowledge", "answers", word], "value": value})
        self._fields.append(["knowledge", "answers", word, "says"])

    async def _add_prompt(self, person: EditingBrowser) -> None:
        word = self._words.new(person.name)
        person.act({"op": "insert", "path": ["prompts", f"new_{word}"], "value": f"{word} it is."})
        self._fields.append(["prompts", f"new_{word}"])

    async def _add_phrase(self, person: EditingBrowser) -> None:
        path = [*self._random.choice(self._fields)[:3], "ask"]
        texts = person.value(path)
        if isinstance(texts, list):
            value = f"what about {self._words.new(person.name)}"
            person.act({"op": "insert", "path": [*path, self._random.randint(0, len(texts))], "value": value})

    async def _add_step(self, person: EditingBrowser) -> None:
        steps = person.value(["flows", self._flow, "steps"])
        if isinstance(steps, list):
            place = ["flows", self._flow, "steps", self._random.randint(0, len(steps))]
            value = {"say": f"Here is {self._words.new(person.name)}."}
            person.act({"op": "insert", "path": place, "value": value, "keep_ways": True})

    async def _move_step(self, person: EditingBrowser) -> None:
        path: Place = ["flows", self._flow, "steps"]
        steps = person.value(path)
        if isinstance(steps, list) and len(steps) > 1:
            place, to = self._random.randrange(len(steps)), self._random.randrange(len(steps))
            old = steps[place]
            person.act({"op": "move", "path": [*path, place], "to": [*path, to], "old": old, "keep_ways": True})

    async def _remove(self, person: EditingBrowser) -> None:
        path = self._random.choice(self._fields)
        path = path[:3] if path[0] == "knowledge" else path
        value = person.value(path)
        if value is not MISSING and path[0] != "flows":
            person.act({"op": "remove", "path": path, "old": value})

    async def _two_at_once(self, person: EditingBrowser) -> None:
        operations = []
        for path in self._random.sample(self._fields, 2):
            now = person.value(path)
            if isinstance(now, str):
                value = f"{now} {self._words.new(person.name)}"
                operations.append({"op": "set", "path": path, "value": value, "old": now})
        if operations:
            person.act(*operations)

    async def _send(self, person: EditingBrowser) -> None:
        if self._random.random() < 0.5:
            await person.flush()
            return
        results = await asyncio.gather(*(one.flush() for one in self.people), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, Unreachable):
                raise result

    async def _undo(self, person: EditingBrowser) -> None:
        self.done[f"undo: {await person.step('undo')}"] += 1

    async def _redo(self, person: EditingBrowser) -> None:
        self.done[f"redo: {await person.step('redo')}"] += 1

    async def _reload(self, person: EditingBrowser) -> None:
        """Close the tab and open it again: only what the browser keeps on disk is left."""
        person.tree, person.seen = {}, 0
        await person.reload()

    # --- what happens to them -------------------------------------------------------------------------------

    async def _hand_edit(self, _: EditingBrowser) -> None:
        """Change a text in a file of the procedures, as an editor on the machine does."""
        files = {path: path.read_text(encoding="utf-8") for path in sorted(self.console.procedures.rglob("*.yaml"))}
        place = self._random.choice(self._fields)
        for path, text in files.items():
            now = _text_at(path, text, place)
            if now is None:
                continue
            word = self._words.by_hand()
            write_text(path, yaml_edit.set_value(path.name, text, tuple(place), f"{now} {word}"))
            return

    async def _files_read(self) -> None:
        """Wait until the draft stands on the files as they are: the console leaves one alone while it is written."""
        files, _ = await asyncio.to_thread(read_pack_files, self.console.procedures)
        wanted, one = edition_of(files), self.people[0]
        async with asyncio.timeout(_READ_SECONDS):
            while (await one.ask("GET", f"/drafts/{one.draft}"))["base"] != wanted:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(_LOOK_SECONDS)

    async def _kill(self, person: EditingBrowser) -> None:
        """Kill the console while something is on its way."""
        await self._type(person)
        sending = [asyncio.ensure_future(one.flush()) for one in self.people]
        await asyncio.wait(sending, timeout=self._random.choice([0.0, 0.005, 0.02, 0.05, 0.1]))
        await self.console.kill()
        for result in await asyncio.gather(*sending, return_exceptions=True):
            if isinstance(result, BaseException) and not isinstance(result, Unreachable):
                raise result
        await self.console.start()

    async def _settle(self, person: EditingBrowser) -> None:
        await person.flush()
        conflicts = (await person.ask("GET", f"/drafts/{person.draft}/conflicts"))["conflicts"]
        if not conflicts:
            return
        conflict = self._random.choice(conflicts)
        take = self._random.choice(["mine", "theirs"]) if len(conflict["operations"]) == 1 else "theirs"
        try:
            await person.ask("POST", f"/drafts/{person.draft}/conflicts/{conflict['number']}", {"take": take})
        except RuntimeError:  # mine cannot be any more: it stays among the conflicts
            return
        self._settled.append({**conflict, "take": take})
        await person.reload()


async def _flushed(person: EditingBrowser) -> None:
    """Send what waits, as often as it takes: a browser goes on trying. Raises :class:`Unreachable` at last."""
    for attempt in range(_MOST_TRIES):
        try:
            await person.flush()
            break
        except Unreachable:
            if attempt == _MOST_TRIES - 1:
                raise


def _text_at(path: Path, text: str, place: Place) -> str | None:
    try:
        value: Tree = document(path.name, text).data
    except EditRefused:
        return None
    for part in place:
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None
