"""What the shop has set for the dialler, besides its rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from agent.outbound.model import Purpose
from agent.outbound.policy import DialRules


@dataclass(frozen=True)
class DiallerSettings:
    """What the shop has set, besides its rules."""

    rules: DialRules
    purposes: frozenset[Purpose]
    caller_ids: Mapping[Purpose, str]
    trunk_channels: int
    reserve_channels: int
    """Stay free for those who call in."""
    max_outbound: int = 2
    seconds_between_calls: float = 1.0
    ring_seconds: int = 25
    staff_wait_seconds: float = 120.0
    keep: timedelta = timedelta(days=30)
