"""Checks a set of pack files as the agent would load them: what is wrong, where, and what would mend it."""

from __future__ import annotations

import contextlib
import gc
import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.builder.repairs import Repair, repair_of
from agent.common.yaml_reader import YamlFinding, value_at
from agent.dialog.errors import FlowError
from agent.dialog.pack.compiled_phrases import PhraseCompiler, compile_phrases
from agent.dialog.pack.loader import FlowPack
from agent.dialog.pack.reader import read_file, read_files
from agent.dialog.tools.vocabulary_check import unknown_words


@dataclass(frozen=True)
class CheckRules:
    """What a pack is held to besides its own files."""

    filters: Collection[str] | None = None
    """Names of the filters that prompts may use; None leaves them unchecked."""
    number_formats: Mapping[str, str] = field(default_factory=dict)
    """The shop's own formats: number slot -> format."""
    vocabulary: Collection[str] | None = None
    """The words the recogniser knows; None leaves them unchecked."""


@dataclass(frozen=True)
class PlacedFinding:
    """One finding at the field it is about."""

    finding: YamlFinding
    column: int
    """From 1; 0 where the whole file is meant."""
    procedure: str
    """The procedure it stands in; ``""`` outside of procedures."""
    step: str
    """The step's id, or its place from 1; ``""`` outside of steps."""
    repair: Repair | None

    def to_json(self) -> dict[str, Any]:
        """Return JSON-like data."""
        finding = self.finding
        return {
            "file": finding.file, "line": finding.line, "column": self.column, "key": finding.path,
            "path": list(finding.keys), "procedure": self.procedure, "step": self.step, "message": finding.message,
            "severity": finding.severity, "repair": None if self.repair is None else self.repair.to_json(),
        }  # fmt: skip


@dataclass(frozen=True)
class CheckReport:
    """What a check found."""

    edition: str
    """The fingerprint the agent would show for these files."""
    findings: tuple[PlacedFinding, ...]
    """Mistakes first."""
    pack: FlowPack | None
    """The pack, ready for calls; None where mistakes keep it from being used."""
    milliseconds: int

    def to_json(self) -> dict[str, Any]:
        """Return JSON-like data."""
        mistakes = sum(found.finding.severity == "error" for found in self.findings)
        return {
            "usable": self.pack is not None,
            "edition": self.edition,
            "mistakes": mistakes,
            "warnings": len(self.findings) - mistakes,
            "flows": len(self.pack.contents.flows) if self.pack else 0,
            "steps": len(self.pack.steps()) if self.pack else 0,
            "ms": self.milliseconds,
            "findings": [found.to_json() for found in self.findings],
        }


def check_files(files: Mapping[str, str], rules: CheckRules, phrases: PhraseCompiler = compile_phrases) -> CheckReport:
    """Check the files of a pack (relative name -> text). Never raises for what stands in them.

    Files whose text was read before are not read again; ``phrases`` may remember what it has compiled.
    """
    began = time.monotonic()
    with _collector_off():
        reading = read_files(files)
        pack: FlowPack | None = None
        found: tuple[YamlFinding, ...]
        try:
            pack = FlowPack.of_reading(reading, rules.filters, rules.number_formats, phrases=phrases)
        except FlowError as error:
            found = (*error.findings, *error.warnings)
        else:
            found = (*pack.warnings, *unknown_words(pack, files, rules.vocabulary))
    places = _Places(files)
    placed = tuple(places.placed(finding) for finding in found)
    return CheckReport(reading.fingerprint, placed, pack, round(1000 * (time.monotonic() - began)))


@contextlib.contextmanager
def _collector_off() -> Iterator[None]:
    """Load a pack without the collector going through it again and again; it goes through it once, afterwards."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


class _Places:
    """Finds what findings are about in the files; each file is read once."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        self._lines: dict[str, list[str]] = {}

    def placed(self, finding: YamlFinding) -> PlacedFinding:
        tree = self._tree(finding.file)
        keys = finding.keys
        in_flow = len(keys) > 1 and keys[0] == "flows"
        step = ""
        if in_flow and len(keys) > 3 and keys[2] == "steps":
            here = value_at(tree, keys[:4])
            own = here.get("id") if isinstance(here, dict) else None
            step = str(own or int(keys[3]) + 1)
        procedure = str(keys[1]) if in_flow else ""
        return PlacedFinding(finding, self._column(finding), procedure, step, repair_of(finding, tree))

    def _tree(self, file: str) -> Any:
        return read_file(file, self._files[file]).data if file in self._files else None

    def _column(self, finding: YamlFinding) -> int:
        if not finding.line or finding.file not in self._files:
            return 0
        lines = self._lines.setdefault(finding.file, self._files[finding.file].splitlines())
        return column_in(lines[finding.line - 1], finding.keys) if finding.line <= len(lines) else 1


def column_in(line: str, keys: Sequence[str | int]) -> int:
    """Return the column, from 1, where a line tells of the last key of a path; of its first sign where it does not."""
    names = [key for key in keys if isinstance(key, str)]
    if names:
        found = re.search(rf"(?:^|[\s{{,-])[\"']?({re.escape(names[-1])})[\"']?\s*:", line)
        if found is not None:
            return found.start(1) + 1
    first = re.search(r"[^\s-]", line)
    return first.start() + 1 if first is not None else 1
