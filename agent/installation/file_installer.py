"""Writes the files and directories of an installation and records each in the manifest."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.installation.layout import InstallationLayout
from agent.installation.manifest import InstallError, Manifest, digest

_PLACEHOLDER = re.compile(r"@([A-Z]+)@")
SECRET_BYTES = 24


@dataclass
class FileInstaller:
    """One run of ``make install``, file by file."""

    layout: InstallationLayout
    manifest: Manifest
    group_id: int | None = None
    """Group of what only the agent may read; None leaves it to root's (``DESTDIR``)."""
    kept: list[Path] | None = None
    """Gets the edited files whose new default stands next to them as ``.dist``."""

    def directory(self, place: Path, mode: int = 0o755, *, group: bool = False) -> None:
        """Make a directory and its parents; only those made here are removed again later."""
        for path in [*reversed(place.parents), place]:
            disk = self.layout.on_disk(path)
            if disk.is_dir():
                continue
            disk.mkdir()
            disk.chmod(mode if path == place else 0o755)
            if path == place and group:
                self._give(disk)
            if str(path) not in self.manifest.directories:
                self.manifest.directories.append(str(path))

    def file(self, place: Path, content: bytes, mode: int = 0o644, *, group: bool = False) -> None:
        """Write a file of ours. One that somebody has edited is left alone; the new default goes to ``.dist``."""
        self.directory(place.parent)
        disk = self.layout.on_disk(place)
        known = self.manifest.files.get(str(place))
        new = digest(content)
        if disk.exists() or disk.is_symlink():
            if disk.is_symlink() or not disk.is_file():
                raise InstallError(f"{disk} is not an ordinary file; move it away, then run 'make install' again")
            present = digest(disk.read_bytes())
            if present not in (known, new):
                self._beside(place, content, mode, group=group)
                return
        self._write(disk, content, mode, group=group)
        self.manifest.files[str(place)] = new
        self._drop_beside(place)

    def secret(self, place: Path) -> None:
        """Make a random secret that root and the agent can read; one that is there already stays."""
        disk = self.layout.on_disk(place)
        if not disk.exists():
            self.directory(place.parent)
            self._write(disk, f"{secrets.token_hex(SECRET_BYTES)}\n".encode(), 0o640, group=True)
            self.manifest.files[str(place)] = ""

    def link(self, place: Path, target: Path) -> None:
        """Put a symbolic link."""
        self.directory(place.parent)
        disk = self.layout.on_disk(place)
        if disk.is_symlink() and os.readlink(disk) == str(target):
            pass
        elif disk.exists() or disk.is_symlink():
            raise InstallError(f"{disk} is there already and is not ours; move it away, then run 'make install' again")
        else:
            disk.symlink_to(target)
        self.manifest.files[str(place)] = ""

    def forget_missing(self) -> None:
        """Drop what has been taken away by hand from the manifest."""
        self.manifest.files = {
            path: held for path, held in self.manifest.files.items() if os.path.lexists(self.layout.on_disk(Path(path)))
        }

    def _beside(self, place: Path, content: bytes, mode: int, *, group: bool) -> None:
        fresh = place.with_name(place.name + ".dist")
        self._write(self.layout.on_disk(fresh), content, mode, group=group)
        self.manifest.files[str(fresh)] = digest(content)
        if self.kept is not None:
            self.kept.append(place)

    def _drop_beside(self, place: Path) -> None:
        """A ``.dist`` of ours next to a file that is up to date has served its turn."""
        fresh = place.with_name(place.name + ".dist")
        if self.manifest.files.pop(str(fresh), None) is not None:
            self.layout.on_disk(fresh).unlink(missing_ok=True)

    def _write(self, disk: Path, content: bytes, mode: int, *, group: bool) -> None:
        partial = disk.with_name(f".{disk.name}.partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        if group:
            self._give(partial)
        partial.chmod(mode)
        partial.replace(disk)

    def _give(self, disk: Path) -> None:
        if self.group_id is not None:
            os.chown(disk, 0, self.group_id)


def fill_placeholders(text: str, values: Mapping[str, str]) -> bytes:
    """Put values in place of ``@NAME@``; words without a value stay (samples that an administrator fills in)."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text).encode()


def remove_tree(disk: Path) -> None:
    """Remove a directory and all in it, if it is there."""
    if disk.is_dir() and not disk.is_symlink():
        shutil.rmtree(disk)
