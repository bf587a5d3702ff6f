"""Canned answers of flow tests: what the service gives is taken, what it cannot give is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.call.outbound_record import ANSWER, CALL_BACK, SUPPRESS
from agent.dialog.tools.text_call_runner import run_text_call_files
from agent.shop.answers import ANSWERS, complete_answer
from agent.shop.demo.shop import open_demo_shop
from agent.shop.services import ShopServices
from tests.shipped_pack import RENDER, shipped_pack

NOW = dt.datetime(2026, 11, 23, 10, 0, tzinfo=dt.UTC)


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[ShopServices]:
    shop = await open_demo_shop(tmp_path, now=lambda: NOW)
    yield ShopServices.of(shop.systems, policy=shop.policy, today=lambda: NOW.date(), verify_floor_seconds=0)
    await shop.close()


PROMOTION = {"id": "autumn", "name": "Autumn sale"}
RETURN = {"reason": "changed_mind", "condition": "unopened", "route": "label", "refund": "original"}
ASKED: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("orders.verify", {"number": "20518", "postcode": "94110"}),
    ("orders.find", {"number": "36190"}),
    ("orders.find_by_phone", {"phone": "619-555-0107"}),
    ("orders.existing", {"numbers": ["10473", "10474"]}),
    ("customers.by_phone", {"phone": "202-555-0143"}),
    ("shipments.track", {"number": "10473"}),
    ("shipments.track", {"number": "36190"}),
    ("shipments.streets", {"postcode": "98109"}),
    ("shipments.change_address", {"number": "64350", "postcode": "98109", "street": "Oak Street", "house": "12"}),
    ("shipments.reschedule", {"number": "64350", "date": "2026-11-27", "window": "09:00-12:00"}),
    ("shipments.investigate", {"number": "36190"}),
    ("shipments.leave_note", {"number": "10473", "note": "at the back door"}),
    ("orders.changeable", {"number": "41286"}),
    ("orders.changeable", {"number": "10473"}),
    ("orders.cancel", {"number": "41286"}),
    ("orders.remove_line", {"number": "41286", "line": "YGM-701-PRP"}),
    ("orders.set_quantity", {"number": "41286", "line": "YGM-701-PRP", "quantity": 3}),
    ("orders.set_option", {"number": "41286", "line": "YGM-701-PRP", "option": "blue"}),
    ("returns.eligibility", {"number": "58124", "reason": "changed_mind"}),
    ("returns.eligibility", {"number": "71936"}),
    ("returns.eligibility", {"number": "10473"}),
    ("returns.create", {"number": "58124", "item": "Wool Scarf", **RETURN}),
    ("returns.status", {"number": "47086"}),
    *(("refunds.status", {"number": number}) for number in ("10437", "78701", "47086", "83615", "97248")),
    ("promotions.check", {"promotion": PROMOTION, "number": "10437"}),
    ("loyalty.points", {"number": "10473"}),
    ("messages.send", {"number": "10473", "template": "tracking", "values": {}}),
    ("surveys.answer", {"scores": {"call": 4}, "number": "10473"}),
)


@pytest.mark.parametrize(("name", "arguments"), ASKED)
async def test_what_the_service_gives_is_what_a_test_may_let_it_give(
    services: ShopServices, name: str, arguments: Mapping[str, Any]
) -> None:
    given = await services.perform(name, arguments, "key-1")
    assert complete_answer(name, given) == given


async def test_a_ticket_with_a_number_and_one_that_follows_later(services: ShopServices) -> None:
    made = await services.perform("tickets.create", {"reason": "check", "summary": "A test."}, "key-1")
    assert complete_answer("tickets.create", made)["ticket"].items() >= made["ticket"].items()
    assert complete_answer("tickets.create", {"ticket": {"id": "", "pending": True}})["ticket"]["pending"] is True


def test_every_operation_has_an_answer(services: ShopServices) -> None:
    assert set(ANSWERS) == set(services.names) | {
        ANSWER,
        CALL_BACK,
        SUPPRESS,
    }  # the last are the dialler's


def test_what_a_short_answer_leaves_out_is_not_known() -> None:
    order = complete_answer("orders.find", {"order": {"number": "1", "status": "packed"}})["order"]
    assert (order["expected_on"], order["parcels"], order["carrier"], order["more_items"]) == (None, [], None, False)


@pytest.mark.parametrize(
    ("name", "answer", "problem"),
    [
        ("orders.verify", {"order": {"status": "teleported"}}, "order.status"),
        ("orders.verify", {"order": {"state": "packed", "status": "packed"}}, "order.state: there is no such key"),
        ("orders.verify", {"order": {"status": "packed", "refund_amount": "49.50"}}, "order.refund_amount"),
        ("orders.verify", {"order": {"status": "packed", "number": 10473}}, "order.number"),
        ("orders.verify", {"order": {"status": "packed", "expected_on": "tomorrow"}}, "order.expected_on"),
        ("orders.verify", {"order": {"status": "packed", "parcels": [{"state": "x"}]}}, "order.parcels.0"),
        ("orders.verify", {}, "order"),
        ("orders.find_by_phone", {"orders": []}, "orders"),
        ("refunds.status", {"refund": {"state": "lost"}}, "refund.state"),
        ("refunds.status", {"refund": {"state": "none", "amount": 5.0, "currency": "USD"}}, "no refund is known"),
        ("refunds.status", {"refund": {"state": "sent", "amount": 5.0}}, "has a currency"),
        ("returns.eligibility", {"eligibility": {"allowed": True, "reason": "window_over"}}, "either allowed or"),
        ("returns.eligibility", {"eligibility": {"allowed": True, "items": []}}, "one of its items"),
        ("returns.status", {"returns": [{"number": "R-1", "state": "done"}]}, "returns.0.state"),
        ("shipments.track", {"shipment": {"can_reschedule": True, "reschedule_reason": "delivered"}}, "no reason"),
        ("tickets.create", {"ticket": {"id": ""}}, "or it is pending"),
        ("messages.send", {"message": {"id": "M-1", "to_last_digits": "555"}}, "message.to_last_digits"),
        ("orders.guess", {}, "there is no service orders.guess"),
    ],
)
def test_what_the_service_cannot_give_is_refused(name: str, answer: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem.replace(".", r"\.")):
        complete_answer(name, answer)


CALL = """
answers:
  strange: {order: {number: "10473", status: teleported}}
calls:
  - call: an answer nobody gives
    lines:
      - user: where is my order
      - keys: "10473"
      - keys: "60614"
      - effect: {orders.verify: ANSWER}
"""


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("strange", "orders.verify cannot answer that: order.status"),
        ("strnge", "orders.verify cannot answer that: it neither fails as 'strnge' nor is that one of the answers"),
        ("not_today.closed", "it neither fails as 'not_today'"),
    ],
)
def test_a_flow_test_with_an_impossible_answer_fails(tmp_path: Path, answer: str, problem: str) -> None:
    file = tmp_path / "calls.yaml"
    file.write_text(CALL.replace("ANSWER", answer), encoding="utf-8")
    report = run_text_call_files(shipped_pack(), [file], RENDER, complete_answer)
    assert any(problem in one for one in report.calls[0].problems), report.calls[0].problems
