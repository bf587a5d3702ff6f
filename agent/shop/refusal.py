"""The refusal of a business system with a machine word for why, so that the caller hears the right sentence."""

from __future__ import annotations

from agent.call.errors import ServiceError


class Refusal(ServiceError):
    """``not_allowed`` with a reason: ``already_shipped``, ``window_over``, ``too_early``, ..."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__("not_allowed", f"{reason}: {message}", reason=reason)
