"""The demo shop's returns: those it was made with and those that calls have opened."""

from __future__ import annotations

import asyncio
import datetime as dt
import sqlite3
from decimal import Decimal

from agent.shop.demo import fixed_data
from agent.shop.demo.database import DemoDatabase
from agent.shop.models import Order
from agent.shop.refusal import Refusal
from agent.shop.returns import Return, ReturnDraft, line_amount, order_line

_COLUMNS = (
    "number, order_number, sku, item, reason, condition, route, refund, state, created_on, updated_on,"
    " amount_cents, currency"
)
_OF_ORDER = (
    f"SELECT {_COLUMNS}, '' AS key FROM main.returns WHERE order_number = :number"  # noqa: S608 - own columns
    f" UNION ALL SELECT {_COLUMNS}, key FROM kept.returns"
    " WHERE order_number = :number AND made_on = (SELECT today FROM made)"
    " ORDER BY created_on DESC, number DESC"
)


class DemoReturns:
    """Implements :class:`agent.shop.protocols.Returns`."""

    def __init__(self, database: DemoDatabase) -> None:
        self._database = database

    async def of_order(self, number: str, order_id: str = "") -> tuple[Return, ...]:
        """Return the returns of an order, newest first; the demo shop has no other id than the number."""
        rows = await self._database.run(lambda db: db.execute(_OF_ORDER, {"number": number}).fetchall())
        return tuple(_return(row) for row in rows)

    async def create(self, draft: ReturnDraft, order: Order, line: str, on: dt.date, key: str) -> Return:
        """Open a return, or return the one this key has opened. Raises ``not_allowed`` (``return_exists``)."""
        item = order_line(order, line)
        # one of its lines is told from the others by this column
        sku = item.sku or line
        cents = int((line_amount(item) or 0) * 100)

        def create(db: sqlite3.Connection) -> sqlite3.Row | None:
            # one statement decides, so that two calls at once cannot both open one
            db.execute(
                "INSERT INTO kept.returns (key, made_on, order_number, sku, item, reason, condition, route, refund,"
                " state, created_on, updated_on, amount_cents, currency, note)"
                " SELECT ?, today, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?, ?, ?, ? FROM made"
                " WHERE NOT EXISTS (SELECT 1 FROM main.returns WHERE order_number = ? AND sku = ?)"
                " ON CONFLICT DO NOTHING",
                (
                    *(key, order.number, sku, item.name, draft.reason, draft.condition, draft.route, draft.refund),
                    *(on.isoformat(), on.isoformat(), cents, order.currency, draft.note, order.number, sku),
                ),
            )
            row: sqlite3.Row | None = db.execute("SELECT * FROM kept.returns WHERE key = ?", (key,)).fetchone()
            return row

        row = await self._database.run(create)
        if order.number == fixed_data.SILENT:
            await asyncio.sleep(fixed_data.SLOW_SECONDS)
        if row is None:
            raise Refusal("return_exists", "there is a return for this item already")
        return _return(row)


def _return(row: sqlite3.Row) -> Return:
    return Return(
        number=f"R-{row['number']}",
        order_number=row["order_number"],
        sku=row["sku"],
        item=row["item"],
        reason=row["reason"],
        condition=row["condition"],
        route=row["route"],
        refund=row["refund"],
        state=row["state"],
        created_on=dt.date.fromisoformat(row["created_on"]),
        updated_on=dt.date.fromisoformat(row["updated_on"]),
        amount=Decimal(row["amount_cents"]) / 100,
        currency=row["currency"],
        key=row["key"],
    )
