"""``make uninstall``: takes away what the manifest names, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from agent.installation import wiring
from agent.installation.accounts import remove_user
from agent.installation.file_installer import remove_tree
from agent.installation.installer import STATE_MANIFEST, UNITS, systemctl
from agent.installation.layout import InstallationLayout
from agent.installation.manifest import InstallError, Manifest

Report = Callable[[str], None]


def uninstall(layout: InstallationLayout, report: Report, *, keep_state: bool = False) -> None:
    """Take Orderline off again. ``keep_state`` leaves settings, secrets, records and the user for a later one.

    Raises InstallError where nothing is installed, or where a wired file cannot be put back.
    """
    if layout.is_installed and os.geteuid() != 0:
        raise InstallError("uninstalling needs root: sudo make uninstall")
    manifest = Manifest.read(layout.on_disk(layout.manifest))
    if manifest is None:
        raise InstallError(f"nothing is installed here: {layout.on_disk(layout.manifest)} does not exist")
    if layout.is_installed:
        systemctl("stop", "orderline@*.service")
        systemctl("disable", "--now", *UNITS)
    for line in wiring.unwire(layout):
        report(line)
    stays = (layout.etc_dir, layout.state_dir) if keep_state else ()
    _remove(layout, manifest, stays)
    if layout.is_installed:
        if not keep_state:
            remove_user(manifest)
        systemctl("daemon-reload")
    left = [path for path in manifest.directories if layout.on_disk(Path(path)).is_dir()]
    if keep_state:
        left_over = Manifest(
            version=manifest.version,
            files={path: held for path, held in manifest.files.items() if _inside(Path(path), stays)},
            directories=[path for path in left if path != str(layout.prefix)],
            trees=[str(layout.state_dir)],
            made_user=manifest.made_user,
            made_group=manifest.made_group,
            account_files=manifest.account_files,
        )
        left_over.write(layout.on_disk(layout.state_dir / STATE_MANIFEST))
        report(f"Orderline is uninstalled; {layout.etc_dir} and {layout.state_dir} are kept")
        return
    for path in left:
        inside = ", ".join(sorted(item.name for item in layout.on_disk(Path(path)).iterdir())[:5])
        if Path(path).is_relative_to(layout.etc_dir) or Path(path).is_relative_to(layout.prefix):
            report(f"{path} stays: it holds files that are not Orderline's ({inside})")
    report("Orderline is uninstalled")


def _remove(layout: InstallationLayout, manifest: Manifest, stays: tuple[Path, ...]) -> None:
    for path in manifest.trees:
        if not _inside(Path(path), stays):
            remove_tree(layout.on_disk(Path(path)))
    for path in manifest.files:
        if not _inside(Path(path), stays):
            layout.on_disk(Path(path)).unlink(missing_ok=True)
    layout.on_disk(layout.manifest).unlink(missing_ok=True)
    for path in reversed(manifest.directories):
        if _inside(Path(path), stays):
            continue
        disk = layout.on_disk(Path(path))
        if disk.is_dir() and not any(disk.iterdir()):
            disk.rmdir()


def _inside(path: Path, directories: tuple[Path, ...]) -> bool:
    return any(path.is_relative_to(directory) for directory in directories)
