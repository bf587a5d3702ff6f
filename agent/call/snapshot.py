"""A live call as a JSON-like snapshot, so that another process can recover it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from agent.call.records import CallRecord, SilentSpan, record_data
from agent.common.untrusted import finite_number, of_shape

VERSION = 1
_MOST_EVENTS = 1_000_000
RESTARTED_FAULT = "controller restarted"
"""The fault in the record of a call that outlived its controller."""


@dataclass(frozen=True)
class RecoveredCall:
    """What is left of a call whose controller is gone."""

    record: CallRecord
    """As far as it had come."""
    answered_at: float | None
    """Seconds since 1970; None for a call that was not answered yet."""
    conversation: Mapping[str, Any]
    """:meth:`agent.dialog.contract.Dialog.snapshot`."""
    events: int = 0
    """How many events of the call were told when it was kept."""
    hand_over: str = ""
    """A reason here: the conversation cannot go on, the call is handed over with its summary."""


def snapshot_of(
    record: CallRecord, answered_at: float | None, conversation: Mapping[str, Any], events: int = 0
) -> dict[str, Any]:
    """Return what :func:`recovered_call` needs; ``answered_at`` in seconds since 1970."""
    return {
        "version": VERSION,
        "record": record_data(record),
        "answered_at": answered_at,
        "conversation": dict(conversation),
        "events": events,
    }


def recovered_call(state: Mapping[str, Any]) -> RecoveredCall:
    """Read :func:`snapshot_of`. Raises ValueError for anything else."""
    try:
        if state["version"] != VERSION:
            raise ValueError("a call kept by another version")
        record = of_shape(_RECORD, state["record"])
        datetime.fromisoformat(record.started_at).timestamp()
        answered_at = state["answered_at"]
        conversation = state["conversation"]
        if not isinstance(conversation, dict):
            raise ValueError("no conversation")
        answered_at = None if answered_at is None else finite_number(answered_at)
        events = min(max(0, int(finite_number(state.get("events", 0)))), _MOST_EVENTS)
        return RecoveredCall(record, answered_at, dict(conversation), events)
    except (KeyError, TypeError, OverflowError, ValueError) as error:
        raise ValueError(f"no kept call: {type(error).__name__} {error}") from error


def silence_untold(record: CallRecord, until_seconds: float | None) -> None:
    """Have the caller's side of the sound silent from the last answer that was kept until a moment; None: to the end.

    What the caller said between the last snapshot and the death of the process is in no words, so nobody can tell
    whether it may be kept.
    """
    if record.sound is None:
        return
    since = 0.0
    if record.turns:
        last = record.turns[-1]
        begins = last.at_seconds if last.audible_at_seconds is None else last.audible_at_seconds
        since = begins if last.heard_until_seconds is None else last.heard_until_seconds
    record.sound.silent.append(SilentSpan(since, until_seconds, "caller"))


_RECORD = TypeAdapter(CallRecord)
"""Checks every value of a record: a snapshot may have come from another node, or from whoever can write to Redis."""
