"""Whole calls in text with the real dialog and demo shop, and the operations and pages of a real session."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.call.operations import CallOperations
from agent.call.records import Caller, CallRecord, TurnRecord
from agent.call.ticket_page import TicketReason
from agent.dialog.contract import Effect, HandOverAction, HangUp, Listen, Turn, TurnInput
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.tools.text_call import event_from_line
from agent.records.redaction import redact_text
from agent.shop.demo.shop import DemoShop, open_demo_shop
from agent.shop.services import ShopServices
from tests.shipped_pack import RENDER, shipped_pack

NOW = dt.datetime(2026, 11, 24, 10, 15, tzinfo=dt.timezone(dt.timedelta(hours=-6)))
PACK = shipped_pack()


class TextSession:
    """One call; lines as in ``orderline chat``."""

    def __init__(
        self,
        shop: DemoShop,
        number: str = "+12025550143",
        *,
        known_as: str = "",
        entry: str = "inbound",
        first_name: str = "",
    ) -> None:
        self.shop = shop
        facts = CallFacts(
            now=NOW,
            shop_name="Maple and Finch",
            caller_number=number,
            entry=entry,
            call_id="call-1",
            customer={"first_name": first_name} if first_name else {},
        )
        self.conversation = Conversation(PACK, facts, RENDER)
        self.record = CallRecord("call-1", Caller(number), NOW.isoformat(timespec="seconds"))

        async def at_once(_: float) -> None:
            return

        services = ShopServices.of(shop.systems, policy=shop.policy, today=NOW.date, pause=at_once)
        self.acting = CallOperations(
            services,
            self.record,
            lambda: self.conversation.story,
            lambda: known_as,
            lambda text, slot: redact_text(text, slot=slot),
        )
        self.end: HandOverAction | HangUp | None = None

    async def play(self, *lines: str) -> TextSession:
        """Hold the call with these lines; it must end with them or stay open."""
        await self._acts(self.conversation.start())
        for line in lines:
            assert self.end is None, f"the call was over before {line!r}"
            event = event_from_line(line)
            if isinstance(event, TurnInput):
                said = self.record.turns[-1]
                said.heard, said.via = event.keys or event.text, event.via
            await self._acts(self.conversation.hear(event))
        return self

    def page(self) -> str:
        """Return the page of a hand-over's ticket."""
        assert isinstance(self.end, HandOverAction), self.record.turns[-1]
        return self.acting.page(TicketReason(self.end.reason, self.end.summary, self.end.priority))

    async def _acts(self, turn: Turn) -> None:
        while True:
            text = " ".join(prompt.text for prompt in turn.say)
            slot = (turn.then.slot or "") if isinstance(turn.then, Listen) else ""
            if text or slot:
                self.record.turns.append(TurnRecord(10.0 * len(self.record.turns), text, slot=slot))
            if not isinstance(turn.then, Effect):
                break
            result = await self.acting.perform(turn.then)
            self.acting.note(turn.then, result, 1.0)
            turn = self.conversation.hear(result)
        if isinstance(turn.then, (HandOverAction, HangUp)):
            self.end = turn.then


async def demo_shop(directory: Path, now: Callable[[], dt.datetime] = lambda: NOW) -> DemoShop:
    """Open a demo shop for these calls."""
    return await open_demo_shop(directory, now=now)


def section(page: str, title: str) -> Sequence[str]:
    """Return the lines of a page's section."""
    return [line for line in page.partition(f"## {title}\n")[2].partition("\n## ")[0].splitlines() if line]
