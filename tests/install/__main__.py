"""``make install-test``: installs, calls and uninstalls in a fresh Debian below ``var``, and compares the file lists.

Needs root (chroot, file owners). Where it cannot run it says so and fails: it is a command of its own, not a test that
skips itself. The Debian comes from this machine's own apt mirror, Asterisk from the private tree of the rehearsals.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

from agent.errors import OrderlineError
from agent.rehearsal.private_asterisk import ensure_asterisk
from tests.install.debian import InstallTestImpossible, build_base, fetch_packages

REPOSITORY = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="make install-test")
    parser.add_argument("--home", type=Path, default=Path("var"))
    parser.add_argument("--from", type=Path, metavar="DIR", dest="earlier", help="an earlier checkout to upgrade from")
    options = parser.parse_args()
    home = options.home.resolve()
    if os.geteuid() != 0:
        print("install-test: NOT RUN: it needs root (sudo make install-test)", file=sys.stderr)
        return 2
    work = home / "install"
    work.mkdir(parents=True, exist_ok=True)
    try:
        asterisk = asyncio.run(ensure_asterisk(home, force=None, report=print))
        if asterisk.origin != "private tree":
            asterisk = asyncio.run(ensure_asterisk(home, force=str(home / "asterisk"), report=print))
        base = build_base(work, home / "asterisk", print)
        packages = fetch_packages(work, REPOSITORY, base, print)
    except (InstallTestImpossible, OrderlineError) as problem:
        print(f"install-test: NOT RUN: {problem}", file=sys.stderr)
        return 2
    root = work / "run"
    shutil.rmtree(root, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", str(base), str(root)], check=True)
    inside = [sys.executable, "-m", "tests.install.inside_checks", str(root), str(packages), str(REPOSITORY)]
    if options.earlier is not None:
        inside.append(str(options.earlier.resolve()))
    alone = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode != 0:
        print("No namespaces of its own here: it runs on this machine's own loopback")
        alone = []
    done = subprocess.run([*alone, *inside], check=False, cwd=REPOSITORY)
    if done.returncode == 0:
        shutil.rmtree(root, ignore_errors=True)
    else:
        print(f"The root is kept in {root}", file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
