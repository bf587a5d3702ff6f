"""Real calls over real systems: orders in django-oscar, tickets in Roundup, text messages through Kannel."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from agent.rehearsal.call_centre import RehearsalHome, running_call_centre
from agent.rehearsal.private_asterisk import Asterisk
from tests.live.conftest import CallCentre, failures
from tests.peers.fixtures import kannel, oscar, roundup
from tests.peers.kannel import Kannel, Sms
from tests.peers.mapped import write_mappings
from tests.peers.oscar import BoughtItem, NewOrder, Oscar, ShippingEvent
from tests.peers.roundup import Roundup
from tests.waiting import until

__all__ = ["kannel", "oscar", "roundup"]

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE, FAMILY_PHONE = "+12025550131", "+12025550132"
SOCKS, MUG, PAN = (
    BoughtItem("SOCK-1", "Wool socks", "12.50", 2),
    BoughtItem("MUG-1", "Blue mug", "9.00"),
    BoughtItem("PAN-1", "Cast iron pan", "39.00"),
)
ORDERS = (
    NewOrder(
        "27315",
        PHONE,
        "60614",
        (SOCKS, MUG),
        statuses=("Being processed",),
        events=(ShippingEvent("Shipped", "2026-01-06T09:00:00+00:00", "1Z999AA10123456784"),),
    ),
    NewOrder("27316", FAMILY_PHONE, "92103", (MUG,), statuses=("Cancelled",)),
    NewOrder("27317", FAMILY_PHONE, "92103", (PAN,), placed_at="2026-01-07T10:00:00+00:00"),
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def with_peers(
    asterisk: Asterisk,
    home: RehearsalHome,
    oscar: Oscar,
    roundup: Roundup,
    kannel: Kannel,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[CallCentre]:
    """A call centre whose shop is the three real systems and nothing else."""
    await oscar.place(ORDERS)
    run_dir = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as environment:
        systems = write_mappings(run_dir / "systems", environment, oscar=oscar, roundup=roundup, kannel=kannel)
        settings: dict[str, object] = {"shop": {"name": "Maple and Finch", "systems_directory": str(systems)}}
        async with running_call_centre(asterisk, home, run_dir, print, settings) as stack:
            yield CallCentre(stack, home, tmp_path_factory.mktemp("calls"))


async def test_a_call_ends_with_the_order_read_from_oscar_the_sms_sent_and_the_ticket_standing_in_roundup(
    with_peers: CallCentre, roundup: Roundup, kannel: Kannel
) -> None:
    tickets, messages = len(roundup.tickets()), len(kannel.left())

    result = await with_peers.play(
        """
calls:
  - name: where is my order, text me the link, a person please
    caller: Alex Doe <202-555-0177>
    dial: "7000"
    voice: joe
    steps:
      - say: where is my order
      - expect: /order number/
      - say: two seven three one five
      - expect: /postcode/
      - keys: "60614"
      - expect: /shipped with UPS Ground/
      - say: text me the tracking link
      - expect: /texted the tracking link to the phone on the order/
      - say: I want to talk to a person
      - human:
          answers_after_ms: 800
          reason: caller_asked
          ticket_matches: /^\\d+$/
          order: "27315"
          verified: "yes"
    expect: {outcome: handed_over, effects: [orders.verify, messages.send]}
"""
    )

    assert result.ok, failures(result)
    call_id = result.calls[0].call_id
    [ticket] = roundup.tickets()[tickets:]
    assert ticket.phone_key == f"{call_id}:handover"
    assert (ticket.creator, ticket.status) == (roundup.user, "unread")
    assert ticket.title.startswith("Order 27315: ")
    [text] = ticket.messages
    assert text.startswith("# Order 27315: the caller asked for a person")
    assert "- yes, by order number and postcode" in text
    assert "- Order 27315: shipped" in text
    assert re.search(r"\d:\d\d  caller  where is my order", text)
    assert re.search(r"\d:\d\d  agent   .*shipped with UPS Ground", text)
    assert "60614" not in text
    await until(lambda: len(kannel.left()) > messages)
    [sms] = kannel.left()[messages:]
    assert sms == Sms("12025550100", PHONE, sms.text)
    assert "order 27315" in sms.text
    assert "https://" in sms.text


async def test_callers_hear_what_stands_in_oscar_now_by_number_or_by_phone_and_strangers_hear_nothing(
    with_peers: CallCentre, oscar: Oscar
) -> None:
    first = await with_peers.play(
        """
defaults: {dial: "7000", voice: joe}
calls:
  - name: no order number at hand
    steps:
      - say: where is my order
      - expect: /order number/
      - say: i don't have it
      - expect: /phone number/
      - keys: "2025550132"
      - expect: /postcode/
      - keys: "92103"
      - expect: [pan, mug]
      - say: the first one
      - expect: /getting it ready/
      - say: no thanks
      - wait: hang_up
    expect: {outcome: answered, effects: [orders.find_by_phone]}
  - name: the wrong postcode
    steps:
      - say: track my order
      - keys: "27315"
      - keys: "02139"
      - expect: {says: /find|match/, never_says: /UPS|shipped/}
      - hang_up
    expect: {never_says: /UPS|shipped/}
""",
        at_once=2,
    )
    assert first.ok, failures(first)

    oscar.change("UPDATE order_order SET status = 'Cancelled' WHERE number = '27317'")

    then = await with_peers.play(
        """
name: what became of it
dial: "7000"
voice: joe
steps:
  - say: track my order
  - keys: "27317"
  - keys: "92103"
  - expect: /was cancelled/
  - say: no thanks
  - wait: hang_up
expect: {outcome: answered, effects: [orders.verify]}
"""
    )
    assert then.ok, failures(then)


async def test_the_calls_left_nothing_behind_and_nothing_unexplained_in_the_logs(with_peers: CallCentre) -> None:
    """Runs after the other calls of this file: their logs are what is looked at."""
    assert await with_peers.leftovers() == []
    assert with_peers.problems() == []
