"""Which files of the procedures an operation of the builder works on: a draft's, an edition's, or those in place."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from agent.console.context import ConsoleContext

DraftId = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class SourceRef(BaseModel):
    """``{"draft": "id"}``, ``{"edition": 12}``, or ``{}`` for the files as they are now."""

    model_config = ConfigDict(extra="forbid")
    draft: DraftId | None = None
    edition: Annotated[int, Field(ge=1, le=2**53)] | None = None

    @model_validator(mode="after")
    def _one(self) -> SourceRef:
        if self.draft is not None and self.edition is not None:
            raise ValueError("a source is a draft or an edition")
        return self

    def to_json(self) -> dict[str, Any]:
        """Return it as it was posted."""
        return self.model_dump(exclude_none=True)


@dataclass(frozen=True)
class SourceFiles:
    """The files of a source."""

    files: Mapping[str, str]
    seq: int | None = None
    """Of a draft: the state of it they are."""


async def source_files(context: ConsoleContext, source: SourceRef) -> SourceFiles:
    """Return the files of a source. Raises OrderlineError where there is no such draft or edition."""
    if source.edition is not None:
        return SourceFiles(await context.desk.editions.files(source.edition))
    if source.draft is not None:
        draft = await context.drafts.get(source.draft)
        return SourceFiles(draft.files(), draft.seq)
    return SourceFiles(await asyncio.to_thread(context.desk.directory.read))
