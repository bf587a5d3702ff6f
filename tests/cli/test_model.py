"""``orderline model``: what it refuses before anything is made."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from agent.cli.model import add_model_command
from agent.speech.model import ModelError


@pytest.mark.parametrize("name", ["bundled", "../elsewhere", ".hidden", "a/b"])
def test_added_words_go_to_a_name_that_the_settings_can_find(tmp_path: Path, name: str) -> None:
    (tmp_path / "orderline.yaml").write_text(f"state_directory: {tmp_path / 'state'}\n")
    words = tmp_path / "names.txt"
    words.write_text("zorvex\n")
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()

    def add(command: str, do: object, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(command, help=text)
        made.set_defaults(do=do)
        return made

    add_model_command(add, tmp_path)
    options = parser.parse_args(["model", "add-words", str(words), "--to", name, "--config", str(tmp_path)])
    with pytest.raises(ModelError, match="cannot be a model's name"):
        options.do(options)
    assert not (tmp_path / "state" / "models").exists()
