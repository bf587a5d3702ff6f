"""Puts ARI's events of callers' channels into the inboxes of their calls: hang-ups, keys, holds, transfers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any

from agent.asterisk.ari.events import TRANSFER_REQUESTED
from agent.asterisk.channel import AsteriskCallerLine
from agent.call.inbox_events import CallerHungUp, CallReclaimed, CallTransferred, HoldBegan, HoldEnded, KeyPressed

log = logging.getLogger(__name__)

LINE_EVENT_TYPES = (
    "StasisEnd",
    "ChannelDestroyed",
    "ChannelHangupRequest",
    "ChannelDtmfReceived",
    "ChannelHold",
    "ChannelUnhold",
    TRANSFER_REQUESTED,
)


class LineEvents:
    """What happens to the lines of the calls that go on. Events of other channels are none of its business."""

    def __init__(
        self, lines: Mapping[str, AsteriskCallerLine], decline_transfer: Callable[[AsteriskCallerLine], object]
    ) -> None:
        """``lines`` by the id of their channel, as they are at any moment."""
        self._lines = lines
        self._decline_transfer = decline_transfer
        handlers = (
            self._left,
            self._gone,
            self._gone,
            self._key,
            self._hold_began,
            self._hold_ended,
            self._transfer_requested,
        )
        self.handlers = dict(zip(LINE_EVENT_TYPES, handlers, strict=True))
        """What to call for each type of event."""

    def replaced(self, event: Mapping[str, Any]) -> AsteriskCallerLine | None:
        """Return the line whose caller has made room for the channel of a StasisStart, and tell its call so."""
        line = self._lines.get(str(event.get("replace_channel", {}).get("id")))
        if line is not None and not line.hanging_up.is_set():
            line.hanging_up.set()
            line.inbox.put_nowait(CallTransferred())
        return line

    def found(self, known: Collection[str], there: Collection[str], here: Collection[str]) -> None:
        """Tell calls what was found after a reconnection, by the ids of channels.

        ``known`` are those that calls had before it, ``there`` all that there are, ``here`` those in our application.
        """
        for line in self._lines.values():
            if line.channel_id not in known or line.released:
                continue
            end_hold(line)  # nobody knows: to wait for who is back already would be worse than to speak to nobody
            if line.channel_id not in there:
                line.inbox.put_nowait(CallerHungUp("found gone after a reconnection"))
            elif line.channel_id not in here:
                line.inbox.put_nowait(CallReclaimed("found elsewhere after a reconnection"))

    def _line_of(self, event: Mapping[str, Any]) -> AsteriskCallerLine | None:
        return self._lines.get(str(event.get("channel", {}).get("id")))

    def _gone(self, event: dict[str, Any]) -> None:
        if (line := self._line_of(event)) is not None:
            line.hanging_up.set()
            line.inbox.put_nowait(CallerHungUp(str(event.get("cause_txt", ""))))

    def _left(self, event: dict[str, Any]) -> None:
        """A channel has left our application: because we let it go, because it hangs up, or taken by somebody else."""
        line = self._line_of(event)
        # a caller's hang-up is announced before
        if line is not None and not line.released and not line.hanging_up.is_set():
            line.inbox.put_nowait(CallReclaimed("the dead-man timer, a rescuer or an administrator"))

    def _key(self, event: dict[str, Any]) -> None:
        if (line := self._line_of(event)) is not None:
            line.inbox.put_nowait(KeyPressed(str(event.get("digit", ""))))

    def _hold_began(self, event: dict[str, Any]) -> None:
        if (line := self._line_of(event)) is not None and not line.on_hold:
            line.on_hold = True
            line.inbox.put_nowait(HoldBegan())

    def _hold_ended(self, event: dict[str, Any]) -> None:
        if (line := self._line_of(event)) is not None:
            end_hold(line)

    def _transfer_requested(self, event: dict[str, Any]) -> None:
        """The caller's phone would have the agent speak with somebody else: the caller stays.

        Asterisk tells the answer as another such event, with a ``state``.
        """
        if not event.get("state") and (line := self._line_of(event)) is not None:
            log.warning("Call %s: the caller's phone asked for a transfer; it is declined", line.id)
            self._decline_transfer(line)


def end_hold(line: AsteriskCallerLine) -> None:
    """The caller of this line is back from a hold, where there was one."""
    if line.on_hold:
        line.on_hold = False
        line.inbox.put_nowait(HoldEnded())
