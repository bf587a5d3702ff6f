"""The one base error of the product; every room adds small subclasses of its own."""

from __future__ import annotations


class OrderlineError(Exception):
    """A failure with a stable code and a message an administrator can act on."""

    code: str = "orderline"
    """Stable identifier, fit for logs, metrics and documentation."""

    retryable: bool = False
    """True where doing the same thing again can reasonably succeed."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
