"""Finds and removes orphan channels and bridges that an earlier controller left in our application."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriConflict, AriError, AriNotFound
from agent.asterisk.outbound_entry import CONTEXT, ENTRY, MESSAGE

log = logging.getLogger(__name__)

MEDIA_PREFIX = "orderline-media-"
BRIDGE_PREFIX = "orderline-bridge-"


@dataclass(frozen=True)
class OrphanChannel:
    """A caller in our application."""

    channel: Mapping[str, Any]
    args: tuple[str, ...]
    """What the dialplan passed to Stasis after the application's name."""

    @property
    def is_outbound(self) -> bool:
        """Whether it is a customer whom an agent has called, and who has not asked for staff."""
        return self.args[:1] == (ENTRY,)


def orphan_channels(channels: Sequence[Mapping[str, Any]], app: str) -> list[OrphanChannel]:
    """Return the callers among all channels of an Asterisk that are in this application."""
    found = []
    for channel in channels:
        place = channel.get("dialplan", {})
        name, *args = str(place.get("app_data", "")).split(",")
        ours = place.get("app_name") == "Stasis" and name == app
        if ours and not str(channel["id"]).startswith(MEDIA_PREFIX):
            found.append(OrphanChannel(channel, tuple(args)))
    return found


async def leave_to_message(ari: AriClient, stray: OrphanChannel) -> None:
    """Let a customer whom a dead agent has called hear the information message. Raises AriError."""
    channel_id = str(stray.channel["id"])
    try:
        await ari.channels.continue_in_dialplan(channel_id, context=CONTEXT, extension=MESSAGE)
    except (AriNotFound, AriConflict):
        return
    log.warning("Call %s was placed by an agent that has died; the customer hears the information message", channel_id)


async def remove_orphans(
    ari: AriClient, channels: Sequence[Mapping[str, Any]], media_ids: set[str], bridge_ids: set[str]
) -> None:
    """Remove media legs and bridges that are not among ours. Never raises for what is gone already."""
    legs = [str(channel["id"]) for channel in channels if str(channel["id"]).startswith(MEDIA_PREFIX)]
    bridges = [str(bridge["id"]) for bridge in await ari.bridges.list()]
    ends = [ari.channels.hangup(leg) for leg in legs if leg not in media_ids]
    ends += [
        ari.bridges.destroy(bridge)
        for bridge in bridges
        if bridge.startswith(BRIDGE_PREFIX) and bridge not in bridge_ids
    ]
    for result in await asyncio.gather(*ends, return_exceptions=True):
        if isinstance(result, AriError):
            log.warning("Cleaning up after another controller: %s", result)
        elif isinstance(result, BaseException):
            raise result


async def channel_exists(ari: AriClient, channel_id: str) -> bool:
    """Return whether a channel exists and is in an application; True when nobody can say."""
    with contextlib.suppress(AriError):
        channels = {str(channel["id"]): channel for channel in await ari.channels.list()}
        channel = channels.get(channel_id)
        return channel is not None and channel.get("dialplan", {}).get("app_name", "Stasis") == "Stasis"
    return True
