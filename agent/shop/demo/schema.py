"""Tables of the demo shop: ``shop.sqlite`` can be made again at any time, ``tickets.sqlite`` keeps what calls made."""

from __future__ import annotations

SHOP_VERSION = 4
"""Raise it with every change of ``SHOP`` or of the generator: files of another version are made again."""

SHOP = """
CREATE TABLE made (version INTEGER NOT NULL, seed INTEGER NOT NULL, today TEXT NOT NULL);
CREATE TABLE customers (
    id       TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    phone    TEXT NOT NULL UNIQUE,   -- E.164
    email    TEXT NOT NULL,
    city     TEXT NOT NULL,
    postcode TEXT NOT NULL,
    tier     TEXT NOT NULL,
    points   INTEGER NOT NULL
);
CREATE TABLE orders (
    number          TEXT PRIMARY KEY,
    customer_id     TEXT NOT NULL REFERENCES customers (id),
    status          TEXT NOT NULL,
    placed_on       TEXT NOT NULL,
    currency        TEXT NOT NULL,
    total_cents     INTEGER NOT NULL,
    refund_cents    INTEGER,
    postcode        TEXT NOT NULL,
    phone           TEXT NOT NULL,
    expected_on     TEXT,
    expected_window TEXT,
    delivered_on    TEXT,
    carrier         TEXT,
    place           TEXT,
    delay_reason    TEXT
);
CREATE INDEX orders_by_phone ON orders (phone, placed_on);
CREATE INDEX orders_by_customer ON orders (customer_id);
CREATE TABLE items (
    order_number TEXT NOT NULL REFERENCES orders (number),
    position     INTEGER NOT NULL,
    sku          TEXT NOT NULL,
    name         TEXT NOT NULL,
    quantity     INTEGER NOT NULL,
    price_cents  INTEGER NOT NULL,
    PRIMARY KEY (order_number, position)
);
CREATE TABLE parcels (
    number       TEXT PRIMARY KEY,
    order_number TEXT NOT NULL REFERENCES orders (number),
    status       TEXT NOT NULL,
    carrier      TEXT NOT NULL,
    place        TEXT,
    expected_on  TEXT,
    delivered_on TEXT,
    left_at      TEXT
);
CREATE INDEX parcels_by_order ON parcels (order_number);
CREATE TABLE returns (
    number       INTEGER PRIMARY KEY,
    order_number TEXT NOT NULL REFERENCES orders (number),
    sku          TEXT NOT NULL,
    item         TEXT NOT NULL,
    reason       TEXT NOT NULL,
    condition    TEXT NOT NULL,
    route        TEXT NOT NULL,
    refund       TEXT NOT NULL,
    state        TEXT NOT NULL,
    created_on   TEXT NOT NULL,
    updated_on   TEXT NOT NULL,
    amount_cents INTEGER NOT NULL,
    currency     TEXT NOT NULL
);
CREATE INDEX returns_by_order ON returns (order_number);
CREATE TABLE used_promotions (
    customer_id TEXT NOT NULL REFERENCES customers (id),
    promotion   TEXT NOT NULL,
    PRIMARY KEY (customer_id, promotion)
);
CREATE TABLE streets (
    postcode TEXT NOT NULL,
    city     TEXT NOT NULL,
    street   TEXT NOT NULL,
    PRIMARY KEY (postcode, street)
);
"""

FIRST_NUMBERS = {
    "tickets": 1042,
    "returns": 2101,
    "changes": 3001,
    "cases": 5001,
    "messages": 1,
    "order_changes": 7001,
    "delivery_notes": 8001,
}
"""What the first one a call makes is numbered."""

ADDED = {("tickets", "page"): "TEXT NOT NULL DEFAULT ''"}
"""Columns that files of earlier versions lack: (table, column) -> its type."""

TICKETS_SCHEMA = """
CREATE TABLE IF NOT EXISTS tickets (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    key          TEXT NOT NULL UNIQUE,
    created_at   TEXT NOT NULL,
    reason       TEXT NOT NULL,
    summary      TEXT NOT NULL,
    caller       TEXT NOT NULL,
    order_number TEXT NOT NULL,
    verified     INTEGER NOT NULL,
    priority     INTEGER NOT NULL,
    transcript   TEXT NOT NULL,   -- JSON list of lines
    facts        TEXT NOT NULL,   -- JSON object
    page         TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS returns (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    key          TEXT NOT NULL UNIQUE,
    made_on      TEXT NOT NULL,   -- day of the shop it belongs to: orders are made again every day
    order_number TEXT NOT NULL,
    sku          TEXT NOT NULL,
    item         TEXT NOT NULL,
    reason       TEXT NOT NULL,
    condition    TEXT NOT NULL,
    route        TEXT NOT NULL,
    refund       TEXT NOT NULL,
    state        TEXT NOT NULL,
    created_on   TEXT NOT NULL,
    updated_on   TEXT NOT NULL,
    amount_cents INTEGER NOT NULL,
    currency     TEXT NOT NULL,
    note         TEXT NOT NULL,
    UNIQUE (made_on, order_number, sku)
);
CREATE TABLE IF NOT EXISTS changes (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    key          TEXT NOT NULL UNIQUE,
    made_on      TEXT NOT NULL,
    order_number TEXT NOT NULL,
    house        TEXT,            -- a new address, or
    street       TEXT,
    city         TEXT,
    postcode     TEXT,
    day          TEXT,            -- a new day
    day_window   TEXT
);
CREATE INDEX IF NOT EXISTS changes_by_order ON changes (order_number);
CREATE TABLE IF NOT EXISTS order_changes (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    key          TEXT NOT NULL UNIQUE,
    made_on      TEXT NOT NULL,
    order_number TEXT NOT NULL,
    kind         TEXT NOT NULL,   -- cancel, remove, quantity or option
    line         TEXT NOT NULL,
    item         TEXT NOT NULL,
    quantity     INTEGER,
    option       TEXT NOT NULL,
    back_cents   INTEGER          -- what goes back; nothing was paid, or nothing is less
);
CREATE INDEX IF NOT EXISTS order_changes_by_order ON order_changes (order_number);
CREATE TABLE IF NOT EXISTS delivery_notes (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    key          TEXT NOT NULL UNIQUE,
    made_on      TEXT NOT NULL,
    order_number TEXT NOT NULL,
    note         TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS cases (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    key          TEXT NOT NULL UNIQUE,
    made_on      TEXT NOT NULL,
    order_number TEXT NOT NULL,
    note         TEXT NOT NULL,
    answer_by    TEXT NOT NULL,
    UNIQUE (made_on, order_number)
);
CREATE TABLE IF NOT EXISTS messages (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    key          TEXT NOT NULL UNIQUE,
    sent_at      TEXT NOT NULL,
    phone        TEXT NOT NULL,
    template     TEXT NOT NULL,
    order_number TEXT NOT NULL,
    text         TEXT NOT NULL
);
"""
