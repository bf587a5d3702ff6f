"""Tickets in a real Roundup, by the mapping that comes with Orderline."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace

import pytest

from agent.common.service_error import ServiceError
from agent.shop.models import TicketDraft
from tests.peers.conftest import OpenMapped
from tests.peers.roundup import Roundup, StoredTicket

DRAFT = TicketDraft(
    reason="caller_asked",
    summary="The caller asked for a person.\nThe blue mug came broken; wants the money back.",
    caller="+12025550123",
    order_number="10473",
    verified=True,
    priority=5,
    transcript=("agent: How can I help?", 'caller: "It broke" <b>&amp;</b> größer {{ 7 * 7 }}'),
    facts={"item": "Blue mug", "requests": ["order_status", "refund"], "tries": 2, "note": ""},
)


def a_key() -> str:
    return f"call-{uuid.uuid4()}:1"


def stored_ticket(roundup: Roundup, key: str) -> list[StoredTicket]:
    return [ticket for ticket in roundup.tickets() if ticket.phone_key == key]


async def test_a_ticket_stands_in_roundups_database_with_summary_and_transcript(
    roundup: Roundup, open_mapped: OpenMapped
) -> None:
    key = a_key()

    made = await open_mapped(roundup=roundup).systems.tickets.create(DRAFT, key)

    [ticket] = stored_ticket(roundup, key)
    assert (made.id, made.draft) == (ticket.id, DRAFT)
    assert (ticket.priority, ticket.status, ticket.creator) == ("urgent", "unread", roundup.user)
    assert ticket.title == (
        "Order 10473: The caller asked for a person. The blue mug came broken; wants the money back."
    )
    [text] = ticket.messages
    assert text.startswith(DRAFT.summary + "\n\nWhy: caller asked\nCaller: +12025550123\nOrder: 10473, verified\n")
    assert "\nitem: Blue mug\nrequests: order_status, refund\ntries: 2\n\n" in text
    assert "\n".join(DRAFT.transcript) in text


async def test_the_page_of_a_call_is_what_the_person_reads(roundup: Roundup, open_mapped: OpenMapped) -> None:
    key, page = a_key(), "# Order 10473: the caller asked for a person\n\n## Verified\n\n- yes {{ 1 }} <b>\n"

    await open_mapped(roundup=roundup).systems.tickets.create(replace(DRAFT, page=page), key)

    [ticket] = stored_ticket(roundup, key)
    assert ticket.messages == (page.rstrip(),)
    assert ticket.title.startswith("Order 10473: The caller asked")


async def test_a_ticket_without_an_order_says_so(roundup: Roundup, open_mapped: OpenMapped) -> None:
    key = a_key()

    await open_mapped(roundup=roundup).systems.tickets.create(TicketDraft("no_match", "Not understood."), key)

    [ticket] = stored_ticket(roundup, key)
    assert (ticket.title, ticket.priority) == ("Not understood.", "bug")
    assert ticket.messages == ("Not understood.\n\nWhy: no match\nCaller: number withheld",)


@pytest.mark.parametrize(("priority", "name"), [(0, "bug"), (2, "bug"), (3, "urgent"), (9, "urgent"), (10, "critical")])
async def test_urgency_becomes_roundups_priority(
    roundup: Roundup, open_mapped: OpenMapped, priority: int, name: str
) -> None:
    key = a_key()

    await open_mapped(roundup=roundup).systems.tickets.create(TicketDraft("x", "y", priority=priority), key)

    assert [ticket.priority for ticket in stored_ticket(roundup, key)] == [name]


async def test_the_same_key_makes_one_ticket_also_after_a_restart_of_the_agent(
    roundup: Roundup, open_mapped: OpenMapped
) -> None:
    key = a_key()
    shop = open_mapped(roundup=roundup)
    first = await shop.systems.tickets.create(DRAFT, key)
    again = await shop.systems.tickets.create(DRAFT, key)
    both = await asyncio.gather(*(shop.systems.tickets.create(DRAFT, key) for _ in range(3)))

    restarted = await open_mapped(roundup=roundup).systems.tickets.create(DRAFT, key)

    assert {first.id, again.id, restarted.id, *(one.id for one in both)} == {first.id}
    assert len(stored_ticket(roundup, key)) == 1


async def test_a_key_that_begins_another_one_makes_a_ticket_of_its_own(
    roundup: Roundup, open_mapped: OpenMapped
) -> None:
    tickets, key = open_mapped(roundup=roundup).systems.tickets, a_key()

    longer, shorter = await tickets.create(DRAFT, f"{key}1"), await tickets.create(DRAFT, key)

    assert longer.id != shorter.id
    assert len(stored_ticket(roundup, key)) == len(stored_ticket(roundup, f"{key}1")) == 1


async def test_a_wrong_password_is_unavailable_and_leaves_no_ticket(
    roundup: Roundup, open_mapped: OpenMapped, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, shop = a_key(), open_mapped(roundup=roundup)
    monkeypatch.setenv("ORDERLINE_ROUNDUP_PASSWORD", "wrong")

    with pytest.raises(ServiceError, match="ORDERLINE_ROUNDUP_PASSWORD") as caught:
        await shop.systems.tickets.create(DRAFT, key)

    assert caught.value.code == "unavailable"
    assert stored_ticket(roundup, key) == []
