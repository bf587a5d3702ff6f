"""A clock that goes wrong: libfaketime of Debian, unpacked below the home without root."""

from __future__ import annotations

import asyncio
from pathlib import Path

from agent.rehearsal.apt_fetch import PackageRequest
from agent.rehearsal.unpacked_tree import ensure_tree

_LIBRARY = "usr/lib/{triplet}/faketime/libfaketime.so.1"
_FAKETIME = PackageRequest(
    "libfaketime", "libfaketime >= 0.9.8", ("libfaketime",), 250 * 1024 * 1024, "or install libfaketime"
)


def clock_ahead(home: Path, seconds: int) -> dict[str, str]:
    """Return the environment of a process whose time of day is so much ahead; its monotonic clock is right."""
    tree = home.resolve() / "faketime"
    asyncio.run(ensure_tree(tree, _FAKETIME, (), lambda version: version >= (0, 9, 8), print))
    (library,) = tree.glob(_LIBRARY.format(triplet="*"))
    return {"LD_PRELOAD": str(library), "FAKETIME": f"{seconds:+d}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
