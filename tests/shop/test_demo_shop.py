"""The demo shop: a real database, the same for the same seed and day, with the orders everybody counts on."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from operator import ne
from pathlib import Path

import pytest

from agent.common.service_error import ServiceError
from agent.shop.demo import fixed_data, schema
from agent.shop.demo.generator import GENERATED_STATUSES, demo_shop_version, make_demo_shop
from agent.shop.demo.shop import DemoShop, open_demo_shop
from agent.shop.models import TicketDraft

NOW = dt.datetime(2026, 11, 22, 15, 30, tzinfo=dt.UTC)
TODAY = NOW.date()
DRAFT = TicketDraft(reason="caller_asked", summary="Wants to talk to a person about order 10473.")


def at_now() -> dt.datetime:
    return NOW


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[DemoShop]:
    shop = await open_demo_shop(tmp_path, now=at_now)
    yield shop
    await shop.close()


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[sqlite3.Row]]:
    path = tmp_path_factory.mktemp("shop") / "shop.sqlite"
    make_demo_shop(path, today=TODAY)
    return tables(path)


def tables(path: Path) -> dict[str, list[sqlite3.Row]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        names = ("customers", "orders", "items", "parcels")
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}  # noqa: S608


class TestTheOrdersEverybodyCountsOn:
    async def test_the_one_on_its_way_comes_tomorrow_morning(self, shop: DemoShop) -> None:
        order = await shop.orders.find("10473")
        assert (order.status, order.postcode, order.phone) == ("in_transit", "60614", "+12025550143")
        assert order.expected_on == TODAY + dt.timedelta(days=1)
        assert order.expected_window == "09:00-12:00"
        assert [item.name for item in order.items] == ["Brass Desk Lamp", "Stoneware Mug"]
        assert order.total == sum(item.price * item.quantity for item in order.items)

    async def test_the_one_with_two_parcels_is_half_there(self, shop: DemoShop) -> None:
        order = await shop.orders.find("20518")
        assert order.postcode == "94110"
        assert sorted(parcel.status for parcel in order.parcels) == ["delivered", "out_for_delivery"]

    async def test_the_delivered_one_came_yesterday(self, shop: DemoShop) -> None:
        order = await shop.orders.find("10437")
        assert (order.status, order.postcode) == ("delivered", "78701")
        assert order.delivered_on == TODAY - dt.timedelta(days=1)

    async def test_the_delayed_one_says_why(self, shop: DemoShop) -> None:
        order = await shop.orders.find("33944")
        assert (order.status, order.postcode) == ("delayed", "02139")
        assert order.delay_reason

    async def test_the_refunded_one_says_how_much(self, shop: DemoShop) -> None:
        order = await shop.orders.find("97248")
        assert order.status == "refunded"
        assert order.refund_amount is not None
        assert 0 < order.refund_amount < order.total

    async def test_there_is_a_fixed_order_for_every_status(self) -> None:
        assert {plan.status for plan in fixed_data.FIXED_ORDERS} == set(GENERATED_STATUSES)

    async def test_the_documented_table_is_the_truth(self, shop: DemoShop) -> None:
        table = re.findall(
            r"^([A-Z0-9]{5,7})\s+(\w+)\s+(\d{5})\s+([\d-]{12})\s+(\w+ \w+)  ", fixed_data.__doc__ or "", re.M
        )
        assert len(table) == len(fixed_data.FIXED_ORDERS)
        for number, status, postcode, phone, name in table:
            if number in (fixed_data.SLOW, fixed_data.BROKEN):
                continue
            order = await shop.orders.find(number)
            assert (order.status, order.postcode) == (status, postcode)
            assert order.phone == "+1" + phone.replace("-", "")
            assert (await shop.customers.by_phone(order.phone)).name == name

    async def test_the_number_kept_free_for_wrong_numbers_does_not_exist(self, shop: DemoShop) -> None:
        with pytest.raises(ServiceError) as caught:
            await shop.orders.find("10472")
        assert caught.value.code == "not_found"

    async def test_one_wrong_digit_in_a_fixed_number_never_meets_another_order(
        self, rows: dict[str, list[sqlite3.Row]]
    ) -> None:
        numbers = [row["number"] for row in rows["orders"]]
        for plan in fixed_data.FIXED_ORDERS:
            neighbours = [n for n in numbers if len(n) == len(plan.number) and sum(map(ne, n, plan.number)) == 1]
            assert neighbours == []


class TestTheGeneratedOrders:
    def test_there_are_enough_of_every_status(self, rows: dict[str, list[sqlite3.Row]]) -> None:
        assert len(rows["orders"]) >= 300
        assert len(rows["customers"]) == 40
        for status in GENERATED_STATUSES:
            assert sum(row["status"] == status for row in rows["orders"]) >= 20

    def test_people_are_made_up(self, rows: dict[str, list[sqlite3.Row]]) -> None:
        for row in rows["customers"]:
            assert re.fullmatch(r"\+1\d{3}55501\d\d", row["phone"])
            assert row["email"].endswith("@example.com")

    def test_dates_agree_with_the_status(self, rows: dict[str, list[sqlite3.Row]]) -> None:
        today = TODAY.isoformat()
        for row in rows["orders"]:
            assert row["placed_on"] <= today
            if row["status"] in ("shipped", "in_transit", "delayed", "packed", "placed"):
                assert row["expected_on"] > today
            if row["status"] == "out_for_delivery":
                assert row["expected_on"] == today
            if row["status"] in ("delivered", "returned", "refunded"):
                assert row["placed_on"] < row["delivered_on"] <= today
            if row["status"] in ("delayed", "held_at_customs"):
                assert row["delay_reason"]
            if row["status"] == "refunded":
                assert 0 < row["refund_cents"] <= row["total_cents"]

    def test_parcels_never_arrive_before_they_were_ordered(self, rows: dict[str, list[sqlite3.Row]]) -> None:
        placed_on = {row["number"]: row["placed_on"] for row in rows["orders"]}
        for parcel in rows["parcels"]:
            if parcel["delivered_on"]:
                assert placed_on[parcel["order_number"]] <= parcel["delivered_on"] <= TODAY.isoformat()

    def test_every_order_has_items_that_make_its_total(self, rows: dict[str, list[sqlite3.Row]]) -> None:
        for order in rows["orders"]:
            items = [item for item in rows["items"] if item["order_number"] == order["number"]]
            assert items
            assert sum(item["quantity"] * item["price_cents"] for item in items) == order["total_cents"]

    def test_some_orders_come_in_several_parcels(self, rows: dict[str, list[sqlite3.Row]]) -> None:
        parcels = [parcel["order_number"] for parcel in rows["parcels"]]
        assert sum(parcels.count(number) > 1 for number in set(parcels)) >= 10

    async def test_some_customers_have_ordered_once_and_regulars_have_a_history(self, shop: DemoShop) -> None:
        nina = await shop.customers.by_phone("+13035550109")
        maria = await shop.customers.by_phone("+12025550143")
        assert nina.first_order
        assert (maria.first_order, maria.tier, maria.first_name) == (False, "gold", "Maria")
        assert len(await shop.orders.find_by_phone(maria.phone)) == maria.orders_count > 1

    def test_the_same_seed_makes_the_same_shop_and_another_one_another(
        self, rows: dict[str, list[sqlite3.Row]], tmp_path: Path
    ) -> None:
        make_demo_shop(tmp_path / "same.sqlite", today=TODAY)
        make_demo_shop(tmp_path / "other.sqlite", today=TODAY, seed=2)
        plain = {name: [tuple(row) for row in content] for name, content in rows.items()}
        same = {name: [tuple(row) for row in content] for name, content in tables(tmp_path / "same.sqlite").items()}
        other = {name: [tuple(row) for row in content] for name, content in tables(tmp_path / "other.sqlite").items()}
        assert same == plain
        assert other["orders"] != plain["orders"]


class TestKeepingItFresh:
    async def test_tomorrow_stays_tomorrow_the_day_after(self, tmp_path: Path) -> None:
        await (await open_demo_shop(tmp_path, now=at_now)).close()
        later = NOW + dt.timedelta(days=1)
        shop = await open_demo_shop(tmp_path, now=lambda: later)
        order = await shop.orders.find("10473")
        await shop.close()
        assert order.expected_on == later.date() + dt.timedelta(days=1)

    async def test_a_shop_may_be_kept_as_it_is(self, tmp_path: Path) -> None:
        await (await open_demo_shop(tmp_path, now=at_now)).close()
        await (await open_demo_shop(tmp_path, now=lambda: NOW + dt.timedelta(days=9), renew=False)).close()
        made = demo_shop_version(tmp_path / "shop.sqlite")
        assert made is not None
        assert made[2] == TODAY

    async def test_a_file_of_another_version_or_no_database_at_all_is_made_again(self, tmp_path: Path) -> None:
        (tmp_path / "shop.sqlite").write_text("this is no database")
        await (await open_demo_shop(tmp_path, now=at_now, renew=False)).close()
        with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as connection, connection:
            connection.execute("UPDATE made SET version = version + 1")
        await (await open_demo_shop(tmp_path, now=at_now, renew=False)).close()
        made = demo_shop_version(tmp_path / "shop.sqlite")
        assert made is not None
        assert made[0] == schema.SHOP_VERSION

    async def test_an_agent_that_holds_the_old_shop_goes_on_reading_it(self, tmp_path: Path) -> None:
        first = await open_demo_shop(tmp_path, now=at_now)
        await first.orders.find("10473")
        second = await open_demo_shop(tmp_path, now=lambda: NOW + dt.timedelta(days=1))
        old, new = await first.orders.find("10473"), await second.orders.find("10473")
        await first.close()
        await second.close()
        assert old.expected_on == TODAY + dt.timedelta(days=1)
        assert new.expected_on == TODAY + dt.timedelta(days=2)

    def test_making_it_leaves_nothing_else_behind(self, tmp_path: Path) -> None:
        make_demo_shop(tmp_path / "shop.sqlite", today=TODAY)
        assert [path.name for path in tmp_path.iterdir()] == ["shop.sqlite"]

    async def test_a_folder_that_cannot_be_made_is_a_typed_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(ServiceError) as caught:
            await open_demo_shop(tmp_path / "file" / "shop", now=at_now)
        assert caught.value.code == "unavailable"


class TestTickets:
    async def test_numbers_start_at_1042_and_have_no_gaps(self, shop: DemoShop) -> None:
        created = [await shop.tickets.create(DRAFT, key) for key in ("call-1", "call-1", "call-2")]
        assert [ticket.id for ticket in created] == ["T-1042", "T-1042", "T-1043"]

    async def test_a_ticket_can_be_read_back_whole(self, shop: DemoShop) -> None:
        draft = TicketDraft(
            reason="complaint",
            summary="Broken lamp",
            caller="+12025550143",
            order_number="10473",
            verified=True,
            priority=2,
            transcript=("agent: How can I help?", "caller: it is broken"),
            facts={"items": ["lamp"]},
        )
        created = await shop.tickets.create(draft, "call-1")
        assert (await shop.tickets.find(created.id)).draft == draft
        assert created.created_at == NOW

    async def test_the_same_key_gives_the_same_ticket_after_a_restart_and_a_new_day(self, tmp_path: Path) -> None:
        shop = await open_demo_shop(tmp_path, now=at_now)
        first = await shop.tickets.create(DRAFT, "call-1")
        await shop.close()
        shop = await open_demo_shop(tmp_path, now=lambda: NOW + dt.timedelta(days=1))
        again = await shop.tickets.create(TicketDraft(reason="other", summary="other"), "call-1")
        another = await shop.tickets.create(DRAFT, "call-2")
        await shop.close()
        assert again == first
        assert another.id == "T-1043"

    async def test_twenty_calls_at_once_with_two_keys_make_two_tickets(self, tmp_path: Path) -> None:
        nodes = [await open_demo_shop(tmp_path, now=at_now) for _ in range(2)]
        made = await asyncio.gather(*(nodes[n % 2].tickets.create(DRAFT, f"call-{n % 4 // 2}") for n in range(20)))
        for node in nodes:
            await node.close()
        ids = {ticket.id for ticket in made}  # two nodes that write at once may skip a number
        assert len(ids) == 2
        assert "T-1042" in ids

    async def test_a_caller_who_stops_waiting_does_not_stop_the_ticket(self, shop: DemoShop) -> None:
        waiting = asyncio.create_task(shop.tickets.create(DRAFT, "call-1"))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (await shop.tickets.find("T-1042")).draft == DRAFT

    async def test_a_database_another_process_holds_is_unavailable_not_a_crash(
        self, shop: DemoShop, tmp_path: Path
    ) -> None:
        with closing(sqlite3.connect(tmp_path / "tickets.sqlite")) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(ServiceError) as caught:
                await shop.tickets.create(DRAFT, "call-1")
            other.rollback()
        assert (caught.value.code, caught.value.retryable) == ("unavailable", True)
        assert (await shop.tickets.create(DRAFT, "call-1")).id == "T-1042"


async def test_closing_twice_is_harmless_and_a_look_up_after_it_is_a_typed_error(tmp_path: Path) -> None:
    shop = await open_demo_shop(tmp_path, now=at_now)
    await shop.close()
    await shop.close()
    with pytest.raises(ServiceError) as caught:
        await shop.orders.find("10473")
    assert caught.value.code == "unavailable"
