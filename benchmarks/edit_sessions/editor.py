"""Somebody's browser with a draft open: what is typed is kept until the console has answered for it."""

from __future__ import annotations

import copy
import uuid
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from agent.builder import trees
from agent.builder.errors import EditRefused
from agent.builder.trees import MISSING, Tree
from agent.console.csrf import csrf_token
from agent.console.sessions import COOKIE

Operation = dict[str, Any]
_SECONDS = aiohttp.ClientTimeout(total=120)


class Unreachable(Exception):
    """The console does not answer; nothing is lost."""


@dataclass
class TypedEdit:
    """One edit: an operation, or several that are one step for undo."""

    id: str
    operations: list[Operation]
    sent: bool = False
    state: str = "pending"
    """What the console said of it: ``applied``, ``conflict``, ``refused``."""


@dataclass
class EditingBrowser:
    """One person's tab. ``edits`` is what a browser keeps on disk: it outlives a reload."""

    url: str
    name: str
    password: str
    http: aiohttp.ClientSession
    draft: str = ""
    edits: list[TypedEdit] = field(default_factory=list)
    tree: dict[str, Tree] = field(default_factory=dict)
    seen: int = 0
    _cookie: str = ""

    @property
    def pending(self) -> list[TypedEdit]:
        """What the console has not answered for yet."""
        return [one for one in self.edits if one.state == "pending"]

    # --- editing --------------------------------------------------------------------------------------------

    def value(self, path: list[str | int]) -> Tree:
        """Return what the tab shows at a place, :data:`MISSING` for nothing."""
        try:
            return trees.value_at(self.tree, trees.resolved(self.tree, path))
        except EditRefused:
            return MISSING

    def put(self, path: list[str | int], value: str) -> None:
        """Type into a field: what has not been sent yet is changed in place."""
        last = self.edits[-1] if self.edits else None
        old = self.value(path)
        if last and not last.sent and len(last.operations) == 1:
            (only,) = last.operations
            if only["op"] in ("set", "insert") and only["path"] == path:
                only["value"] = value
                self._perform({**only, "op": "set"})
                return
        operation: Operation = {"op": "set", "path": path, "value": value, "old": old}
        self.act(operation if old is not MISSING else {"op": "insert", "path": path, "value": value})

    def act(self, *operations: Operation) -> None:
        """Do operations as one step for undo."""
        self.edits.append(TypedEdit(uuid.uuid4().hex, copy.deepcopy(list(operations))))
        for operation in operations:
            self._perform(operation)

    def _perform(self, operation: Operation) -> None:
        """Show an operation at once; where that cannot be, the next reload shows it."""
        try:
            path = trees.resolved(self.tree, operation["path"])
            match operation["op"]:
                case "set":
                    self.tree = trees.with_value(self.tree, path, copy.deepcopy(operation["value"]))
                case "insert":
                    value = copy.deepcopy(operation["value"])
                    self.tree = trees.with_inserted(self.tree, path, value, operation.get("before"))
                case "remove":
                    self.tree = trees.without(self.tree, path)
                case "move":
                    moved = trees.value_at(self.tree, path)
                    rest = trees.without(self.tree, path)
                    self.tree = trees.with_inserted(rest, tuple(operation["to"]), moved)
        except (EditRefused, KeyError, IndexError, TypeError, AttributeError):
            return

    # --- the console ----------------------------------------------------------------------------------------

    async def sign_in(self) -> None:
        """Sign in."""
        form = {"name": self.name, "password": self.password}
        headers = {"Sec-Fetch-Site": "same-origin"}
        async with self.http.post(f"{self.url}/login", data=form, headers=headers, allow_redirects=False) as answer:
            answer.raise_for_status()
            self._cookie = answer.cookies[COOKIE].value

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the API. Raises :class:`Unreachable`, ``RuntimeError`` for a refusal."""
        headers = {"Sec-Fetch-Site": "same-origin", "Cookie": f"{COOKIE}={self._cookie}"}
        if method != "GET":
            headers["X-Orderline-Token"] = csrf_token(self._cookie)
        more = {} if body is None else {"json": body}
        try:
            async with self.http.request(
                method, f"{self.url}/api/v1{path}", headers=headers, timeout=_SECONDS, **more
            ) as answer:
                told = await answer.json(content_type=None)
                if answer.status >= 400:
                    raise RuntimeError(f"{method} {path}: {answer.status} {told}")
                return told
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
            raise Unreachable(str(error)) from error

    async def reload(self) -> None:
        """Fetch the draft anew, and show on it what is on its way."""
        pack = await self.ask("GET", f"/drafts/{self.draft}/pack")
        self.seen = pack["seq"]
        self.tree = {}
        for held in pack["files"]:
            for section, value in (held["data"] or {}).items():
                there = self.tree.get(section)
                self.tree[section] = {**there, **value} if isinstance(there, dict) else value
        for edit in self.pending:
            for operation in edit.operations:
                self._perform(operation)

    async def flush(self) -> None:
        """Send what waits, in its order. Raises :class:`Unreachable`."""
        batch = self.pending
        if not batch:
            return
        for edit in batch:
            edit.sent = True
        asked = [{"id": one.id, "operations": one.operations} for one in batch]
        answer = await self.ask("POST", f"/drafts/{self.draft}/operations", {"seen": self.seen, "operations": asked})
        for edit, result in zip(batch, answer["results"], strict=True):
            edit.state = result["state"]
        await self.reload()

    async def step(self, direction: str) -> str:
        """Undo or redo. Returns what came of it."""
        await self.flush()
        answer = await self.ask("POST", f"/drafts/{self.draft}/{direction}", {"id": uuid.uuid4().hex})
        await self.reload()
        return str(answer["state"])
