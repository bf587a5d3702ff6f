"""Whether new calls are taken at all, said by a supervisor: what is known of it, and who keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

MAX_REASON_CHARS = 100


@dataclass(frozen=True)
class Pause:
    """Whether new calls go straight to people, who said so, and when."""

    reason: str = ""
    """``""``: calls are taken."""
    at: float = 0.0
    """Seconds since 1970."""

    @property
    def is_on(self) -> bool:
        """True when new calls go straight to people."""
        return bool(self.reason)


class PauseFlag(Protocol):
    """Keeps the pause beyond the end of the program."""

    @property
    def pause(self) -> Pause:
        """Whether calls are taken. Never waits."""

    async def set_pause(self, reason: str) -> None:
        """Take no new calls for this reason, ``""`` to take them again. Raises OSError when it cannot be kept."""
