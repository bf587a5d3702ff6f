"""Compares what callers give with what is known of them, without telling by the time taken how much of it is right."""

from __future__ import annotations

import hmac


def same_secret(given: str, known: str) -> bool:
    """Compare two texts in time that does not tell where they differ; empty equals nothing."""
    return hmac.compare_digest(given.encode(), known.encode()) and bool(given)
