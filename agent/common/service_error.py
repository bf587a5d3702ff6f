"""The error of an operation on a business system: raised by the shop's adapters, handled by calls and records."""

from __future__ import annotations

from agent.errors import OrderlineError

NOT_SENT_AGAIN = "not_sent_again"
"""Reason of a ``timed_out`` change: it may have been made, and the system could not tell that a repeat is one. Nothing
sends it again by itself; a person looks."""


class ServiceError(OrderlineError):
    """A business operation did not succeed."""

    code = "unavailable"

    def __init__(self, code: str, message: str, *, retryable: bool = False, reason: str = "") -> None:
        """``reason`` is the machine word of a refusal (``already_shipped``) that flows can branch on."""
        super().__init__(message)
        self.code = code
        self.retryable = retryable
        self.reason = reason
