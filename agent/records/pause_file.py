"""The supervisor's pause in a file, so that neither a restart nor a crash puts a paused agent back to work."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from agent.call.pausing import MAX_REASON_CHARS, Pause

log = logging.getLogger(__name__)


class PauseFile:
    """Implements :class:`agent.call.pausing.PauseFlag`. Reads its file once, when made."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """``clock`` gives seconds since 1970. A file that cannot be read counts as a pause: it was one."""
        self._path = path
        self._clock = clock
        self._pause = self._read()

    @property
    def pause(self) -> Pause:
        """Whether calls are taken."""
        return self._pause

    async def set_pause(self, reason: str) -> None:
        """Pause for this reason, or resume with ``""``. It counts even when the file cannot be written (OSError)."""
        self._pause = Pause(reason.strip()[:MAX_REASON_CHARS], self._clock())
        await asyncio.to_thread(self._write, self._pause)

    def _read(self) -> Pause:
        try:
            data = json.loads(self._path.read_text(encoding="utf-8"))
            return Pause(str(data["reason"]), float(data["at"]))
        except FileNotFoundError:
            return Pause()
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.error("%s cannot be read (%s): the agent is paused until somebody resumes it", self._path, error)
            return Pause("unreadable", self._clock())

    def _write(self, pause: Pause) -> None:
        partial = self._path.with_suffix(".part")
        with partial.open("w", encoding="utf-8") as file:
            json.dump({"reason": pause.reason, "at": pause.at}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, self._path)
