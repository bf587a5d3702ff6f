"""Which lines of an order a return is of, and where its money is."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from agent.shop.models import Order, OrderItem, line_keys
from agent.shop.policy import Policy
from agent.shop.returns import Return, ReturnedLine, ReturnState, eligibility, refund_of

TODAY = dt.date(2026, 11, 24)
MUG, SCARF = OrderItem("", "Mug", 1, Decimal(20)), OrderItem("", "Scarf", 1, Decimal(60))


def order(*items: OrderItem, status: str = "delivered", refunded: str | None = "0", **days: dt.date | None) -> Order:
    known = {"placed_on": dt.date(2026, 11, 10), "delivered_on": dt.date(2026, 11, 15), **days}
    amount = None if refunded is None else Decimal(refunded)
    return Order(
        "1",
        status,
        currency="USD",
        total=Decimal(80),
        postcode="",
        phone="",
        items=items,
        refund_amount=amount,
        **known,
    )  # type: ignore[arg-type] # made-up statuses and days


def back(*lines: ReturnedLine, state: ReturnState = "refunded", amount: str | None = "20") -> Return:
    money = None if amount is None else Decimal(amount)
    return Return(
        *("R-1", "1", "", "Mug", "changed_mind", "", "", "original", state),
        *(dt.date(2026, 11, 16), dt.date(2026, 11, 20), money, "USD", "", lines),
    )


def allowed(found: Order, *returns: Return) -> list[bool]:
    return [not line.refusal for line in eligibility(found, Policy(), returns, TODAY).items]


class TestKeys:
    @pytest.mark.parametrize(
        ("items", "keys"),
        [
            ((MUG, SCARF), ("Mug", "Scarf")),
            ((OrderItem("A", "Mug", 1, None), OrderItem("A", "Cup", 1, None)), ("Mug", "Cup")),
            ((OrderItem("A", "Mug", 1, None), OrderItem("B", "Mug", 1, None)), ("A", "B")),
            ((OrderItem("A", "Mug", 1, None), OrderItem("A", "Mug", 1, None)), ("line 1", "line 2")),
            ((OrderItem("A", "Mug", 1, None, "7"), OrderItem("A", "Mug", 1, None, "8")), ("7", "8")),
            ((OrderItem("", "", 1, None), MUG), ("line 1", "Mug")),
        ],
    )
    def test_each_line_has_one_of_its_own(self, items: tuple[OrderItem, ...], keys: tuple[str, ...]) -> None:
        assert line_keys(items) == keys


class TestWhichLine:
    def test_without_a_sku_it_is_the_one_with_the_name(self) -> None:
        assert allowed(order(MUG, SCARF), back()) == [False, True]

    def test_the_systems_own_id_decides_before_the_name(self) -> None:
        twins = OrderItem("S", "Sock", 1, None, "7"), OrderItem("S", "Sock", 1, None, "8")
        assert allowed(order(*twins), back(ReturnedLine("8", "S", "Sock"))) == [True, False]

    def test_one_return_of_twins_leaves_the_other(self) -> None:
        twins = OrderItem("S", "Sock", 1, None), OrderItem("S", "Sock", 1, None)
        assert allowed(order(*twins), back(ReturnedLine("", "S", "Sock"))) == [False, True]

    def test_a_return_of_nothing_that_can_be_told_blocks_no_line(self) -> None:
        assert allowed(order(MUG, SCARF), back(ReturnedLine("", "", ""))) == [True, True]


class TestMoney:
    @pytest.mark.parametrize(
        ("refunded", "returns", "state", "amount"),
        [
            ("0", (), "none", None),
            (None, (), "unknown", None),
            ("0", None, "unknown", None),
            ("12", (), "sent", Decimal(12)),
            ("12", None, "sent", Decimal(12)),
            ("12", (back(state="closed", amount=None),), "sent", Decimal(12)),
            ("0", (back(state="closed"),), "unknown", None),
            ("0", (back(state="unknown"),), "unknown", None),
            ("0", (back(state="requested"),), "waiting_for_approval", Decimal(20)),
            ("99", (back(),), "sent", Decimal(20)),
            ("7", (back(amount=None),), "sent", Decimal(7)),
        ],
    )
    def test_what_is_said_of_it(
        self, refunded: str | None, returns: tuple[Return, ...] | None, state: str, amount: Decimal | None
    ) -> None:
        found = refund_of(order(MUG, refunded=refunded), returns, Policy())
        assert (found.state, found.amount) == (state, amount)

    def test_money_that_went_back_before_the_goods_arrived(self) -> None:
        found = refund_of(order(MUG, refunded="5"), (back(state="open"),), Policy())
        assert (found.state, found.sent_already) == ("waiting_for_goods", Decimal(5))

    def test_goods_that_came_back_do_not_make_the_whole_order_a_refund(self) -> None:
        assert refund_of(order(MUG, SCARF, status="returned"), (), Policy()).amount is None


class TestWhetherItMayComeBack:
    def test_without_a_day_of_delivery_only_a_recent_order_is_sure(self) -> None:
        recent, old = dt.date(2026, 11, 10), dt.date(2026, 9, 1)
        assert eligibility(order(MUG, placed_on=recent, delivered_on=None), Policy(), (), TODAY).refusal == ""
        assert eligibility(order(MUG, placed_on=old, delivered_on=None), Policy(), (), TODAY).refusal == "not_known"
        assert eligibility(order(MUG, placed_on=None, delivered_on=None), Policy(), (), TODAY).refusal == "not_known"

    @pytest.mark.parametrize(
        ("status", "refusal"),
        [
            ("unknown", "not_known"),
            ("completed", "not_known"),
            ("picked_up", ""),
            ("ready_for_pickup", "not_delivered"),
        ],
    )
    def test_states_that_do_not_tell(self, status: str, refusal: str) -> None:
        assert eligibility(order(MUG, status=status), Policy(), (), TODAY).refusal == refusal

    def test_an_order_without_lines_has_no_return_already(self) -> None:
        assert eligibility(order(), Policy(), (), TODAY).refusal == "not_known"
