"""Bounds how many lines strangers can make the log write: per source, and over all sources."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

WINDOW_SECONDS = 60.0
MOST_OF_ONE = 20
"""Lines of one source in a window: more than fail2ban needs to ban it (5)."""
MOST_OF_ALL = 200
_MOST_SOURCES = 1000


class LogRate:
    """Counts lines in windows of a minute; the first line of the next window is preceded by what was left out."""

    def __init__(self, log: logging.Logger, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        """``what`` names the lines that are left out ("authentication failures")."""
        self._log = log
        self._what = what
        self._clock = clock
        self._began = clock()
        self._lines: dict[str, int] = {}
        self._written = 0
        self._left_out = 0

    def allows(self, source: str) -> bool:
        """Return whether one more line about this source may be written."""
        now = self._clock()
        if now - self._began >= WINDOW_SECONDS:
            if self._left_out:
                self._log.warning("%d more lines about %s were not written", self._left_out, self._what)
            self._began, self._lines, self._written, self._left_out = now, {}, 0, 0
        key = source if source in self._lines or len(self._lines) < _MOST_SOURCES else ""
        count = self._lines.get(key, 0)
        if count >= MOST_OF_ONE or self._written >= MOST_OF_ALL:
            self._left_out += 1
            return False
        self._lines[key] = count + 1
        self._written += 1
        return True


class RateLimitedLog(logging.LoggerAdapter[logging.Logger]):
    """A logger for a library that writes about every peer who does something wrong: within bounds, from warnings on."""

    def __init__(self, log: logging.Logger, what: str, peer_errors: tuple[type[BaseException], ...]) -> None:
        """``peer_errors`` are what peers do wrong: one line without a trace."""
        super().__init__(log, {})
        self._rate = LogRate(log, what)
        self._peer_errors = peer_errors

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Write a line, or leave it out."""
        if level < logging.WARNING or not self._rate.allows(""):
            return
        if isinstance(error := kwargs.get("exc_info"), self._peer_errors):
            self.logger.warning("%s: %s", str(msg) % args if args else msg, type(error).__name__)
            return
        self.logger.log(level, msg, *args, **kwargs)
