"""Limits the guessing of passwords: by name and by address, with delays that grow. In memory; a restart forgets."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from agent.common.backoff import pause_seconds
from agent.common.log_rate import LogRate

log = logging.getLogger(__name__)
failure_log = logging.getLogger("agent.console")
"""Its name is fixed: installed fail2ban filters read it (contrib/fail2ban)."""

WINDOW_SECONDS = 15 * 60.0
PER_NAME = 5
PER_ADDRESS = 20
FIRST_DELAY_SECONDS = 5.0
LONGEST_DELAY_SECONDS = 15 * 60.0
_MOST_KEYS = 20_000


@dataclass
class _Failures:
    count: int = 0
    last: float = 0.0


class GuessingLimits:
    """Counts failed sign-ins. Names and addresses that do not exist are counted like those that do."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """``clock`` gives monotonic seconds."""
        self._clock = clock
        self._failures: OrderedDict[tuple[str, str], _Failures] = OrderedDict()
        self._rate = LogRate(log, "authentication failures", clock)

    def wait_seconds(self, name: str, address: str, *, known: bool = False) -> float:
        """Return how long this name, or this address, has to wait before the next try; 0: it may try.

        ``known``: this person has signed in from this address before. Then only failures from there count against the
        name, so that strangers cannot keep somebody out.
        """
        by_name = self._wait(_name_key(name, address, known=known), PER_NAME)
        return max(by_name, self._wait(("address", address), PER_ADDRESS))

    def begin(self, name: str, address: str, *, known: bool = False) -> None:
        """Count a try as a failure before it is looked at: many at once are not free."""
        for key in (_name_key(name, address, known=known), ("address", address)):
            self._count(key)

    def failed(self, address: str) -> bool:
        """Write the line that fail2ban reads; returns whether it was written: floods are not, all of them."""
        allowed = self._rate.allows(address)
        if allowed:
            failure_log.warning("Authentication failure from %s", address or "an unknown address")
        return allowed

    def succeeded(self, name: str, address: str, *, known: bool = False) -> None:
        """Forget the failures of a name, and this try of the address: one good account frees no guessing of others."""
        self._failures.pop(_name_key(name, address, known=known), None)
        if (by_address := self._failures.get(("address", address))) is not None:
            by_address.count -= 1

    def _wait(self, key: tuple[str, str], free: int) -> float:
        failures = self._failures.get(key)
        if failures is None or failures.count < free:
            return 0.0
        since = self._clock() - failures.last
        if since >= WINDOW_SECONDS:
            return 0.0
        return max(0.0, pause_seconds(failures.count - free + 1, FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS) - since)

    def _count(self, key: tuple[str, str]) -> None:
        now = self._clock()
        failures = self._failures.pop(key, None) or _Failures()
        if now - failures.last >= WINDOW_SECONDS:
            failures.count = 0
        failures.count += 1
        failures.last = now
        self._failures[key] = failures
        while len(self._failures) > _MOST_KEYS:
            self._failures.popitem(last=False)


def _name_key(name: str, address: str, *, known: bool) -> tuple[str, str]:
    text = name.strip().casefold()[:200]
    return ("name", f"{text}\n{address}") if known else ("name", text)
