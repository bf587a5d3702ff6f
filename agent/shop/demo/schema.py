"""Tables of the demo shop: the shop's file can be made again at any time, the tickets' file is kept."""

from __future__ import annotations

SHOP_VERSION = 1
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
"""

FIRST_TICKET = 1042

TICKETS = """
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
    facts        TEXT NOT NULL    -- JSON object
);
"""
