"""Programs in a tree of unpacked packages, run by the tree's own loader and libraries."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.rehearsal.apt_fetch import AptFetcher, PackageRequest, ReportProgress
from agent.rehearsal.process_lock import process_lock

_STAMP = "orderline-tree.txt"


def command_in(root: Path, program: str) -> tuple[str, ...] | None:
    """Return what to execute for a program of the tree (``usr/sbin/asterisk``), or None when it is not all there."""
    binary = root / program
    loaders = sorted([*root.glob("usr/lib/*/ld-linux*.so*"), *root.glob("lib/*/ld-linux*.so*")])
    if not binary.is_file() or not loaders:
        return None
    triplet = loaders[0].parent.name
    libraries = [str(path) for path in (root / "usr/lib" / triplet, root / "lib" / triplet) if path.is_dir()]
    return (str(loaders[0]), "--library-path", ":".join(libraries), str(binary))


async def ensure_tree(
    tree: Path,
    wanted: PackageRequest,
    programs: Sequence[str],
    accepts: Callable[[tuple[int, int, int]], bool],
    report: ReportProgress,
) -> Path:
    """Return the tree, fetched on first use, with these programs in it. Raises a ``FetchError``."""
    name = wanted.name
    tree.parent.mkdir(parents=True, exist_ok=True)
    lock = tree.with_name(f".{tree.name}.lock")
    async with process_lock(lock, f"{name}: another process is fetching it, waiting for that one", report):
        if (tree / _STAMP).is_file() and all(command_in(tree, program) for program in programs):
            return tree
        report(f"{name}: none here yet, fetching a private one (no root needed)")
        work = Path(tempfile.mkdtemp(prefix=f".{tree.name}-partial-", dir=tree.parent))
        try:
            came_from = await AptFetcher(work, report, wanted).into(work / "tree", accepts)
            (work / "tree" / _STAMP).write_text(f"{came_from}\n", encoding="utf-8")
            shutil.rmtree(tree, ignore_errors=True)
            (work / "tree").rename(tree)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return tree
