"""Parses ARI events and checks their shape once, where they come in."""

from __future__ import annotations

from typing import Any

from agent.common.untrusted import load_json

_ABOUT_CHANNELS = ("Stasis", "Channel")
"""Events whose type begins so are about one channel."""
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
    if "channel" in event or kind.startswith(_ABOUT_CHANNELS):
        channel = event.get("channel")
        if not isinstance(channel, dict) or not isinstance(channel.get("id"), str) or not channel["id"]:
            raise MalformedEvent("names no channel")
        for part in _PARTS:
            if part in channel and not isinstance(channel[part], dict):
                channel[part] = {}
    if "args" in event and not isinstance(event["args"], list):
        event["args"] = []
    return event
