"""The preflight of the machine itself: secrets, directories, name, clock, ports."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import stat
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

from agent.asterisk.finding import Finding
from agent.clock import wall_clock
from agent.delivering import hook_of
from agent.errors import OrderlineError
from agent.settings import Settings, SettingsError

LEAST_FREE_BYTES = 500_000_000
"""Room for records, voice cache and logs of some months."""
HEALTH = "orderline"
"""What the unauthenticated health page of an agent begins with: its port is not taken by a stranger."""
_BUILT_IN = 2025
"""No machine of today is older: an earlier year is a clock that was never set."""
_TIME_ERROR = 5
"""adjtimex(2): nobody disciplines this clock."""


def secret_findings(settings: Settings) -> Iterator[Finding]:
    """Whether the secrets are there, and for nobody else's eyes."""
    secrets: list[tuple[str, Callable[[], object], Path | None]] = [
        ("ARI password", settings.ari.password, settings.ari.password_file),
        ("control token", settings.control.token, settings.control.token_file),
        *((("AMI secret", settings.ami.secret, settings.ami.secret_file),) if settings.ami.host else ()),
        *((f"webhook {hook.name}", partial(hook_of, hook), hook.secret_file) for hook in settings.webhooks),
    ]
    for what, read, file in secrets:
        try:
            read()
        except SettingsError as error:
            yield Finding(what, "failed", error.message, "openssl rand -hex 24 > FILE; chmod 600 FILE; name it there")
            continue
        yield Finding(what, "ok") if file is None or not file.exists() else secret_mode_finding(what, file)


def secret_mode_finding(what: str, file: Path) -> Finding:
    """Whether a secret is closed to everybody else. Root's file may be read by the agent's own group (mode 640)."""
    state = file.stat()
    mode = stat.S_IMODE(state.st_mode)
    own_group = state.st_gid in {os.getgid(), *os.getgroups()}
    allowed = 0o640 if state.st_uid == 0 and own_group and state.st_gid != 0 else 0o600
    if mode & ~allowed & 0o077:
        return Finding(what, "failed", f"{file} can be read by others (mode {mode:o})", f"chmod {allowed:o} {file}")
    return Finding(what, "ok")


def directory_finding(directory: Path) -> Finding:
    """Whether records can be kept, and for how long."""
    what = "state directory"
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return Finding(
            what, "failed", f"{directory}: {error.strerror}", f"mkdir -p {directory} and chown it to this user"
        )
    if not os.access(directory, os.W_OK):
        return Finding(what, "failed", f"{directory} cannot be written", f"chown it to the agent's user: {directory}")
    free = shutil.disk_usage(directory).free
    if free < LEAST_FREE_BYTES:
        return Finding(what, "warning", f"only {free // 10**6} MB are free in {directory}", "make room, or move it")
    return Finding(what, "ok", f"{directory}, {free // 10**9} GB free")


def host_name_finding() -> Finding:
    """Whether this machine's own name resolves; where it does not, calls can stall for seconds in Asterisk."""
    name = socket.gethostname()
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        fix = f"echo '127.0.0.1 {name}' >> /etc/hosts"
        return Finding("host name", "failed", f"{name} does not resolve: calls can stall for 5 s", fix)
    return Finding("host name", "ok", f"{name} resolves")


def port_finding(host: str, port: int) -> Finding:
    """Whether the port of the agent's own door is free, or its own."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            if not _agent_listens(host, port):
                detail = f"{host}:{port}: {error.strerror or error}"
                return Finding("control port", "failed", detail, "set control.host and control.port to a free one")
            state = "is this agent's, running"
        else:
            state = "is free"
    if host in ("127.0.0.1", "::1", "localhost"):
        return Finding("control port", "ok", f"{host}:{port} {state}")
    return Finding(
        "control port", "warning", f"{host} is not loopback: the feed is not encrypted", "control.host: 127.0.0.1"
    )


def _agent_listens(host: str, port: int) -> bool:
    """Whether it is an agent that holds the port."""
    near = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)  # noqa: S104 - read, not bound
    try:
        with urllib.request.urlopen(f"http://{near}:{port}/healthz", timeout=2) as answer:
            return bool(answer.read(100).startswith(HEALTH.encode()))
    except (OSError, urllib.error.URLError, ValueError):
        return False


def clock_finding() -> Finding:
    """Whether this machine's clock can be believed: records, hours and dates said aloud depend on it."""
    what = "clock"
    now = datetime.now().astimezone()
    if now.year < _BUILT_IN:
        return Finding(what, "failed", f"it is not {now:%Y-%m-%d}", "timedatectl set-ntp true, or date -s")
    if _disciplined() is not False:
        return Finding(what, "ok", f"{now:%Y-%m-%d %H:%M %Z}")
    if not Path("/run/systemd/system").is_dir():
        return Finding(what, "ok", f"{now:%Y-%m-%d %H:%M %Z}; synchronising it is up to this container's host")
    return Finding(
        what, "warning", "nobody synchronises it", "timedatectl set-ntp true (Debian: apt install systemd-timesyncd)"
    )


def _disciplined() -> bool | None:
    """Ask the kernel whether something synchronises its clock; None where it does not tell."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        state = library.adjtimex(ctypes.byref((ctypes.c_byte * 512)()))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR


def timezone_finding(name: str) -> Finding:
    """Whether the shop's local time can be told."""
    try:
        now = wall_clock(name)()
    except OrderlineError as error:
        return Finding("time zone", "failed", error.message, "shop.timezone: an IANA name, such as America/Chicago")
    if not name and now.utcoffset() is not None and now.tzname() == "UTC":
        detail = "shop.timezone is not set and the machine is on UTC"
        return Finding("time zone", "ok", f"{detail}; callers are told UTC dates")
    return Finding("time zone", "ok", f"it is {now:%A %H:%M} at the shop")
