"""What a pack says of the business systems: arguments, failures, results, and what of them a record keeps."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from agent.dialog.model.base import FileModel


class Returned(FileModel):
    """One thing that a service returns."""

    kind: Literal["text", "number", "money", "date", "yes_no", "choice", "list", "mapping"] = "text"
    """What kind of value it is; ``choice``: one of a few machine words."""
    words: str = ""
    """What it is, in words for people: "the state of the order"."""


def _as_returned(value: Any) -> Any:
    """Let the words for people stand for a text."""
    if not isinstance(value, dict):
        return value
    return {name: {"words": one} if isinstance(one, str) else one for name, one in value.items()}


class Service(FileModel):
    """What the flows may ask of the business systems; the linter checks every ``call`` against it."""

    arguments: tuple[str, ...] = ()
    """What a ``call`` must hand in."""
    optional: tuple[str, ...] = ()
    """What it may hand in besides."""
    failures: tuple[str, ...] = ()
    """The codes it can fail with."""
    returns: Annotated[dict[str, Returned], BeforeValidator(_as_returned)] = {}
    """What its result holds, by place: ``order.status``. Optional; what is to be kept must stand here."""
    keeps: tuple[str, ...] = ()
    """What may go into the record as facts of a call: arguments, and places of ``returns``. Nothing secret."""
