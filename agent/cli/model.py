"""The command ``orderline model``: lists and installs recognition models, and adds a shop's own words to one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

ADD_WORDS = Path("add-words")


def add_model_command(add: Callable[..., argparse.ArgumentParser], config: Path) -> None:
    """Add ``model``; ``add(name, do, text)`` makes a command's parser."""
    command = add("model", _model, "list recognition models, install a downloaded one, or add words to one")
    command.add_argument(
        "source", nargs="?", type=Path, help="directory or archive (zip, tar) of a model to install, or `add-words`"
    )
    command.add_argument(
        "words", nargs="?", type=Path, metavar="FILE", help="with add-words: a list of words (docs/speech.md), or -"
    )
    command.add_argument("--config", type=Path, default=config, help="directory of orderline.yaml")
    command.add_argument("--to", default="", metavar="NAME", help="with add-words: the new model's name")
    command.add_argument("--replace", action="store_true", help="with add-words: a model of that name is made anew")


def _model(options: argparse.Namespace) -> int:
    from agent.config.loader import load_settings
    from agent.speech.model import install_model, installed_models, resolve_model

    settings = load_settings(options.config)
    directory = settings.speech.models_directory or settings.state_directory / "models"
    if options.source is None:
        print("\n".join(["bundled", *installed_models(directory)]))
        return 0
    if options.source == ADD_WORDS:
        return _add_words(options, resolve_model(settings.speech.model, directory), directory)
    installed = install_model(options.source, directory)
    print(f"Installed {installed.name}. To use it, set in orderline.yaml:\n\nspeech:\n  model: {installed.name}")
    return 0


def _add_words(options: argparse.Namespace, model: Path, directory: Path) -> int:
    from agent.speech.added_words import add_words, read_word_list
    from agent.speech.model import BUNDLED_NAME, ModelError
    from agent.speech.pronunciation import WordPronouncer

    if options.words is None:
        raise ModelError("Say which words: `orderline model add-words FILE`.")
    try:
        text = sys.stdin.read() if str(options.words) == "-" else options.words.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ModelError(f"{options.words} cannot be read: {error.strerror}.") from error
    name = options.to or f"{model.name}-own-words"
    if "/" in name or name.startswith(".") or name in ("bundled", BUNDLED_NAME):  # the settings would not find it
        raise ModelError(f"{name!r} cannot be a model's name: no path, no dot before it, and not the bundled one's.")
    done = add_words(model, read_word_list(text), directory / name, WordPronouncer(), replace=options.replace)
    for word, pronunciations in done.added.items():
        print(f"{word}\t{' | '.join(' '.join(phones) for phones in pronunciations)}")
    if done.known:
        print(f"known before: {' '.join(done.known)}")
    print(f"{len(done.added)} words added. To use them, set in orderline.yaml:\n\nspeech:\n  model: {name}")
    return 0


__all__ = ["add_model_command"]
