"""Refusal: a business system says no, with a machine-readable reason that picks the sentence the caller hears."""

from __future__ import annotations

from agent.common.service_error import ServiceError


class Refusal(ServiceError):
    """``not_allowed`` with a reason: ``already_shipped``, ``window_over``, ``too_early``, ..."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__("not_allowed", f"{reason}: {message}", reason=reason)
