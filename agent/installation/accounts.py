"""The system user the agent runs as."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from agent.common.privileges import AGENT_USER as USER
from agent.installation.layout import InstallationLayout
from agent.installation.manifest import InstallError, Manifest

_BACKUPS = ("/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-")


def ensure_user(layout: InstallationLayout, manifest: Manifest) -> tuple[int, int]:
    """Make user and group ``orderline`` where they are missing; returns (user id, group id). Raises InstallError."""
    before = {path for path in _BACKUPS if Path(path).exists()}
    if not _has_group():
        _run("groupadd", "--system", USER)
        manifest.made_group = True
    if not _has_user():
        shell = next((path for path in ("/usr/sbin/nologin", "/sbin/nologin") if Path(path).exists()), "/bin/false")
        home = str(layout.state_dir)
        _run("useradd", "--system", "--gid", USER, "--home-dir", home, "--no-create-home", "--shell", shell, USER)
        manifest.made_user = True
    fresh = {path for path in _BACKUPS if Path(path).exists() and path not in before}
    manifest.account_files = sorted(fresh.union(manifest.account_files))
    return pwd.getpwnam(USER).pw_uid, grp.getgrnam(USER).gr_gid


def remove_user(manifest: Manifest) -> None:
    """Take away the user and the group that we made, and no others. Raises InstallError."""
    if manifest.made_user and _has_user():
        _run("userdel", USER)
    if manifest.made_group and _has_group():
        _run("groupdel", USER)
    for path in manifest.account_files:
        if Path(path).exists():
            os.unlink(path)


def asterisk_group() -> int | None:
    """The group that Asterisk runs as, None where there is none of that name."""
    try:
        return grp.getgrnam("asterisk").gr_gid
    except KeyError:
        return None


def _has_user() -> bool:
    try:
        pwd.getpwnam(USER)
    except KeyError:
        return False
    return True


def _has_group() -> bool:
    try:
        grp.getgrnam(USER)
    except KeyError:
        return False
    return True


def _run(*command: str) -> None:
    path = shutil.which(command[0], path="/usr/sbin:/sbin:/usr/bin:/bin")
    if path is None:
        raise InstallError(f"{command[0]} is missing (Debian package passwd); install it, then run this again")
    done = subprocess.run([path, *command[1:]], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise InstallError(f"{' '.join(command)} failed: {done.stderr.strip()}")
