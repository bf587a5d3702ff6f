"""Opens the finished calls of this node, or of all nodes where they come together in PostgreSQL."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from agent.history.indexer import Progress
from agent.history.local import LocalHistory
from agent.history.search import CallIndex
from agent.history.shared import SharedHistory


class History(Protocol):
    """Finished calls, wherever they are. Its methods block: call them off the event loop."""

    index: CallIndex
    settle_seconds: float
    """Records that were stored this long ago are all to be seen: none comes in between any more."""

    def catch_up(self, progress: Progress = ..., *, anew: bool = False, wait: bool = False) -> bool:
        """Bring the index up to date; False when another process is at it and ``wait`` is not set."""

    def told(self) -> AbstractContextManager[None]:
        """Turn what the database raises inside into an error for an administrator. To be held around the index."""

    def close(self) -> None:
        """Let go of files and connections."""


def open_history(calls_path: Path, records_url: str = "") -> History:
    """Return the calls of all nodes, where ``records_url`` says where they are, else those in ``calls_path``."""
    return SharedHistory(records_url) if records_url else LocalHistory(calls_path)
