"""Reads records into what the index holds of them; many of them in a second process, while the first one writes."""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, Self

from agent.common.own_processes import program_command
from agent.common.untrusted import load_json
from agent.history.facts import FinishedCall, call_facts
from agent.history.sources import StoredRecord

log = logging.getLogger(__name__)

_PROGRAM = "from agent.history.record_reader import serve; serve(int(sys.argv[1]))"
WORTH_A_PROCESS = 20_000
"""Fewer records are read in this process: another one takes half a second to start."""


@dataclass(frozen=True)
class Unreadable:
    """A record that is no JSON."""

    id: str
    problem: str


def read_records(records: Sequence[StoredRecord]) -> list[FinishedCall]:
    """Return what is known of calls; a record that cannot be read is left out, and told in the log."""
    return _without_unreadable(_read_all(records))


class RecordReader:
    """Reads batches of records, each while something else is done. Close it."""

    def __init__(self, *, in_process: bool) -> None:
        """``in_process``: have a process of its own for it; where it cannot be started or ends, this one does it."""
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection[Any, Any] | None = None
        self._waiting: Sequence[StoredRecord] = ()
        if in_process:
            self._start()

    def begin(self, records: Sequence[StoredRecord]) -> None:
        """Begin to read a batch. The one before must have been taken."""
        self._waiting = records
        if self._pipe is not None and records:
            try:
                self._pipe.send([(one.id, one.text, one.written_ms, one.place) for one in records])
            except OSError as error:
                self._give_up(error)

    def take(self) -> list[FinishedCall]:
        """Return what :meth:`begin` was given, read."""
        records, self._waiting = self._waiting, ()
        if self._pipe is not None and records:
            try:
                return _without_unreadable(self._pipe.recv())
            except (OSError, EOFError) as error:
                self._give_up(error)
        return read_records(records)

    def close(self) -> None:
        """End the process."""
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()  # it has nothing to lose, and may be in the middle of a batch
            self._process.wait()
        self._process = self._pipe = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _start(self) -> None:
        self._pipe, theirs = Pipe()
        command = program_command(_PROGRAM, str(theirs.fileno()))
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C is for this process, which ends the other
            )
        except OSError as error:
            self._give_up(error)
        finally:
            theirs.close()

    def _give_up(self, error: BaseException) -> None:
        log.warning("the process that reads records is gone (%r): this one reads them", error)
        self.close()


def second_process_pays(records: int) -> bool:
    """Whether there are enough records, and a processor, for a second process."""
    return records >= WORTH_A_PROCESS and len(os.sched_getaffinity(0)) > 1


def serve(descriptor: int) -> None:
    """Read batches that come through a pipe, and send back what is read, until the other end is closed."""
    pipe: Connection[Any, Any] = Connection(descriptor)
    try:
        while True:
            pipe.send(_read_all([StoredRecord(*one) for one in pipe.recv()]))
    except (EOFError, OSError, KeyboardInterrupt):
        pass


def _read_all(records: Sequence[StoredRecord]) -> list[FinishedCall | Unreadable]:
    return list(map(_read, records))


def _read(record: StoredRecord) -> FinishedCall | Unreadable:
    try:
        data: Any = load_json(record.text)
    except ValueError as error:
        return Unreadable(record.id, str(error))
    if not isinstance(data, dict):
        data = {}
    data["id"] = record.id
    return call_facts(data, record.written_ms)


def _without_unreadable(read: Sequence[FinishedCall | Unreadable]) -> list[FinishedCall]:
    for one in read:
        if isinstance(one, Unreadable):
            log.error("the record of call %s cannot be read and is in no list: %s", one.id, one.problem)
    return [one for one in read if isinstance(one, FinishedCall)]
