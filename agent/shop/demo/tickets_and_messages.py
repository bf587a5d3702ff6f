"""The demo shop's ticket system and SMS gateway: tickets and messages are stored, none is sent."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Callable

from agent.common.service_error import ServiceError
from agent.shop.demo.database import DemoDatabase
from agent.shop.messages import Message, MessageDraft
from agent.shop.models import Ticket, TicketDraft


class DemoTickets:
    """Implements :class:`agent.shop.protocols.Tickets`; the numbers start at T-1042."""

    def __init__(self, database: DemoDatabase, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._now = now

    async def create(self, draft: TicketDraft, key: str) -> Ticket:
        """Create the ticket, or return the one this key created before. Raises ``ServiceError`` ``unavailable``."""
        created_at = self._now()
        row = await self._database.run(lambda db: _create_ticket(db, draft, key, created_at))
        if row is None:
            raise ServiceError("unavailable", "the ticket was written but cannot be read back", retryable=True)
        return _ticket(row)

    async def find(self, ticket_id: str) -> Ticket:
        """Return a ticket by its id (``T-1042``). Raises ``ServiceError`` ``not_found`` or ``unavailable``."""
        number = ticket_id.removeprefix("T-")
        row = await self._database.run(
            lambda db: db.execute("SELECT * FROM tickets WHERE CAST(number AS TEXT) = ?", (number,)).fetchone()
        )
        if row is None:
            raise ServiceError("not_found", f"there is no ticket {ticket_id!r}")
        return _ticket(row)


class DemoMessages:
    """Implements :class:`agent.shop.protocols.Messages`: messages are written down, not sent."""

    def __init__(self, database: DemoDatabase, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._now = now

    async def send(self, draft: MessageDraft, key: str) -> Message:
        """Write the message down, or return the one this key wrote before."""
        sent_at = self._now().isoformat(timespec="seconds")

        def send(db: sqlite3.Connection) -> sqlite3.Row:
            db.execute(
                "INSERT INTO messages (key, sent_at, phone, template, order_number, text) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (key) DO NOTHING",
                (key, sent_at, draft.phone, draft.template, draft.order_number, draft.text),
            )
            row: sqlite3.Row = db.execute("SELECT * FROM messages WHERE key = ?", (key,)).fetchone()
            return row

        row = await self._database.run(send)
        return Message(f"M-{row['number']}", row["phone"])


def _create_ticket(db: sqlite3.Connection, draft: TicketDraft, key: str, created_at: dt.datetime) -> sqlite3.Row | None:
    # The insert itself refuses a doubled key (two processes); looking first keeps the numbers without gaps.
    found = "SELECT * FROM tickets WHERE key = ?"
    row: sqlite3.Row | None = db.execute(found, (key,)).fetchone()
    if row is None:
        db.execute(
            "INSERT INTO tickets (key, created_at, reason, summary, caller, order_number, verified, priority,"
            " transcript, facts, page) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
            (
                *(key, created_at.isoformat(timespec="seconds"), draft.reason, draft.summary, draft.caller),
                *(draft.order_number, int(draft.verified), draft.priority),
                *(json.dumps(draft.transcript), json.dumps(dict(draft.facts), default=str), draft.page),
            ),
        )
        row = db.execute(found, (key,)).fetchone()
    return row


def _ticket(row: sqlite3.Row) -> Ticket:
    return Ticket(
        id=f"T-{row['number']}",
        created_at=dt.datetime.fromisoformat(row["created_at"]),
        draft=TicketDraft(
            reason=row["reason"],
            summary=row["summary"],
            caller=row["caller"],
            order_number=row["order_number"],
            verified=bool(row["verified"]),
            priority=row["priority"],
            transcript=tuple(json.loads(row["transcript"])),
            facts=json.loads(row["facts"]),
            page=row["page"],
        ),
    )
