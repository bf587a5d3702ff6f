"""Make the demo shop's database: the fixed orders and a few hundred seeded ones, the same for the same seed and day."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import random
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.shop.demo import schema
from agent.shop.demo.database import connect
from agent.shop.demo.fixed_data import (
    CATALOGUE,
    EXTRA_CITIES,
    FIXED_CUSTOMERS,
    FIXED_ORDERS,
    FIXED_RETURNS,
    STREET_NAMES,
    STREETS_PER_POSTCODE,
    CustomerSpec,
    OrderSpec,
    ParcelSpec,
    ReturnSpec,
    is_reserved_number,
)
from agent.shop.models import OrderStatus

SEED = 1
CUSTOMER_COUNT = 40
ORDER_COUNT = 320
GENERATED_STATUSES: tuple[OrderStatus, ...] = (
    *("placed", "awaiting_payment", "packed", "shipped", "in_transit", "out_for_delivery", "delivered", "delayed"),
    *("held_at_customs", "cancelled", "returned", "refunded"),
)
"""Every order of a day has one of these; the rarer ones are to be had with ``orderline demo-shop set``."""

_FIRST_NAMES = (
    *("Anna", "Brian", "Carla", "Daniel", "Elena", "Frank", "Hannah", "Ian", "Jasmine", "Kevin", "Laura", "Miguel"),
    *("Nora", "Oscar", "Paula", "Quentin", "Rachel", "Simon", "Tara", "Victor", "Wendy", "Xavier", "Yara", "Zoe"),
    *("Ben", "Diana"),
)
_LAST_NAMES = (
    *("Abbott", "Bishop", "Castillo", "Dalton", "Ellis", "Fischer", "Garner", "Hughes", "Ibrahim", "Jensen", "Keller"),
    *("Lambert", "Mercer", "Nolan", "Osborne", "Parrish", "Quinn", "Ramsey", "Sato", "Thornton", "Underhill", "Vance"),
    *("Whitaker", "Yates", "Zimmer", "Okafor"),
)
_PLACES = (
    ("Boston", "02108", "617"),
    ("Chicago", "60611", "312"),
    ("Dallas", "75201", "214"),
    ("Houston", "77002", "713"),
    ("Los Angeles", "90012", "213"),
    ("San Diego", "92101", "619"),
    ("Saint Louis", "63101", "314"),
    ("Columbus", "43215", "614"),
    ("Richmond", "23219", "804"),
    ("Baltimore", "21201", "410"),
    ("Kansas City", "64106", "816"),
    ("Salt Lake City", "84101", "801"),
    ("New Orleans", "70112", "504"),
    ("Washington", "20002", "202"),
)
_HUBS = ("Memphis", "Louisville", "Indianapolis", "Oakland", "Newark", "Dallas", "Ontario")
_CARRIERS = ("UPS", "FedEx", "USPS", "DHL")
_WINDOWS = ("09:00-12:00", "12:00-15:00", "13:00-17:00", "17:00-20:00", None)
_LEFT_AT = ("front porch", "mailbox", "front desk", "with a neighbor", "side door", "parcel locker")
_DELAYS = (
    "a winter storm at the Memphis hub",
    "a missed connection in Indianapolis",
    "WEATHER DELAY / MEMPHIS HUB",
    "Carrier & hub capacity",
    "a damaged address label",
    "a truck that broke down near Dallas",
)
_CUSTOMS = ("customs is waiting for the invoice", "duties are not yet paid", "a random customs inspection")


def make_demo_shop(path: Path, *, today: dt.date, seed: int = SEED) -> None:
    """Write a fresh demo shop to ``path``, replacing what is there; whole or not at all.

    Raises ``OSError`` or ``sqlite3.Error`` when it cannot be written; an older file then stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    draft = Path(name)
    try:
        _fill(draft, today, seed)
        # The old file's log must not be taken for the new file's.
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        draft.replace(path)
    finally:
        for leftover in (draft, *(draft.with_name(draft.name + suffix) for suffix in ("-wal", "-shm"))):
            leftover.unlink(missing_ok=True)


def demo_shop_version(path: Path) -> tuple[int, int, dt.date] | None:
    """Return schema version, seed and day of the shop at ``path``; None when there is none that can be read."""
    if not path.exists():
        return None
    try:
        connection = connect(path)
    except sqlite3.Error:
        return None
    try:
        row = connection.execute("SELECT version, seed, today FROM made").fetchone()
        return None if row is None else (row["version"], row["seed"], dt.date.fromisoformat(row["today"]))
    except (sqlite3.Error, ValueError):
        return None
    finally:
        connection.close()


def _fill(path: Path, today: dt.date, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - made-up orders, no secret
    people = [*FIXED_CUSTOMERS, *_generated_customers(chance, CUSTOMER_COUNT - len(FIXED_CUSTOMERS))]
    connection = connect(path)
    try:
        with connection:
            connection.executescript(schema.SHOP)
            connection.execute("INSERT INTO made VALUES (?, ?, ?)", (schema.SHOP_VERSION, seed, today.isoformat()))
            connection.executemany(
                "INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (_customer_id(who), who.name, who.phone, _email(who), who.city, who.postcode, who.tier, who.points)
                    for who in people
                ],
            )
            tracking = (f"1Z{n:010d}" for n in itertools.count(chance.randrange(10**9)))
            plans = (*FIXED_ORDERS, *_generated_orders(chance, people, ORDER_COUNT - len(FIXED_ORDERS)))
            for plan in plans:
                _insert(connection, plan, today, tracking)
            for sent_back in (*FIXED_RETURNS, *_generated_returns(plans, FIXED_RETURNS[-1].number + 1)):
                _insert_return(connection, sent_back, today)
            _insert_used_promotions(connection)
            _insert_streets(connection, people)
    finally:
        connection.close()


def _insert(connection: sqlite3.Connection, plan: OrderSpec, today: dt.date, tracking: Iterator[str]) -> None:
    def day(offset: int | None) -> str | None:
        return None if offset is None else (today + dt.timedelta(days=offset)).isoformat()

    prices = [CATALOGUE[sku][1] * quantity for sku, quantity in plan.lines]
    connection.execute(
        "INSERT INTO orders VALUES (?, ?, ?, ?, 'USD', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(plan.number, _customer_id(plan.person), plan.status, day(plan.placed_in), sum(prices)),
            *(sum(prices[: plan.refunded_lines]) or None, plan.person.postcode, plan.person.phone),
            *(day(plan.expected_in), plan.expected_window, day(plan.delivered_in)),
            *(plan.carrier, plan.place, plan.delay_reason),
        ),
    )
    connection.executemany(
        "INSERT INTO items VALUES (?, ?, ?, ?, ?, ?)",
        [
            (plan.number, position, sku, CATALOGUE[sku][0], quantity, CATALOGUE[sku][1])
            for position, (sku, quantity) in enumerate(plan.lines)
        ],
    )
    connection.executemany(
        "INSERT INTO parcels VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *(next(tracking), plan.number, box.status, plan.carrier or "USPS", box.place),
                *(day(box.expected_in), day(box.delivered_in), box.left_at),
            )
            for box in plan.boxes
        ],
    )


def _insert_return(connection: sqlite3.Connection, sent: ReturnSpec, today: dt.date) -> None:
    created, updated = (today + dt.timedelta(days=offset) for offset in (sent.created_in, sent.updated_in))
    connection.execute(
        "INSERT INTO returns SELECT ?, order_number, sku, name, ?, ?, ?, ?, ?, ?, ?, quantity * price_cents, 'USD'"
        " FROM items WHERE order_number = ? AND sku = ?",
        (
            *(sent.number, sent.reason, sent.condition, sent.route, sent.refund, sent.state),
            *(created.isoformat(), updated.isoformat(), sent.order_number, sent.sku),
        ),
    )


def _generated_returns(plans: tuple[OrderSpec, ...], first: int) -> Iterator[ReturnSpec]:
    numbers = itertools.count(first)
    for plan in plans[len(FIXED_ORDERS) :]:
        if plan.status not in ("returned", "refunded") or plan.delivered_in is None:
            continue
        paid = plan.status == "refunded"
        for sku, _ in plan.lines[: plan.refunded_lines if paid else None]:
            state, updated = ("refunded", plan.delivered_in // 4) if paid else ("received", -1)
            yield ReturnSpec(
                *(next(numbers), plan.number, sku, "changed_mind", "opened", "label", "original", state),
                *(plan.delivered_in + 3, updated),
            )


def _insert_used_promotions(connection: sqlite3.Connection) -> None:
    # Whoever has ordered more than once has had the welcome discount, and the gold tier its gift.
    connection.execute(
        "INSERT INTO used_promotions SELECT customer_id, 'welcome' FROM orders GROUP BY customer_id HAVING count(*) > 1"
    )
    connection.execute("INSERT INTO used_promotions SELECT id, 'birthday' FROM customers WHERE tier = 'gold'")


def _insert_streets(connection: sqlite3.Connection, people: list[CustomerSpec]) -> None:
    places = {postcode: city for city, postcode, _ in _PLACES}
    places |= {postcode: city for city, postcode in EXTRA_CITIES}
    places |= {person.postcode: person.city for person in people}
    for postcode, city in sorted(places.items()):
        # not the generator's own chance: a new street must not change the orders
        names = random.Random(postcode).sample(STREET_NAMES[1:], STREETS_PER_POSTCODE - 1)  # noqa: S311
        connection.executemany(
            "INSERT INTO streets VALUES (?, ?, ?)", [(postcode, city, name) for name in (STREET_NAMES[0], *names)]
        )


def _generated_customers(chance: random.Random, count: int) -> list[CustomerSpec]:
    names = list(zip(chance.sample(_FIRST_NAMES, count), chance.sample(_LAST_NAMES, count), strict=True))
    people = []
    for n, (first, last) in enumerate(names):
        city, postcode, area = chance.choice(_PLACES)
        tier, points = chance.choice((("none", 40), ("none", 210), ("silver", 560), ("gold", 1700)))
        # 555-0100 to 555-0199 are kept for fiction; the fixed people have the lower ones.
        phone = f"+1{area}55501{65 + n:02d}"
        people.append(CustomerSpec(f"{first} {last}", phone, city, postcode, tier, points + chance.randrange(90)))
    return people


def _generated_orders(chance: random.Random, people: list[CustomerSpec], count: int) -> Iterator[OrderSpec]:
    numbers = _free_numbers(chance, count)
    # Fixed people with a tier have ordered before, long ago: their fixed order stays the one a call is about.
    for person in (person for person in FIXED_CUSTOMERS if person.tier != "none"):
        yield _plan(chance, next(numbers), person, "delivered", long_ago=True)
    *regulars, _, _, _, _, _ = people[len(FIXED_CUSTOMERS) :]
    newcomers = people[-5:]
    for n, number in enumerate(numbers):
        # Newcomers keep the one order they get here: their first.
        person = newcomers[n] if n < len(newcomers) else chance.choice(regulars)
        yield _plan(chance, number, person, GENERATED_STATUSES[n % len(GENERATED_STATUSES)])


def _free_numbers(chance: random.Random, count: int) -> Iterator[str]:
    taken: set[str] = set()
    while len(taken) < count:
        number = str(chance.randrange(10000, 100000))
        if number not in taken and not is_reserved_number(number):
            taken.add(number)
            yield number


def _plan(
    chance: random.Random, number: str, person: CustomerSpec, status: OrderStatus, *, long_ago: bool = False
) -> OrderSpec:
    lines = tuple(
        (sku, chance.choice((1, 1, 1, 2, 3))) for sku in chance.sample(sorted(CATALOGUE), chance.randint(1, 3))
    )
    carrier, hub = chance.choice(_CARRIERS), chance.choice(_HUBS)
    window, left_at = chance.choice(_WINDOWS), chance.choice(_LEFT_AT)
    several = len(lines) > 1 and chance.random() < 0.35

    def order(placed_in: int, **more: Any) -> OrderSpec:
        return OrderSpec(number, person, status, placed_in, lines, **more)

    def moving(placed_in: int, expected_in: int, place: str, **more: Any) -> OrderSpec:
        boxes: tuple[ParcelSpec, ...] = (ParcelSpec(status, place, expected_in=expected_in),)
        if several:
            arrived = max(placed_in + 2, -2)
            boxes = (ParcelSpec("delivered", person.city, arrived, arrived, left_at), *boxes)
        return order(placed_in, boxes=boxes, carrier=carrier, place=place, expected_in=expected_in, **more)

    def arrived(days_ago: int, box_status: OrderStatus, **more: Any) -> OrderSpec:
        boxes = (ParcelSpec(box_status, person.city, -days_ago, -days_ago, left_at),) * (2 if several else 1)
        placed_in = -days_ago - chance.randint(2, 7)
        return order(placed_in, boxes=boxes, carrier=carrier, place=person.city, delivered_in=-days_ago, **more)

    match status:
        case "placed":
            return order(-chance.randint(0, 1), expected_in=chance.randint(3, 7))
        case "awaiting_payment":
            return order(-chance.randint(1, 5))
        case "packed":
            return order(-chance.randint(1, 2), carrier=carrier, expected_in=chance.randint(2, 5))
        case "shipped":
            return moving(-chance.randint(2, 4), chance.randint(2, 4), hub)
        case "in_transit":
            return moving(-chance.randint(3, 6), chance.randint(1, 3), hub, expected_window=window)
        case "out_for_delivery":
            return moving(-chance.randint(4, 7), 0, person.city, expected_window=window)
        case "delivered":
            return arrived(chance.randint(50, 120) if long_ago else chance.randint(0, 40), "delivered")
        case "delayed":
            return moving(-chance.randint(6, 12), chance.randint(1, 6), hub, delay_reason=chance.choice(_DELAYS))
        case "held_at_customs":
            boxes = (ParcelSpec(status, hub),)
            reason = chance.choice(_CUSTOMS)
            return order(-chance.randint(8, 16), boxes=boxes, carrier="DHL", place=hub, delay_reason=reason)
        case "cancelled":
            return order(-chance.randint(1, 30))
        case "returned":
            return arrived(chance.randint(8, 30), "returned")
        case "refunded":
            return arrived(chance.randint(12, 45), "delivered", refunded_lines=chance.randint(1, len(lines)))
        case _:
            return order(-chance.randint(1, 5))


def _customer_id(person: CustomerSpec) -> str:
    return "C-" + person.phone[2:]


def _email(person: CustomerSpec) -> str:
    return person.name.lower().replace(" ", ".") + "@example.com"
