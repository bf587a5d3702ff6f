"""Drops root's privileges for those of the agent's own user."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

AGENT_USER = "orderline"
"""The agent's own system user and group."""
AGENT_UMASK = 0o027
"""Records and caches are nobody else's business; the state directory lets others pass through it."""


def drop_root_privileges(state_directory: Path) -> bool:
    """When root runs a command that the agent's user could run, become that user. Returns whether that was done.

    The user is the owner of the state directory, or ``orderline`` where there is none. Stays root when that is root.
    """
    if os.geteuid() != 0:
        return False
    try:
        account = pwd.getpwuid(state_directory.stat().st_uid)
    except (OSError, KeyError):
        try:
            account = pwd.getpwnam(AGENT_USER)
        except KeyError:
            return False
    if account.pw_uid == 0:
        return False
    os.initgroups(account.pw_name, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    os.environ["HOME"] = account.pw_dir
    os.umask(AGENT_UMASK)
    return True
