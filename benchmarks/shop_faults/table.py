"""The table of the fault matrix, for the terminal. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.shop_faults.cell_evaluation import MOST_SILENCE_SECONDS, CellResult

_HEARD = 58


def heading() -> str:
    """Return the table's first lines."""
    names = f"{'system':11}{'fault':12}{'the caller hears':{_HEARD + 2}}{'silence':>8}  {'effects':28}verdict"
    return f"{names}\n{'-' * len(names)}"


def row(result: CellResult) -> str:
    """Return a cell's line, and a line for everything that is wrong with it."""
    cell = result.cell
    heard = result.heard if len(result.heard) <= _HEARD else result.heard[: _HEARD - 3].rstrip() + "..."
    silence = "-" if result.longest_silence_s is None else f"{result.longest_silence_s:.1f} s"
    line = f"{cell.system:11}{cell.fault:12}{heard:{_HEARD + 2}}{silence:>8}  {effects(result):28}"
    verdict = "passed" if result.ok else "FAILED"
    return "\n".join([f"{line}{verdict}", *(f"    {problem}" for problem in result.problems)])


def effects(result: CellResult) -> str:
    """Say what stands in the systems' books: ``1 return, 1 message``."""
    names = {"deliveries": "change", "returns": "return", "messages": "message", "tickets": "ticket"}
    told = [f"{count} {names[book]}{'' if count == 1 else 's'}" for book, count in result.effects.items() if count]
    return ", ".join(told) or "none"


def summary(results: Sequence[CellResult], seconds: float) -> list[str]:
    """Return what stands below the table; the last line counts."""
    silences = [result.longest_silence_s for result in results if result.longest_silence_s is not None]
    longest = f"{max(silences):.1f} s" if silences else "not measured"
    failed = sum(not result.ok for result in results)
    return [
        "",
        f"Longest silence {longest} (at most {MOST_SILENCE_SECONDS:g} s), {seconds / 60:.1f} minutes.",
        f"{len(results) - failed} passed, {failed} failed",
    ]
