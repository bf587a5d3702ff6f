"""What the module of a report makes; :mod:`agent.reports.registry` puts the rest around it."""

from __future__ import annotations

from dataclasses import dataclass

from agent.reports.model import Cell, Chart, Column, Table


@dataclass(frozen=True)
class Made:
    """The numbers of a report."""

    n: int
    """How many calls it is about."""
    tables: tuple[Table, ...]
    charts: tuple[Chart, ...] = ()
    notes: tuple[str, ...] = ()
    figures: tuple[tuple[Column, Cell], ...] = ()
