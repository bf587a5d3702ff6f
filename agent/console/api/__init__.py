"""The console's JSON API: every operation with the right it needs, published as OpenAPI."""

from __future__ import annotations

from agent.console.api import (
    actions,
    calls,
    draft_publication,
    drafts,
    drafts_reading,
    live,
    outbound,
    people,
    publications,
    simulations,
    teaching,
)
from agent.console.api.operation import ApiOperation

OPERATIONS: tuple[ApiOperation, ...] = (
    *calls.OPERATIONS,
    *live.OPERATIONS,
    *actions.OPERATIONS,
    *outbound.OPERATIONS,
    *people.OPERATIONS,
    *simulations.OPERATIONS,
    *publications.OPERATIONS,
    *teaching.OPERATIONS,
    *drafts.OPERATIONS,
    *drafts_reading.OPERATIONS,
    *draft_publication.OPERATIONS,
)
