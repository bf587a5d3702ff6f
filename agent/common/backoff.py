"""Pauses between tries that grow while something is away: each twice the last one, up to a longest."""

from __future__ import annotations


class Backoff:
    """The pauses of one loop. Whoever waits adds jitter where many could come back at once."""

    def __init__(self, first_seconds: float, longest_seconds: float) -> None:
        self._first_seconds = first_seconds
        self._longest_seconds = longest_seconds
        self._failures = 0

    def next_seconds(self) -> float:
        """Return the pause after one more failure."""
        self._failures += 1
        return pause_seconds(self._failures, self._first_seconds, self._longest_seconds)

    def reset(self) -> None:
        """Begin again with the first pause: something went well."""
        self._failures = 0


def pause_seconds(failures: int, first_seconds: float, longest_seconds: float) -> float:
    """Return the pause after so many failures in a row (1 = the first), for those who keep the count themselves."""
    doublings = min(failures - 1, 30)  # more would only be a number too large for a float
    return min(first_seconds * 2.0**doublings, longest_seconds)
