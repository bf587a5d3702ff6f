"""The shipped flow packs, one directory a language: flows, prompts and phrases as YAML."""

from __future__ import annotations

from pathlib import Path


def english_pack() -> Path:
    """Return the directory of the English pack, for ``FlowPack.load``."""
    return Path(__file__).resolve().parent / "en"
