"""Bins for times: a percentile of very many calls is read from counts by bin. Edges are whole milliseconds."""

from __future__ import annotations

import bisect
from itertools import pairwise

_DECADE = (*range(100, 200, 5), *range(200, 500, 10), *range(500, 1000, 25))

EDGES: tuple[int, ...] = (0, *range(1, 100), *(edge * 10**power for power in range(5) for edge in _DECADE))
"""Where bins begin. A bin holds times from its edge on and below the next one; the last one all above (2.7 hours)."""

RESOLUTION = max((end - begin) / begin for begin, end in pairwise(EDGES[100:]))
"""How wide a bin is at most, as a part of its beginning (from 100 ms on; below that bins are 1 ms wide)."""


def bin_of(ms: float) -> int:
    """Return the edge at which the bin of a time begins; times below 0 are in the first."""
    return EDGES[max(0, bisect.bisect_right(EDGES, ms) - 1)]


def end_of_bin(edge: int) -> int:
    """Return where the bin that begins at an edge ends: the next edge; of the last bin its own beginning."""
    place = bisect.bisect_left(EDGES, edge)
    return EDGES[min(place + 1, len(EDGES) - 1)]
