"""Holds calls in text to the rule that nothing of the matter is said before the right person has said yes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.engine.turn_context import OUTBOUND
from agent.dialog.model.outbound import RIGHT_PERSON_SAYS
from agent.dialog.pack.loader import FlowPack
from agent.dialog.tools.text_call_model import ScriptedJob

_MATTER = ("order_number", "delivered_on", "parcels", "subject")
_FEWEST_CHARS = 3
"""A shorter value ("2" parcels) is said by chance."""


def job_and_matter(job: ScriptedJob | None, entry: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return ``job`` and ``matter`` of a call's facts; empty for an ordinary call."""
    if job is None:
        return {}, {}
    told = job.model_dump()
    told["rang_back"] = entry != OUTBOUND
    return {name: value for name, value in told.items() if name not in _MATTER}, {name: told[name] for name in _MATTER}


@dataclass(frozen=True)
class PrivateWords:
    """What one call must not say before the right person's yes."""

    slot: str = ""
    pattern: re.Pattern[str] | None = None

    @classmethod
    def of(cls, pack: FlowPack, facts: CallFacts) -> PrivateWords:
        """Return those of a call; none for a call that is no outbound one."""
        outbound = pack.contents.outbound
        if outbound is None or not facts.job:
            return cls()
        values = [str(value) for value in facts.matter.values() if len(str(value)) >= _FEWEST_CHARS]
        spoken = [pack.language.spoken.spoken_digits(value) for value in values if value.isdigit()]
        words = [f"{re.escape(word)}s?" for word in outbound.private_words if facts.entry == OUTBOUND]
        return cls(
            outbound.right_person,
            re.compile(rf"\b({'|'.join([*map(re.escape, values + spoken), *words])})\b", re.IGNORECASE),
        )

    def told(self, conversation: Conversation, text: str) -> str:
        """Return what a text gives away; ``""`` for nothing."""
        if self.pattern is None or conversation.slots.get(self.slot) == RIGHT_PERSON_SAYS:
            return ""
        found = self.pattern.search(text)
        return found[0] if found is not None else ""
