"""The agent's pause: while it lasts, new calls go to the staff queue. It outlives a restart.

It holds in memory at once, whatever the disk does: a switch for when something is wrong must not need a disk.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.common.atomic_write import remove, write_text
from agent.common.untrusted import parse_json, printable

log = logging.getLogger(__name__)

_MAX_BY = 80
_MAX_FILE_CHARS = 4096
_STEP_SECONDS = 0.001
"""By so much a change counts as later than one that was known before it, whatever the clocks say."""


@dataclass(frozen=True)
class PauseState:
    """Since when, and who wanted it."""

    since: str
    """ISO 8601 with offset."""
    by: str = ""


class PauseSwitch:
    """One agent's pause, kept in a file. Nodes with one Redis follow each other (:mod:`agent.control.pause_sync`)."""

    def __init__(self, file: Path, wall: Callable[[], datetime]) -> None:
        """Take up what an earlier process left. A file that cannot be read counts as a pause: that is the safe side."""
        self._file = file
        self._wall = wall
        self.not_kept = ""
        """Why the pause, or its end, will not outlive a restart; ``""`` when it will."""
        self._paused = self._read()
        self.changed_at = _seconds(self._paused.since) if self._paused is not None else 0.0
        """When it was begun or ended, seconds since 1970; 0 when nobody knows."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when this node's supervisors begin or end it."""

    @property
    def now(self) -> PauseState | None:
        """The pause that holds now, None when calls are taken."""
        return self._paused

    def begin(self, by: str) -> PauseState:
        """Take no new calls, from now on. Pausing twice keeps the first time. See :attr:`not_kept`."""
        if self._paused is None:
            paused = PauseState(self._wall().isoformat(timespec="seconds"), clean_name(by))
            self._change(paused, by, self._next_moment())
            self.on_change()
            return paused
        if self.not_kept:
            self._keep(self._paused)  # there may be room by now
        return self._paused

    def end(self, by: str) -> None:
        """Take calls again, from now on. See :attr:`not_kept`."""
        self._change(None, by, self._next_moment())
        self.on_change()

    def follow(self, paused: PauseState | None, changed_at: float) -> None:
        """Do as another node did at ``changed_at`` (seconds since 1970)."""
        self._change(paused, f"{paused.by if paused else 'somebody'} on another node", changed_at)

    def outrank(self, changed_at: float) -> None:
        """Count what holds here as later than a change at ``changed_at`` (seconds since 1970)."""
        self.changed_at = max(self.changed_at, changed_at + _STEP_SECONDS)

    def _next_moment(self) -> float:
        """Return the time of a change made now: later than all that is known, even than what is from the future."""
        return max(self._wall().timestamp(), self.changed_at + _STEP_SECONDS)

    def _change(self, paused: PauseState | None, by: str, changed_at: float) -> None:
        before, self._paused, self.changed_at = self._paused, paused, changed_at
        if paused is not None and before is None:
            log.warning("Paused by %s: new calls go to the queue", clean_name(by) or "somebody")
        elif paused is None and before is not None:
            log.warning("Resumed by %s: the agent takes calls", clean_name(by) or "somebody")
        self._keep(paused)

    def _keep(self, paused: PauseState | None) -> None:
        try:
            if paused is None:
                remove(self._file)
            else:
                write_text(self._file, json.dumps(asdict(paused)))
        except OSError as error:
            what = "the end of the pause" if paused is None else "the pause"
            self.not_kept = f"{what} holds, but will not outlive a restart: {self._file}: {error.strerror or error}"
            log.error("%s", self.not_kept)
        else:
            self.not_kept = ""

    def _read(self) -> PauseState | None:
        try:
            kept = pause_of(parse_json(self._file.read_bytes(), most_chars=_MAX_FILE_CHARS))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.error(
                "%s cannot be read (%s): calls go to the queue until somebody resumes the agent", self._file, error
            )
            return PauseState("", "")
        return kept


def pause_of(kept: Any) -> PauseState:
    """Return a pause as it was kept or told. Raises ValueError for what is none."""
    if not isinstance(kept, dict) or not isinstance(kept.get("since"), str) or not isinstance(kept.get("by"), str):
        raise ValueError("not a pause")
    since = kept["since"]
    try:
        datetime.fromisoformat(since)
    except ValueError:
        since = ""  # nobody knows when
    return PauseState(since, clean_name(kept["by"]))


def clean_name(by: str) -> str:
    """Return who did it, fit for logs and terminals."""
    return printable(by[:_MAX_BY], keep="")


def _seconds(since: str) -> float:
    try:
        return datetime.fromisoformat(since).timestamp()
    except (ValueError, OverflowError):
        return 0.0
