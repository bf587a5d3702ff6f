"""What is asked of a draft, who may ask it, and what is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agent.builder.draft import DraftConflict
from agent.builder.errors import EditNotAllowed, EditRefused
from agent.builder.operations import Operation, operation_from

Answer = dict[str, Any]
"""What came of one request: ``id``, ``state`` (``applied``, ``conflict``, ``refused``, ``nothing``) and more."""


@dataclass(frozen=True)
class EditRequest:
    """What somebody wants done together: all of it or nothing, one step to undo."""

    id: str
    operations: tuple[Any, ...]
    """As JSON says them."""


class EditRights(Protocol):
    """What somebody may change. Both return why not, ``""`` where they may."""

    def refusal(self, operation: Operation) -> str:
        """Judge an operation by itself, before anything of the files is told."""

    def refusal_of_result(self, operation: Operation, before: Mapping[str, str], after: Mapping[str, str]) -> str:
        """Judge an operation by what it has made of the files: an ``old`` that was never there proves nothing."""


class EveryRight:
    """May change everything."""

    def refusal(self, operation: Operation) -> str:
        """Refuse nothing."""
        return ""

    def refusal_of_result(self, operation: Operation, before: Mapping[str, str], after: Mapping[str, str]) -> str:
        """Refuse nothing."""
        return ""


def check_rights(rights: EditRights, operations: Sequence[Mapping[str, Any]]) -> None:
    """Raise :class:`EditNotAllowed` where somebody may not do what was done, or was to be done."""
    for one in operations:
        if refusal := rights.refusal(operation_from(one)):
            raise EditNotAllowed(refusal)


def checked_operations(asked: EditRequest, rights: EditRights) -> list[Operation]:
    """Return what is asked for. Raises :class:`EditRefused`."""
    operations = [operation_from(one) for one in asked.operations]
    if not operations:
        raise EditRefused("nothing is asked for", "no_operation")
    for operation in operations:
        if refusal := rights.refusal(operation):
            raise EditRefused(refusal, "not_allowed")
    return operations


def conflict_answer(conflict: DraftConflict) -> Answer:
    """Return what is answered to a request that is in conflict."""
    return {
        "id": conflict.id,
        "state": "conflict",
        "number": conflict.number,
        "reason": conflict.reason,
        "mine": conflict.mine,
        "theirs": conflict.theirs,
    }
