"""The console's JSON API: every operation with the right it needs, published as OpenAPI."""

from __future__ import annotations

from agent.console.api import actions, calls, drafts, drafts_reading, live, people
from agent.console.api.operation import ApiOperation

OPERATIONS: tuple[ApiOperation, ...] = (
    *calls.OPERATIONS,
    *live.OPERATIONS,
    *actions.OPERATIONS,
    *people.OPERATIONS,
    *drafts.OPERATIONS,
    *drafts_reading.OPERATIONS,
)
