"""Starts a call in text, without a telephone, for benchmarks of rules and grammars."""

from __future__ import annotations

import datetime as dt

from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from agent.speech.wording import filters


def text_call(pack: FlowPack) -> Conversation:
    """Return the conversation of an unknown caller, on a fixed morning, before its first turn."""
    facts = CallFacts(
        now=dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC),
        shop_name="Maple and Finch",
        caller_number="",
        dialled="7000",
        entry="inbound",
        call_id="benchmark",
    )
    return Conversation(pack, facts, SandboxRenderer(filters))
