"""The commands ``orderline faults``, ``shop faults``, ``outbound faults``: they run equipment of the source tree."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from agent.cli.home_option import home_directory
from agent.common.signals import cancelled_by_sigterm
from agent.errors import OrderlineError

_CHECKOUT = Path(__file__).resolve().parents[2]


class NoBenchmarks(OrderlineError):
    """This is an installation: the fault matrices are part of the source tree alone."""

    code = "no_benchmarks"


def add_faults_command(
    add: Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser],
    add_home: Callable[[argparse.ArgumentParser], None],
) -> None:
    """Add ``orderline faults``."""
    faults = add("faults", _faults, "break things on real calls and see that every caller reaches a person or an end")
    add_home(faults)
    faults.add_argument("--only", nargs="+", default=(), metavar="NAME", help="these cases alone")
    faults.add_argument("--times", type=int, metavar="N", help="run each case N times")
    faults.add_argument("--stacks", type=int, default=2, metavar="N", help="call centres side by side (2)")
    faults.add_argument("--json", action="store_true", help="print the result as JSON instead of the table")
    faults.add_argument("--keep", action="store_true", help="keep logs and records even when nothing failed")


def _faults(options: argparse.Namespace) -> int:
    matrix = _measuring_equipment("benchmarks.faults.matrix")
    from agent.rehearsal.call_centre import RehearsalHome

    home = RehearsalHome(home_directory(options))
    work = matrix.faults(
        home, options.only, options.times, as_json=options.json, keep=options.keep, stacks=options.stacks
    )
    return asyncio.run(cancelled_by_sigterm(work))


def shop_faults(options: argparse.Namespace) -> int:
    """Run ``orderline shop faults``; returns its exit code."""
    matrix = _measuring_equipment("benchmarks.shop_faults.matrix")
    from agent.rehearsal.call_centre import RehearsalHome

    keep: Path | None = options.keep.resolve() if options.keep else None
    work = matrix.shop_faults(
        RehearsalHome(home_directory(options)), options.only, at_once=options.at_once, keep=keep, as_json=options.json
    )
    return asyncio.run(cancelled_by_sigterm(work))


def add_outbound_faults(faults: argparse.ArgumentParser) -> None:
    """Give ``orderline outbound faults`` its options, besides ``--home``."""
    faults.add_argument("--only", nargs="+", default=(), metavar="NAME", help="these cases alone")
    faults.add_argument("--times", type=int, metavar="N", help="run each case N times")
    faults.add_argument("--json", action="store_true", help="print the result as JSON instead of the table")
    faults.add_argument("--keep", action="store_true", help="keep logs and records even when nothing failed")


def outbound_faults(options: argparse.Namespace) -> int:
    """Run ``orderline outbound faults``; returns its exit code."""
    matrix = _measuring_equipment("benchmarks.outbound_faults.matrix")
    from agent.rehearsal.call_centre import RehearsalHome

    home = RehearsalHome(home_directory(options))
    work = matrix.outbound_faults(home, options.only, options.times, as_json=options.json, keep=options.keep)
    return asyncio.run(cancelled_by_sigterm(work))


def _measuring_equipment(module: str) -> ModuleType:
    if not (_CHECKOUT / "benchmarks").is_dir():
        raise NoBenchmarks(
            "The fault matrices are not installed with the agent: they run from Orderline's source tree, "
            "with `make faults`, `make shop-faults` and `make outbound-faults`."
        )
    if str(_CHECKOUT) not in sys.path:
        sys.path.append(str(_CHECKOUT))  # an editable installation knows the package `agent` alone
    return importlib.import_module(module)
