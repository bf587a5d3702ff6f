"""Transfers of calls the agent has: a caller's own are refused, a party that takes a caller's place gets a call.

Asterisk puts such a party into the Stasis application straight from a bridge, without dialplan. There is no dead-man
timer then, and no extension ``T`` that leads to the queue: were the agent to die, Asterisk would hang up on it. So it
is sent through ``[orderline]`` like every other call.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriConflict, AriError, AriNotFound
from agent.common.backoff import Backoff

log = logging.getLogger(__name__)

STRANDED = "stranded"
"""First argument of ``Stasis()`` for a call that another instance had; behind it stands how the call had come."""
ENTRIES = ("inbound", "outbound", "queue_failed", "queue_escape", "transfer_back", STRANDED)
"""First argument of ``Stasis()`` by which a caller comes from our dialplan: the way to the queue is prepared there."""
TRANSFER_FUNCTION = "PJSIP_TRANSFER_HANDLING()"
"""Dialplan function that leaves a SIP channel's REFER requests to the ARI program."""
TRANSFERS_HELD = "ORDERLINE_TRANSFERS_HELD"
"""Channel variable: ``1`` while the agent decides about transfers; the dialplan gives them back on the way to staff."""
_ATTENDED = "Local/_attended@transfer-"
"""How the names of legs begin by which Asterisk links two calls after an attended transfer."""
_SIP = "PJSIP/"
"""How the names of channels of SIP phones begin."""
_TRIES = 12
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 2.0
"""A restarting Asterisk, or a busy one, is waited for some twenty seconds."""
ENTRANCE = ("orderline", "enter")
"""Where every caller enters; in this place since the dialplan's first edition."""


def entry_of(args: Sequence[str]) -> list[str]:
    """Return how a call had come first, where it came from another instance; else the arguments as they are."""
    return list(args[1:] if args and args[0] == STRANDED else args)


def came_by_dialplan(args: Sequence[str]) -> bool:
    """Whether a channel has come into the application by our dialplan: it can leave for the queue without us."""
    return bool(args) and args[0] in ENTRIES


async def bring_in(
    ari: AriClient, channel: Mapping[str, Any], *, dialled: str = "", takes_a_place: bool = False
) -> None:
    """Send a channel that has come without dialplan through it; it is back a moment later as a call.

    ``takes_a_place``: Asterisk has said that it replaces a caller; ``dialled`` is the number which that one had
    dialled. The leg of a blind transfer, or of a parking, is hung up: the caller has left, and who is being called
    would find nobody but the agent. What Asterisk does not answer is tried again: nobody else looks after the channel
    but the rescuer, where one runs. Never raises.
    """
    channel_id = str(channel["id"])
    pauses = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)
    for left in reversed(range(_TRIES)):
        try:
            if left == _TRIES - 1 or not await _has_entered(ari, channel_id):
                await _send_through(ari, channel, dialled, takes_a_place)
            return
        except (AriNotFound, AriConflict) as error:
            log.info("Channel %s, which came by a transfer, has gone: %s", channel_id, error)
            return
        except AriError as error:
            log.log(
                logging.WARNING if left else logging.ERROR,
                "Channel %s, which came by a transfer, could not be sent through the dialplan%s: %s",
                channel_id, "; it is tried again" if left else "", error,
            )  # fmt: skip
        if left:
            await asyncio.sleep(pauses.next_seconds())


async def _send_through(ari: AriClient, channel: Mapping[str, Any], dialled: str, takes_a_place: bool) -> None:
    channel_id, name = str(channel["id"]), str(channel.get("name", ""))
    stands_in = name.startswith("Local/") and not name.startswith(_ATTENDED)
    if stands_in and (takes_a_place or await _is_blind_transfer(ari, channel_id)):
        log.warning("The caller of a call transferred the agent to somebody else: that leg %s ends", channel_id)
        await ari.channels.hangup(channel_id)
        return
    await ari.channels.set_variable(channel_id, "ORDERLINE_DIALLED", dialled)
    context, extension = ENTRANCE
    await ari.channels.continue_in_dialplan(channel_id, context=context, extension=extension)
    log.info("Channel %s has come by a transfer; it enters as a call of its own", channel_id)


async def _has_entered(ari: AriClient, channel_id: str) -> bool:
    """Return whether a channel is back as a call: an answer that got lost may have been a yes. Raises AriError."""
    place = (await ari.channels.get(channel_id)).get("dialplan", {})
    return place.get("app_name") == "Stasis" and came_by_dialplan(str(place.get("app_data", "")).split(",")[1:])


async def _is_blind_transfer(ari: AriClient, channel_id: str) -> bool:
    """Asterisk names the transferring channel on the leg that stands in for the party transferred to."""
    return bool(await ari.channels.get_variable(channel_id, "BLINDTRANSFER"))


async def hold_transfers(ari: AriClient, channel_id: str, channel_name: str) -> None:
    """Let the agent, not Asterisk, decide about transfers that this caller's phone asks for.

    Without it a caller's REFER would have this Asterisk call any number the caller's context leads to. Phones that are
    no SIP phones stay as they are. Never raises.
    """
    if not channel_name.startswith(_SIP):
        return
    try:
        await ari.channels.set_variable(channel_id, TRANSFERS_HELD, "1")  # first: what is held is given back by this
        await ari.channels.set_variable(channel_id, TRANSFER_FUNCTION, "ari-only")
    except AriError as error:
        log.debug("Transfers of %s stay with Asterisk: %s", channel_id, error)


async def give_transfers_back(ari: AriClient, channel_id: str, channel_name: str) -> None:
    """Let Asterisk decide about transfers again: the call goes to people. Raises AriError."""
    if channel_name.startswith(_SIP) and await ari.channels.get_variable(channel_id, TRANSFERS_HELD):
        await ari.channels.set_variable(channel_id, TRANSFER_FUNCTION, "core")
        await ari.channels.set_variable(channel_id, TRANSFERS_HELD, "")


async def refuse_transfer(ari: AriClient, channel_id: str) -> None:
    """Decline the transfer that a caller's phone has asked for: the caller stays with the agent. Never raises."""
    try:
        await ari.channels.refuse_transfer(channel_id)
    except AriError as error:
        log.info("A transfer asked for by %s could not be declined: %s", channel_id, error)
