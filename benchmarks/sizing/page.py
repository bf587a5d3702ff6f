"""Writes the model's assumptions, table and limits as Markdown, for docs/sizing.md and for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.sizing.assumptions import CALCULATED, Assumptions
from benchmarks.sizing.model import Size, hard_limits, size

BEGIN, END = "<!-- make sizing: begin -->", "<!-- make sizing: end -->"
SIZES = (10, 30, 100, 1000, 10000)


def page(given: Assumptions, calls: Sequence[int] = SIZES) -> str:
    """Return all of it."""
    sizes = [size(count, given) for count in calls]
    return "\n\n".join(
        [
            "### The assumptions\n\n" + _assumptions(given),
            "### Agents and Asterisks\n\n" + _machines(sizes),
            "### Redis and PostgreSQL\n\n" + _stores(sizes),
            "### Hard limits\n\n" + _limits(given),
        ]
    )


def replaced(document: str, text: str) -> str:
    """Return the document with what stands between the two marks replaced."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def _assumptions(given: Assumptions) -> str:
    rows = [
        [figure.name, f"{_number(figure.value)} {figure.unit}", figure.kind, figure.source]
        for figure in given.figures.values()
    ]
    return _table(["name", "value", "kind", "where from, or why"], rows)


def _machines(sizes: Sequence[Size]) -> str:
    head = ["calls at once", "row", "agent, cores used", "Asterisk, cores used", "cores to plan", "instances"]
    head += ["machines, and one spare", "memory GB"]
    rows = [
        [
            f"{one.calls:,}",
            one.kind,
            _number(one.agent_cores),
            _number(one.asterisk_cores),
            f"{one.cores:,}",
            f"{one.instances:,}",
            f"{one.machines} + 1",
            _number(one.memory_gb),
        ]
        for one in sizes
    ]
    return _table(head, rows)


def _stores(sizes: Sequence[Size]) -> str:
    head = ["calls at once", "row", "calls a second", "Redis, commands a second", "Redis, MB"]
    head += ["PostgreSQL, rows a second", "PostgreSQL, GB in 8 hours"]
    rows = [
        [
            f"{one.calls:,}",
            CALCULATED,
            _number(one.calls_a_second),
            _number(one.redis_commands),
            _number(one.redis_mb),
            _number(one.records_a_second),
            _number(one.postgres_gb_a_day),
        ]
        for one in sizes
    ]
    return _table(head, rows)


def _limits(given: Assumptions) -> str:
    rows = [[f"{limit.calls:,}", limit.what, limit.source] for limit in hard_limits(given)]
    return _table(["calls at once", "what", "where from"], rows)


def _number(value: float) -> str:
    """Return a number with as many places as are worth reading."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3g}" if value < 1 else f"{value:.2f}"
