"""``orderline demo-shop``: look at the demo shop's files, change an order, make everything again."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TextIO

from agent.errors import OrderlineError
from agent.shop import normalise
from agent.shop.demo import schema
from agent.shop.demo.shop import KEPT_FILE, SHOP_FILE, prepare
from agent.shop.models import ORDER_STATUSES

_DAYS = ("placed_on", "expected_on", "delivered_on")
CHANGEABLE = (
    *("status", *_DAYS, "expected_window", "carrier", "place", "delay_reason", "postcode", "phone", "refund_cents"),
)
"""Columns of an order that ``set`` may change."""


class DemoShopError(OrderlineError):
    """Something was asked of the demo shop that cannot be done."""

    code = "demo_shop"


def _today() -> dt.date:
    return dt.datetime.now().astimezone().date()


@contextmanager
def _opened(directory: Path) -> Iterator[sqlite3.Connection]:
    try:
        prepare(directory, _today(), renew=False)
        with closing(sqlite3.connect(directory / SHOP_FILE)) as db:
            db.row_factory = sqlite3.Row
            db.execute("ATTACH ? AS kept", (str(directory / KEPT_FILE),))
            yield db
    except (OSError, sqlite3.Error) as error:
        raise DemoShopError(f"the demo shop in {directory} cannot be used: {error}") from error


def list_orders(directory: Path, status: str, phone: str, out: TextIO) -> None:
    """Print the orders, newest first: number, status, postcode, phone, customer, items."""
    if status and status not in ORDER_STATUSES:
        raise DemoShopError(f"there is no status {status!r}; there are: {', '.join(ORDER_STATUSES)}")
    wanted = normalise.phone(phone) if phone else ""
    if phone and not wanted:
        raise DemoShopError(f"{phone!r} cannot be a phone number")
    with _opened(directory) as db:
        rows = db.execute(
            """
            SELECT orders.*, name,
                   (SELECT group_concat(items.name, ', ') FROM items WHERE order_number = orders.number) AS goods
            FROM orders JOIN customers ON customers.id = customer_id
            WHERE (? = '' OR status = ?) AND (? = '' OR orders.phone = ?)
            ORDER BY placed_on DESC, number
            """,
            (status, status, wanted, wanted),
        )
        for row in rows:
            owner = f"{row['postcode']}  {row['phone']}  {row['name']:<20}"
            print(f"{row['number']}  {row['status']:<16}  {owner}  {row['goods']}", file=out)


def show_order(directory: Path, number: str, out: TextIO) -> None:
    """Print one order, its items, parcels, returns, changes and searches as JSON."""
    number = normalise.order_number(number)
    with _opened(directory) as db:
        order = _order(db, number)
        tables = ("items", "parcels", "main.returns", "kept.returns", "changes", "cases")
        parts = {
            table: [dict(row) for row in db.execute(f"SELECT * FROM {table} WHERE order_number = ?", (number,))]  # noqa: S608
            for table in tables
        }
        returns = [*parts.pop("main.returns"), *parts.pop("kept.returns")]
        print(json.dumps({**dict(order), **parts, "returns": returns}, indent=2, ensure_ascii=False), file=out)


def change_order(directory: Path, number: str, changes: Sequence[str], out: TextIO) -> None:
    """Change columns of an order (``status=delayed``; an empty value forgets); its parcels change with it."""
    number = normalise.order_number(number)
    values = dict(_change(change) for change in changes)
    with _opened(directory) as db, db:
        _order(db, number)
        columns = ", ".join(f"{name} = :{name}" for name in values)  # names are those of CHANGEABLE
        db.execute(f"UPDATE orders SET {columns} WHERE number = :number", {**values, "number": number})  # noqa: S608
        for name in ("status", "place", "expected_on", "delivered_on"):
            if name in values:
                db.execute(
                    f"UPDATE parcels SET {name} = ? WHERE order_number = ?",  # noqa: S608
                    (values[name], number),
                )
    show_order(directory, number, out)


def reset(directory: Path, out: TextIO) -> None:
    """Make everything again, for today."""
    try:
        with _opened(directory) as db:
            for table in schema.FIRST_NUMBERS:
                db.execute(f"DELETE FROM kept.{table}")  # noqa: S608 - own names
            db.execute("DELETE FROM kept.sqlite_sequence")
            db.commit()
        prepare(directory, _today(), renew=True, again=True)
    except (OSError, sqlite3.Error) as error:
        raise DemoShopError(f"the demo shop in {directory} cannot be made: {error}") from error
    print(
        f"The demo shop in {directory} is as on its first day. A running agent sees the orders after a restart.",
        file=out,
    )


def list_call_data(directory: Path, table: str, out: TextIO) -> None:
    """Print what calls have made, one JSON object a line."""
    with _opened(directory) as db:
        for row in db.execute(f"SELECT * FROM kept.{table} ORDER BY number"):  # noqa: S608 - one of the parser's choices
            print(json.dumps(dict(row), ensure_ascii=False), file=out)


def show_ticket(directory: Path, ticket: str, out: TextIO) -> None:
    """Print a ticket the way the person who takes it reads it."""
    number = ticket.upper().removeprefix("T-")
    with _opened(directory) as db:
        row = db.execute("SELECT * FROM kept.tickets WHERE CAST(number AS TEXT) = ?", (number,)).fetchone()
        if row is None:
            raise DemoShopError(f"the demo shop has no ticket {ticket}")
        print(f"T-{row['number']}, {row['created_at']}, priority {row['priority']}\n", file=out)
        print(row["page"].rstrip() or row["summary"], file=out)


def _order(db: sqlite3.Connection, number: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute("SELECT * FROM orders WHERE number = ?", (number,)).fetchone()
    if row is None:
        raise DemoShopError(f"the demo shop has no order {number}")
    return row


def _change(change: str) -> tuple[str, str | None]:
    name, equals, value = change.partition("=")
    if not equals or name not in CHANGEABLE:
        raise DemoShopError(f"{change!r} must be COLUMN=VALUE with one of: {', '.join(CHANGEABLE)}")
    if name == "status" and value not in ORDER_STATUSES:
        raise DemoShopError(f"there is no status {value!r}; there are: {', '.join(ORDER_STATUSES)}")
    if name in _DAYS and value:
        try:
            dt.date.fromisoformat(value)
        except ValueError:
            raise DemoShopError(f"{name} must be a day like 2026-12-24, got {value!r}") from None
    if name == "refund_cents" and value and not value.isdigit():
        raise DemoShopError(f"refund_cents must be a whole number of cents, got {value!r}")
    return name, value or None
