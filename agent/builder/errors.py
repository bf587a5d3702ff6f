"""Why an edit was not made: it cannot be made at all, or somebody else has changed the same place."""

from __future__ import annotations

from typing import Any

from agent.errors import OrderlineError


class EditRefused(OrderlineError):
    """An edit that cannot be made. Nothing was changed."""

    code = "edit"

    def __init__(self, message: str, kind: str = "refused") -> None:
        """``kind`` is a word for programs: ``no_such_place``, ``taken``, ``not_text``, ``style``, ``broken_file``."""
        super().__init__(message)
        self.kind = kind


class EditConflict(OrderlineError):
    """The place does not hold any more what its editor saw. Nothing was changed."""

    code = "edit_conflict"

    def __init__(self, message: str, mine: Any, theirs: Any) -> None:
        """``mine`` is what was to stand there, ``theirs`` what stands there now; None for nothing."""
        super().__init__(message)
        self.mine = mine
        self.theirs = theirs


class EditNotAllowed(OrderlineError):
    """An edit that somebody has no right to. Nothing was changed."""

    code = "edit_not_allowed"


class DraftMissing(OrderlineError):
    """A draft, or a conflict of one, that there is not."""

    code = "draft_missing"


class DraftNotOpen(OrderlineError):
    """A draft that is edited no longer."""

    code = "draft_not_open"
