"""Lists every place that keeps something of calls: who is removed is removed from all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from agent.app.outbound_copies import OutboundCopies
from agent.app.outbox_factory import CALLS_FILE, calls_path
from agent.app.sound_factory import sound_directory
from agent.config.instances import instance_files
from agent.config.settings import Settings
from agent.history.copies import IndexCopies, SharedCopies
from agent.records.calls_erasure import CallsFile
from agent.records.console_notes import NoteCopies
from agent.records.copies import RecordCopies
from agent.records.redis_erasure import RedisCopies
from agent.records.state_files import StateFiles


def calls_file(settings: Settings, stopped: Callable[[], bool] = lambda: False) -> CallsFile:
    """Return ``calls.sqlite`` with its recordings; ``stopped()`` ends long work between two of its steps."""
    return CallsFile(calls_path(settings), sound_directory(settings), stopped)


def other_copies(settings: Settings) -> list[RecordCopies]:
    """Return everything else that keeps copies. What is new registers here."""
    shared = settings.records.address()

    def calls_of_console() -> list[Path]:
        return [] if shared else instance_files(settings, CALLS_FILE)

    copies: list[RecordCopies] = [
        StateFiles(settings.state_directory, CALLS_FILE),
        IndexCopies(calls_path(settings)),
        OutboundCopies(settings.state_directory),
        NoteCopies(settings.shared_directory / "console.sqlite", calls_of_console),  # one console for all instances
    ]
    if shared:
        copies.append(SharedCopies(shared))
    if address := settings.redis.address():
        copies.append(RedisCopies(address))
    return copies
