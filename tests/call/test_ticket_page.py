"""A ticket's page lets a person go on without asking again. Whole calls in text, with the demo shop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent.call.records import Caller, CallOrigin, CallRecord, IntentRecord, TrailStep, TurnRecord
from agent.call.ticket_page import PerformedOperation, TicketPageFacts, TicketReason, ticket_page
from agent.call.ticket_phrases import NOT_TOLD, failed_phrases
from agent.call.ticketing import HandoverTicket
from agent.dialog.contract import ConversationSummary, Effect, EffectFailed, EffectSucceeded, HandOverAction, HangUp
from agent.records.redaction import redact_text
from agent.shop.answers import ANSWERS
from agent.shop.demo.shop import DemoShop
from tests.call.fakes import FakeCallerLine, FakeDialog, FakeMedia, FakeRecords, FakeServices, parts, say
from tests.call.test_session import hold
from tests.call.text_session import TextSession, demo_shop, section

TO_A_PERSON = "i want to talk to a person"
RETURN = ("10437", "78701", "i changed my mind", "it's unopened", "by mail", "store credit", "yes")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[DemoShop]:
    shop = await demo_shop(tmp_path)
    yield shop
    await shop.close()


class TestWholeCalls:
    async def test_an_order_status_that_ends_with_a_person(self, shop: DemoShop) -> None:
        wrong_first = ("one zero four seven three", "60615", "one zero four seven three", "60614")
        call = TextSession(shop, known_as="Maria, gold customer")
        page = (await call.play("where is my order", *wrong_first, TO_A_PERSON)).page()
        assert page.startswith("# Order 10473: the caller asked for a person\n")
        assert section(page, "Caller") == [
            "- Number: +12025550143 (a hint, not proof of who called)",
            "- Called at: 2026-11-24T10:15:00-06:00",
            "- The shop knows this number as: Maria, gold customer",
        ]
        assert section(page, "Verified") == ["- yes, by order number and postcode, after 1 failed attempt"]
        assert section(page, "Wanted") == ["- where the order is"]
        (found,) = section(page, "Found")
        assert found.startswith("- Order 10473: in transit; expected on 2026-11-25 09:00-12:00; with UPS")
        assert section(page, "Tried and failed") == ["- nothing"]
        assert section(page, "In their words") == ['- "where is my order"', f'- "{TO_A_PERSON}"']
        assert "    0:20  caller  [postcode]" in section(page, "Transcript")
        assert "60614" not in page
        assert "six oh six" not in page

    async def test_a_return_that_was_made(self, shop: DemoShop) -> None:
        call = await TextSession(shop, "+15125550118").play("i want to return my order", *RETURN, TO_A_PERSON)
        assert section(call.page(), "Done and promised") == [
            "- Return R-2101 opened for Leather Boots: label, refund: store credit, 149.50 USD,"
            " to be sent back by 2026-12-08",
            "- Text message 'return label' sent to the phone ending in 18",
        ]
        assert section(call.page(), "Wanted") == ["- to return or exchange something"]

    async def test_a_return_half_asked_for_is_told_answer_by_answer(self, shop: DemoShop) -> None:
        call = await TextSession(shop, "+15125550118").play("i want to return my order", *RETURN[:5], TO_A_PERSON)
        wanted = section(call.page(), "Wanted")
        assert wanted[0] == "- to return or exchange something (still open)"
        assert {"- return reason: changed mind", "- return condition: unopened", "- return route: label"} <= set(wanted)

    async def test_a_return_that_was_not_confirmed_is_told_with_all_it_was_to_be(self, shop: DemoShop) -> None:
        lines = ("70606", "60614", "i changed my mind", "unopened", "label", "the way i paid", "yes")
        page = (await TextSession(shop, "+12025550198").play("i want to return something", *lines)).page()
        (failure,) = section(page, "Tried and failed")
        assert failure.startswith("- Opening the return (")
        assert "changed mind, unopened, label, original" in failure
        assert "look before doing it again" in failure
        assert section(page, "Done and promised") == ["- nothing"]

    async def test_nothing_understood(self, shop: DemoShop) -> None:
        page = (await TextSession(shop, "").play("banana pancake", "purple monkey", "what is this thing")).page()
        assert section(page, "Caller")[0] == "- Number: hidden"
        assert section(page, "Verified") == ["- no: it did not come to that"]
        assert section(page, "Wanted") == ["- not understood; see the transcript"]
        assert section(page, "Priority") == ["- usual (0), because the agent did not understand the caller."]

    async def test_three_wrong_postcodes(self, shop: DemoShop) -> None:
        call = TextSession(shop)
        await call.play("where is my order", *("10473", "60615", "10473", "60616", "10473", "60617"))
        assert section(call.page(), "Verified") == ["- no: 3 failed attempts"]
        assert section(call.page(), "Found") == ["- nothing"]

    async def test_a_call_back_is_a_ticket_with_the_page_and_the_promise(self, shop: DemoShop) -> None:
        await TextSession(shop, entry="queue_failed").play("yes please")
        ticket = await shop.tickets.find("T-1042")
        assert section(ticket.draft.page, "Done and promised") == [
            "- We call them back on the number they called from."
        ]
        assert "    0:00  caller  yes please" in section(ticket.draft.page, "Transcript")


def page_of(
    *acts: PerformedOperation, turns: tuple[TurnRecord, ...] = (), reason: str = "caller_asked", priority: int = 0
) -> str:
    call = TicketPageFacts(Caller("2025550143"), "", "2026-11-24T10:15:00-06:00", ConversationSummary(), acts, turns)
    return ticket_page(call, TicketReason(reason, "Story.", priority), lambda text, slot: redact_text(text, slot=slot))


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        (CallOrigin("outbound", "delivery", "delivery:A1:all"), "We called about: delivery, job delivery:A1:all"),
        (CallOrigin("inbound", "survey", "survey:A1"), "Rang back about: survey, job survey:A1"),
    ],
)
def test_a_ticket_of_a_call_for_a_job_says_so(origin: CallOrigin, told: str) -> None:
    who = Caller("2025550143")
    call = TicketPageFacts(who, "", "2026-11-24T10:15:00-06:00", ConversationSummary(), (), (), origin=origin)
    lines = section(ticket_page(call, TicketReason("call_back", ""), lambda text, slot: text), "Caller")
    assert lines[-1] == f"- {told}"
    assert ("we have called it" in lines[0]) is (origin.direction == "outbound")


class TestHowItWent:
    def page(self, **more: Any) -> list[str]:
        who = Caller("2025550143")
        call = TicketPageFacts(who, "", "2026-11-24T10:15:00-06:00", ConversationSummary(), (), (), **more)
        return section(
            ticket_page(call, TicketReason("caller_asked", "Story."), lambda text, slot: text), "How it went"
        )

    def test_tells_what_was_asked_for_the_last_steps_and_the_edition(self) -> None:
        intents = [IntentRecord("order_status", 4.2, "answered"), IntentRecord("returns", 63.9)]
        trail = [
            TrailStep("identify", "known", "if", 4.2, "else"),
            TrailStep("identify", "postcode", "collect", 4.3, "answered"),
            TrailStep("identify", "check", "call", 9.0, "failed.not_found"),
            TrailStep("returns", "reason", "collect", 63.9),
        ]
        assert self.page(intents=intents, trail=trail, edition="3fa2") == [
            "- 0:04 order status: answered",
            "- 1:03 returns: still open",
            "- Last steps: identify.postcode (answered), identify.check (failed.not found), returns.reason",
            "- Procedures: edition 3fa2",
        ]

    def test_a_long_way_is_told_from_its_end(self) -> None:
        trail = [TrailStep("returns", f"s{number}", "collect", float(number), "answered") for number in range(20)]
        (steps,) = self.page(trail=trail)
        assert "returns.s11" not in steps
        assert steps.startswith("- Last steps: returns.s12 (answered)")
        assert steps.endswith("returns.s19 (answered)")

    def test_of_a_call_that_came_to_nothing_there_is_nothing_to_tell(self) -> None:
        assert self.page() == ["- nothing"]


class TestPages:
    def test_card_numbers_are_in_no_part_of_it(self) -> None:
        turn = TurnRecord(1.0, "Yes?", "my card is four one one one one one one one one one one one one one one one")
        page = page_of(turns=(turn,))
        assert page.count("[card number]") == 2
        assert "one one" not in page

    @pytest.mark.parametrize(("code", "said"), [("unavailable", "could not be reached"), ("timed_out", "in time")])
    def test_look_ups_that_failed_are_told_without_the_warning_of_changes(self, code: str, said: str) -> None:
        (line,) = section(page_of(PerformedOperation("orders.verify", {"number": "1"}, code)), "Tried and failed")
        assert said in line
        assert "look before" not in line

    def test_a_text_message_that_follows_is_told_as_such(self) -> None:
        act = PerformedOperation("messages.send", {"template": "tracking"}, "unavailable", "pending")
        assert "it is sent as soon as that works" in section(page_of(act), "Tried and failed")[0]

    def test_a_refusal_is_told_with_its_reason(self) -> None:
        act = PerformedOperation("returns.create", {"item": "MUG"}, "not_allowed", "window_over")
        assert section(page_of(act), "Tried and failed") == ["- Opening the return (MUG): refused: window over"]

    def test_too_many_attempts(self) -> None:
        act = PerformedOperation("orders.verify", {"number": "1"}, "not_allowed", "locked")
        assert section(page_of(act), "Verified") == ["- no: locked after too many failed attempts"]

    @pytest.mark.parametrize(("priority", "words"), [(0, "usual (0)"), (3, "raised (3)"), (9, "urgent (9)")])
    def test_priorities_in_words(self, priority: int, words: str) -> None:
        assert section(page_of(priority=priority, reason="legal_threat"), "Priority") == [
            f"- {words}, because legal threat."
        ]

    def test_results_of_any_shape_make_a_page(self) -> None:
        odd = ({}, {"order": None}, {"return": 7}, {"orders": ["x"]}, {"refund": {"amount": "much"}}, {"check": {}})
        names = ("orders.verify", "returns.create", "messages.send", "shipments.reschedule", "shipments.investigate")
        for result in odd:
            assert page_of(*(PerformedOperation(name, {}, "ok", result=result) for name in names))


class TestInASession:
    async def test_the_hand_over_ticket_brings_the_page_along(self) -> None:
        line = FakeCallerLine()
        services = FakeServices(
            orders__verify={"order": {"number": "10473", "status": "in_transit"}},
            tickets__create={"ticket": {"id": "T-1"}},
        )
        dialog = FakeDialog(
            say("", Effect("e1", "orders.verify", {"number": "10473"})),
            say("One moment.", HandOverAction("caller_asked", "x")),
        )
        call = parts(dialog, services=services, known_as=lambda: "Maria")
        await hold(line, FakeMedia(line.inbox), call)
        (arguments,) = (arguments for name, arguments, _ in services.asked if name == "tickets.create")
        assert section(arguments["page"], "Found") == ["- Order 10473: in transit"]
        assert "- The shop knows this number as: Maria" in section(arguments["page"], "Caller")
        assert isinstance(call.records, FakeRecords)
        assert call.records.begun == ["call-1"]
        assert call.records.written[0].effects[0]["key"] == "call-1:e1"

    async def test_a_flow_s_own_ticket_brings_it_along_too(self) -> None:
        line = FakeCallerLine()
        services = FakeServices(tickets__create={"ticket": {"id": "T-1"}})
        ticket = Effect("e1", "tickets.create", {"reason": "call_back", "summary": "Call back."}, key="k")
        dialog = FakeDialog(say("", ticket), say("Goodbye.", HangUp("answered")))
        await hold(line, FakeMedia(line.inbox), parts(dialog, services=services))
        ((_, arguments, key),) = services.asked
        assert key == "k"
        assert section(arguments["page"], "Done and promised") == [
            "- We call them back on the number they called from."
        ]
        assert dialog.events == [EffectSucceeded("e1", {"ticket": {"id": "T-1"}})]

    async def test_a_ticket_that_follows_later_does_not_keep_the_caller(self) -> None:
        services = FakeServices(tickets__create={"ticket": {"id": "", "pending": True}})
        record = CallRecord("call-1", Caller("2025550143"), "2026-03-02T09:30:00+00:00")
        ticket = HandoverTicket(services, record, lambda text, slot: text)
        assert await ticket.create(HandOverAction("caller_asked", "x")) == ""

    async def test_an_effect_that_was_too_slow_is_recorded_with_its_code(self) -> None:
        line = FakeCallerLine()
        dialog = FakeDialog(
            say("", Effect("e1", "returns.create", {}, deadline_seconds=0.05)), say("Bye.", HangUp("answered"))
        )
        services = FakeServices(returns__create=asyncio.Event())
        call = parts(dialog, services=services)
        await hold(line, FakeMedia(line.inbox), call)
        assert isinstance(dialog.events[0], EffectFailed)
        assert isinstance(call.records, FakeRecords)
        assert call.records.written[0].effects[0]["code"] == "timed_out"


def failed(name: str) -> list[str]:
    return failed_phrases([PerformedOperation(name, {}, "timed_out")])


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_every_operation_of_the_shop_has_words_for_the_staff_or_is_left_out_by_name(name: str) -> None:
    if name in NOT_TOLD:
        assert failed(name) == []
    else:
        (line,) = failed(name)
        assert name not in line.lower()


def test_a_look_up_of_several_readings_that_failed_is_not_told() -> None:
    assert failed("orders.existing") == []
    assert failed("orders.find") == ["Looking the order up: the system did not answer in time"]
