"""Supervisors' feature codes: pause, resume, take over. The dialplan sends the code into Stasis."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriError
from agent.common.phone_numbers import keyed_forms
from agent.errors import OrderlineError

log = logging.getLogger(__name__)

CONTROL = "control"
"""First argument of ``Stasis(orderline,control,WHAT,NUMBER,BY)``: a supervisor's phone, not a caller."""
TAKE_OVER = "take_over"
SPY_GROUP = "SPYGROUP"
"""Channel variable by which ChanSpy finds a side of a call, several groups with ``:`` between them."""
SPY_GROUPS = ("orderline", "orderline-agent")
"""By the first supervisors listen, by the second they whisper."""
ANSWER_VARIABLE = "ORDERLINE_ANSWER"
"""Channel variable: what came of it; ``""`` when nothing did. For a take-over the name of the caller's channel."""
DONE = "done"

TakeOver = Callable[[str, str], Awaitable[str]]


class FeatureCodes:
    """The codes besides the take-over, each by its name."""

    def __init__(self, acts: Mapping[str, Callable[[str], object]]) -> None:
        """``acts[name](by)`` does it; ``by`` is the number of the supervisor's phone. May raise OrderlineError."""
        self._acts = acts

    async def run_code(self, ari: AriClient, channel_id: str, args: list[str], take_over: TakeOver) -> None:
        """Do what the arguments say, leave the answer on the channel and let its dialplan go on."""
        what, number, by = (*args, "", "", "")[:3]
        answer = ""
        if what == TAKE_OVER:
            answer = await take_over(number, by)
        elif what in self._acts:
            try:
                self._acts[what](by)
                answer = DONE
            except OrderlineError as error:
                log.error("%s asked for by %s: %s", what, by, error)
        else:
            log.error("The dialplan asks for %r, which is no feature code", what)
        try:
            await ari.channels.set_variable(channel_id, ANSWER_VARIABLE, answer)
            await ari.channels.go_on(channel_id)
        except AriError as error:
            log.info("The supervisor's phone has gone: %s", error)


def spy_groups(number: str, region: str) -> str:
    """Return the SPYGROUP of the agent's side of a call, by which supervisors find it.

    Any call's groups, and one of each for every way of keying the caller's number. The caller's channel is in no group:
    what supervisors listen to ends with the agent's side, whatever way the caller goes on to people.
    """
    numbers = keyed_forms(number, region)
    return ":".join(name for group in SPY_GROUPS for name in (group, *(f"{group}-{digits}" for digits in numbers)))
