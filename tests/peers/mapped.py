"""The mapping files that come with Orderline, pointed at the running servers: what an administrator edits, no more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.shop.http.mapping_files import shipped
from tests.peers.kannel import Kannel
from tests.peers.oscar import Oscar
from tests.peers.roundup import Roundup


def write_mappings(
    directory: Path,
    environment: pytest.MonkeyPatch,
    *,
    oscar: Oscar | None = None,
    roundup: Roundup | None = None,
    kannel: Kannel | None = None,
) -> Path:
    """Write the mapping files of the servers given, and set their secrets in the environment."""
    directory.mkdir(parents=True, exist_ok=True)
    if oscar is not None:
        _write(directory, "oscar", {"https://shop.example.com": oscar.url})
        environment.setenv("ORDERLINE_OSCAR_TOKEN", oscar.token)
    if roundup is not None:
        _write(directory, "roundup", {"https://tracker.example.com": roundup.origin})
        environment.setenv("ORDERLINE_ROUNDUP_PASSWORD", roundup.password)
    if kannel is not None:
        _write(directory, "kannel", {"http://127.0.0.1:13013": kannel.url})
        environment.setenv("ORDERLINE_KANNEL_PASSWORD", kannel.password)
    return directory


def _write(directory: Path, name: str, addresses: Mapping[str, str]) -> None:
    text = shipped()[name].read_text(encoding="utf-8")
    for example, real in addresses.items():
        assert example in text
        text = text.replace(example, real)
    (directory / f"{name}.yaml").write_text(text, encoding="utf-8")
