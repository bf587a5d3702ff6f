"""``python -m agent.installation install|uninstall``: what ``make install`` and ``make uninstall`` run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from agent.errors import OrderlineError
from agent.installation.installer import install
from agent.installation.layout import InstallationLayout
from agent.installation.uninstaller import uninstall


def main() -> int:
    """Install or uninstall; returns the exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this runs before any package manager has looked
        print("Orderline needs Python 3.11 or later", file=sys.stderr)
        return 1
    parser = argparse.ArgumentParser(prog="make install")
    parser.add_argument("what", choices=("install", "uninstall"))
    parser.add_argument("--destdir", default="")
    parser.add_argument("--prefix", type=Path, default=InstallationLayout().prefix)
    parser.add_argument("--keep-state", default="")
    options = parser.parse_args()
    layout = InstallationLayout(root=Path(options.destdir or "/").resolve(), prefix=options.prefix)
    try:
        if options.what == "install":
            install(layout, Path(__file__).resolve().parents[2], _say)
        else:
            uninstall(layout, _say, keep_state=options.keep_state not in ("", "0", "no"))
    except OrderlineError as error:
        print(f"orderline: {error.message}", file=sys.stderr)
        return 1
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
