"""What a dialplan is told of orders and customers, and what it may leave."""

from __future__ import annotations

from pathlib import Path

from agent.asterisk.fastagi import Question
from agent.call.errors import ServiceError
from agent.dialplan_services import LEFT_SECONDS, DialplanServices, LeftValues
from agent.records.pause_file import PauseFile
from tests.call.parts import TestServices

ORDER = {"status": "in_transit", "expected_on": "2026-11-25", "name": "Maria Lopez", "place": None}


def question(service: str, *arguments: str, caller: str = "2025550143") -> Question:
    return Question(service, arguments, "pbx-1.7", caller)


def services(tmp_path: Path, shop: TestServices, left: LeftValues | None = None) -> DialplanServices:
    return DialplanServices(shop, PauseFile(tmp_path / "pause.json"), left or LeftValues(("language",)))


async def test_an_orders_status_needs_both_facts_and_tells_nothing_of_the_person(tmp_path: Path) -> None:
    shop = TestServices(orders__verify={"order": ORDER})
    ask = services(tmp_path, shop).by_name["order_status"]
    assert await ask(question("order_status", "10473", "60614")) == {
        "RESULT": "ok", "STATUS": "in_transit", "EXPECTED": "2026-11-25", "DELIVERED": "", "PLACE": "",
    }  # fmt: skip
    assert shop.asked[0][1] == {"number": "10473", "postcode": "60614", "caller": "2025550143"}
    for lacking in ((), ("10473",), ("10473", "")):
        assert (await ask(question("order_status", *lacking)))["RESULT"] == "bad_request"
    assert len(shop.asked) == 1


async def test_a_refusal_empties_what_an_earlier_answer_set(tmp_path: Path) -> None:
    shop = TestServices(orders__verify=ServiceError("not_found", "no such order, or another postcode"))
    answer = await services(tmp_path, shop).by_name["order_status"](question("order_status", "10473", "1"))
    assert answer == {"RESULT": "not_found", "STATUS": "", "EXPECTED": "", "DELIVERED": "", "PLACE": ""}


async def test_the_tier_is_that_of_the_calling_number_unless_another_is_given(tmp_path: Path) -> None:
    shop = TestServices(customers__by_phone={"customer": {"tier": "gold"}})
    ask = services(tmp_path, shop).by_name["customer_tier"]
    assert await ask(question("customer_tier")) == {"RESULT": "ok", "TIER": "gold"}
    await ask(question("customer_tier", "2025550199"))
    assert [given["phone"] for _, given, _ in shop.asked] == ["2025550143", "2025550199"]
    assert (await ask(question("customer_tier", caller="")))["RESULT"] == "not_found"


async def test_accepting_follows_the_pause_and_a_restart_keeps_it(tmp_path: Path) -> None:
    pause = PauseFile(tmp_path / "pause.json")
    await pause.set_pause("new prices")
    again = services(tmp_path, TestServices()).by_name["accepting"]
    assert await again(question("accepting")) == {
        "RESULT": "ok", "ACCEPTING": "no", "ACCEPTING_REASON": "new prices",
    }  # fmt: skip
    await pause.set_pause("")
    after = services(tmp_path, TestServices()).by_name["accepting"]
    assert (await after(question("accepting")))["ACCEPTING"] == "yes"


def test_a_pause_that_cannot_be_read_is_a_pause(tmp_path: Path) -> None:
    (tmp_path / "pause.json").write_text("{", encoding="utf-8")
    assert PauseFile(tmp_path / "pause.json").pause.is_on


async def test_only_agreed_values_are_left_for_their_call_for_a_quarter_of_an_hour(tmp_path: Path) -> None:
    now = [0.0]
    left = LeftValues(("language",), lambda: now[0])
    leave = services(tmp_path, TestServices(), left).by_name["leave_value"]
    assert await leave(question("leave_value", "language", 'spa"nish ${X}')) == {"RESULT": "ok"}
    assert await leave(question("leave_value", "verified", "yes")) == {"RESULT": "not_allowed"}
    assert await leave(question("leave_value", "language")) == {"RESULT": "bad_request"}
    assert left.of("pbx-1.7") == {"language": "spa nish X"}
    assert left.of("pbx-1.8") == {}
    now[0] = LEFT_SECONDS + 1
    assert left.of("pbx-1.7") == {}
