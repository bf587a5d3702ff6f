"""The calls in text that test a pack: where they are kept, and what playing all of them shows."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.common.atomic_write import write_text
from agent.common.files import read_text
from agent.dialog.errors import FlowError, YamlFinding
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import Renderer
from agent.dialog.tools.text_call_model import LocatedTextCall, text_calls_of
from agent.dialog.tools.text_call_runner import AnswerCheck, TextCallReport, TextCallResult, play
from agent.errors import OrderlineError

Progress = Callable[[int, int], None]
"""Told how many are done, of how many."""
_FILE = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}\.yaml")
NO_FILE = ""
"""The fingerprint of a file that is not there."""


class PackTestError(OrderlineError):
    """A file of tests that cannot be read or written."""

    code = "pack_tests"


class PackTestChanged(OrderlineError):
    """A file of tests that somebody else has changed meanwhile."""

    code = "pack_tests_changed"


@dataclass(frozen=True)
class PackTestFile:
    """One file of calls in text."""

    file: str
    text: str

    @property
    def sha256(self) -> str:
        """Its fingerprint: what an edit of it was made from."""
        return hashlib.sha256(self.text.encode()).hexdigest()


class PackTestFiles:
    """The directory of a pack's tests. Methods block; raise :class:`PackTestError`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._writing = threading.RLock()

    def read_all(self) -> list[PackTestFile]:
        """Return every file; none where there is no directory."""
        names = sorted(path.name for path in self.directory.glob("*.yaml")) if self.directory.is_dir() else []
        return [self._read(name) for name in names if not name.startswith(".")]

    def read(self, file: str) -> PackTestFile:
        """Return one file."""
        self._path(file)
        return self._read(file)

    def _read(self, file: str) -> PackTestFile:
        try:
            return PackTestFile(file, read_text(self.directory / file))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
            raise PackTestError(f"The tests in {file} cannot be read: {reason}.") from error

    def write(self, file: str, text: str, made_from: str) -> PackTestFile:
        """Write one file whose fingerprint was ``made_from`` (:data:`NO_FILE`: there was none).

        Raises :class:`FlowError` for mistakes in it, :class:`PackTestChanged` when it is another one by now.
        """
        _, findings = text_calls_of(file, text)
        if findings:
            raise FlowError(sorted(findings))
        path = self._path(file)
        with self._writing:
            now = self.read(file).sha256 if path.exists() else NO_FILE
            if now != made_from:
                raise PackTestChanged(f"{file} has been changed meanwhile: load it again.")
            try:
                self.directory.mkdir(parents=True, exist_ok=True)
                write_text(path, text)
            except OSError as error:
                raise PackTestError(f"{path} cannot be written: {error.strerror or error}.") from error
        return PackTestFile(file, text)

    def add(self, file: str, call: str) -> PackTestFile:
        """Add a call, as YAML below ``calls:``, at the end of a file that may not be there yet."""
        path = self._path(file)
        with self._writing:
            before = self.read(file) if path.exists() else None
            text = with_call(before.text if before else "", call)
            return self.write(file, text, before.sha256 if before else NO_FILE)

    def calls(self) -> tuple[list[LocatedTextCall], list[YamlFinding]]:
        """Return every call, and what keeps files of them from being read."""
        calls: list[LocatedTextCall] = []
        findings: list[YamlFinding] = []
        for held in self.read_all():
            found, problems = text_calls_of(held.file, held.text)
            calls += found
            findings += problems
        return calls, findings

    def _path(self, file: str) -> Path:
        if not _FILE.fullmatch(file):
            raise PackTestError("A file of tests is named like returns.yaml: small letters, digits, - and _.")
        return self.directory / file


def with_call(text: str, call: str) -> str:
    """Return the text of a file of tests with one more call at its end; ``call`` is indented by two spaces."""
    if not text.strip():
        return f"calls:\n{call}"
    return f"{text.rstrip()}\n\n{call}"


def play_all(
    pack: FlowPack,
    calls: Sequence[LocatedTextCall],
    render: Renderer,
    check_answer: AnswerCheck | None,
    progress: Progress = lambda done, of: None,
) -> TextCallReport:
    """Play every call on a pack."""
    results: list[TextCallResult] = []
    for done, call in enumerate(calls):
        progress(done, len(calls))
        results.append(play(pack, call, render, check_answer=check_answer))
    progress(len(calls), len(calls))
    return TextCallReport(tuple(results), tuple(pack.steps()))


def report_json(report: TextCallReport, edition: str, began: float) -> dict[str, Any]:
    """Return how the tests of an edition went as JSON-like data; ``began`` is a moment of ``time.monotonic``."""
    return {
        "edition": edition,
        "calls": len(report.calls),
        "failed": [_failed(call) for call in report.failed],
        "steps": len(report.steps),
        "reached": len(report.steps) - len(report.missed),
        "missed": list(report.missed),
        "seconds": round(time.monotonic() - began, 1),
    }


def _failed(call: TextCallResult) -> Mapping[str, Any]:
    return {
        "name": call.name, "file": call.file, "line": call.line, "problems": list(call.problems),
        "transcript": list(call.transcript),
    }  # fmt: skip
