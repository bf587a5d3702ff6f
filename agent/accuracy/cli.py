"""The command ``orderline accuracy``: its arguments, and what it calls."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

_TEST_DIGITS = Path("tests/data/human-digits")
"""People's digits that lie in a checkout; an installed agent has them only where ``--digits`` says so."""
_SOUNDS = "asterisk/usr/share/asterisk/sounds"


def add_accuracy_command(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add ``accuracy``; ``add(name, do, text)`` makes a command's parser."""
    command = add("accuracy", _accuracy, "measure how well callers are understood, by model (docs/accuracy.md)")
    command.add_argument(
        "--model", action="append", default=[], metavar="DIR", help="a Vosk model, or `bundled`; several are compared"
    )
    command.add_argument(
        "--audio", type=Path, metavar="DIR", help="recordings with their texts, in place of made callers"
    )
    command.add_argument(
        "--recordings",
        action="append",
        type=Path,
        default=[],
        metavar="DIR",
        help="people's numbers, spelled letters, yes and no with their segments.tsv, in place of made callers",
    )
    command.add_argument(
        "--speaker", action="append", default=[], metavar="NAME", help="of --recordings: this speaker alone (several)"
    )
    command.add_argument(
        "--own",
        type=int,
        metavar="N",
        help="of --recordings: the caller is known to have the number spoken, and N made-up ones of the same shape",
    )
    command.add_argument(
        "--existing",
        type=int,
        metavar="N",
        help="of --recordings: the shop has every code spoken in them, and N made-up ones of the same shape each",
    )
    command.add_argument(
        "--second-opinion",
        type=Path,
        metavar="DIR",
        help="a converted whisper model that is asked where the first recogniser is in doubt (docs/speech.md)",
    )
    command.add_argument(
        "--digits",
        action="append",
        type=Path,
        default=[],
        metavar="DIR",
        help="digits of real speakers: 7_NAME_1.wav and so on",
    )
    command.add_argument("--quick", action="store_true", help="a tenth of it")
    command.add_argument("--jobs", type=int, default=0, metavar="N", help="processes (one for each core)")
    command.add_argument("--json", action="store_true", help="print the whole report as JSON")
    command.add_argument("--out", type=Path, metavar="DIR", help="write accuracy.json, accuracy.md and the plots here")
    command.add_argument("--trials", action="store_true", help="with --out: every single trial too, one a line")
    command.add_argument(
        "--home", type=Path, default=Path(os.environ.get("ORDERLINE_HOME", "var")), help="where voices are kept (var)"
    )


def _accuracy(options: argparse.Namespace) -> int:
    import json

    from agent.accuracy.measurement import MeasurementOptions, run_measurement
    from agent.accuracy.report import table
    from agent.speech.model import resolve_model

    home: Path = options.home.resolve()
    models = [resolve_model(name, home / "models") for name in options.model or ["bundled"]]
    recorded = options.audio is not None or options.recordings
    digits = options.digits or ([_TEST_DIGITS] if _TEST_DIGITS.is_dir() and not recorded else [])
    data = run_measurement(
        MeasurementOptions(
            models=tuple(_names(models)),
            home=home,
            audio=options.audio,
            recordings=tuple(options.recordings),
            own_numbers=options.own,
            existing=options.existing,
            second=options.second_opinion,
            speakers=tuple(options.speaker),
            digits=tuple(folder.resolve() for folder in digits),
            sounds=_sounds(home),
            quick=options.quick,
            jobs=options.jobs,
            out=options.out,
            keep_trials=options.trials,
            arguments=tuple(sys.argv[2:]),
        ),
        lambda line: print(line, file=sys.stderr, flush=True),
    )
    print(json.dumps(data, indent=1, ensure_ascii=False) if options.json else table(data))
    return 0


def _names(models: list[Path]) -> list[tuple[str, Path]]:
    """Name models by their directories; by whole paths where two have the same."""
    names = [model.name for model in models]
    return [(model.name if names.count(model.name) == 1 else str(model), model) for model in models]


def _sounds(home: Path) -> Path | None:
    """Asterisk's recorded English, where a private Asterisk or the machine's own brought it along."""
    for folder in (home / _SOUNDS, Path("/usr/share/asterisk/sounds"), Path("/var/lib/asterisk/sounds")):
        for found in (folder / "en_US_f_Allison", folder / "en"):
            if (found / "digits" / "1.wav").is_file():
                return found
    return None
