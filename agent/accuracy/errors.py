"""Errors of an accuracy measurement."""

from __future__ import annotations

from agent.errors import OrderlineError


class AccuracyError(OrderlineError):
    """Something that a measurement needs is missing or unusable; the message says what to do."""

    code = "accuracy"


__all__ = ["AccuracyError"]
