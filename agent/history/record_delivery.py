"""Sends finished records from one node's outbox to PostgreSQL: at least once, and a record that comes twice is one row.

The agent does no more than that for it; the index is made by whoever reads (:mod:`agent.history.indexer`).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import psycopg

from agent.common.untrusted import storable
from agent.errors import OrderlineError
from agent.history.addresses import CONNECT_SECONDS, SCHEMA, UPSERT, first_line, without_password
from agent.records.delivery import Deliverer, DeliveryFailed
from agent.records.outbox_sql import NewOutboxEntry, OutboxEntry

log = logging.getLogger(__name__)

LANE = "records"
ANSWER_SECONDS = 10.0
"""A PostgreSQL that takes longer counts as gone."""

GetRecord = Callable[[str], Awaitable[Mapping[str, Any] | None]]
"""``get(call_id)``: the record as it is stored now; None where it was deleted."""


def entries_of_record(record: Mapping[str, Any], over: bool) -> list[NewOutboxEntry]:
    """Return the outbox entry that sends a redacted record, nothing while its call goes on.

    It holds no more than the call's id: what is sent is what is stored by then, or nothing once that was deleted. The
    key differs for a record that was changed.
    """
    if not over:
        return []
    digest = hashlib.blake2b(json.dumps(record, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()
    call_id = str(record["id"])
    return [NewOutboxEntry("record", f"record:{call_id}:{digest}", {}, call_id, LANE)]


class RecordSender:
    """One connection to PostgreSQL, made when there is something to send. Close it."""

    def __init__(self, url: str, get: GetRecord, node: Callable[[], Awaitable[str]]) -> None:
        """``node`` gives this node's name."""
        self._url = url
        self._where = without_password(url)
        self._get = get
        self._node = node
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._one_at_a_time = asyncio.Lock()
        self.problem = ""
        """Why records do not reach PostgreSQL just now; ``""`` while they do."""

    def deliverers(self) -> Mapping[str, Deliverer]:
        """Return who delivers, by lane."""
        return {LANE: self.deliver}

    async def deliver(self, entry: OutboxEntry) -> Sequence[NewOutboxEntry]:
        """Send the record of an entry. Raises :class:`DeliveryFailed`."""
        try:
            record = await self._get(entry.call_id)
            node = await self._node()
        except OrderlineError as error:
            raise DeliveryFailed(error.message) from error
        if record is None:
            return ()
        row = {
            **{name: storable(str(record.get(name) or "")) for name in ("id", "started_at")},
            "node": node,
            "record": json.dumps(record),
        }
        async with self._one_at_a_time:
            await self._send(row)
        return ()

    async def close(self) -> None:
        """Close the connection; idempotent."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error, OSError):
                await connection.close()

    async def _send(self, row: Mapping[str, str]) -> None:
        sent = False
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                connection = await self._connected()
                await connection.execute(UPSERT, row)
            sent = True
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            sent = True  # the connection is well; this record is not
            raise DeliveryFailed(f"{self._where}: {first_line(error)}", final=True) from error
        except (psycopg.Error, OrderlineError, OSError, TimeoutError) as error:
            self.problem = f"{self._where}: {first_line(error) or 'no answer'}"
            raise DeliveryFailed(self.problem, lane_down=True) from error
        finally:
            if not sent:  # also when this was cancelled: nobody knows what the connection is doing
                await self.close()
        self.problem = ""

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None:
            await asyncio.to_thread(_prepare, self._url)
            self._connection = await psycopg.AsyncConnection.connect(
                self._url,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                application_name="orderline",
                options=f"-c search_path={SCHEMA} -c statement_timeout={int(ANSWER_SECONDS * 1000)}",
            )
        return self._connection


def _prepare(url: str) -> None:
    from agent.history.shared import (
        SharedHistory,  # takes a third of a second, and a node without records.url needs none
    )

    shared = SharedHistory(url)
    try:
        shared.prepare()
    finally:
        shared.close()
