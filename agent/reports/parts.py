"""What the module of a report makes; :mod:`agent.reports.registry` puts the rest around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.reports.model import Cell, Chart, Table


@dataclass(frozen=True)
class Made:
    """The numbers of a report."""

    n: int
    """How many calls it is about."""
    tables: tuple[Table, ...]
    charts: tuple[Chart, ...] = ()
    notes: tuple[str, ...] = ()
    figures: Mapping[str, Cell] = field(default_factory=dict)
