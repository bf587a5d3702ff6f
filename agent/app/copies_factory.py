"""Lists every place that keeps something of calls: who is removed is removed from all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agent.app.outbox_factory import CALLS_FILE, calls_path
from agent.app.sound_factory import sound_directory
from agent.config.settings import Settings
from agent.history.copies import IndexCopies, SharedCopies
from agent.records.calls_erasure import CallsFile
from agent.records.console_notes import NoteCopies
from agent.records.copies import Kind, RecordCopies
from agent.records.redis_erasure import RedisCopies
from agent.records.state_files import StateFiles


def calls_file(settings: Settings, stopped: Callable[[], bool] = lambda: False) -> CallsFile:
    """Return ``calls.sqlite`` with its recordings; ``stopped()`` ends long work between two of its steps."""
    return CallsFile(calls_path(settings), sound_directory(settings), stopped)


def other_copies(settings: Settings) -> list[RecordCopies]:
    """Return everything else that keeps copies. What is new registers here."""
    copies: list[RecordCopies] = [
        StateFiles(settings.state_directory, CALLS_FILE),
        IndexCopies(calls_path(settings)),
        NoteCopies(settings.state_directory / "console.sqlite"),
    ]
    if shared := settings.records.address():
        copies.append(SharedCopies(shared))
    if address := settings.redis.address():
        copies.append(RedisCopies(address))
    return copies


def retention_days(settings: Settings) -> Mapping[Kind, int]:
    """Return how many days each kind is kept; 0: for ever. What a record loses before it goes comes first."""
    retention = settings.retention
    return {
        "sound": retention.sound_days,
        "words": retention.words_days,
        "notes": retention.notes_days,
        "record": retention.record_days,
    }
