"""The watchdog of one call: re-arms the dialplan's dead-man timer while the call is looked after."""

from __future__ import annotations

import asyncio
import logging

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriConflict, AriError, AriNotFound
from agent.asterisk.channel import AsteriskCallerLine, StasisOptions

log = logging.getLogger(__name__)

_MOST_AT_ONCE = 2
"""So many re-armings that Asterisk is slow to answer follow each other without a pause."""


async def keep_watchdog_armed(ari: AriClient, line: AsteriskCallerLine, options: StasisOptions) -> None:
    """Set the timer again and again until the conversation's hard end, or until the call is not ours any more.

    A re-arming that Asterisk does not answer soon is given up, and the next one sent at once on another connection: one
    slow answer ends no healthy call.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + await _longest(ari, line, options)
    failures = 0
    while loop.time() < deadline and not line.released:
        try:
            await line.rearm()
            failures = 0
        except (AriNotFound, AriConflict):
            return
        except AriError as error:
            failures += 1
            level = logging.WARNING if failures > 1 else logging.INFO
            log.log(level, "Call %s: the dead-man timer could not be re-armed: %s", line.id, error)
        if not 0 < failures <= _MOST_AT_ONCE:
            await asyncio.sleep(options.rearm_seconds)


async def _longest(ari: AriClient, line: AsteriskCallerLine, options: StasisOptions) -> float:
    """Seconds this conversation may last: to the dialplan's own deadline where it set one, and never beyond ours.

    The deadline is a time of day on the clock of Asterisk's host, so the time left is told by that clock too.
    """
    longest = float(options.max_call_seconds)
    try:
        async with asyncio.timeout(options.ask_seconds):
            deadline, now = await asyncio.gather(
                ari.channels.get_variable(line.channel_id, "ORDERLINE_DEADLINE"), ari.system.clock()
            )
    except (AriError, TimeoutError):
        return longest
    return min(longest, float(deadline) - now) if deadline.isdigit() and now is not None else longest
