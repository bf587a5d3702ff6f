"""Programs in a tree of unpacked packages, run by the tree's own loader and libraries."""

from __future__ import annotations

from pathlib import Path


def command_in(root: Path, program: str) -> tuple[str, ...] | None:
    """Return what to execute for a program of the tree (``usr/sbin/asterisk``), or None when it is not all there."""
    binary = root / program
    loaders = sorted([*root.glob("usr/lib/*/ld-linux*.so*"), *root.glob("lib/*/ld-linux*.so*")])
    if not binary.is_file() or not loaders:
        return None
    triplet = loaders[0].parent.name
    libraries = [str(path) for path in (root / "usr/lib" / triplet, root / "lib" / triplet) if path.is_dir()]
    return (str(loaders[0]), "--library-path", ":".join(libraries), str(binary))
