"""The errors of the impact model."""

from __future__ import annotations

from agent.errors import OrderlineError


class InvalidImpactInput(OrderlineError):
    """An input of the impact model cannot be used; the message holds one problem a line."""

    code = "settings"


class CallLogUnusable(OrderlineError):
    """A queue log, a CDR or a file of volumes cannot be used at all; the message says why."""

    code = "call_log"


class EndlessQueue(OrderlineError):
    """More work arrives than the staff can do, and nobody hangs up: there is no mean wait."""

    code = "endless_queue"
