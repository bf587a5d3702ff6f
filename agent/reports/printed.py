"""How the numbers of a report are printed."""

from __future__ import annotations

from agent.reports.model import Cell, Column

NOTHING = "–"


def words(name: str) -> str:
    """Return a name of the records as it is printed; a step's stays as it is (``identify.postcode``)."""
    return name if "." in name.strip(".") else name.replace("_", " ")


def printed(cell: Cell, column: Column) -> str:
    """Return a cell as text, without its interval."""
    value = cell.value
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return value
    if column.kind == "share":
        return f"{value * 100:.1f} %"
    if column.kind == "seconds":
        return f"{value:,.1f} s"
    if column.kind == "ms":
        return f"{value:,.0f} ms"
    if column.kind == "score":
        return f"{value:.2f}"
    return f"{value:,.0f}"


def printed_interval(cell: Cell, column: Column) -> str:
    """Return the interval of a cell and its n, as they stand behind the number; ``""`` where there is none."""
    told = []
    if cell.interval is not None and column.kind == "share":
        told.append(f"{cell.interval[0] * 100:.1f}-{cell.interval[1] * 100:.1f}")
    if cell.of is not None and cell.value is not None:
        told.append(f"n={cell.of:,}")
    return f"[{', '.join(told)}]" if told else ""
