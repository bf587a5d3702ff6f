"""Settings of a call: its limits, its turns, consent, and the rescuer that frees callers of a dead agent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from agent.call.turn_taking import TurnTakingOptions
from agent.config.base import SettingsPart

ContextName = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,79}$")]
"""A context of the dialplan. Asterisk cuts longer names off, and other characters change what a request asks for."""


class CallSettings(SettingsPart):
    """Limits and places of a call."""

    handover_context: ContextName = "orderline-handover"
    """Where in the dialplan calls are handed over; its extensions are the reasons."""
    deadman_seconds: int = Field(default=5, ge=3, le=60)
    max_call_seconds: int = Field(default=900, ge=30)
    resume_seconds: int = Field(default=10, ge=0, le=60)
    """How long callers of an agent that died are held while the next one starts; 0: the dialplan takes them."""
    max_calls: int = Field(default=0, ge=0)
    """More calls than this at a time go straight to the queue; 0 for no limit."""
    hold_seconds: int = Field(default=300, ge=10, le=3600)
    """A caller who has put the agent on hold is waited for so long, without a word; then the call ends."""
    end_complete_ms: int = Field(default=TurnTakingOptions.end_complete_ms, ge=100, le=2000)
    end_likely_ms: int = Field(default=TurnTakingOptions.end_likely_ms, ge=100, le=3000)
    end_open_ms: int = Field(default=TurnTakingOptions.end_open_ms, ge=200, le=5000)
    end_incomplete_ms: int = Field(default=TurnTakingOptions.end_incomplete_ms, ge=300, le=8000)
    barge_in_ms: int = Field(default=TurnTakingOptions.barge_in_ms, ge=40, le=1000)
    withheld_log_file: Path | None = None
    """A file in which withheld numbers are kept for emergencies, and nowhere else; unset: they are kept nowhere."""
    consent: Literal["off", "announce", "ask"] = "off"
    """Whether callers are told that words are kept, or asked; the words stand in the pack's ``recording``."""


class RescuerSettings(SettingsPart):
    """The independent rescuer (``orderline rescuer``)."""

    after_seconds: float = Field(default=4.0, ge=2.0, le=60.0)
    """A controller whose heartbeat has stood still for this long is dead or hangs."""
    poll_seconds: float = Field(default=1.0, ge=0.2, le=10.0)
    context: ContextName = "orderline-rescue"
