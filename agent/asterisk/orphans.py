"""Finds and removes orphan channels and bridges that an earlier controller left in our application."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriConflict, AriError, AriNotFound
from agent.asterisk.outbound_entry import CONTEXT, ENTRY, MESSAGE

log = logging.getLogger(__name__)

MEDIA_PREFIX = "orderline-media-"
_BRIDGE_PREFIX = "orderline-bridge-"
_ENDS_APP = "."
"""Stands behind the application's name in an id, and in no such name: one name may begin with another."""


def new_media_id(app: str) -> str:
    """Return the id for a media leg of a call in this application."""
    return f"{MEDIA_PREFIX}{app}{_ENDS_APP}{secrets.token_hex(8)}"


def new_bridge_id(app: str) -> str:
    """Return the id for the bridge of a call in this application."""
    return f"{_BRIDGE_PREFIX}{app}{_ENDS_APP}{secrets.token_hex(8)}"


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
        if is_in_application(channel, app) and not str(channel["id"]).startswith(MEDIA_PREFIX):
            _, *args = str(channel["dialplan"].get("app_data", "")).split(",")
            found.append(OrphanChannel(channel, tuple(args)))
    return found


def is_in_application(channel: Mapping[str, Any], app: str) -> bool:
    """Return whether a channel, as ARI describes it, is in this application now."""
    place = channel.get("dialplan", {})
    return place.get("app_name") == "Stasis" and str(place.get("app_data", "")).split(",")[0] == app


def _is_in_another(channel: Mapping[str, Any], app: str) -> bool:
    return channel.get("dialplan", {}).get("app_name") == "Stasis" and not is_in_application(channel, app)


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
    """Remove the media legs and bridges of our application that are not among ours.

    Those of other applications stay: another instance may have calls in them. Never raises for what is gone already.
    """
    app = ari.app
    theirs = {str(channel["id"]) for channel in channels if _is_in_another(channel, app)}
    ids = [str(channel["id"]) for channel in channels]
    legs = [leg for leg in ids if _is_of_app(leg, MEDIA_PREFIX, app, without_app=leg not in theirs)]
    bridges = [
        str(bridge["id"])
        for bridge in await ari.bridges.list()
        if _is_of_app(
            str(bridge["id"]), _BRIDGE_PREFIX, app, without_app=theirs.isdisjoint(map(str, bridge.get("channels", ())))
        )
    ]
    ends = [ari.channels.hangup(leg) for leg in legs if leg not in media_ids]
    ends += [ari.bridges.destroy(bridge) for bridge in bridges if bridge not in bridge_ids]
    for result in await asyncio.gather(*ends, return_exceptions=True):
        if isinstance(result, AriError):
            log.warning("Cleaning up after another controller: %s", result)
        elif isinstance(result, BaseException):
            raise result


def _is_of_app(name: str, prefix: str, app: str, *, without_app: bool) -> bool:
    """Return whether an id is ours; ``without_app`` is the answer for one that names no application."""
    if not name.startswith(prefix):
        return False
    owner, separator, _ = name.removeprefix(prefix).partition(_ENDS_APP)
    return owner == app if separator else without_app


async def channel_exists(ari: AriClient, channel_id: str) -> bool:
    """Return whether a channel exists and is in an application; True when nobody can say."""
    with contextlib.suppress(AriError):
        channels = {str(channel["id"]): channel for channel in await ari.channels.list()}
        channel = channels.get(channel_id)
        return channel is not None and channel.get("dialplan", {}).get("app_name", "Stasis") == "Stasis"
    return True
