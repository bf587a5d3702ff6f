"""How far a share or a mean may be from the truth: 95 % intervals, as they are printed beside it."""

from __future__ import annotations

import math

_Z = 1.959963984540054


def wilson(part: int, of: int) -> tuple[float, float] | None:
    """Return the Wilson interval of the share ``part / of``; None where there is nothing."""
    if of <= 0:
        return None
    share, square = part / of, _Z * _Z
    middle = share + square / (2 * of)
    spread = _Z * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    scale = 1 + square / of
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def net_promoter(promoters: int, detractors: int, of: int) -> tuple[float, float] | None:
    """Return the share of promoters less that of detractors, and how far it may be off on either side (-1..1)."""
    if of <= 0:
        return None
    plus, minus = promoters / of, detractors / of
    return plus - minus, _Z * math.sqrt((plus + minus - (plus - minus) ** 2) / of)
