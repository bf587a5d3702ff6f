"""``orderline flows hear`` and ``flows fit``: what sentences are taken for, and the fit of a pack's score."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.common.files import read_text
from agent.config.loader import load_settings
from agent.dialog.engine.engine import CallFacts
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from agent.dialog.tools.flow_commands import understanding_words
from agent.dialog.tools.hearing import HeardSentence, hear_sentence
from agent.errors import OrderlineError
from agent.flows import english_pack
from agent.speech.wording import filters
from agent.understanding.score_files import usual_scores

_SHOP = "Maple and Finch"


@dataclass(frozen=True)
class HearOptions:
    """What is heard, and with which procedures."""

    file: str = "-"
    """A file of sentences, one a line; ``-`` for standard input."""
    flows: Path | None = None
    config: Path | None = None
    recognizer: str = ""
    as_json: bool = False


class SentencesError(OrderlineError):
    """A file of sentences that cannot be read."""

    code = "sentences"


def hear(options: HearOptions) -> int:
    """Print what each sentence is taken for. Raises OrderlineError for files and procedures that cannot be used."""
    pack, shop = loaded_pack(options.flows, options.config)
    render = SandboxRenderer(filters)
    facts = CallFacts(datetime.now().astimezone(), shop, recognizer=options.recognizer)
    if not options.as_json:
        print(f"open requests: {understanding_words(pack)}", file=sys.stderr)
    try:
        for text in sentences(options.file):
            found = hear_sentence(pack, facts, render, text)
            print(json.dumps(found.to_json(), ensure_ascii=False) if options.as_json else _line(found), flush=True)
    except BrokenPipeError:
        # whoever read the lines has enough of them
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def loaded_pack(flows: Path | None, config: Path | None) -> tuple[FlowPack, str]:
    """Return procedures with their fitted score, and the shop's name."""
    settings = load_settings(config) if config is not None else None
    directory = flows or (settings.flows_directory if settings is not None else None) or english_pack()
    formats = settings.shop.number_formats if settings is not None else {}
    kept = settings.state_directory / "understanding" if settings is not None else None
    pack = FlowPack.load(directory, SandboxRenderer(filters).filters, formats).with_score(usual_scores(kept))
    return pack, settings.shop.name if settings is not None else _SHOP


def fit(flows: Path | None, formats: str, into: Path | None) -> int:
    """Fit the score of a pack into a file, unless it is there already. Raises OrderlineError."""
    pack = FlowPack.load(flows or english_pack(), SandboxRenderer(filters).filters, json.loads(formats))
    print(f"open requests: {understanding_words(pack.with_score(usual_scores(into)))}")
    return 0


def sentences(file: str) -> Iterator[str]:
    """Yield the sentences of a file or of standard input; empty lines are left out. Raises SentencesError."""
    if file == "-":
        lines: Iterator[str] | list[str] = (
            line.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for line in sys.stdin
        )
    else:
        try:
            lines = read_text(Path(file), most_bytes=50_000_000).splitlines()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
            raise SentencesError(f"{file} cannot be read: {reason}") from error
    yield from (line.strip() for line in lines if line.strip())


def _line(found: HeardSentence) -> str:
    others = ", ".join(f"{meaning or '?'} {score:.2f}" for meaning, score in found.candidates[:3])
    return f"{found.decision:8} {found.meaning or '-':24} {found.score:.2f}  {found.text}   [{others}]"
