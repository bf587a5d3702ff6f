"""A short attack on every operation of the API, in the suite; `make console-attack` is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.attack import attack, attacked_console


@pytest.mark.slow
def test_nothing_that_is_thrown_at_the_api_breaks_it_or_gets_through(tmp_path: Path) -> None:
    with attacked_console(tmp_path) as target:
        assert attack(target, examples=4) == []
