"""``orderline wire`` and ``orderline unwire``: the lines an Asterisk needs, added between marks and taken out again.

A file is only touched when it can be put back: an ordinary UTF-8 file, with none of our names in it already. A copy of
each stands in ``wiring/`` of the settings directory before it is changed.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.installation import asterisk_files, marked_block
from agent.installation.asterisk_files import AsteriskFile, yes
from agent.installation.layout import InstallationLayout
from agent.installation.manifest import InstallError

BACKUPS = "wiring"
"""Directory below the settings with the files as they were."""
_LEAST_SESSIONS = 500
_LEAST_WRITE_TIMEOUT_MS = 1000

_ORDINARY = {name: name for name in ("extensions.conf", "http.conf", "ari.conf", "manager.conf", "queues.conf")}
_FREEPBX = {
    "extensions.conf": "extensions_custom.conf",
    "http.conf": "http_custom.conf",
    "ari.conf": "ari_additional_custom.conf",
    "manager.conf": "manager_custom.conf",
    "queues.conf": "queues_custom.conf",
}
"""FreePBX writes the ordinary files itself; these are left to the administrator."""


@dataclass(frozen=True)
class WiringChange:
    """What one file gets."""

    file: Path
    """As the running Asterisk knows it, without ``DESTDIR``."""
    block: str
    why: str
    reload: str
    """The command after which it counts."""


def is_freepbx(layout: InstallationLayout) -> bool:
    """Whether FreePBX writes this Asterisk's files."""
    return layout.on_disk(Path("/etc/freepbx.conf")).exists() or layout.on_disk(Path("/etc/amportal.conf")).exists()


DEFAULT_STAFF_QUEUE = "orderline-humans"


def plan(
    layout: InstallationLayout,
    *,
    port: int = 8088,
    queues: Sequence[str] = (DEFAULT_STAFF_QUEUE,),
    apps: Sequence[str] = (),
) -> list[WiringChange]:
    """What is still missing in this Asterisk's files, file by file. Raises InstallError for what cannot be judged.

    ``queues`` are the staff queues; the dialplan will let calls go to these and to no others. ``apps`` are the ARI
    applications of several instances of the agent. The secrets must have been made (``make install``). What the
    administrator has set already is left alone.
    """
    directory = layout.on_disk(layout.asterisk_etc_dir)
    if not directory.is_dir():
        raise InstallError(f"{directory} is not there: no Asterisk on this machine, or its files are elsewhere")
    names = _FREEPBX if is_freepbx(layout) else _ORDINARY
    files = {name: asterisk_files.read(directory, name) for name in _ORDINARY}
    blocks = {
        "extensions.conf": _extensions(
            files["extensions.conf"],
            {} if is_freepbx(layout) else {"ORDERLINE_QUEUES": queues, "ORDERLINE_APPS": apps},
            _block(directory / names["extensions.conf"]),
        ),
        "http.conf": _http(files["http.conf"], port),
        "ari.conf": _ari(files["ari.conf"], layout, generated=is_freepbx(layout)),
        "manager.conf": _manager(files["manager.conf"], layout),
        "queues.conf": _queues(files["queues.conf"]),
    }
    return [
        WiringChange(layout.asterisk_etc_dir / names[name], block, *_ABOUT[name])
        for name, block in blocks.items()
        if block
    ]


_ABOUT = {
    "extensions.conf": ("the dialplan", "asterisk -rx 'dialplan reload'"),
    "http.conf": ("the web server that carries ARI, on loopback", "asterisk -rx 'core restart when convenient'"),
    "ari.conf": ("the agent's own ARI user", "asterisk -rx 'module reload res_ari.so'"),
    "manager.conf": ("the agent's own manager user", "asterisk -rx 'manager reload'"),
    "queues.conf": ("the staff queue; add members to it", "asterisk -rx 'queue reload all'"),
}


def replan_outdated(
    layout: InstallationLayout,
    changes: list[WiringChange],
    port: int,
    queues: Sequence[str] = (DEFAULT_STAFF_QUEUE,),
    apps: Sequence[str] = (),
) -> list[WiringChange]:
    """Where an earlier wiring does not suffice any more, take it out and plan anew; else the changes as they are."""
    again = set()
    for disk in (layout.on_disk(change.file) for change in changes):
        if disk.is_file() and not disk.is_symlink() and marked_block.split(_text(disk), str(disk)).block is not None:
            again.add(disk.name)
    if not again:
        return changes
    unwire(layout, again)
    return plan(layout, port=port, queues=queues, apps=apps)


def apply(layout: InstallationLayout, changes: list[WiringChange]) -> list[str]:
    """Write the changes; returns lines that say what was done. Raises InstallError before the first write.

    Each file keeps its owner and mode; the copy of it as it was is made first.
    """
    prepared = [(change, *_prepared(layout.on_disk(change.file))) for change in changes]
    backups = layout.on_disk(layout.etc_dir / BACKUPS)
    done: list[str] = []
    for change, disk, before in prepared:
        backups.mkdir(mode=0o700, exist_ok=True)
        backup = backups / disk.name
        if not backup.exists():
            _write_private(backup, before)
        _replace(disk, marked_block.join(before, change.block))
        done.append(f"{change.file}: {change.why} added; the file as it was: {layout.etc_dir / BACKUPS / disk.name}")
    done += dict.fromkeys(f"now run: {change.reload}" for change in changes)
    return done


def unwire(layout: InstallationLayout, only: Collection[str] = ()) -> list[str]:
    """Take our blocks out of every file that has one, or out of these only.

    Raises InstallError for marks that were torn apart.
    """
    directory = layout.on_disk(layout.asterisk_etc_dir)
    found: list[tuple[Path, str, str]] = []
    for name in sorted({*_ORDINARY.values(), *_FREEPBX.values()}):
        disk = directory / name
        if only and name not in only:
            continue
        if not disk.is_file() or disk.is_symlink():
            continue
        text = _text(disk)
        parts = marked_block.split(text, str(disk))
        if parts.block is not None:
            found.append((disk, parts.rest, parts.block))
    done: list[str] = []
    backups = layout.on_disk(layout.etc_dir / BACKUPS)
    for disk, rest, block in found:
        backup = backups / disk.name
        was_missing = backup.is_file() and not backup.read_text(encoding="utf-8") and not rest
        if was_missing and disk.name in _FREEPBX.values():
            disk.unlink()
        else:
            _replace(disk, rest)
        backup.unlink(missing_ok=True)
        done.append(f"{layout.asterisk_etc_dir / disk.name}: Orderline's lines are taken out")
        done += [f"  with them went: {line}" for line in block.splitlines() if line.startswith("member")]
    if backups.is_dir() and not any(backups.iterdir()):
        backups.rmdir()
    return done


# --- what each file needs ------------------------------------------------------------------------------


_LIST_ABOUT = {
    "ORDERLINE_QUEUES": "the only queues that calls may go to",
    "ORDERLINE_APPS": "the ARI applications of all instances of the agent",
}

_EXACT = frozenset({"ORDERLINE_APPS"})
"""Lists in which nothing may stand besides what the settings say."""


def _extensions(file: AsteriskFile, lists: Mapping[str, Sequence[str]], ours: str) -> str:
    """The dialplan, and lists of its global variables; not on FreePBX, whose ``[globals]`` are in another file.

    A list that stands in our own block, ``ours``, follows the settings; one of the administrator's is left alone.
    """
    lines = [] if "orderline" in file.sections else ['#include "orderline.conf"']
    missing = []
    for name, wanted in lists.items():
        there = file.get("globals", name)
        listed = set(there.split("&"))
        behind = f"{name}=" in ours and (not set(wanted) <= listed or (name in _EXACT and set(wanted) != listed))
        if wanted and (not there or behind):
            missing += [f"; {_LIST_ABOUT[name]}", f"{name}={'&'.join(wanted)}"]
    if missing:
        lines += ["[globals](+)" if "globals" in file.sections else "[globals]", *missing]
    return "\n".join(lines)


def _http(file: AsteriskFile, port: int) -> str:
    lines = []
    if not yes(file.get("general", "enabled")):
        lines += ["enabled=yes"]
        if not file.get("general", "bindaddr"):
            lines += ["bindaddr=127.0.0.1"]
        if file.get("general", "bindport", "8088") != str(port):
            lines += [f"bindport={port}"]
    sessions = file.get("general", "sessionlimit", "100")
    if not sessions.isdecimal() or int(sessions) < _LEAST_SESSIONS:
        lines += ["; each call holds a connection here for its audio", "sessionlimit=1000"]
    return _general(file, lines)


def _ari(file: AsteriskFile, layout: InstallationLayout, *, generated: bool) -> str:
    """``generated``: the values that are there are a program's defaults (FreePBX), not the administrator's choice."""
    lines = [] if yes(file.get("general", "enabled", "yes")) else ["enabled=yes"]
    timeout = file.get("general", "websocket_write_timeout")
    too_short = timeout.isdecimal() and int(timeout) < _LEAST_WRITE_TIMEOUT_MS
    if not timeout or (generated and too_short):
        line = f"websocket_write_timeout={_LEAST_WRITE_TIMEOUT_MS}"
        lines += ["; the default of 100 ms cuts a busy agent off", line]
    parts = [_general(file, lines)]
    if "orderline" not in file.sections:
        parts += [f"[orderline]\ntype=user\nread_only=no\npassword={_secret(layout, 'ari-password')}"]
    return "\n".join(part for part in parts if part)


def _manager(file: AsteriskFile, layout: InstallationLayout) -> str:
    lines = [] if yes(file.get("general", "enabled")) else ["enabled=yes"]
    if lines and not file.get("general", "bindaddr"):
        lines += ["bindaddr=127.0.0.1"]
    parts = [_general(file, lines)]
    if "orderline" not in file.sections:
        parts += [
            f"[orderline]\nsecret={_secret(layout, 'ami-secret')}\ndeny=0.0.0.0/0.0.0.0\n"
            "permit=127.0.0.1/255.255.255.255\n; it may ask how the queues stand and nothing else\n"
            "read=reporting\nwrite=reporting"
        ]
    return "\n".join(part for part in parts if part)


def _queues(file: AsteriskFile) -> str:
    if DEFAULT_STAFF_QUEUE in file.sections:
        return ""
    return (
        "[orderline-humans]\nstrategy=ringall\ntimeout=20\nretry=2\nringinuse=no\nautofill=yes\n"
        "joinempty=paused,invalid,unavailable\nleavewhenempty=paused,invalid,unavailable\n"
        "context=orderline-queue-escape\n; your people, here between the marks: member => PJSIP/601,0,Alice"
    )


def _general(file: AsteriskFile, lines: list[str]) -> str:
    """Settings added to ``[general]``: ``(+)`` goes on with a section that is there, and later values win."""
    if not lines:
        return ""
    return "\n".join(["[general](+)" if "general" in file.sections else "[general]", *lines])


def _secret(layout: InstallationLayout, name: str) -> str:
    path = layout.on_disk(layout.etc_dir / name)
    try:
        value = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise InstallError(f"{path} cannot be read: {error.strerror}; 'make install' makes it") from error
    if not value.isalnum():
        raise InstallError(f"{path} must hold letters and digits only, to stand in an Asterisk file")
    return value


# --- files ---------------------------------------------------------------------------------------------


def _prepared(disk: Path) -> tuple[Path, str]:
    if not disk.exists() and not disk.is_symlink() and disk.name in _FREEPBX.values():
        return disk, ""
    if disk.is_symlink() or not disk.is_file():
        raise InstallError(f"{disk} is not an ordinary file: add the lines by hand (docs/asterisk.md)")
    if not os.access(disk, os.W_OK):
        raise InstallError(f"{disk} cannot be written; are you root?")
    text = _text(disk)
    if marked_block.split(text, str(disk)).block is not None:
        raise InstallError(f"{disk} is wired already but not enough; run 'orderline unwire', then this again")
    return disk, text


def _block(disk: Path) -> str:
    """What we have put into a file, ``""`` for nothing."""
    return marked_block.split(_text(disk), str(disk)).block or "" if disk.is_file() else ""


def _text(disk: Path) -> str:
    try:
        return disk.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InstallError(f"{disk} is not UTF-8: it could not be put back; add the lines by hand") from error
    except OSError as error:
        raise InstallError(f"{disk} cannot be read: {error.strerror}; are you root?") from error


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text.encode())


def _replace(disk: Path, text: str) -> None:
    """Write a file anew under its name, with the owner and the mode it had."""
    try:
        was = disk.stat()
    except FileNotFoundError:
        was = disk.parent.stat()
        mode = 0o640
    else:
        mode = was.st_mode & 0o7777
    partial = disk.with_name(f".{disk.name}.orderline")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text.encode())
    if os.geteuid() == 0:
        os.chown(partial, was.st_uid, was.st_gid)
    partial.chmod(mode)
    partial.replace(disk)
