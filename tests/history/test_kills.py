"""PostgreSQL, the node, or both are killed: no record is missing, none is there twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.rehearsal.real_postgres import RealPostgres
from tests.history.kills import series

pytestmark = pytest.mark.slow


def test_kills_at_random_moments_lose_no_record_and_double_none(postgres: RealPostgres, tmp_path: Path) -> None:
    """A few of them; ``make postgres-kills`` runs fifty."""
    result = series(postgres, tmp_path, 6)
    assert sum(result.killed.values()) == 6
    assert result.calls >= result.logged > 0
    assert (result.missing, result.different, result.twice, result.not_indexed) == (set(), set(), 0, set())
