"""What ``orderline flows`` and ``orderline understand`` do, with everything outside the rules handed in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from agent.dialog.errors import Finding, FlowError
from agent.dialog.flow_tests import run_files
from agent.dialog.loader import FlowPack
from agent.dialog.number_format import NumberFormat
from agent.dialog.rendering import SandboxRenderer
from agent.dialog.spoken_numbers import completeness, understand


def check_flows(
    directory: Path, out: TextIO, renderer: SandboxRenderer, vocabulary: Collection[str] | None = None
) -> int:
    """Check a pack, print every finding, return 0 when it can be used.

    ``vocabulary`` are the words the configured recogniser knows; phrases with other words are warned about.
    """
    try:
        pack = FlowPack.load(directory, renderer.filters)
    except FlowError as error:
        for finding in error.findings:
            print(finding, file=out)
        print(f"{len(error.findings)} mistakes", file=out)
        return 1
    warnings = [*pack.warnings, *unheard_words(pack, vocabulary)]
    for finding in warnings:
        print(finding, file=out)
    flows, steps = len(pack.contents.flows), len(pack.steps())
    print(
        f"{flows} flows, {steps} steps, {len(pack.grammars)} grammars: no mistakes, {len(warnings)} warnings", file=out
    )
    return 0


def unheard_words(pack: FlowPack, vocabulary: Collection[str] | None) -> list[Finding]:
    """Return a warning for every phrase word the recogniser does not know."""
    if vocabulary is None:
        return []
    return [
        Finding("", 0, "phrases", f"the recogniser does not know '{word}' (in '{phrase}')", "warning")
        for word, phrase in sorted(pack.vocabulary().items())
        if word not in vocabulary
    ]


def play_flow_tests(
    directory: Path, files: Sequence[Path], out: TextIO, renderer: SandboxRenderer, *, verbose: bool = False
) -> int:
    """Play calls in text against a pack, print the report, return 0 when all went well.

    ``files`` may hold directories: every ``*.yaml`` below them is played. Raises :class:`FlowError`.
    """
    pack = FlowPack.load(directory, renderer.filters)
    found = [path for file in files for path in (sorted(file.rglob("*.yaml")) if file.is_dir() else [file])]
    report = run_files(pack, found, renderer)
    print(report.text(verbose=verbose), file=out)
    return 1 if report.failed or not report.calls else 0


def explain_numbers(
    number_format: NumberFormat, known: Sequence[str], lines: Iterable[str], so_far: str = ""
) -> Iterator[dict[str, Any]]:
    """Yield, for every line, how it is understood as a number of this format, as JSON-like data.

    ``known`` are numbers that exist for the caller; ``so_far`` is what was said or keyed of the number before.
    """
    for line in lines:
        text = line.strip()
        reading = understand(text, number_format, known, so_far=so_far)
        data = asdict(reading)
        data["alternatives"] = list(reading.alternatives)
        yield {"text": text, **data, "completeness": completeness(text, number_format, so_far).value}
