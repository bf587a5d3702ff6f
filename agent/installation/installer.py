"""``make install``: the program, its user, settings, secrets, units and samples. Run again, it upgrades."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from agent import __version__
from agent.installation import program
from agent.installation.accounts import asterisk_group, ensure_user
from agent.installation.file_installer import FileInstaller, fill_placeholders
from agent.installation.layout import InstallationLayout
from agent.installation.manifest import InstallError, Manifest

UNITS = ("orderline.service", "orderline@.service", "orderline-rescuer.service", "orderline-console.service")
SECRETS = ("ari-password", "ami-secret", "control-token")
STATE_MANIFEST = "manifest.json"
"""In the state directory: what is left after ``make uninstall KEEP_STATE=1``."""

Report = Callable[[str], None]


def install(layout: InstallationLayout, source: Path, report: Report) -> None:
    """Install or upgrade from a checkout. Files that the administrator has edited stay as they are.

    Raises InstallError; running it again after the cause is gone completes the installation.
    """
    if layout.is_installed and os.geteuid() != 0:
        raise InstallError("installing needs root: sudo make install (or DESTDIR=DIR for a directory of your own)")
    manifest = _known(layout)
    upgrade = layout.on_disk(layout.manifest).exists()
    kept: list[Path] = []
    placing = FileInstaller(layout, manifest, kept=kept)
    placing.forget_missing()
    user_id: int | None = None
    if layout.is_installed:
        user_id, placing.group_id = ensure_user(layout, manifest)
    placing.directory(layout.prefix)
    _owned_tree(manifest, layout.venv)
    try:
        program.build_program(layout, source, report)
        _place_files(placing, source)
        _place_state(placing, user_id)
    finally:
        # also a half-finished installation can be taken away
        manifest.version = __version__
        manifest.write(layout.on_disk(layout.manifest))
    _tell(layout, report, kept, upgrade=upgrade)


def _known(layout: InstallationLayout) -> Manifest:
    present = Manifest.read(layout.on_disk(layout.manifest))
    if present is None:
        left = layout.on_disk(layout.state_dir / STATE_MANIFEST)
        present = Manifest.read(left)
        left.unlink(missing_ok=True)
    return present or Manifest()


def _owned_tree(manifest: Manifest, place: Path) -> None:
    if str(place) not in manifest.trees:
        manifest.trees.append(str(place))


def _place_files(placing: FileInstaller, source: Path) -> None:
    layout, values = placing.layout, placing.layout.placeholders()
    placing.link(layout.bin_dir / "orderline", layout.venv / "bin" / "orderline")
    for folder in ("dialplan", "asterisk-conf"):
        for path in sorted((source / folder).iterdir()):
            placing.file(layout.share_dir / folder / path.name, path.read_bytes())
    contrib = source / "contrib"
    for folder in ("fail2ban", "kamailio", "nginx"):
        for path in sorted((contrib / folder).iterdir()):
            placing.file(layout.share_dir / folder / path.name, path.read_bytes())
    for unit in UNITS:
        placing.file(layout.unit_dir / unit, fill_placeholders((contrib / "systemd" / unit).read_text("utf-8"), values))
    placing.directory(layout.etc_dir, 0o750, group=True)
    placing.directory(layout.etc_dir / "conf.d", 0o750, group=True)
    main = fill_placeholders((contrib / "etc" / "orderline.yaml").read_text("utf-8"), values)
    placing.file(layout.etc_dir / "orderline.yaml", main, 0o640, group=True)
    for name in SECRETS:
        placing.secret(layout.etc_dir / name)
    if layout.on_disk(layout.asterisk_etc_dir).is_dir():
        dialplan = (source / "dialplan" / "orderline.conf").read_bytes()
        placing.file(layout.asterisk_etc_dir / "orderline.conf", dialplan)
    if layout.on_disk(layout.fail2ban_dir / "filter.d").is_dir():
        rules = (contrib / "fail2ban" / "orderline.conf").read_bytes()
        placing.file(layout.fail2ban_dir / "filter.d" / "orderline.conf", rules)


def _place_state(placing: FileInstaller, user_id: int | None) -> None:
    """The state directory; others may pass through it to what is made for them, and cannot look into it."""
    layout = placing.layout
    placing.directory(layout.state_dir, 0o751, group=True)
    place = layout.on_disk(layout.state_dir)
    place.chmod(0o751)
    if user_id is not None and placing.group_id is not None:
        os.chown(place, user_id, placing.group_id)
        if (asterisk := asterisk_group()) is not None:
            whispers = layout.on_disk(layout.state_dir / "whispers")
            whispers.mkdir(exist_ok=True)
            os.chown(whispers, user_id, asterisk)
            whispers.chmod(0o2750)
            sound = layout.on_disk(layout.state_dir / "sound")
            sound.mkdir(exist_ok=True)
            os.chown(sound, user_id, placing.group_id)
            sound.chmod(0o751)
            incoming = sound / "incoming"  # what Asterisk records; nobody else's business
            incoming.mkdir(exist_ok=True)
            os.chown(incoming, user_id, asterisk)
            incoming.chmod(0o2770)
    _owned_tree(placing.manifest, layout.state_dir)


def systemctl(*arguments: str) -> bool:
    """Tell systemd something where it runs; returns whether it did. In a container there is none."""
    if not Path("/run/systemd/system").is_dir() or shutil.which("systemctl") is None:
        return False
    return subprocess.run(["systemctl", *arguments], capture_output=True, check=False).returncode == 0


def _tell(layout: InstallationLayout, report: Report, kept: list[Path], *, upgrade: bool) -> None:
    for place in kept:
        report(f"{place} was edited and stays as it is; the new default is {place}.dist")
    if not layout.is_installed:
        report(f"Orderline {__version__} is put together in {layout.root}")
        return
    systemctl("daemon-reload")
    if upgrade:
        report(f"Orderline {__version__} is installed; it takes effect with: systemctl restart orderline")
        return
    report(
        f"Orderline {__version__} is installed. Next:\n"
        f"  edit {layout.etc_dir}/orderline.yaml\n"
        "  orderline wire            shows what your Asterisk needs; orderline wire --apply does it\n"
        "  orderline check           says what is still missing, each with its fix\n"
        "  systemctl enable --now orderline orderline-rescuer\n"
        "For the console in the browser, which is switched off (docs/console.md):\n"
        "  orderline console people add NAME --role admin\n"
        "  systemctl enable --now orderline-console"
    )
