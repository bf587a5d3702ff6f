"""Finds an Asterisk to rehearse with: the one named, the installed one, or a private tree fetched without root.

``python -m agent.rehearsal.private_asterisk --home DIR`` does it by hand and says what it found.
"""

# ruff: noqa: ASYNC240 - it runs before any call exists, and looks at a few names on the local disk
from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.asterisk.version import parse_version, supports_media_marks
from agent.errors import OrderlineError
from agent.rehearsal.apt_fetch import AptFetcher, ReportProgress
from agent.rehearsal.helper_programs import run
from agent.rehearsal.process_lock import process_lock
from agent.rehearsal.unpacked_tree import command_in

TREE_NAME = "asterisk"
"""The private tree's directory below the home."""

_PARTIAL = f".{TREE_NAME}-partial-"
_LOCK_NAME = f".{TREE_NAME}.lock"
_SYSTEM_BINARY = "/usr/sbin/asterisk"
"""Where packages put it; an ordinary user has no sbin on PATH."""
_STAMP = "orderline-tree.txt"
"""Written last into a fetched tree: a tree without it is not ours to reuse."""
_SOUND_DIRS_MADE_AT_INSTALL = ("custom", "priv-callerintros", "recordings")


class AsteriskNotUsable(OrderlineError):
    """The Asterisk that was named cannot be used."""

    code = "asterisk_not_usable"


@dataclass(frozen=True)
class Asterisk:
    """An Asterisk that can be run, and what it can do."""

    version: str
    """``22.10.1``."""
    command: tuple[str, ...]
    """What to execute before Asterisk's own arguments."""
    modules_dir: Path
    data_dir: Path
    """Holds ``sounds/en`` and ``moh``."""
    has_websocket_media: bool
    """chan_websocket is there and knows marks (20.18, 22.8, 23.2 and later)."""
    has_audiosocket: bool
    origin: str
    """Where it came from, in words: ``installed``, ``private tree``, ``ASTERISK=``."""

    @property
    def release(self) -> tuple[int, int, int]:
        """The version as numbers."""
        return parse_version(self.version) or (0, 0, 0)


def new_enough(release: tuple[int, int, int]) -> bool:
    """Tell whether a release found or fetched by ourselves will do: 22.8 or later, with media marks."""
    return release >= (22, 8, 0) and supports_media_marks(release)


async def ensure_asterisk(home: Path, *, force: str | None, report: ReportProgress) -> Asterisk:
    """Return an Asterisk, fetching a private tree into ``home`` when the machine has none that will do.

    ``force`` (a binary or an unpacked tree) is used and nothing else. Otherwise the order is: installed and
    new enough, the private tree of ``home``, a fetch. ``report`` gets lines of progress. Raises
    :class:`AsteriskNotUsable` for a bad ``force`` and a :class:`~agent.rehearsal.apt_fetch.FetchError`
    when fetching fails; nothing half done stays behind, also when cancelled.
    """
    if force:
        return await _forced(Path(force).expanduser())
    for place in (shutil.which("asterisk"), _SYSTEM_BINARY):
        if place and Path(place).is_file():
            try:
                found = await inspect_binary(Path(place), "installed")
            except AsteriskNotUsable as problem:
                report(f"Asterisk: {problem.message} Going on without it.")
                continue
            if new_enough(found.release):
                return found
            report(f"Asterisk: the installed one is {found.version}, 22.8 or later is needed. Going on without it.")
            break
    home.mkdir(parents=True, exist_ok=True)
    tree = home.resolve() / TREE_NAME
    waiting = "Asterisk: another process is fetching it, waiting for that one"
    async with process_lock(home / _LOCK_NAME, waiting, report):
        if (tree / _STAMP).is_file():
            try:
                return await inspect_tree(tree, "private tree")
            except AsteriskNotUsable as problem:
                report(f"Asterisk: the tree fetched earlier is damaged ({problem.message}) Fetching it again.")
        return await _fetch(tree, report)


async def _forced(place: Path) -> Asterisk:
    if place.is_dir():
        found = await inspect_tree(place.resolve(), "ASTERISK=")
    elif place.is_file():
        found = await inspect_binary(place, "ASTERISK=")
    else:
        raise AsteriskNotUsable(f"ASTERISK={place}: no such file or directory.")
    if not (found.has_websocket_media or found.has_audiosocket):
        raise AsteriskNotUsable(
            f"ASTERISK={place} is {found.version}: it has neither chan_websocket with marks (20.18, 22.8 and later) "
            f"nor AudioSocket (18 and later)."
        )
    return found


async def inspect_tree(root: Path, origin: str) -> Asterisk:
    """Describe an Asterisk unpacked below ``root``, run by the tree's own loader and libraries.

    Raises :class:`AsteriskNotUsable`.
    """
    command = command_in(root, "usr/sbin/asterisk")
    if command is None:
        raise AsteriskNotUsable(f"{root} holds no unpacked Asterisk (usr/sbin/asterisk and its loader).")
    return await _inspect(command, root, origin)


async def inspect_binary(binary: Path, origin: str) -> Asterisk:
    """Describe an Asterisk binary in an ordinary layout (``PREFIX/sbin/asterisk``).

    Raises :class:`AsteriskNotUsable`.
    """
    root = binary.resolve().parents[1]  # /usr, /usr/local, /opt/asterisk
    return await _inspect((str(binary),), root.parent if root.name == "usr" else root, origin)


async def _inspect(command: tuple[str, ...], root: Path, origin: str) -> Asterisk:
    try:
        answer = await run([*command, "-V"], timeout_seconds=20)
    except (OSError, TimeoutError) as problem:
        raise AsteriskNotUsable(f"{command[-1]} does not run: {problem}.") from problem
    release = parse_version(answer.out)
    if answer.code != 0 or release is None:
        raise AsteriskNotUsable(f"{command[-1]} -V did not name a version: {answer.tail()}")
    modules = _first_dir(
        root,
        (
            "usr/lib/*/asterisk/modules",
            "usr/lib/asterisk/modules",
            "usr/lib64/asterisk/modules",
            "lib/asterisk/modules",
        ),
        lambda path: (path / "chan_pjsip.so").is_file(),
    )
    data = _first_dir(
        root,
        ("usr/share/asterisk", "var/lib/asterisk", "share/asterisk", "../var/lib/asterisk"),
        lambda path: (path / "sounds" / "en").is_dir(),
    )
    if modules is None or data is None:
        lacks = "its modules (chan_pjsip.so)" if modules is None else "its English core sounds (sounds/en)"
        raise AsteriskNotUsable(f"{command[-1]} was found, but not {lacks} below {root}.")
    has_websocket = (modules / "chan_websocket.so").is_file() and supports_media_marks(release)
    has_audiosocket = (modules / "chan_audiosocket.so").is_file() and release[0] >= 18
    version = ".".join(map(str, release))
    return Asterisk(version, command, modules, data, has_websocket, has_audiosocket, origin)


def _first_dir(root: Path, patterns: tuple[str, ...], good: Callable[[Path], bool]) -> Path | None:
    for pattern in patterns:
        # Path.glob does not climb, so "../" is resolved first.
        base, rest = (root.parent, pattern.removeprefix("../")) if pattern.startswith("../") else (root, pattern)
        for path in sorted(base.glob(rest)):
            if good(path):
                return path
    return None


async def _fetch(tree: Path, report: ReportProgress) -> Asterisk:
    """Fetch into a sibling directory and rename when all is well; the lock is held."""
    home = tree.parent
    for left_over in home.glob(f"{_PARTIAL}*"):
        shutil.rmtree(left_over, ignore_errors=True)  # of a process that was killed: we hold the lock
    report("Asterisk: none here yet, fetching a private one (no root needed, about 110 MB)")
    work = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=home))
    try:
        fresh = work / "tree"
        came_from = await AptFetcher(work, report).into(fresh, new_enough)
        finish_tree(fresh)
        found = await inspect_tree(fresh, "private tree")
        if not found.has_websocket_media:
            raise AsteriskNotUsable(f"the Asterisk fetched ({came_from}) has no chan_websocket.")
        (fresh / _STAMP).write_text(f"{came_from}\n", encoding="utf-8")
        if tree.exists():
            tree.rename(work / "old")
        fresh.rename(tree)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    report(f"Asterisk: {found.version} is ready")
    return await inspect_tree(tree, "private tree")


def finish_tree(root: Path) -> None:
    """Do what the packages' maintainer scripts do on a real installation, as far as Asterisk needs it."""
    sounds = root / "usr/share/asterisk/sounds"
    english = sorted(path.name for path in sounds.glob("en_*") if path.is_dir())
    if english and not (sounds / "en").exists():
        (sounds / "en").unlink(missing_ok=True)
        (sounds / "en").symlink_to(english[0])
    for name in _SOUND_DIRS_MADE_AT_INSTALL:
        link = sounds / name
        if link.is_symlink() and not link.exists():
            link.unlink()
            link.mkdir()
    for unread in ("doc", "man", "locale", "info", "lintian"):
        shutil.rmtree(root / "usr/share" / unread, ignore_errors=True)


def main() -> int:
    """Run by hand: find or fetch, and print what there is."""
    parser = argparse.ArgumentParser(prog="python -m agent.rehearsal.private_asterisk", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="directory that holds or gets the private tree")
    parser.add_argument("--asterisk", default=os.environ.get("ASTERISK"), help="binary or tree to use instead")
    arguments = parser.parse_args()
    try:
        found = asyncio.run(ensure_asterisk(arguments.home, force=arguments.asterisk, report=print))
    except OrderlineError as problem:
        print(f"{problem.code}: {problem.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; nothing half done is left", file=sys.stderr)
        return 130
    print(f"{found.version} ({found.origin}): {' '.join(found.command)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
