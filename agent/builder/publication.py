"""Publishes an edition: checked, tested, written as one change, confirmed by the agents, or taken back by itself."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from agent.builder.editions import EditionKind, EditionStore, NewEdition
from agent.builder.pack_directory import HandEdited, PackDirectory, PackDirectoryError
from agent.dialog.pack.pack_files import edition_of
from agent.errors import OrderlineError

log = logging.getLogger(__name__)

PublicationState = Literal[
    "in_force", "refused", "tests_failed", "no_agent", "taken_back", "unconfirmed", "hand_edited", "not_writable"
]
Told = Callable[[str, int, int], None]
CONFIRM_SECONDS = 180.0
"""An agent refuses at once; it takes long only where it has to fit the score of open requests anew."""
_BACK_SECONDS = 30.0
_LOOK_SECONDS = 0.1


class NodeAgent(Protocol):
    """One node's agent."""

    @property
    def name(self) -> str:
        """The node's name."""

    async def status(self) -> Mapping[str, Any]:
        """Return its ``/status``. Raises OrderlineError where it does not answer."""


class PackJudge(Protocol):
    """Checks and tests packs."""

    async def check(self, files: Mapping[str, str]) -> Mapping[str, Any]:
        """Return the findings (``usable``, ``findings``, ...)."""

    async def tests(self, files: Mapping[str, str], told: Told) -> Mapping[str, Any]:
        """Return how the tests of the pack go (``failed``, ...)."""


@dataclass(frozen=True)
class PublicationOrder:
    """What is to be published."""

    base: Mapping[str, str]
    """The files from which it was made: what the directory must still hold."""
    files: Mapping[str, str]
    who: str
    reason: str
    kind: EditionKind = "published"
    restores: int | None = None
    despite_tests: bool = False
    """Although tests fail."""
    unconfirmed: bool = False
    """Although no agent answers that could confirm it."""


@dataclass(frozen=True)
class NodeVerdict:
    """What one node has in force."""

    name: str
    edition: str
    in_force: bool
    problem: str = ""
    waited_for: bool = True
    """False for a node that reads other files."""

    def to_json(self) -> dict[str, Any]:
        """Return JSON-like data."""
        return {"name": self.name, "edition": self.edition, "in_force": self.in_force, "problem": self.problem}


@dataclass(frozen=True)
class PublicationResult:
    """How a publication ended."""

    state: PublicationState
    words: str
    """For the one who published."""
    edition: str
    number: int | None = None
    check: Mapping[str, Any] | None = None
    tests: Mapping[str, Any] | None = None
    nodes: tuple[NodeVerdict, ...] = ()
    seconds: float = 0.0
    """From the beginning of the writing until it was in force, or taken back."""
    files: tuple[str, ...] = ()
    """Of a hand edit, the files; otherwise those that changed."""

    def to_json(self) -> dict[str, Any]:
        """Return JSON-like data."""
        return {
            "state": self.state,
            "words": self.words,
            "edition": self.edition,
            "number": self.number,
            "check": self.check,
            "tests": self.tests,
            "nodes": [node.to_json() for node in self.nodes],
            "seconds": round(self.seconds, 2),
            "files": list(self.files),
        }


@dataclass
class _Node:
    """A node that is waited for."""

    agent: NodeAgent
    refused_before: tuple[Any, Any]
    edition: str = ""
    problem: str = ""


@dataclass
class _Nodes:
    waited_for: list[_Node] = field(default_factory=list)
    others: list[NodeVerdict] = field(default_factory=list)


class Publisher:
    """Publishes into one directory, one edition at a time."""

    def __init__(
        self,
        directory: PackDirectory,
        editions: EditionStore,
        judge: PackJudge,
        agents: Sequence[NodeAgent],
        *,
        confirm_seconds: float = CONFIRM_SECONDS,
    ) -> None:
        self._directory = directory
        self._editions = editions
        self._judge = judge
        self._agents = agents
        self._confirm_seconds = confirm_seconds
        self._one_at_a_time = asyncio.Lock()

    async def publish(self, order: PublicationOrder, told: Told) -> PublicationResult:
        """Publish an edition; what keeps it from being published is in the result.

        Raises OrderlineError where the work could not be done (a worker that died, a directory that cannot be read),
        ``sqlite3.Error`` and ``OSError`` where the edition before cannot be kept; nothing has changed then.
        """
        async with self._one_at_a_time:
            edition = edition_of(order.files)
            told("checking", 0, 1)
            check = await self._judge.check(order.files)
            if not check["usable"]:
                words = f"The agent would refuse this: {_count(check['mistakes'], 'mistake')}."
                return PublicationResult("refused", words, edition, check=check)
            tests = await self._judge.tests(order.files, told)
            if tests["failed"] and not order.despite_tests:
                words = f"{_count(len(tests['failed']), 'test')} of {tests['calls']} failed. Nothing was published."
                return PublicationResult("tests_failed", words, edition, check=check, tests=tests)
            nodes = await self._look_at_nodes(order.base)
            if not nodes.waited_for and not order.unconfirmed:
                words = "No agent answers that could say whether it takes this edition. Nothing was published."
                return PublicationResult(
                    "no_agent", words, edition, check=check, tests=tests, nodes=tuple(nodes.others)
                )
            # a publication that has begun to write is brought to its end, whoever asked for it
            return await asyncio.shield(self._write_and_confirm(order, edition, nodes, check, tests, told))

    async def _write_and_confirm(
        self,
        order: PublicationOrder,
        edition: str,
        nodes: _Nodes,
        check: Mapping[str, Any],
        tests: Mapping[str, Any],
        told: Told,
    ) -> PublicationResult:
        told("writing", 0, 1)
        await self._keep_base(order.base)
        kept = NewEdition(edition, order.files, order.who, order.reason, order.kind, order.restores)
        number = await self._editions.add(kept, "writing")
        began = time.monotonic()
        changed = tuple(sorted(_changed(order.base, order.files)))

        def result(state: PublicationState, words: str, **more: Any) -> PublicationResult:
            told_of: dict[str, Any] = {"files": changed, "nodes": self._verdicts(nodes, edition), **more}
            return PublicationResult(
                state, words, edition, number, check, tests, seconds=time.monotonic() - began, **told_of
            )

        try:
            problem = await self._write(order)
        except Exception:  # not when the console stops: the files may be written, its next start looks
            await self._editions.mark(number, "taken_back")
            raise
        if problem is not None:
            await self._editions.mark(number, "taken_back")
            state: PublicationState = "hand_edited" if isinstance(problem, HandEdited) else "not_writable"
            files = problem.files if isinstance(problem, HandEdited) else changed
            return result(state, f"{problem.message} Nothing was published.", files=files)
        if not nodes.waited_for:
            await self._editions.mark(number, "unconfirmed")
            return result("unconfirmed", "Written. No agent answers: it is not known whether it will be taken.")
        if await self._in_force(nodes.waited_for, edition, self._confirm_seconds, told):
            await self._editions.mark(number, "confirmed")
            return result("in_force", f"In force from the next call on, on {_names(nodes.waited_for)}.")
        return await self._take_back(order, edition, number, nodes, result, told)

    async def _take_back(
        self,
        order: PublicationOrder,
        edition: str,
        number: int,
        nodes: _Nodes,
        result: Callable[..., PublicationResult],
        told: Told,
    ) -> PublicationResult:
        """Put the edition before back, since an agent has not taken the new one."""
        told("taking back", 0, 1)
        verdicts = self._verdicts(nodes, edition)
        why = " ".join(
            f"{one.name}: {one.problem or f'has edition {one.edition}'}." for one in verdicts if not one.in_force
        )
        try:
            await asyncio.to_thread(self._directory.replace, order.files, order.base)
        except (OrderlineError, OSError) as error:
            log.error("The edition before %s could not be put back: %s", edition, error)
            await self._editions.mark(number, "unconfirmed")
            return result("unconfirmed", f"Not in force ({why}), and the edition before could not be put back: {error}")
        await self._editions.mark(number, "taken_back")
        back = await self._in_force(nodes.waited_for, edition_of(order.base), _BACK_SECONDS, lambda *_: None)
        end = "The edition before is in force again." if back else "The files are as before."
        return result("taken_back", f"Not taken, and taken back. {why} {end}", nodes=verdicts)

    async def _keep_base(self, base: Mapping[str, str]) -> None:
        """Keep what the files hold before, where that was no publication of ours: an edit by hand, an installation."""
        edition = edition_of(base)
        latest = await self._editions.latest()
        if latest is None or latest.edition != edition:
            found = NewEdition(edition, base, "(by hand)", "What the files held before the next edition.", "found")
            await self._editions.add(found, "unconfirmed")

    async def _write(self, order: PublicationOrder) -> OrderlineError | None:
        try:
            await asyncio.to_thread(self._directory.replace, order.base, order.files)
        except (HandEdited, PackDirectoryError) as error:
            return error
        except OSError as error:
            if await asyncio.to_thread(self._holds, order.files):
                return None  # the journal stands: readers have the new edition, the next publication cleans up
            reason = error.strerror or str(error)
            return PackDirectoryError(f"The directory of the procedures cannot be written: {reason}.")
        return None

    def _holds(self, files: Mapping[str, str]) -> bool:
        try:
            return self._directory.read() == files
        except OrderlineError:
            return False

    # --- the agents -------------------------------------------------------------------------------------

    async def _look_at_nodes(self, base: Mapping[str, str]) -> _Nodes:
        """Find the agents that read these files: by their directory, and the edition they have in force."""
        found = _Nodes()
        edition = edition_of(base)
        answers = await asyncio.gather(*(_procedures(agent) for agent in self._agents))
        for place, (agent, (procedures, problem)) in enumerate(zip(self._agents, answers, strict=True)):
            same = bool(procedures) and _same_directory(str(procedures.get("directory", "")), self._directory.path)
            present = str(procedures.get("edition", ""))
            if same and (place == 0 or present == edition):
                found.waited_for.append(_Node(agent, _refusal(procedures), present))
            else:
                why = problem or "reads other files"
                found.others.append(NodeVerdict(agent.name, present, False, why, waited_for=False))
        return found

    async def _in_force(self, nodes: Sequence[_Node], edition: str, seconds: float, told: Told) -> bool:
        """Wait until every node has an edition in force; False when one refuses it, or does not take it in time."""
        ends = time.monotonic() + seconds
        while True:
            answers = await asyncio.gather(*(_procedures(node.agent) for node in nodes))
            for node, (procedures, problem) in zip(nodes, answers, strict=True):
                node.problem = problem
                node.edition = str(procedures.get("edition", node.edition))
                refused = _refusal(procedures)
                if node.edition != edition and refused[0] and refused != node.refused_before:
                    node.problem = "refuses it: " + "; ".join(map(str, refused[0]))[:500]
                    return False
            taken = sum(node.edition == edition for node in nodes)
            told("confirming", taken, len(nodes))
            if taken == len(nodes):
                return True
            if time.monotonic() >= ends:
                for node in nodes:
                    node.problem = node.problem or f"still has edition {node.edition} after {seconds:g} s"
                return False
            await asyncio.sleep(_LOOK_SECONDS)

    @staticmethod
    def _verdicts(nodes: _Nodes, edition: str) -> tuple[NodeVerdict, ...]:
        taken = (
            NodeVerdict(
                node.agent.name, node.edition, node.edition == edition, "" if node.edition == edition else node.problem
            )
            for node in nodes.waited_for
        )
        return (*taken, *nodes.others)


async def _procedures(agent: NodeAgent) -> tuple[Mapping[str, Any], str]:
    """Return what an agent says of its procedures, or nothing and why."""
    try:
        told = (await agent.status()).get("procedures")
    except OrderlineError as error:
        return {}, error.message
    return (told, "") if isinstance(told, Mapping) else ({}, "says nothing of its procedures")


def _refusal(procedures: Mapping[str, Any]) -> tuple[Any, Any]:
    return procedures.get("refused") or [], procedures.get("refused_at") or ""


def _same_directory(told: str, directory: Path) -> bool:
    return bool(told) and Path(told).resolve() == directory.resolve()


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]


def _names(nodes: Sequence[_Node]) -> str:
    return ", ".join(node.agent.name for node in nodes)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
