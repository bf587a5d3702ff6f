"""The agent's pause: while it holds, new calls go to the people's queue. It outlives a restart."""

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
class Paused:
    """Since when, and who wanted it."""

    since: str
    """ISO 8601 with offset."""
    by: str = ""


class Pause:
    """One agent's pause, kept in a file."""

    def __init__(self, file: Path, wall: Callable[[], datetime]) -> None:
        """Take up what an earlier life left. A file that cannot be read counts as a pause: people are the safe side."""
        self._file = file
        self._wall = wall
        self._paused = self._read()

    @property
    def now(self) -> Paused | None:
        """The pause that holds now, None when calls are taken."""
        return self._paused

    def begin(self, by: str) -> Paused:
        """Take no new calls. Pausing twice keeps the first time. Raises PauseError when it cannot be kept."""
        if self._paused is None:
            paused = Paused(self._wall().isoformat(timespec="seconds"), by[:_MAX_BY])
            partial = self._file.with_suffix(".part")
            try:
                with partial.open("w", encoding="utf-8") as file:
                    json.dump(asdict(paused), file)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(partial, self._file)
            except OSError as error:
                raise PauseError(f"{self._file}: the pause cannot be kept: {error.strerror}") from error
            self._paused = paused
            log.warning("Paused by %s: new calls go to the queue", by or "somebody")
        return self._paused

    def end(self, by: str) -> None:
        """Take calls again. Raises PauseError when the file cannot be removed."""
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            raise PauseError(f"{self._file}: the pause cannot be ended: {error.strerror}") from error
        if self._paused is not None:
            self._paused = None
            log.warning("Resumed by %s: the agent takes calls", by or "somebody")

    def _read(self) -> Paused | None:
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            return Paused(str(kept["since"]), str(kept["by"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.error(
                "%s cannot be read (%s): calls go to the queue until somebody resumes the agent", self._file, error
            )
            return Paused("", "")
