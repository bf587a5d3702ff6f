"""Which files of the procedures an operation of the builder works on: an edition's, or those in place."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from agent.console.context import ConsoleContext


class SourceRef(BaseModel):
    """``{"edition": 12}``, or ``{}`` for the files as they are now."""

    model_config = ConfigDict(extra="forbid")
    edition: Annotated[int, Field(ge=1)] | None = None

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
    """Return the files of a source. Raises OrderlineError where there is no such edition."""
    if source.edition is not None:
        return SourceFiles(await context.desk.editions.files(source.edition))
    return SourceFiles(await asyncio.to_thread(context.desk.directory.read))
