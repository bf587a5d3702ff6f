"""``make sizing``: print what so many calls at once need, with every assumption, and write docs/sizing.md anew."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.sizing.assumptions import read_assumptions
from benchmarks.sizing.page import SIZES, page, replaced

_DOCS = Path(__file__).resolve().parents[2] / "docs"


def main() -> int:
    """Print the page; without ``--calls`` also write it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sizing", description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", metavar="N", help="these numbers of calls at once alone")
    options = parser.parse_args()
    given = read_assumptions(_DOCS / "benchmarks")
    print(page(given, options.calls or SIZES))
    if not options.calls:
        document = _DOCS / "sizing.md"
        document.write_text(replaced(document.read_text(encoding="utf-8"), page(given)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
