"""The configured staff queues: names, availability report, screen-pop and whisper of a hand-over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

from agent.call.queue_rules import QueueRules, QueueState, queue_report
from agent.dialog.contract import HandOverAction, QueueReport

log = logging.getLogger(__name__)

_MAX_URL_CHARS = 500
_URL_CHARS = "~:/?#@&=+%"
"""What the dialplan leaves in an address besides letters, digits and ``-._``; the rest is percent-encoded."""
SCREEN_POP_VALUES = ("ticket", "reason", "order", "verified", "caller", "queue", "call")
"""What a screen-pop address may hold in braces."""


class QueueStatistics(Protocol):
    """Where the figures of the queues come from."""

    @property
    def problem(self) -> str:
        """Why nothing is to be had now, ``""`` when it is."""
        ...

    async def state(self, name: str) -> QueueState | None:
        """Return how a queue stands, None when that is not to be had soon. Never raises, never takes long."""


class WhisperSource(Protocol):
    """Speaks to whoever of the staff answers, before the caller is joined."""

    async def make(self, call_id: str, values: Mapping[str, Any]) -> str:
        """Return the path of a recording as Asterisk takes it (no ending), ``""`` when there is none."""


@dataclass(frozen=True)
class QueueDefinition:
    """One queue that calls may be handed to."""

    rules: Callable[[], QueueRules]
    """Its rules now: holidays may stand in a file that is edited."""
    screen_pop_url: str = ""
    """An address with ``{ticket}`` and the like, opened by the staff member's phone or softphone; ``""`` for none."""
    whisper: bool = False


@dataclass(frozen=True)
class QueueStanding:
    """One queue now."""

    name: str
    report: QueueReport
    state: QueueState | None
    """Figures of Asterisk, None when they are not to be had."""


class StaffQueues:
    """Knows the configured queues. The first one is the usual one."""

    def __init__(
        self,
        plans: Mapping[str, QueueDefinition],
        queues: QueueStatistics,
        whispers: WhisperSource,
        wall: Callable[[], datetime],
    ) -> None:
        """``wall`` gives aware local time. ``plans`` must hold at least one queue."""
        self._plans = plans
        self._queues = queues
        self._whisper_source = whispers
        self._wall = wall

    @property
    def problem(self) -> str:
        """Why it is not known how the queues stand, ``""`` when it is."""
        return self._queues.problem

    def name(self, wanted: str) -> str:
        """Return the queue that is meant: the usual one for ``""`` and, with an error in the log, for unknown names."""
        if wanted in self._plans:
            return wanted
        usual = next(iter(self._plans))
        if wanted:
            log.error("A flow hands over to the queue %r, which is not in the settings; it goes to %s", wanted, usual)
        return usual

    async def report(self, wanted: str) -> QueueReport:
        """Judge the queue that is meant, now."""
        name = self.name(wanted)
        rules = self._plans[name].rules()
        closed = queue_report(rules, self._wall(), None)
        if closed.standing != "unknown":
            return closed
        return queue_report(rules, self._wall(), await self._queues.state(name))

    async def standings(self) -> list[QueueStanding]:
        """Return how every queue stands now, also those that are closed: callers may still wait in them."""
        states = await asyncio.gather(*map(self._queues.state, self._plans))
        return [
            QueueStanding(name, queue_report(plan.rules(), self._wall(), state), state)
            for (name, plan), state in zip(self._plans.items(), states, strict=True)
        ]

    async def variables(
        self, handover: HandOverAction, ticket: str, call_id: str, caller: str, *, whisper: bool = True
    ) -> dict[str, str]:
        """Return the channel variables of this hand-over: queue, screen-pop address, whisper.

        ``whisper``: False when there is no time to make one.
        """
        name = self.name(handover.queue)
        plan = self._plans[name]
        facts = handover.facts
        verified = bool(facts.get("verified"))
        values = {
            "ticket": ticket,
            "reason": handover.reason,
            "order": str(facts.get("order_number") or ""),
            "verified": "yes" if verified else "no",
            "caller": caller,
            "queue": name,
            "call": call_id,
        }
        variables = {"ORDERLINE_QUEUE": name, "ORDERLINE_URL": fill_screen_pop_url(plan.screen_pop_url, values)}
        if plan.whisper and whisper:
            words = {"ticket_id": ticket, "reason": handover.reason, "verified": verified}
            words["order_number"] = values["order"]
            variables["ORDERLINE_WHISPER"] = await self._whisper_source.make(call_id, words)
        return variables


def fill_screen_pop_url(template: str, values: Mapping[str, str]) -> str:
    """Fill a screen-pop address in; each value is percent-encoded whole, so that none can change the address."""
    url = template
    for name in SCREEN_POP_VALUES:
        url = url.replace(f"{{{name}}}", quote(values.get(name, ""), safe=""))
    url = quote(url, safe=_URL_CHARS)
    return url if len(url) <= _MAX_URL_CHARS else ""
