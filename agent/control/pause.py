"""The agent's pause: while it lasts, new calls go to the staff queue. It outlives a restart."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from agent.errors import OrderlineError

log = logging.getLogger(__name__)

_MAX_BY = 80


class PauseError(OrderlineError):
    """The pause could not be kept."""

    code = "pause"


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
        """Take no new calls. Pausing twice keeps the first time. Raises PauseError when it cannot be kept."""
        if self._paused is None:
            now = self._wall()
            paused = PauseState(now.isoformat(timespec="seconds"), by[:_MAX_BY])
            self._keep(paused, by, now.timestamp())
            self.on_change()
            return paused
        return self._paused

    def end(self, by: str) -> None:
        """Take calls again. Raises PauseError when the file cannot be removed."""
        self._keep(None, by, self._wall().timestamp())
        self.on_change()

    def follow(self, paused: PauseState | None, changed_at: float) -> None:
        """Do as another node did at ``changed_at`` (seconds since 1970). Raises PauseError."""
        self._keep(paused, f"{paused.by if paused else 'somebody'} on another node", changed_at)

    def _keep(self, paused: PauseState | None, by: str, changed_at: float) -> None:
        try:
            if paused is None:
                self._file.unlink(missing_ok=True)
            else:
                self._write(paused)
        except OSError as error:
            what = "ended" if paused is None else "kept"
            raise PauseError(f"{self._file}: the pause cannot be {what}: {error.strerror}") from error
        before, self._paused, self.changed_at = self._paused, paused, changed_at
        if paused is not None and before is None:
            log.warning("Paused by %s: new calls go to the queue", by or "somebody")
        elif paused is None and before is not None:
            log.warning("Resumed by %s: the agent takes calls", by or "somebody")

    def _write(self, paused: PauseState) -> None:
        partial = self._file.with_suffix(".part")
        with partial.open("w", encoding="utf-8") as file:
            json.dump(asdict(paused), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, self._file)

    def _read(self) -> PauseState | None:
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            return PauseState(str(kept["since"]), str(kept["by"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.error(
                "%s cannot be read (%s): calls go to the queue until somebody resumes the agent", self._file, error
            )
            return PauseState("", "")


def _seconds(since: str) -> float:
    try:
        return datetime.fromisoformat(since).timestamp()
    except ValueError:
        return 0.0
