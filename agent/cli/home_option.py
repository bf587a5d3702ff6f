"""The option ``--home`` of commands that fetch and make things: the directory is made when it is not there."""

from __future__ import annotations

import argparse
from pathlib import Path


def home_directory(options: argparse.Namespace) -> Path:
    """Return the directory that ``--home`` names, absolute and there. Raises OSError when it cannot be made."""
    home: Path = options.home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    return home
