"""Describes the run that made the figures: machine, versions, commit."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from agent import __version__

RESULTS = "docs/benchmarks"
"""Where results are written, in a checkout."""
_PACKAGES = ("vosk", "hibari-tts", "onnxruntime", "numpy", "aiohttp")


def about(asterisk: str) -> dict[str, Any]:
    """Return it as JSON-like data. Names no host and no user."""
    return {
        "when": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": "make bench" + (f' ARGS="{" ".join(sys.argv[1:])}"' if sys.argv[1:] else ""),
        "orderline": __version__,
        "commit": commit_of(Path(__file__).resolve().parents[1]),
        "asterisk": asterisk,
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "note": (
            "Everything runs on this one machine: the PBX and the agent under test, and the load generator "
            "(a second Asterisk with the callers' phones, and the program that speaks and listens for them)."
        ),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def commit_of(checkout: Path) -> str:
    """The commit of a checkout, with ``+`` when more than results differs from it; empty where there is no git."""
    try:
        name = _git(checkout, "describe", "--always")
        changed = _git(checkout, "status", "--porcelain", "--untracked-files=no", "--", ".", f":!{RESULTS}")
    except (OSError, subprocess.CalledProcessError):
        return ""
    return name + ("+" if changed else "")


def _git(checkout: Path, *arguments: str) -> str:
    found = subprocess.run(["git", *arguments], cwd=checkout, capture_output=True, text=True, check=True)
    return found.stdout.strip()
