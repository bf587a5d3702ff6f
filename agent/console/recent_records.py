"""The records of a period's latest finished calls, as a person may see them: for what no index answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from agent.console.call_query import CallQuery
from agent.console.context import ConsoleContext
from agent.console.numbers import without_numbers
from agent.console.rights import ConsolePerson, Right

MOST_CALLS = 600
"""The latest ones are looked at: their records are read whole."""
_AT_ONCE = 200


async def recent_records(
    context: ConsoleContext, person: ConsolePerson, period: Mapping[str, str]
) -> tuple[list[Mapping[str, Any]], bool]:
    """Return records of the latest calls between ``from`` and ``to``, and whether there were more of them."""
    query = CallQuery.model_validate({**period, "limit": _AT_ONCE})
    records: list[Mapping[str, Any]] = []
    more = True
    while more and len(records) < MOST_CALLS:
        found = await context.calls.find(query, person)
        ids = [line.id for line in found.lines]
        part = await asyncio.to_thread(context.history.index.records, ids)
        records += [record if person.may(Right.NUMBERS) else without_numbers(record) for record in part.values()]
        query, more = query.model_copy(update={"after": found.next}), bool(found.next)
    return records, more
