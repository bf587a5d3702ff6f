"""Parses ARI events and checks their shape once, where they come in."""

from __future__ import annotations

from typing import Any, TypeGuard

from agent.common.untrusted import load_json

_ABOUT_CHANNELS = ("Stasis", "Channel")
"""Events whose type begins so are about one channel."""
TRANSFER_REQUESTED = "ChannelTransfer"
"""A phone asks for a transfer (SIP REFER) on a channel whose transfers are left to the ARI program. Asterisk names the
channel in ``referred_by`` alone; here it is the event's ``channel`` as well."""
_PARTS = ("caller", "connected", "dialplan", "channelvars")


class MalformedEvent(ValueError):
    """A message that is no event; the text says why, without quoting it."""


def parse_event(text: str) -> dict[str, Any]:
    """Return the event in one message: a type, a channel with an id where it is about one. Raises MalformedEvent."""
    try:
        event = load_json(text)
    except ValueError as error:
        raise MalformedEvent(f"is no JSON ({len(text)} characters)") from error
    if not isinstance(event, dict) or not isinstance(kind := event.get("type"), str):
        raise MalformedEvent("has no type")
    if kind == TRANSFER_REQUESTED:
        event["channel"] = _asking_channel(event)
    if not _is_channel(event.get("replace_channel")):
        event.pop("replace_channel", None)
    if "channel" in event or kind.startswith(_ABOUT_CHANNELS):
        channel = event.get("channel")
        if not _is_channel(channel):
            raise MalformedEvent("names no channel")
        for part in _PARTS:
            if part in channel and not isinstance(channel[part], dict):
                channel[part] = {}
    if "args" in event and not isinstance(event["args"], list):
        event["args"] = []
    return event


def _is_channel(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict) and isinstance(value.get("id"), str) and bool(value["id"])


def _asking_channel(event: dict[str, Any]) -> Any:
    by = event.get("referred_by")
    return by.get("source_channel") if isinstance(by, dict) else None
